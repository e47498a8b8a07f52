/**
 * Runs the planner's jobs, and what people ask for, in lanes. A meter is worked by one job at a time, and so is a line
 * that meters share: jobs that wait for their meter or line take up no place.
 */
import { type Clock, systemClock, type Timer } from "../../../drivers/clock.ts";
import type { ReadingKind } from "../../profiles/batch.ts";
import {
  type JobOutcome,
  type PlannedJob,
  type PlannedLane,
  Planner,
  type PlannerOptions,
  type QuarantinedMeter,
  type UpcomingJob,
} from "../plan/planner.ts";
import type { MeterConnection } from "../session/meter-connection.ts";
import { SharedVisit, VisitOverError } from "../session/shared-visit.ts";
import { LanePlaces, type LaneWidth } from "./lane-places.ts";
import type { Lane } from "./lane-queue.ts";
import { type LaneReport, LaneTimes } from "./lane-times.ts";
import { MeterGates, type MeterGatesOptions } from "./meter-gates.ts";
import { type OpenJob, OpenJobs } from "./open-jobs.ts";

export interface PollLoopOptions<Meter, Connection = MeterConnection>
  extends PlannerOptions<Meter>,
    LaneWidth,
    MeterGatesOptions<Meter> {
  /** Those that are worked from the start; see `hold`. */
  readonly meters: readonly Meter[];
  /** Whether there is a way to the meter now; there is one to all when left out. See `setReachable`. */
  readonly isReachable?: (meter: Meter) => boolean;
  /** Reads the profiles of one meter, in a visit that others may join. Tells failures by itself and never rejects. */
  readonly poll: (
    meter: Meter,
    profiles: readonly ReadingKind[],
    lane: PlannedLane,
    visit: SharedVisit<Connection>,
  ) => Promise<JobOutcome>;
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
export interface AskedWork<T = unknown, Connection = MeterConnection> {
  readonly lane: "control" | "on_demand";
  /** In words. */
  readonly what: string;
  /** Does it within a visit that another job makes; where that loses its link, and this rejects so, in a turn of its own. */
  readonly onVisit?: (connection: Connection) => Promise<T>;
}

const READ = { lane: "on_demand", what: "read" } as const;

/** The meter is not this gateway's to work. */
export class MeterNotHeldError extends Error {
  override readonly name = "MeterNotHeldError";
  constructor(meter: string) {
    super(`${meter} is not worked by this gateway now`);
  }
}

type Work<T, Connection> = (visit: SharedVisit<Connection>) => Promise<T>;

export class PollLoop<Meter, Connection = MeterConnection> {
  readonly #options: PollLoopOptions<Meter, Connection>;
  readonly #planner: Planner<Meter>;
  readonly #places: LanePlaces;
  readonly #gates: MeterGates<Meter>;
  readonly #times = new LaneTimes();
  readonly #open = new OpenJobs<Meter>();
  readonly #clock: Clock;
  /** The meters that are ours to work. */
  readonly #held: Set<Meter>;
  /** What runs for a meter now. */
  readonly #running = new Map<Meter, Promise<unknown>>();
  /** Of the job that has the meter now; it may still wait for a place. */
  readonly #visits = new Map<Meter, SharedVisit<Connection>>();
  #backfilling = 0;
  /** When was looked for due work last, by the clock that never jumps. */
  #lookedMs = 0;
  /** By how much the clock is ahead of the one that never jumps. */
  #aheadMs: number;
  #timer: Timer | undefined;
  #stopped = true;

  constructor(options: PollLoopOptions<Meter, Connection>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#aheadMs = this.#clock.now() - this.#clock.elapsed();
    this.#planner = new Planner(options);
    this.#held = new Set(options.meters);
    this.#places = new LanePlaces(options, this.#clock);
    this.#gates = new MeterGates(options, this.#clock);
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
      return this.#enqueue(job, (visit) => poll(meter, profiles, "scheduled", visit));
    });
    await Promise.all(polls);
  }

  /**
   * Runs a job for a meter before scheduled work, but not beside another job of the same meter: after it, or within the
   * visit that it makes. Rejects with MeterNotHeldError where the meter is not ours to work, or is not any more when its
   * turn comes.
   */
  readNow<T>(meter: Meter, work: Work<T, Connection>, asked: AskedWork<T, Connection> = READ): Promise<T> {
    const job = this.#jobOf(meter, asked.lane, asked.what);
    const visit = this.#visits.get(meter);
    const done =
      visit === undefined || asked.onVisit === undefined
        ? this.#enqueue(job, work)
        : this.#joined(job, { visit, work, onVisit: asked.onVisit });
    // It may have had the place that scheduled work was waiting for.
    return done.finally(() => this.#topUp());
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
    this.#gates.clear();
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

  /** Takes no place: the job that makes the visit has one. Where the visit ends too soon it has a turn of its own. */
  async #joined<T>(
    job: OpenJob<Meter>,
    how: {
      readonly visit: SharedVisit<Connection>;
      readonly onVisit: (connection: Connection) => Promise<T>;
      readonly work: Work<T, Connection>;
    },
  ): Promise<T> {
    const askedMs = this.#clock.elapsed();
    const onVisit = (connection: Connection) => {
      this.#begin(job);
      return this.#timed(job.lane, askedMs, () => how.onVisit(connection));
    };
    try {
      job.stage = "line";
      return await this.#open.during(job, () => how.visit.join(onVisit));
    } catch (error) {
      if (!(error instanceof VisitOverError)) throw error;
      return await this.#enqueue(job, how.work, askedMs);
    }
  }

  #enqueue<T>(job: OpenJob<Meter>, work: Work<T, Connection>, askedMs = this.#clock.elapsed()): Promise<T> {
    const run: Work<T, Connection> = (visit) => this.#timed(job.lane, askedMs, () => work(visit));
    const pass = () => this.#gates.pass(job, () => this.#placed(job, (visit) => this.#watched(job, () => run(visit))));
    return this.#open.during(job, pass);
  }

  /** Backfill counts from here on: what waits at a gate keeps no place from that of other meters. */
  async #placed<T>(job: OpenJob<Meter>, work: Work<T, Connection>): Promise<T> {
    const { lane, meter } = job;
    job.stage = "place";
    const count = lane === "backfill" ? 1 : 0;
    const visit = new SharedVisit<Connection>();
    this.#backfilling += count;
    this.#visits.set(meter, visit);
    try {
      return await this.#places.add(lane, () => work(visit));
    } finally {
      this.#backfilling -= count;
      this.#visits.delete(meter);
      visit.end();
    }
  }

  async #watched<T>(job: OpenJob<Meter>, work: () => Promise<T>): Promise<T> {
    const { meter } = job;
    if (!this.#held.has(meter)) throw new MeterNotHeldError(this.#options.nameOf(meter));
    this.#begin(job);
    const running = work();
    this.#running.set(meter, running);
    try {
      return await running;
    } finally {
      this.#running.delete(meter);
    }
  }

  #begin(job: OpenJob<Meter>): void {
    job.stage = "running";
    job.sinceMs = this.#clock.now();
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
      this.#enqueue(job, (visit) => this.#work(next.job, next.lane, visit)).then(onward, onward);
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

  async #work(job: PlannedJob<Meter>, lane: PlannedLane, visit: SharedVisit<Connection>): Promise<void> {
    const outcome = await this.#options.poll(job.meter, job.profiles, lane, visit);
    this.#planner.finish(job, outcome, this.#clock.now());
  }
}
