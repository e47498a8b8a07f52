/**
 * From reading plans to jobs: which meter is due for what. Of those that are due, the one goes first whose deadline or
 * loss of a reading is nearest. Nothing here walks over the fleet: a meter is touched when it is due and when its job has
 * ended. Without clock or timers, so that it runs under any.
 */
import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { ReadingKind } from "../../profiles/batch.ts";
import type { FailureCause } from "../causes/failure-cause.ts";
import { nextSlotMs, partOf } from "../slots/slot.ts";
import { DueTimes } from "./due-times.ts";
import { type FailureCounts, retryAfter } from "./retry-rule.ts";

/** What is read how often, of the meters that have the plan; shared among them. */
export interface ReadingPlan {
  readonly profile: ReadingKind;
  readonly everyMs: number;
  /** How long after its slot a reading may come. */
  readonly deadlineMs: number;
}

export interface PlannerOptions<Meter> {
  readonly nameOf: (meter: Meter) => string;
  readonly zoneOf: (meter: Meter) => TimeZone;
  /** The plans of a meter; the same list for all meters with the same plans. */
  readonly plansOf: (meter: Meter) => readonly ReadingPlan[];
  /** A meter is set apart, or comes back. */
  readonly onQuarantine?: (meter: Meter, quarantined: boolean) => void;
}

export type PlannedLane = "scheduled" | "backfill";

/** What is to be done for a meter in one association. */
export interface PlannedJob<Meter> {
  readonly meter: Meter;
  readonly profiles: readonly ReadingKind[];
}

/** A job that has not been taken yet. */
export interface UpcomingJob<Meter> extends PlannedJob<Meter> {
  readonly lane: PlannedLane;
  /** Milliseconds since 1970; undefined for what is done when there is room. */
  readonly dueMs: number | undefined;
}

/** What came of a job. */
export interface JobOutcome {
  readonly answered: boolean;
  readonly cause?: FailureCause;
  /** Profiles that have more open slots than one visit asks for. */
  readonly more: readonly ReadingKind[];
  /** When the meter overwrites the first of what is open, as far as that is known. */
  readonly lostFromMs?: number | undefined;
}

/** A meter that is set apart because it keeps failing. */
export interface QuarantinedMeter<Meter> {
  readonly meter: Meter;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly nextTryMs: number;
  /** Why it was not read last; undefined where nobody knows. */
  readonly cause: FailureCause | undefined;
}

/** What nobody knows when it will be lost comes after all that will be. */
const NEVER_LOST_MS = 365 * 86_400_000;
const NOBODY = -1;

export class Planner<Meter> {
  readonly #options: PlannerOptions<Meter>;
  readonly #meters: (Meter | undefined)[] = [];
  readonly #numbers = new Map<Meter, number>();
  /** Numbers of meters that were taken out. */
  readonly #free: number[] = [];
  readonly #scheduled = new DueTimes();
  /** Those of the scheduled that are due, by when it is too late. */
  readonly #ready = new DueTimes();
  /** By when it is too late; all of them are due. */
  readonly #backfill = new DueTimes();
  /** By when these were due. */
  #readyMs = 0;
  /** When meters overwrite the first of what is open, where a visit left that. */
  readonly #lostFromMs = new Map<number, number>();
  /** When each plan of a meter is due next, in the order of its plans. */
  readonly #dueMs: Float64Array[] = [];
  /** Of meters that failed last. */
  readonly #failures = new Map<number, FailureCounts>();
  readonly #quarantined = new Map<number, QuarantinedMeter<Meter>>();
  readonly #more = new Map<number, readonly ReadingKind[]>();
  /** Jobs that have been taken and not ended. */
  readonly #working = new Map<number, PlannedJob<Meter>>();
  /** Meters that can't be reached: they are due for nothing until they can. */
  readonly #paused = new Set<number>();

