/**
 * Runs the planner's jobs, and what people ask for, in lanes. A meter is worked by one job at a time, and so is a line
 * that meters share: jobs that wait for their meter or line take up no place.
 */
import { type Clock, systemClock, type Timer } from "../../drivers/clock.ts";
import type { ReadingKind } from "../profiles/batch.ts";
import { LanePlaces, type LaneWidth } from "./lane-places.ts";
import type { Lane } from "./lane-queue.ts";
import { type LaneReport, LaneTimes } from "./lane-times.ts";
import { type GateWidth, LineGate } from "./line-gate.ts";
import { type OpenJob, OpenJobs } from "./open-jobs.ts";
import {
  type JobOutcome,
  type PlannedJob,
  type PlannedLane,
  Planner,
  type PlannerOptions,
  type QuarantinedMeter,
  type UpcomingJob,
} from "./planner.ts";

export interface PollLoopOptions<Meter> extends PlannerOptions<Meter>, LaneWidth {
  /** Those that are worked from the start; see `hold`. */
  readonly meters: readonly Meter[];
  /** The line that the meter shares with others, if it does: they are worked one after the other. */
  readonly lineOf?: (meter: Meter) => string | undefined;
  /** The pool that the meter is in, then the network, where they are bounded; the same objects for all meters in them. */
  readonly boundsOf?: (meter: Meter) => readonly GateWidth[];
  /** Whether there is a way to the meter now; there is one to all when left out. See `setReachable`. */
  readonly isReachable?: (meter: Meter) => boolean;
  /** Reads the profiles of one meter. Tells failures by itself and never rejects. */
  readonly poll: (meter: Meter, profiles: readonly ReadingKind[], lane: PlannedLane) => Promise<JobOutcome>;
  /** The clock was set, by hours or more; all meters are due. */
  readonly onClockSet?: (byMs: number) => void;
  readonly clock?: Clock;
}

const SECOND_MS = 1000;
/** Due times are looked at again after this time at the latest, for the clock may have been set. */
const LONGEST_DELAY_MS = 60_000;
/** More than a clock is corrected by while it runs. */
const CLOCK_SET_MS = 3_600_000;

/** What people ask of a meter. */
export interface AskedWork {
  readonly lane: "control" | "on_demand";
  /** In words. */
  readonly what: string;
}

const READ: AskedWork = { lane: "on_demand", what: "read" };

/** The meter is not this gateway's to work. */
export class MeterNotHeldError extends Error {
  override readonly name = "MeterNotHeldError";
  constructor(meter: string) {
    super(`${meter} is not worked by this gateway now`);
  }
}

export class PollLoop<Meter> {
  readonly #options: PollLoopOptions<Meter>;
  readonly #planner: Planner<Meter>;
  readonly #places: LanePlaces;
  /** By line, for good; by meter, while it has a job. */
  readonly #gates = new Map<string | Meter, LineGate<Meter>>();
  /** For good. */
  readonly #bounds = new Map<GateWidth, LineGate<Meter>>();
  readonly #times = new LaneTimes();
  readonly #open = new OpenJobs<Meter>();
  readonly #clock: Clock;
  /** The meters that are ours to work. */
  readonly #held: Set<Meter>;
  /** What runs for a meter now. */
  readonly #running = new Map<Meter, Promise<unknown>>();
  #backfilling = 0;
  /** When was looked for due work last, by the clock that never jumps. */
  #lookedMs = 0;
  /** By how much the clock is ahead of the one that never jumps. */
  #aheadMs: number;
  #timer: Timer | undefined;
  #stopped = true;

  constructor(options: PollLoopOptions<Meter>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#aheadMs = this.#clock.now() - this.#clock.elapsed();
    this.#planner = new Planner(options);
    this.#held = new Set(options.meters);
    this.#places = new LanePlaces(options, this.#clock);
  }

  /** How many jobs run at a time and begin in a second, from now on; what runs goes on. */
  widen(width: LaneWidth): void {
    this.#places.width = width;
    this.#topUp();
  }

  /** Polls every meter once now and then whenever its plans are due. */
  start(): void {
    this.#stopped = false;
    this.#plan(this.#held);
    this.#topUp();
  }

  get heldCount(): number {
    return this.#held.size;
  }

  holds(meter: Meter): boolean {
    return this.#held.has(meter);
  }

