import { type Clock, systemClock } from "../../drivers/clock.ts";
import { type Lane, LaneQueue, lanePriority } from "./lane-queue.ts";

/** What a gate lets through. */
export interface GateWidth {
  /** Jobs at a time; one when left out. */
  readonly places?: number | undefined;
  /** Jobs that may begin in a second; any number when left out. */
  readonly startsPerSecond?: number | undefined;
}

const SECOND_MS = 1000;

/**
 * The jobs of one meter, of all meters on one shared line, or of all in a pool or network. So many pass at a time; those
 * that have to wait take up no place among the fleet's running jobs. In the order of the lanes, and of asking within a
 * lane.
 */
export class LineGate {
  readonly #waiting = new LaneQueue();
  readonly #refuse = new Set<(error: Error) => void>();
  readonly #places: number;
  readonly #startEveryMs: number;
  readonly #clock: Clock;
  #running = 0;
  #nextStartMs = -Infinity;
  #isTimed = false;

  constructor({ places = 1, startsPerSecond }: GateWidth = {}, clock: Clock = systemClock) {
    this.#places = places;
    this.#startEveryMs = startsPerSecond === undefined ? 0 : SECOND_MS / startsPerSecond;
    this.#clock = clock;
  }

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
    return this.#running === 0 && this.#waiting.size === 0;
  }

  /** Refuses those that wait. */
  clear(): void {
    while (this.#waiting.dequeue() !== undefined);
    for (const refuse of this.#refuse) refuse(new Error("the queue of the line was cleared"));
    this.#refuse.clear();
  }

  #next(): void {
    if (this.#running >= this.#places || this.#waiting.size === 0 || this.#isTimed) return;
    const waitMs = this.#nextStartMs - this.#clock.elapsed();
    if (waitMs > 0) {
      this.#isTimed = true;
      this.#clock.after(Math.ceil(waitMs), () => {
        this.#isTimed = false;
        this.#next();
      });
      return;
    }
    const run = this.#waiting.dequeue();
    if (run === undefined) return;
    if (this.#startEveryMs > 0) this.#nextStartMs = this.#clock.elapsed() + this.#startEveryMs;
    this.#running++;
    void run().finally(() => {
      this.#running--;
      this.#next();
    });
    this.#next();
  }
}