  constructor(options: PlannerOptions<Meter>) {
    this.#options = options;
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** When the next job is due; undefined when there are no plans. */
  get nextMs(): number | undefined {
    return this.#ready.size + this.#backfill.size > 0 ? this.#readyMs : this.#scheduled.nextMs;
  }

  /**
   * Takes a meter on; all its plans are due at once, or after a part of `spreadMs` that its name says and that is no
   * longer than its shortest period. A meter without plans is never due.
   */
  add(meter: Meter, nowMs: number, spreadMs = 0): void {
    if (this.#numbers.has(meter)) return;
    const number = this.#free.pop() ?? this.#meters.length;
    this.#meters[number] = meter;
    this.#numbers.set(meter, number);
    this.#schedule(number, this.#setDue(number, nowMs, spreadMs));
  }

  /** The meter has other plans: all of them are due as in `add`, but not before a failure lets it be tried again. */
  replan(meter: Meter, nowMs: number, spreadMs = 0): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    const dueMs = this.#setDue(number, nowMs, spreadMs);
    this.#more.delete(number);
    this.#backfill.delete(number);
    const isPlanned = (this.#dueMs[number]?.length ?? 0) > 0;
    if (!isPlanned) this.#unschedule(number);
    else if (!this.#working.has(number) && !this.#failures.has(number)) this.#schedule(number, dueMs);
  }

  /** All plans of a meter are due at one moment. */
  #setDue(number: number, nowMs: number, spreadMs: number): number {
    const meter = this.#meters[number];
    const plans = meter === undefined ? [] : this.#options.plansOf(meter);
    const part = meter === undefined || spreadMs === 0 ? 0 : partOf(this.#options.nameOf(meter));
    const dueMs = nowMs + (part === 0 ? 0 : part * Math.min(spreadMs, ...periodsOf(plans)));
    this.#dueMs[number] = new Float64Array(plans.length).fill(dueMs);
    return dueMs;
  }

  /** The meter can't be reached: it is due for nothing until `resume`. */
  pause(meter: Meter): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#paused.add(number);
    this.#unschedule(number);
  }

  /** The meter can be reached: what was due meanwhile is due now. */
  resume(meter: Meter, nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined || !this.#paused.delete(number)) return;
    this.#failures.delete(number);
    this.#release(number);
    if (this.#working.has(number)) return;
    this.#schedule(number, Math.min(...(this.#dueMs[number] ?? [])));
    if (this.#more.has(number)) this.#fill(number, nowMs);
  }

  /** Takes a meter out, with all that is known of it; what comes of a job that it has counts for nothing. */
  remove(meter: Meter): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#numbers.delete(meter);
    this.#meters[number] = undefined;
    this.#free.push(number);
    this.#unschedule(number);
    for (const known of [
      this.#lostFromMs,
      this.#failures,
      this.#quarantined,
      this.#more,
      this.#working,
      this.#paused,
    ]) {
      known.delete(number);
    }
  }

  /** The next job of a lane that is due; the meter has no other until `finish`. */
  take(lane: PlannedLane, nowMs: number): PlannedJob<Meter> | undefined {
    const number = lane === "scheduled" ? this.#takeReady(nowMs) : this.#backfill.takeFirst();
    if (number === undefined) return undefined;
    this.#unschedule(number);
    const meter = this.#meters[number];
    if (meter === undefined) return undefined;
    const job = { meter, profiles: this.#dueReadings(number, nowMs) };
    this.#working.set(number, job);
    return job;
  }

  /** What is to be done next, about in the order in which it is taken, of one meter or of all; nothing is taken. */
  *upcoming(of?: Meter): Generator<UpcomingJob<Meter>> {
    const one = of === undefined ? undefined : [this.#numbers.get(of) ?? NOBODY];
    for (const number of one ?? this.#ready.inOrder()) {
      if (this.#ready.dueMs(number) !== undefined)
        yield* this.#upcomingJob(number, Math.min(...(this.#dueMs[number] ?? [])));
    }
    for (const number of one ?? this.#scheduled.inOrder())
      yield* this.#upcomingJob(number, this.#scheduled.dueMs(number));
    for (const number of one ?? this.#backfill.inOrder()) {
      const meter = this.#meters[number];
      if (meter === undefined || this.#backfill.dueMs(number) === undefined) continue;
      yield { meter, lane: "backfill", profiles: this.#more.get(number) ?? [], dueMs: undefined };
    }
  }

  *#upcomingJob(number: number, dueMs: number | undefined): Generator<UpcomingJob<Meter>> {
    const meter = this.#meters[number];
    if (meter === undefined || dueMs === undefined) return;
    yield { meter, lane: "scheduled", profiles: this.#dueReadings(number, dueMs), dueMs };
  }

  #dueReadings(number: number, atMs: number): readonly ReadingKind[] {
    const meter = this.#meters[number];
    const plans = meter === undefined ? [] : this.#options.plansOf(meter);
    const due = plans.filter((_, plan) => (this.#dueMs[number]?.[plan] ?? Infinity) <= atMs);
    return [...new Set([...due.map((plan) => plan.profile), ...(this.#more.get(number) ?? [])])];
  }

  /** A job has ended: the meter is due again for the next slots of its plans, or for another try. */
  finish(job: PlannedJob<Meter>, outcome: JobOutcome, nowMs: number): void {
    const number = this.#numbers.get(job.meter);
    if (number === undefined || this.#working.get(number) !== job) return;
    this.#working.delete(number);
    if (outcome.lostFromMs === undefined) this.#lostFromMs.delete(number);
    else this.#lostFromMs.set(number, outcome.lostFromMs);
    if (outcome.answered) this.#succeed(number, { profiles: job.profiles, more: outcome.more }, nowMs);
    else this.#fail(number, outcome.cause, nowMs);
  }

  /** The meter gave a sign of life by itself: if it is set apart or waits for another try, it is due now. */
  seen(meter: Meter, nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined || !this.#failures.delete(number)) return;
    this.#release(number);
    if (!this.#working.has(number)) this.#schedule(number, nowMs);
  }

  /** Something of a meter is missing: it is asked for when there is room. */
  want(meter: Meter, readings: readonly ReadingKind[], nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#more.set(number, [...new Set([...(this.#more.get(number) ?? []), ...readings])]);
    if (!this.#working.has(number)) this.#fill(number, nowMs);
  }

  /** The meters that are set apart. */
  quarantined(): Iterable<QuarantinedMeter<Meter>> {
    return this.#quarantined.values();
  }

  get quarantinedCount(): number {
    return this.#quarantined.size;
  }

  /** The one of all that are due for which it is soonest too late. */
  #takeReady(nowMs: number): number | undefined {
    this.#readyMs = nowMs;
    let number = this.#scheduled.takeDue(nowMs);
    if (this.#ready.size === 0 && (this.#scheduled.nextMs ?? Infinity) > nowMs) return number;
    for (; number !== undefined; number = this.#scheduled.takeDue(nowMs)) {
      this.#ready.set(number, this.#lateFromMs(number, nowMs));
    }
    return this.#ready.takeFirst();
  }

  /**
   * When it is too late for a meter that is due. Where that is over it waits like one whose slot has just come, so that
   * those that are always late keep none of the others waiting.
   */
  #lateFromMs(number: number, nowMs: number): number {
    const meter = this.#meters[number];
    const dueMs = this.#dueMs[number];
    if (meter === undefined || dueMs === undefined) return nowMs;
    let lateMs = this.#lostFromMs.get(number) ?? Infinity;
    for (const [plan, { deadlineMs }] of this.#options.plansOf(meter).entries()) {
      const slotMs = dueMs[plan] ?? Infinity;
      if (slotMs > nowMs) continue;
      lateMs = Math.min(lateMs, slotMs + deadlineMs > nowMs ? slotMs + deadlineMs : nowMs + deadlineMs);
    }
    return lateMs;
  }

  #schedule(number: number, dueMs: number): void {
    const isPlanned = (this.#dueMs[number]?.length ?? 0) > 0;
    if (isPlanned && !this.#paused.has(number)) this.#scheduled.set(number, dueMs);
  }

  #fill(number: number, nowMs: number): void {
    if (this.#paused.has(number)) return;
    this.#readyMs = nowMs;
    this.#backfill.set(number, this.#lostFromMs.get(number) ?? nowMs + NEVER_LOST_MS);
  }

  #unschedule(number: number): void {
    this.#scheduled.delete(number);
    this.#ready.delete(number);
    this.#backfill.delete(number);
  }

  #succeed(
    number: number,
    { profiles, more }: { readonly profiles: readonly ReadingKind[]; readonly more: readonly ReadingKind[] },
    nowMs: number,
  ): void {
    const meter = this.#meters[number];
    const dueMs = this.#dueMs[number];
    if (meter === undefined || dueMs === undefined) return;
    this.#failures.delete(number);
    this.#release(number);
    const owner = { name: this.#options.nameOf(meter), zone: this.#options.zoneOf(meter) };
    for (const [plan, rule] of this.#options.plansOf(meter).entries()) {
      if (profiles.includes(rule.profile)) dueMs[plan] = nextSlotMs(nowMs, rule, owner);
    }
    this.#schedule(number, Math.min(...dueMs));
    const wanted = (this.#more.get(number) ?? []).filter((reading) => !profiles.includes(reading));
    if (more.length + wanted.length > 0) {
      this.#more.set(number, [...new Set([...more, ...wanted])]);
      this.#fill(number, nowMs);
    } else this.#more.delete(number);
  }

  #fail(number: number, cause: FailureCause | undefined, nowMs: number): void {
    const meter = this.#meters[number];
    if (meter === undefined) return;
    const counts = this.#failures.get(number) ?? {};
    this.#failures.set(number, counts);
    const { delayMs, quarantined } = retryAfter(counts, cause);
    const nextTryMs = nowMs + delayMs;
    if (quarantined) {
      const known = this.#quarantined.get(number);
      this.#quarantined.set(number, { meter, sinceMs: known?.sinceMs ?? nowMs, nextTryMs, cause });
      if (known === undefined) this.#options.onQuarantine?.(meter, true);
    }
    this.#schedule(number, nextTryMs);
  }

  #release(number: number): void {
    const meter = this.#meters[number];
    if (this.#quarantined.delete(number) && meter !== undefined) this.#options.onQuarantine?.(meter, false);
  }
}

function periodsOf(plans: readonly ReadingPlan[]): number[] {
  return plans.map(({ everyMs }) => everyMs);
}
