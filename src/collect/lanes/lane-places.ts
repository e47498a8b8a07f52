/**
 * The places for jobs, and how many of them may begin in a second. Scheduled and backfill jobs share the larger part; the
 * rest is reserved for control and on demand, which take free places of the larger part as well.
 */
import PQueue from "p-queue";
import type { Clock } from "../../../drivers/clock.ts";
import { type Lane, LaneQueue, lanePriority } from "./lane-queue.ts";
import { StartRate } from "./start-rate.ts";

export interface LaneWidth {
  readonly concurrency: number;
  readonly startsPerSecond: number;
}

/** The part of places and starts that is reserved for control and on demand. */
const RESERVED_PART = 10;

class Part {
  readonly queue = new PQueue({ queueClass: LaneQueue });
  readonly starts: StartRate;

  constructor(clock: Clock) {
    this.starts = new StartRate(1, clock);
  }

  get hasRoom(): boolean {
    return this.queue.size === 0 && this.queue.pending < this.queue.concurrency;
  }

  widen({ concurrency, startsPerSecond }: LaneWidth): void {
    this.starts.perSecond = startsPerSecond;
    this.queue.concurrency = concurrency;
  }

  add<T>(lane: Lane, job: () => Promise<T>): Promise<T> {
    const run = async () => {
      await this.starts.turn();
      return await job();
    };
    return this.queue.add(run, { priority: lanePriority(lane) });
  }

  async stop(): Promise<void> {
    this.queue.clear();
    this.starts.clear();
    await this.queue.onIdle();
  }
}

export class LanePlaces {
  /** Scheduled and backfill jobs, and others while there is room. */
  readonly #bulk: Part;
  /** What is asked for while there is none. */
  readonly #reserved: Part;
  #hasReserved = false;
  #width: LaneWidth;

  constructor(width: LaneWidth, clock: Clock) {
    this.#bulk = new Part(clock);
    this.#reserved = new Part(clock);
    this.#width = width;
    this.width = width;
  }

  get width(): LaneWidth {
    return this.#width;
  }

  /** What runs goes on; where it is more than there are places now, nothing begins until it is less. */
  set width(width: LaneWidth) {
    const { concurrency, startsPerSecond } = width;
    this.#width = width;
    const places = Math.min(Math.ceil(concurrency / RESERVED_PART), concurrency - 1);
    const starts = Math.min(Math.ceil(startsPerSecond / RESERVED_PART), startsPerSecond - 1);
    this.#hasReserved = places > 0 && starts > 0;
    if (this.#hasReserved) {
      this.#reserved.widen({ concurrency: places, startsPerSecond: starts });
      this.#bulk.widen({ concurrency: concurrency - places, startsPerSecond: startsPerSecond - starts });
    } else this.#bulk.widen(width);
  }

  /** Places of scheduled and backfill jobs. */
  get bulk(): number {
    return this.#bulk.queue.concurrency;
  }

  /** Jobs that have one of these, or wait for one. */
  get inBulk(): number {
    return this.#bulk.queue.size + this.#bulk.queue.pending;
  }

  add<T>(lane: Lane, job: () => Promise<T>): Promise<T> {
    return this.#partFor(lane).add(lane, job);
  }

  /** Begins nothing more; ends when what runs has ended. */
  async stop(): Promise<void> {
    await Promise.all([this.#bulk.stop(), this.#reserved.stop()]);
  }

  #partFor(lane: Lane): Part {
    if (!this.#hasReserved || lane === "scheduled" || lane === "backfill") return this.#bulk;
    // Where both are full, the larger part has a place again sooner, and its next one is for this job.
    return this.#bulk.hasRoom || !this.#reserved.hasRoom ? this.#bulk : this.#reserved;
  }
}
