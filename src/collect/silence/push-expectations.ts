/**
 * Which pushes are due, and which did not come: a heap of deadlines, one for each setup of a meter that is expected to
 * send by a schedule. A push moves its own deadline; nothing here walks over the fleet.
 */
import { type Clock, systemClock, type Timer } from "../../../drivers/clock.ts";
import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { PushEntry } from "../../push/setups/push-schedule.ts";
import { nextPushMs } from "../../push/setups/push-times.ts";
import { DueTimes } from "../plan/due-times.ts";

export interface Expectation<Meter> {
  readonly meter: Meter;
  readonly meterId: string;
  /** Logical name; any push counts when left out. */
  readonly pushSetup: string | undefined;
  readonly entries: readonly PushEntry[];
  readonly zone: TimeZone;
  /** How late a push may be. */
  readonly toleranceMs: number;
  /** Counts from the first push that came: what the meter says of itself may be meant for somebody else. */
  readonly onceHeard: boolean;
}

/** A push that did not come, or the first one after it. */
export interface Silence<Meter> extends Pick<Expectation<Meter>, "meter" | "meterId" | "pushSetup"> {
  /** When it should have come, ms since 1970. */
  readonly expectedMs: number;
  /** When one came last, as far as is known. */
  readonly lastMs: number | undefined;
}

export interface PushExpectationsOptions<Meter> {
  readonly clock?: Clock;
  readonly onSilent: (silence: Silence<Meter>) => void;
  readonly onHeard: (silence: Silence<Meter>, heardMs: number) => void;
}

/** What is known of a setup from before. */
export interface HeardBefore {
  readonly lastMs?: number | undefined;
  /** It is silent since then: that has been told. */
  readonly silentSinceMs?: number | undefined;
}

interface Item<Meter> {
  expectation: Expectation<Meter>;
  expectedMs: number | undefined;
  lastMs: number | undefined;
  silent: boolean;
}

/** A meter's clock may be ahead of ours by this much. */
const EARLY_MS = 60_000;
const ANY_SETUP = "";

export class PushExpectations<Meter> {
  readonly #options: PushExpectationsOptions<Meter>;
  readonly #clock: Clock;
  readonly #items: (Item<Meter> | undefined)[] = [];
  /** Places in it of meters that are gone, for others. */
  readonly #free: number[] = [];
  /** By meter and setup. */
  readonly #numbers = new Map<string, Map<string, number>>();
  readonly #deadlines = new DueTimes();
  #timer: Timer | undefined;
  #timerMs = Infinity;

  constructor(options: PushExpectationsOptions<Meter>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Expects a setup of a meter from now on, in the place of what was expected of it. */
  expect(expectation: Expectation<Meter>, before: HeardBefore = {}): void {
    const { meterId, pushSetup = ANY_SETUP } = expectation;
    const setups = this.#numbers.get(meterId) ?? new Map<string, number>();
    this.#numbers.set(meterId, setups);
    const number = setups.get(pushSetup) ?? this.#free.pop() ?? this.#items.length;
    setups.set(pushSetup, number);
    const known = this.#items[number];
    const { lastMs, silentSinceMs } = before;
    if (known !== undefined) known.expectation = expectation;
    else {
      this.#items[number] = { expectation, expectedMs: silentSinceMs, lastMs, silent: silentSinceMs !== undefined };
    }
    if (this.#items[number]?.silent !== true) this.#await(number, this.#clock.now());
  }

  /** Expects nothing of a meter any more, and holds nothing of it; the setups that were expected of it. */
  forgetAll(meterId: string): (string | undefined)[] {
    const setups = this.#numbers.get(meterId) ?? new Map<string, number>();
    this.#numbers.delete(meterId);
    for (const number of setups.values()) {
      this.#deadlines.delete(number);
      this.#items[number] = undefined;
      this.#free.push(number);
    }
    return Array.from(setups.keys(), (name) => (name === ANY_SETUP ? undefined : name));
  }

  /** Expects nothing of a setup any more. */
  forget(meterId: string, pushSetup: string | undefined): void {
    const number = this.#numbers.get(meterId)?.get(pushSetup ?? ANY_SETUP);
    const item = number === undefined ? undefined : this.#items[number];
    if (number === undefined || item === undefined) return;
    item.expectation = { ...item.expectation, entries: [] };
    item.expectedMs = undefined;
    item.silent = false;
    this.#deadlines.delete(number);
  }

  /** A push came. */
  heard(meterId: string, pushSetup: string | undefined, atMs: number): void {
    const setups = this.#numbers.get(meterId);
    if (setups === undefined) return;
    for (const name of pushSetup === undefined ? [ANY_SETUP] : [pushSetup, ANY_SETUP]) {
      const number = setups.get(name);
      if (number !== undefined) this.#hear(number, atMs);
    }
  }

  /** Setups that are silent. */
  *silent(): Generator<Silence<Meter>> {
    for (const item of this.#items) if (item?.silent === true) yield silenceOf(item);
  }

  /** All that is expected, with when it is due next. */
  *all(): Generator<Silence<Meter> & { readonly silent: boolean }> {
    for (const item of this.#items) {
      if (item?.expectedMs !== undefined) yield { ...silenceOf(item), silent: item.silent };
    }
  }

  close(): void {
    this.#timer?.close();
    this.#timerMs = -Infinity;
  }

  #hear(number: number, atMs: number): void {
    const item = this.#items[number];
    if (item === undefined) return;
    const wasSilent = item.silent;
    const silence = silenceOf(item);
    item.lastMs = Math.max(item.lastMs ?? 0, atMs);
    item.silent = false;
    // A push that came for its slot a little early must not be waited for once more.
    this.#await(number, atMs + EARLY_MS);
    if (wasSilent) this.#options.onHeard(silence, atMs);
  }

  #await(number: number, afterMs: number): void {
    const item = this.#items[number];
    if (item === undefined) return;
    const { entries, zone, toleranceMs, onceHeard } = item.expectation;
    item.expectedMs = onceHeard && item.lastMs === undefined ? undefined : nextPushMs(entries, zone, afterMs);
    if (item.expectedMs === undefined) this.#deadlines.delete(number);
    else this.#deadlines.set(number, item.expectedMs + toleranceMs);
    this.#watch();
  }

  #watch(): void {
    const { nextMs } = this.#deadlines;
    // A timer that is too early looks again; only one that is too late has to be replaced.
    if (nextMs === undefined || nextMs >= this.#timerMs) return;
    this.#timer?.close();
    this.#timerMs = nextMs;
    const delayMs = Math.max(0, nextMs - this.#clock.now());
    this.#timer = this.#clock.after(delayMs, () => this.#look());
    this.#timer.unref();
  }

  #look(): void {
    this.#timerMs = Infinity;
    const nowMs = this.#clock.now();
    for (let number = this.#deadlines.takeDue(nowMs); number !== undefined; number = this.#deadlines.takeDue(nowMs)) {
      const item = this.#items[number];
      if (item === undefined || item.silent) continue;
      item.silent = true;
      this.#options.onSilent(silenceOf(item));
    }
    this.#watch();
  }
}

function silenceOf<Meter>({ expectation, expectedMs, lastMs }: Item<Meter>): Silence<Meter> {
  const { meter, meterId, pushSetup } = expectation;
  return { meter, meterId, pushSetup, expectedMs: expectedMs ?? 0, lastMs };
}
