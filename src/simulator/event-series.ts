import { fraction, hash, jitter } from "./noise.ts";

/** An event that begins with one code and, unless it is a mere change, ends with another. */
export type EventCodes = readonly [occurrence: number, restoration?: number];

export interface EventSeriesOptions {
  readonly seed: number;
  readonly installedMs: number;
  /** Mean time from one occurrence to the next. */
  readonly meanIntervalMs: number;
  readonly codes: readonly EventCodes[];
  /** What was raised by hand, in the order of time: from the first of these on, nothing else happens. */
  readonly raised?: () => readonly LoggedEvent[];
}

export interface LoggedEvent {
  readonly atMs: number;
  readonly code: number;
}

/** Occurrences keep this much of the mean interval free, so that a restoration always comes before the next one. */
const SPREAD = 0.3;
const LONGEST_PART = 0.1;

/** Events of a meter's life as a function of their index: none is stored, and any number of them costs nothing. */
export class EventSeries {
  readonly #options: EventSeriesOptions;

  constructor(options: EventSeriesOptions) {
    this.#options = options;
  }

  /** How many events have been logged by an instant. */
  count(atMs: number): number {
    const raised = this.#options.raised?.() ?? [];
    const [first] = raised;
    if (first === undefined || atMs < first.atMs) return this.#scheduledCount(atMs);
    return this.#scheduledCount(first.atMs - 1) + raised.filter((each) => each.atMs <= atMs).length;
  }

  /** The event at an index; 0 is the first of the meter's life. Events are in the order of time. */
  event(index: number): LoggedEvent {
    const raised = this.#options.raised?.() ?? [];
    const [first] = raised;
    if (first === undefined) return this.#scheduled(index);
    return raised[index - this.#scheduledCount(first.atMs - 1)] ?? this.#scheduled(index);
  }

  #scheduledCount(atMs: number): number {
    const { installedMs, meanIntervalMs } = this.#options;
    // The last occurrence is at most one and a half mean intervals back.
    let index = Math.max(0, 2 * (Math.floor((atMs - installedMs) / meanIntervalMs) - 1));
    while (this.#scheduled(index).atMs <= atMs) index++;
    return index;
  }

  #scheduled(index: number): LoggedEvent {
    const { seed, installedMs, meanIntervalMs, codes } = this.#options;
    const pair = index >> 1;
    const [occurrence, restoration = occurrence] = codes[hash(seed, pair, 1) % codes.length] ?? [0];
    const startMs = installedMs + (pair + 0.5 + SPREAD * jitter(seed, pair, 2)) * meanIntervalMs;
    if (index % 2 === 0) return { atMs: wholeSecond(startMs), code: occurrence };
    const lastedMs = LONGEST_PART * meanIntervalMs * (0.05 + 0.95 * fraction(seed, pair, 3));
    return { atMs: wholeSecond(startMs + lastedMs), code: restoration };
  }

  /** Time between occurrences and restorations by an instant, in ms. */
  activeMs(atMs: number): number {
    let sum = 0;
    for (let index = this.count(atMs) - 1; index >= 0; index--) {
      const { atMs: eventMs } = this.event(index);
      sum += index % 2 === 0 ? -eventMs : eventMs;
    }
    return this.count(atMs) % 2 === 0 ? sum : sum + atMs;
  }
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
