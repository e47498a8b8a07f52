interface Due<T> {
  readonly dueMs: number;
  /** Order of adding, so that equal times come out first in, first out. */
  readonly sequence: number;
  readonly item: T;
}

/** What is due when: a binary heap, so that a fleet of any size costs O(log n) per event and never a scan. */
export class DueHeap<T> {
  readonly #items: Due<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#items.length;
  }

  /** When the earliest item is due. */
  get nextMs(): number | undefined {
    return this.#items[0]?.dueMs;
  }

  add(dueMs: number, item: T): void {
    const items = this.#items;
    let index = items.push({ dueMs, sequence: this.#sequence++, item }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Takes the earliest item if it is due by then. */
  takeDue(nowMs: number): T | undefined {
    const [first] = this.#items;
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink();
    }
    return first.item;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const first = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(first, index)) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return first !== undefined;
    return first.dueMs < second.dueMs || (first.dueMs === second.dueMs && first.sequence < second.sequence);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return;
    this.#items[a] = second;
    this.#items[b] = first;
  }
}