  /** These meters are worked as well from now on. */
  hold(meters: Iterable<Meter>): void {
    const all = [...meters];
    for (const meter of all) this.#held.add(meter);
    if (!this.#stopped) this.#plan(all);
    this.#topUp();
  }

  /** There is a way to the meter from now on, or none any more: what is due for it waits until there is one again. */
  setReachable(meter: Meter, isReachable: boolean): void {
    if (isReachable) this.#planner.resume(meter, this.#clock.now());
    else this.#planner.pause(meter);
    this.#topUp();
  }

  /** Begins nothing more for these meters; ends when nothing runs for them. What waits is refused. */
  async release(meters: Iterable<Meter>): Promise<void> {
    const running: Promise<unknown>[] = [];
    for (const meter of meters) {
      this.#held.delete(meter);
      this.#planner.remove(meter);
      const job = this.#running.get(meter);
      if (job !== undefined) running.push(job);
    }
    await Promise.allSettled(running);
  }

  /** These meters have other plans: those that are worked here are due soon, and then as the plans say. */
  replan(meters: Iterable<Meter>): void {
    if (this.#stopped) return;
    const held = Array.from(meters).filter((meter) => this.#held.has(meter));
    const spreadMs = this.#spreadMs(held.length);
    for (const meter of held) this.#planner.replan(meter, this.#clock.now(), spreadMs);
    this.#topUp();
  }

  /** Due times of before would come much too late, or all at once. */
  #noteSetClock(): void {
    const aheadMs = this.#clock.now() - this.#clock.elapsed();
    const byMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (Math.abs(byMs) < CLOCK_SET_MS) return;
    this.#options.onClockSet?.(byMs);
    for (const meter of this.#held) this.#planner.remove(meter);
    this.#plan(this.#held);
  }

  /** Polls every meter once, for all plans; ends when each has been tried. */
  async pollOnce(): Promise<void> {
    const { plansOf, poll } = this.#options;
    const polls = Array.from(this.#held, (meter) => {
      const profiles = plansOf(meter).map((plan) => plan.profile);
      const job = this.#jobOf(meter, "scheduled", profiles.join(" "));
      return this.#enqueue(job, () => poll(meter, profiles, "scheduled"));
    });
    await Promise.all(polls);
  }

  /**
   * Runs a job for a meter before scheduled work, but not beside another job of the same meter. Rejects with
   * MeterNotHeldError where the meter is not ours to work, or is not any more when its turn comes.
   */
  readNow<T>(meter: Meter, work: () => Promise<T>, { lane, what }: AskedWork = READ): Promise<T> {
    // It may have had the place that scheduled work was waiting for.
    return this.#enqueue(this.#jobOf(meter, lane, what), work).finally(() => this.#topUp());
  }

  /** The meter gave a sign of life by itself. */
  seen(meter: Meter): void {
    this.#planner.seen(meter, this.#clock.now());
    this.#topUp();
  }

  /** Something of a meter is missing: it is asked for when there is room. */
  want(meter: Meter, readings: readonly ReadingKind[]): void {
    this.#planner.want(meter, readings, this.#clock.now());
    this.#topUp();
  }

  /** How long jobs of each lane waited and ran, by now. */
  laneTimes(): ReadonlyMap<Lane, LaneReport> {
    return this.#times.report();
  }

  /** What is worked now, then what waits for its turn. */
  openJobs(): Iterable<OpenJob<Meter>> {
    return this.#open.inOrder();
  }

  /** What is to be done next, of one meter or of all. */
  upcomingJobs(of?: Meter): Iterable<UpcomingJob<Meter>> {
    return this.#planner.upcoming(of);
  }

  /** Meters that keep failing and are tried seldom. */
  quarantined(): Iterable<QuarantinedMeter<Meter>> {
    return this.#planner.quarantined();
  }

  get quarantinedCount(): number {
    return this.#planner.quarantinedCount;
  }

  /** How late the work is that is due next; 0 when none is due. */
  get overdueMs(): number {
    return this.#stopped ? 0 : Math.max(0, this.#clock.now() - (this.#planner.nextMs ?? Infinity));
  }

  /** For how long work has been due, and nothing is done; 0 while it goes on. */
  get stalledMs(): number {
    if (this.overdueMs === 0 || this.#places.inBulk > 0) return 0;
    return this.#clock.elapsed() - this.#lookedMs;
  }

  /** Starts no more jobs; ends when those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.close();
    for (const gate of [...this.#bounds.values(), ...this.#gates.values()]) gate.clear();
    await this.#places.stop();
  }

  /** More meters than have a place are not due at one instant, but over the time that it takes to begin with them. */
  #spreadMs(meters: number): number {
    const { concurrency, startsPerSecond } = this.#places.width;
    return (Math.max(0, meters - concurrency) * SECOND_MS) / startsPerSecond;
  }

  #plan(meters: Iterable<Meter>): void {
    const { isReachable } = this.#options;
    const all = [...meters];
    const now = this.#clock.now();
    const spreadMs = this.#spreadMs(all.length);
    for (const meter of all) {
      this.#planner.add(meter, now, spreadMs);
      if (isReachable?.(meter) === false) this.#planner.pause(meter);
    }
  }

  #jobOf(meter: Meter, lane: Lane, what: string): OpenJob<Meter> {
    const askedMs = this.#clock.now();
    return { meter, lane, what, askedMs, stage: "limit", sinceMs: askedMs };
  }

