/** Watches the jobs of one process: what the lanes promise must hold at every moment, whatever happens. */
import type { JobOutcome } from "../../../src/collect/plan/planner.ts";
import type { Observer } from "./observer.ts";
import type { VirtualScope } from "./virtual-time.ts";

export interface JobBounds {
  readonly concurrency: number;
  readonly connectsPerSecond: number;
}

const SECOND_MS = 1000;
/** The shortest of all rules for another try. */
const FIRST_RETRY_MS = 30_000;

export class JobWatch {
  readonly #bounds: JobBounds;
  readonly #process: VirtualScope;
  readonly #observer: Observer;
  readonly #running = new Set<string>();
  readonly #failedMs = new Map<string, number>();
  /** Since their last poll began. */
  readonly #seen = new Set<string>();
  #begunMs: number[] = [];

  constructor(bounds: JobBounds, process: VirtualScope, observer: Observer) {
    this.#bounds = bounds;
    this.#process = process;
    this.#observer = observer;
  }

  /** A meter has one job at a time, all meters have no more than there are places, and so many begin in a second. */
  async during<T>(meter: string, work: () => Promise<T>): Promise<T> {
    const { concurrency, connectsPerSecond } = this.#bounds;
    const nowMs = this.#process.elapsed();
    if (this.#running.has(meter)) this.#observer.fault(`two jobs at once: ${meter}`);
    this.#running.add(meter);
    if (this.#running.size > concurrency) this.#observer.fault(`${this.#running.size} jobs in ${concurrency} places`);
    this.#begunMs = [...this.#begunMs.filter((begunMs) => begunMs > nowMs - SECOND_MS), nowMs];
    // A second of the clock may be the end of one that is counted and the beginning of the next.
    if (this.#begunMs.length > 2 * connectsPerSecond) {
      this.#observer.fault(`${this.#begunMs.length} jobs began in a second, of ${connectsPerSecond}`);
    }
    try {
      return await work();
    } finally {
      this.#running.delete(meter);
    }
  }

  /** The same for a poll: after a failure there is none before the time for another try. */
  async poll(meter: string, work: () => Promise<JobOutcome>): Promise<JobOutcome> {
    const sinceMs = this.#process.elapsed() - (this.#failedMs.get(meter) ?? -Infinity);
    if (sinceMs < FIRST_RETRY_MS) this.#observer.fault(`${meter} is tried again ${sinceMs} ms after a failure`);
    this.#failedMs.delete(meter);
    this.#seen.delete(meter);
    const outcome = await this.during(meter, work);
    if (!this.#seen.delete(meter) && !outcome.answered) this.#failedMs.set(meter, this.#process.elapsed());
    return outcome;
  }

  /** The meter gave a sign of life, or is back: it may be tried at once. */
  seen(meter: string): void {
    this.#seen.add(meter);
    this.#failedMs.delete(meter);
  }
}
