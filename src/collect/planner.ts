/**
 * From reading plans to jobs: which meter is due for what. Nothing here walks over the fleet: a meter is touched when it
 * is due and when its job has ended. Without clock or timers, so that it runs under any.
 */
import type { TimeZone } from "../../protocol/cosem/time-zone.ts";
import type { ReadingKind } from "../profiles/batch.ts";
import { DueTimes } from "./due-times.ts";
import type { FailureCause } from "./failure-cause.ts";
import { type FailureCounts, retryAfter } from "./retry-rule.ts";
import { nextSlotMs } from "./slot.ts";

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

/** What came of a job. */
export interface JobOutcome {
  readonly answered: boolean;
  readonly cause?: FailureCause;
  /** Profiles that have more open slots than one visit asks for. */
  readonly more: readonly ReadingKind[];
}

export class Planner<Meter> {
  readonly #options: PlannerOptions<Meter>;
  readonly #meters: Meter[] = [];
  readonly #numbers = new Map<Meter, number>();
  readonly #scheduled = new DueTimes();
  readonly #backfill = new DueTimes();
  /** When each plan of a meter is due next, in the order of its plans. */
  readonly #dueMs: Float64Array[] = [];
  /** Of meters that failed last. */
  readonly #failures = new Map<number, FailureCounts>();
  readonly #quarantined = new Set<number>();
  readonly #more = new Map<number, readonly ReadingKind[]>();
  readonly #working = new Set<number>();
  /** Meters that were taken out: they keep their numbers for when they come back. */
  readonly #away = new Set<number>();

  constructor(options: PlannerOptions<Meter>) {
    this.#options = options;
  }

  get size(): number {
    return this.#meters.length - this.#away.size;
  }

  /** When the next job is due; undefined when there are no plans. */
  get nextMs(): number | undefined {
    const next = Math.min(this.#scheduled.nextMs ?? Infinity, this.#backfill.nextMs ?? Infinity);
    return next === Infinity ? undefined : next;
  }

  /** Takes a meter on; all its plans are due at once. A meter without plans is never due. */
  add(meter: Meter, nowMs: number): void {
    const known = this.#numbers.get(meter);
    if (known !== undefined && !this.#away.delete(known)) return;
    const number = known ?? this.#meters.push(meter) - 1;
    this.#numbers.set(meter, number);
    const plans = this.#options.plansOf(meter);
    this.#dueMs[number] = new Float64Array(plans.length).fill(nowMs);
    if (plans.length > 0) this.#scheduled.set(number, nowMs);
  }

  /** Takes a meter out: it is due for nothing until it is added again. What is known of its failures goes as well. */
  remove(meter: Meter): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#away.add(number);
    this.#scheduled.delete(number);
    this.#backfill.delete(number);
    this.#failures.delete(number);
    this.#quarantined.delete(number);
    this.#more.delete(number);
  }

  /** The next job of a lane that is due; the meter has no other until `finish`. */
  take(lane: PlannedLane, nowMs: number): PlannedJob<Meter> | undefined {
    const heap = lane === "scheduled" ? this.#scheduled : this.#backfill;
    const number = heap.takeDue(nowMs);
    if (number === undefined) return undefined;
    this.#scheduled.delete(number);
    this.#backfill.delete(number);
    this.#working.add(number);
    const meter = this.#meters[number];
    if (meter === undefined) return undefined;
    const due = this.#options.plansOf(meter).filter((_, plan) => (this.#dueMs[number]?.[plan] ?? Infinity) <= nowMs);
    const more = this.#more.get(number) ?? [];
    return { meter, profiles: [...new Set([...due.map((plan) => plan.profile), ...more])] };
  }

  /** A job has ended: the meter is due again for the next slots of its plans, or for another try. */
  finish({ meter, profiles }: PlannedJob<Meter>, outcome: JobOutcome, nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#working.delete(number);
    if (this.#away.has(number)) return;
    if (outcome.answered) this.#succeed(number, { profiles, more: outcome.more }, nowMs);
    else this.#fail(number, outcome.cause, nowMs);
  }

  /** The meter gave a sign of life by itself: if it is set apart or waits for another try, it is due now. */
  seen(meter: Meter, nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined || !this.#failures.delete(number)) return;
    this.#release(number);
    if (!this.#working.has(number) && this.#options.plansOf(meter).length > 0) this.#scheduled.set(number, nowMs);
  }

  /** Something of a meter is missing: it is asked for when there is room. */
  want(meter: Meter, readings: readonly ReadingKind[], nowMs: number): void {
    const number = this.#numbers.get(meter);
    if (number === undefined) return;
    this.#more.set(number, [...new Set([...(this.#more.get(number) ?? []), ...readings])]);
    if (!this.#working.has(number)) this.#backfill.set(number, nowMs);
  }

  /** The meters that are set apart. */
  *quarantined(): Generator<Meter> {
    for (const number of this.#quarantined) {
      const meter = this.#meters[number];
      if (meter !== undefined) yield meter;
    }
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
    if (dueMs.length > 0) this.#scheduled.set(number, Math.min(...dueMs));
    const wanted = (this.#more.get(number) ?? []).filter((reading) => !profiles.includes(reading));
    if (more.length + wanted.length > 0) {
      this.#more.set(number, [...new Set([...more, ...wanted])]);
      this.#backfill.set(number, nowMs);
    } else this.#more.delete(number);
  }

  #fail(number: number, cause: FailureCause | undefined, nowMs: number): void {
    const meter = this.#meters[number];
    if (meter === undefined) return;
    const counts = this.#failures.get(number) ?? {};
    this.#failures.set(number, counts);
    const { delayMs, quarantined } = retryAfter(counts, cause);
    if (quarantined && !this.#quarantined.has(number)) {
      this.#quarantined.add(number);
      this.#options.onQuarantine?.(meter, true);
    }
    this.#scheduled.set(number, nowMs + delayMs);
  }

  #release(number: number): void {
    const meter = this.#meters[number];
    if (this.#quarantined.delete(number) && meter !== undefined) this.#options.onQuarantine?.(meter, false);
  }
}
