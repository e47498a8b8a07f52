import { type Clock, systemClock } from "../../../drivers/clock.ts";
import type { Lane } from "./lane-queue.ts";
import { WaitingJobs } from "./waiting-jobs.ts";

/** What a gate lets through; what changes holds for those that come, and that wait, from then on. */
export interface GateWidth {
  /** Jobs at a time; one when left out. */
  readonly places?: number | undefined;
  /** Jobs that may begin in a second; any number when left out. */
  readonly startsPerSecond?: number | undefined;
}

const SECOND_MS = 1000;

/**
 * The jobs of one meter, of all meters on one shared line, or of all in a pool or network. So many pass at a time; those
 * that have to wait take up no place among the fleet's running jobs. In the order of the lanes; within a lane meters take
 * turns, so that none waits for all that is asked of another.
 */
export class LineGate<Meter> {
  readonly #waiting = new WaitingJobs<Meter>();
  readonly #refuse = new Set<(error: Error) => void>();
  readonly #width: GateWidth;
  readonly #clock: Clock;
  #running = 0;
  #nextStartMs = -Infinity;
  #isTimed = false;

  constructor(width: GateWidth = {}, clock: Clock = systemClock) {
    this.#width = width;
    this.#clock = clock;
  }

  pass<T>(lane: Lane, meter: Meter, job: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#refuse.add(reject);
    const run = () => {
      this.#refuse.delete(reject);
      void this.#counted(job).then(resolve, reject);
    };
    this.#waiting.add(lane, meter, run);
    this.#next();
    return promise;
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0;
  }

  /** Refuses those that wait. */
  clear(): void {
    this.#waiting.clear();
    for (const refuse of this.#refuse) refuse(new Error("the queue of the line was cleared"));
    this.#refuse.clear();
  }

  #next(): void {
    const { places = 1, startsPerSecond } = this.#width;
    while (this.#running < places && this.#waiting.size > 0 && !this.#isTimed) {
      const waitMs = this.#nextStartMs - this.#clock.elapsed();
      if (waitMs > 0) return this.#nextAfter(waitMs);
      if (startsPerSecond !== undefined) this.#nextStartMs = this.#clock.elapsed() + SECOND_MS / startsPerSecond;
      this.#waiting.take()?.();
    }
  }

  #nextAfter(waitMs: number): void {
    this.#isTimed = true;
    this.#clock.after(Math.ceil(waitMs), () => {
      this.#isTimed = false;
      this.#next();
    });
  }

  /** Whoever hears of the end finds the place free. */
  async #counted<T>(job: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await job();
    } finally {
      this.#running--;
      this.#next();
    }
  }
}
