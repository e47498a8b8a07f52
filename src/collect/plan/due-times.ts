const START = 1024;
const NOWHERE = -1;

/**
 * When each of a dense range of numbers is due: a binary heap over typed arrays in which every number has its place, so
 * that a due time is set, changed and taken in O(log n) and a million of them take 16 MB.
 */
export class DueTimes {
  #dueMs = new Float64Array(START);
  /** The heap, and where in it each number is. */
  #heap = new Int32Array(START);
  #places = new Int32Array(START).fill(NOWHERE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the earliest is due. */
  get nextMs(): number | undefined {
    return this.#size === 0 ? undefined : this.#dueMs[this.#heap[0] ?? 0];
  }

  set(number: number, dueMs: number): void {
    this.#reserve(number);
    this.#dueMs[number] = dueMs;
    let place = this.#places[number] ?? NOWHERE;
    if (place === NOWHERE) {
      place = this.#size++;
      this.#put(number, place);
    }
    this.#sink(this.#rise(place));
  }

  delete(number: number): void {
    const place = this.#places[number] ?? NOWHERE;
    if (place === NOWHERE) return;
    this.#places[number] = NOWHERE;
    const last = this.#heap[--this.#size] ?? 0;
    if (place === this.#size) return;
    this.#put(last, place);
    this.#sink(this.#rise(place));
  }

  /** Takes the earliest if it is due by then. */
  takeDue(nowMs: number): number | undefined {
    return this.#size === 0 || this.#due(0) > nowMs ? undefined : this.takeFirst();
  }

  /** Takes the earliest. */
  takeFirst(): number | undefined {
    if (this.#size === 0) return undefined;
    const first = this.#heap[0] ?? 0;
    this.delete(first);
    return first;
  }

  /** When a number is due; undefined when it is not. */
  dueMs(number: number): number | undefined {
    return (this.#places[number] ?? NOWHERE) === NOWHERE ? undefined : this.#dueMs[number];
  }

  /** The earliest first, as they are now, without taking them: one copy, and then O(log n) for each. */
  *inOrder(): Generator<number> {
    const copy = new DueTimes();
    [copy.#dueMs, copy.#heap, copy.#places] = [this.#dueMs.slice(), this.#heap.slice(), this.#places.slice()];
    copy.#size = this.#size;
    for (let first = copy.takeFirst(); first !== undefined; first = copy.takeFirst()) yield first;
  }

  #due(place: number): number {
    return this.#dueMs[this.#heap[place] ?? 0] ?? 0;
  }

  #put(number: number, place: number): void {
    this.#heap[place] = number;
    this.#places[number] = place;
  }

  #rise(from: number): number {
    const number = this.#heap[from] ?? 0;
    const dueMs = this.#dueMs[number] ?? 0;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#due(parent) <= dueMs) break;
      this.#put(this.#heap[parent] ?? 0, place);
      place = parent;
    }
    this.#put(number, place);
    return place;
  }

  #sink(from: number): void {
    const number = this.#heap[from] ?? 0;
    const dueMs = this.#dueMs[number] ?? 0;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#due(child + 1) < this.#due(child)) child++;
      if (this.#due(child) >= dueMs) break;
      this.#put(this.#heap[child] ?? 0, place);
      place = child;
    }
    this.#put(number, place);
  }

  #reserve(number: number): void {
    if (number < this.#dueMs.length) return;
    const length = Math.max(2 * this.#dueMs.length, number + 1);
    const dueMs = new Float64Array(length);
    dueMs.set(this.#dueMs);
    const heap = new Int32Array(length);
    heap.set(this.#heap);
    const places = new Int32Array(length).fill(NOWHERE);
    places.set(this.#places);
    [this.#dueMs, this.#heap, this.#places] = [dueMs, heap, places];
  }
}
