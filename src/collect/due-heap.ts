/** What is due when: a binary heap, so that a fleet of any size costs O(log n) per event and never a scan. */
export class DueHeap<T> {
  readonly #items: { dueMs: number; item: T }[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** When the earliest item is due. */
  get nextMs(): number | undefined {
    return this.#items[0]?.dueMs;
  }

  add(dueMs: number, item: T): void {
    const items = this.#items;
    let index = items.push({ dueMs, item }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= dueMs) break;
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
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(index) <= this.#at(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }

  #at(index: number): number {
    return this.#items[index]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a], this.#items[b]];
    if (first === undefined || second === undefined) return;
    this.#items[a] = second;
    this.#items[b] = first;
  }
}
