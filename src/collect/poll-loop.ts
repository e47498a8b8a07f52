/**
 * Reads every meter when its plans are due. Due times stand in a heap and the queue is topped up from it, so neither a
 * tick nor a finished read costs more in a larger fleet. A meter is worked by one job at a time; reads that people ask
 * for go before scheduled ones.
 */
import PQueue from "p-queue";
import type { ProfileKind } from "../profiles/batch.ts";
import { DueHeap } from "./due-heap.ts";
import { type Lane, LaneQueue, lanePriority } from "./lane-queue.ts";
import { LineGate } from "./line-gate.ts";
import { nextSlotMs, retryDelayMs } from "./slot.ts";

export interface ReadingPlan {
  readonly profile: ProfileKind;
  readonly everyMs: number;
}

export interface PollLoopOptions<Meter> {
  readonly meters: readonly Meter[];
  readonly nameOf: (meter: Meter) => string;
  /** The line that the meter shares with others, if it does: they are worked one after the other. */
  readonly lineOf?: (meter: Meter) => string | undefined;
  readonly plans: readonly ReadingPlan[];
  readonly concurrency: number;
  readonly startsPerSecond: number;
  /** Reads the profiles of one meter; true when the meter answered. Tells failures by itself and never rejects. */
  readonly poll: (meter: Meter, profiles: readonly ProfileKind[]) => Promise<boolean>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Entry<Meter> {
  readonly meter: Meter;
  readonly name: string;
  readonly gate: LineGate | undefined;
  /** When each plan is due next, in the order of the plans. */
  readonly dueMs: number[];
  failures: number;
  /** The jobs of this meter, one after the other. */
  busy: Promise<unknown>;
}

const SECOND_MS = 1000;
/** setTimeout takes no more; a later due time is looked at again then. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export class PollLoop<Meter> {
  readonly #options: PollLoopOptions<Meter>;
  readonly #queue: PQueue<LaneQueue>;
  readonly #entries: Map<Meter, Entry<Meter>>;
  readonly #gates = new Map<string, LineGate>();
  readonly #due = new DueHeap<Entry<Meter>>();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(options: PollLoopOptions<Meter>) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#queue = new PQueue({
      concurrency: options.concurrency,
      interval: SECOND_MS,
      intervalCap: options.startsPerSecond,
      queueClass: LaneQueue,
    });
    this.#entries = new Map(options.meters.map((meter) => [meter, this.#newEntry(meter)]));
  }

  /** Polls every meter once now and then whenever its plans are due. */
  start(): void {
    // A gateway that only takes pushes has no plans, and no reason to call its meters.
    if (this.#options.plans.length === 0) return;
    this.#stopped = false;
    const now = this.#now();
    for (const entry of this.#entries.values()) this.#due.add(now, entry);
    this.#topUp();
  }

  /** Polls every meter once, for all plans; ends when each has been tried. */
  async pollOnce(): Promise<void> {
    const profiles = this.#options.plans.map((plan) => plan.profile);
    const polls = Array.from(this.#entries.values(), (entry) =>
      this.#enqueue(entry, "scheduled", () => this.#options.poll(entry.meter, profiles)),
    );
    await Promise.all(polls);
  }

  /** Runs a job for a meter before scheduled work, but not beside another job of the same meter. */
  readNow<T>(meter: Meter, job: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(meter) ?? this.#newEntry(meter);
    this.#entries.set(meter, entry);
    return this.#enqueue(entry, "on_demand", job);
  }

  /** Starts no more jobs; ends when those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const gate of this.#gates.values()) gate.clear();
    this.#queue.clear();
    await this.#queue.onIdle();
  }

  #newEntry(meter: Meter): Entry<Meter> {
    const name = this.#options.nameOf(meter);
    const gate = this.#gateOf(meter);
    return { meter, name, gate, dueMs: this.#options.plans.map(() => 0), failures: 0, busy: Promise.resolve() };
  }

  #enqueue<T>(entry: Entry<Meter>, lane: Lane, job: () => Promise<T>): Promise<T> {
    const run = () =>
      this.#queue.add(
        () => {
          const turn = entry.busy.then(job);
          entry.busy = turn.catch(() => undefined);
          return turn;
        },
        { priority: lanePriority(lane) },
      );
    return entry.gate === undefined ? run() : entry.gate.pass(lane, run);
  }

  #gateOf(meter: Meter): LineGate | undefined {
    const line = this.#options.lineOf?.(meter);
    if (line === undefined) return undefined;
    const gate = this.#gates.get(line) ?? new LineGate();
    this.#gates.set(line, gate);
    return gate;
  }

  #topUp(): void {
    if (this.#stopped) return;
    const now = this.#now();
    while (this.#queue.size < 2 * this.#options.concurrency) {
      const entry = this.#due.takeDue(now);
      if (entry === undefined) break;
      const onward = () => this.#topUp();
      // The only rejection is that of a queue which `stop` has cleared: the poll itself never throws.
      this.#enqueue(entry, "scheduled", () => this.#pollDue(entry)).then(onward, onward);
    }
    clearTimeout(this.#timer);
    const { nextMs } = this.#due;
    // A queue that is full tops itself up when a job ends; a timer would only find it full again.
    if (nextMs === undefined || nextMs <= now) return;
    this.#timer = setTimeout(() => this.#topUp(), Math.min(nextMs - now, LONGEST_DELAY_MS));
  }

  async #pollDue(entry: Entry<Meter>): Promise<void> {
    const { plans } = this.#options;
    const startedMs = this.#now();
    const due = plans.map((_, index) => (entry.dueMs[index] ?? 0) <= startedMs);
    const profiles = plans.filter((_, index) => due[index] === true).map((plan) => plan.profile);
    const answered = await this.#options.poll(entry.meter, profiles);
    if (answered) {
      entry.failures = 0;
      for (const [index, plan] of plans.entries()) {
        if (due[index] === true) entry.dueMs[index] = nextSlotMs(this.#now(), plan.everyMs, entry.name);
      }
      this.#due.add(Math.min(...entry.dueMs), entry);
    } else {
      entry.failures++;
      const shortest = Math.min(...plans.map((plan) => plan.everyMs));
      this.#due.add(this.#now() + retryDelayMs(entry.failures, shortest), entry);
    }
  }
}