  /** Through the gates of network and pool first: who waits there does not keep the meter from what people ask. */
  #enqueue<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter, lane } = job;
    const askedMs = this.#clock.elapsed();
    let pass = () => this.#pass(job, () => this.#timed(lane, askedMs, work));
    for (const bound of this.#options.boundsOf?.(meter) ?? []) {
      const within = pass;
      const gate = this.#bounds.get(bound) ?? new LineGate<Meter>(bound, this.#clock);
      this.#bounds.set(bound, gate);
      pass = () => gate.pass(lane, meter, within);
    }
    return this.#open.during(job, pass);
  }

  #pass<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter, lane } = job;
    const line = this.#options.lineOf?.(meter);
    const key = line ?? meter;
    const gate = this.#gates.get(key) ?? new LineGate<Meter>();
    this.#gates.set(key, gate);
    job.stage = "line";
    return gate
      .pass(lane, meter, () => this.#placed(job, () => this.#watched(job, work)))
      .finally(() => {
        if (line === undefined && gate.idle) this.#gates.delete(key);
      });
  }

  /** Backfill counts from here on: what waits at a gate keeps no place from that of other meters. */
  async #placed<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { lane } = job;
    job.stage = "place";
    const count = lane === "backfill" ? 1 : 0;
    this.#backfilling += count;
    try {
      return await this.#places.add(lane, work);
    } finally {
      this.#backfilling -= count;
    }
  }

  async #watched<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter } = job;
    if (!this.#held.has(meter)) throw new MeterNotHeldError(this.#options.nameOf(meter));
    job.stage = "running";
    job.sinceMs = this.#clock.now();
    const running = work();
    this.#running.set(meter, running);
    try {
      return await running;
    } finally {
      this.#running.delete(meter);
    }
  }

  async #timed<T>(lane: Lane, askedMs: number, job: () => Promise<T>): Promise<T> {
    const startedMs = this.#clock.elapsed();
    try {
      return await job();
    } finally {
      this.#times.add(lane, startedMs - askedMs, this.#clock.elapsed() - startedMs);
    }
  }

  /** Synchronous, so that what it adds is counted before it looks again. */
  #topUp(): void {
    if (this.#stopped) return;
    this.#lookedMs = this.#clock.elapsed();
    this.#noteSetClock();
    const now = this.#clock.now();
    const onward = () => this.#topUp();
    // No more than have a place: a job that waits would keep its meter from what people ask of it.
    while (this.#places.inBulk < this.#places.bulk) {
      const next = this.#take(now);
      if (next === undefined) break;
      // Rejected only where `stop` has cleared the queue or the meter is not held any more: the poll itself never throws.
      const { meter, profiles } = next.job;
      const job = this.#jobOf(meter, next.lane, profiles.join(" "));
      this.#enqueue(job, () => this.#work(next.job, next.lane)).then(onward, onward);
    }
    this.#timer?.close();
    const { nextMs } = this.#planner;
    // A queue that is full tops itself up when a job ends; a timer would only find it full again.
    if (nextMs === undefined || nextMs <= now) return;
    this.#timer = this.#clock.after(Math.min(nextMs - now, LONGEST_DELAY_MS), onward);
  }

  /** Scheduled work first; backfill has at most half of the places. */
  #take(nowMs: number): { readonly job: PlannedJob<Meter>; readonly lane: PlannedLane } | undefined {
    const scheduled = this.#planner.take("scheduled", nowMs);
    if (scheduled !== undefined) return { job: scheduled, lane: "scheduled" };
    if (this.#backfilling >= Math.max(1, Math.floor(this.#places.bulk / 2))) return undefined;
    const backfill = this.#planner.take("backfill", nowMs);
    if (backfill === undefined) return undefined;
    return { job: backfill, lane: "backfill" };
  }

  async #work(job: PlannedJob<Meter>, lane: PlannedLane): Promise<void> {
    const outcome = await this.#options.poll(job.meter, job.profiles, lane);
    this.#planner.finish(job, outcome, this.#clock.now());
  }
}
