import { type Lane, LaneQueue, lanePriority } from "./lane-queue.ts";

/**
 * The jobs of one meter, or of all meters on one shared line. One at a time passes, so that those that have to wait for the line take up
 * no place among the fleet's running jobs; in the order of the lanes, and of asking within a lane.
 */
export class LineGate {
  readonly #waiting = new LaneQueue();
  readonly #refuse = new Set<(error: Error) => void>();
  #busy = false;

  pass<T>(lane: Lane, job: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#refuse.add(reject);
    const run = () => {
      this.#refuse.delete(reject);
      return job().then(resolve, reject);
    };
    this.#waiting.enqueue(run, { priority: lanePriority(lane) });
    this.#next();
    return promise;
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return !this.#busy && this.#waiting.size === 0;
  }

  /** Refuses those that wait. */
  clear(): void {
    while (this.#waiting.dequeue() !== undefined);
    for (const refuse of this.#refuse) refuse(new Error("the queue of the line was cleared"));
    this.#refuse.clear();
  }

  #next(): void {
    if (this.#busy) return;
    const run = this.#waiting.dequeue();
    if (run === undefined) return;
    this.#busy = true;
    void run().finally(() => {
      this.#busy = false;
      this.#next();
    });
  }
}
