/** Which blocks of protocol/ have run in this isolate, from V8's own counters. */
import { type Profiler, Session } from "node:inspector";

interface Interval {
  readonly start: number;
  readonly end: number;
}

interface Seen {
  /** What has never run of it, in order and apart. */
  readonly uncovered: readonly Interval[];
}

/** A function that has run, with its ranges as V8 gives them. */
interface Ran {
  readonly name: string;
  readonly file: string;
  readonly ranges: readonly Profiler.CoverageRange[];
}

export class Coverage {
  readonly #session = new Session();
  readonly #functions = new Map<string, Seen>();
  readonly #entered = new Set<string>();

  /** Must come before the code under test is loaded: what is compiled already has no counters. */
  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  }

  /** What has run since the last call. */
  take(): readonly Ran[] {
    const ran: Ran[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      for (const script of result) {
        const at = script.url.lastIndexOf("/protocol/");
        if (at === -1 || script.url.includes("/test/")) continue;
        const file = script.url.slice(at + 1);
        for (const { functionName: name, ranges } of script.functions) {
          if (ranges[0] === undefined || ranges[0].count === 0) continue;
          this.#entered.add(`${file}:${name}`);
          ran.push({ name, file, ranges });
        }
      }
    });
    return ran;
  }

  /** Whether something of it is not known to have run. */
  isNew(ran: readonly Ran[]): boolean {
    return ran.some((each) => {
      const seen = this.#functions.get(keyOf(each));
      if (seen === undefined) return true;
      if (seen.uncovered.length === 0) return false;
      return octetsOf(intersection(seen.uncovered, gaps(each.ranges))) < octetsOf(seen.uncovered);
    });
  }

  /** From now on that is known to have run. */
  add(ran: readonly Ran[]): void {
    for (const each of ran) {
      const before = this.#functions.get(keyOf(each))?.uncovered;
      const uncovered = gaps(each.ranges);
      this.#functions.set(keyOf(each), {
        uncovered: before === undefined ? uncovered : intersection(before, uncovered),
      });
    }
  }

  /** Names of all functions that have run, as `file:name`: V8 tells of one without branches only once. */
  get entered(): ReadonlySet<string> {
    return this.#entered;
  }

  /** Ranges that have not run in functions that have. */
  get gapCount(): number {
    let count = 0;
    for (const each of this.#functions.values()) count += each.uncovered.length;
    return count;
  }
}

function keyOf({ file, ranges }: Ran): string {
  return `${file}:${ranges[0]?.startOffset}:${ranges[0]?.endOffset}`;
}

/** Ranges are nested, outer ones first: those that did not run, without what ran inside them. */
function gaps(ranges: readonly Profiler.CoverageRange[]): Interval[] {
  let found: Interval[] = [];
  for (const { startOffset: start, endOffset: end, count } of ranges) {
    if (count === 0) found.push({ start, end });
    else found = found.flatMap((gap) => without(gap, { start, end }));
  }
  return found.sort((a, b) => a.start - b.start);
}

function without(gap: Interval, taken: Interval): Interval[] {
  if (taken.end <= gap.start || taken.start >= gap.end) return [gap];
  const rest = [
    { start: gap.start, end: taken.start },
    { start: taken.end, end: gap.end },
  ];
  return rest.filter(({ start, end }) => start < end);
}

function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap((left) =>
    b
      .map((right) => ({ start: Math.max(left.start, right.start), end: Math.min(left.end, right.end) }))
      .filter(({ start, end }) => start < end),
  );
}

function octetsOf(intervals: readonly Interval[]): number {
  return intervals.reduce((total, { start, end }) => total + end - start, 0);
}
