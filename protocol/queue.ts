/**
 * First in, first out, for a machine's output and events. Most hold one thing at a time: an array would get and give back
 * its memory for each of them.
 */
export class Queue<T extends object> {
  #first: T | undefined;
  #others: T[] | undefined;

  push(item: T): void {
    if (this.#first === undefined) this.#first = item;
    else (this.#others ??= []).push(item);
  }

  /** The oldest item, which is no longer in the queue; undefined when there is none. */
  take(): T | undefined {
    const item = this.#first;
    if (item !== undefined) this.#first = this.#others?.shift();
    return item;
  }

  clear(): void {
    this.#first = undefined;
    this.#others = undefined;
  }
}
