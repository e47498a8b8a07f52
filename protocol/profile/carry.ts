/**
 * Undoes the compression of rows. Null-data means the value of the row before in the same column; in the clock's column
 * it means the time of the row before, moved by the capture period; a delta is added to the row before. What the row
 * before was is only known when no row in between had to be put aside.
 */
import type { Data } from "../axdr/data.ts";
import type { ClockPolicy } from "../cosem/date-time.ts";
import {
  addCalendar,
  instantOfWallClock,
  secondOccurrence,
  type TimeZone,
  wallClockOfInstant,
} from "../cosem/time-zone.ts";
import { CELL, type ColumnBuilder, TIME_RULE } from "./column.ts";
import { type CapturePeriod, FIFO, LIFO } from "./layout.ts";

/** What the last row of a buffer had, for a read that goes on after it. */
export interface CarriedCell {
  readonly number?: number | bigint;
  readonly data?: Data;
  readonly instantMs?: number;
  readonly rule?: number;
}

export type ProfileCarry = readonly CarriedCell[];

/** What the rows of one buffer have in common. */
export interface CarryContext {
  readonly policy: ClockPolicy;
  readonly capturePeriod: CapturePeriod;
  readonly sortMethod: number | undefined;
  /** Rows before which rows were put aside: nothing is carried into them. */
  readonly breaks: ReadonlySet<number>;
  /** Rows whose status says that the clock was set or the power was off: their clock is not reckoned. */
  readonly clockBreaks: (row: number) => boolean;
}

const DAY_S = 86_400;

/** Fills a column's null-data and deltas in. `carried` is what the row before the first had. */
export function fillColumn(builder: ColumnBuilder, carried: CarriedCell | undefined, context: CarryContext): void {
  if (builder.isTime) builder.markOpenTimes();
  if (builder.zoned && builder.layout.role === "clock") tellRepeatedHours(builder, context);
  if (!builder.sparse) return;
  if (builder.isTime) fillTimes(builder, carried, context);
  else fillValues(builder, carried, context);
}

type Before = number | bigint | Data | undefined;

function fillValues(builder: ColumnBuilder, carried: CarriedCell | undefined, { breaks }: CarryContext): void {
  const from = breaks.size === 0 ? fillWholeNumbers(builder, carried) : 0;
  if (from === builder.rowCount) {
    builder.sparse = false;
    return;
  }
  let before: Before = from === 0 ? (carried?.number ?? carried?.data) : numberAt(builder, from - 1);
  for (let row = from; row < builder.rowCount; row++) {
    if (breaks.has(row)) before = undefined;
    const cell = builder.cells[row];
    if (cell === CELL.null) restore(builder, row, before);
    else if (cell === CELL.delta) before = accumulate(builder, row, before);
    else before = cell === CELL.exception ? builder.exceptions.get(row) : numberAt(builder, row);
  }
}

/** Fills in as long as there is a number of 53 bits to go on from, which is nearly always to the end; the first row left. */
function fillWholeNumbers(
  { mantissas, wide, cells, rowCount }: ColumnBuilder,
  carried: CarriedCell | undefined,
): number {
  if (mantissas === undefined || wide !== undefined) return 0;
  let before = typeof carried?.number === "number" ? carried.number : Number.NaN;
  for (let row = 0; row < rowCount; row++) {
    const cell = cells[row];
    const said = mantissas[row] ?? Number.NaN;
    if (cell === CELL.value) before = said;
    else if (cell === CELL.delta) before += said;
    else if (cell !== CELL.null) return row;
    if (!Number.isSafeInteger(before)) return row;
    mantissas[row] = before;
    cells[row] = CELL.value;
  }
  return rowCount;
}

function numberAt(builder: ColumnBuilder, row: number): number | bigint | undefined {
  return builder.cells[row] === CELL.value ? mantissaAt(builder, row) : undefined;
}

function mantissaAt(builder: ColumnBuilder, row: number): number | bigint {
  return builder.wide?.[row] ?? builder.mantissas?.[row] ?? 0;
}

function restore(builder: ColumnBuilder, row: number, before: Before): void {
  builder.cells[row] = CELL.missing;
  if (before === undefined) return;
  if (typeof before === "number") builder.setNumber(row, before, CELL.value);
  else if (typeof before === "bigint") builder.setBigInt(row, before);
  else builder.setException(row, before);
}

/** The row's value, or undefined when there is nothing to add the delta to: it is then kept as what was sent. */
function accumulate(builder: ColumnBuilder, row: number, before: Before): Before {
  const delta = mantissaAt(builder, row);
  builder.cells[row] = CELL.missing;
  const base = wholeNumber(before);
  const sum = base === undefined ? undefined : base + BigInt(delta);
  if (sum === undefined || sum < -MAX_LONG64 || sum >= 2n * MAX_LONG64) {
    const value = Number(delta);
    builder.setException(row, { type: value < 0 ? "delta-double-long" : "delta-double-long-unsigned", value });
    return undefined;
  }
  builder.setBigInt(row, sum);
  return numberAt(builder, row) ?? builder.exceptions.get(row);
}

const MAX_LONG64 = 2n ** 63n;

function wholeNumber(value: Before): bigint | undefined {
  if (typeof value !== "object") return value === undefined ? undefined : BigInt(value);
  return value.type === "long64-unsigned" ? value.value : undefined;
}

function fillTimes(builder: ColumnBuilder, carried: CarriedCell | undefined, context: CarryContext): void {
  const { cells, instantsMs, rules, rowCount } = builder;
  const { breaks, clockBreaks } = context;
  const isClock = builder.layout.role !== "time";
  const nextCapture = captureAfter(context);
  let instantMs = carried?.instantMs ?? Number.NaN;
  let rule = carried?.rule ?? TIME_RULE.none;
  for (let row = 0; row < rowCount; row++) {
    if (breaks.size > 0 && breaks.has(row)) instantMs = Number.NaN;
    if (cells[row] !== CELL.null) {
      instantMs = instantsMs[row] ?? Number.NaN;
      rule = rules[row] ?? TIME_RULE.none;
      continue;
    }
    cells[row] = CELL.missing;
    if (isClock) instantMs = clockBreaks(row) ? Number.NaN : nextCapture(instantMs);
    instantsMs[row] = instantMs;
    rules[row] = Number.isNaN(instantMs) ? TIME_RULE.none : rule;
  }
  builder.sparse = false;
}

/** Finds the capture after an instant: NaN when the profile has no period or is not sorted by time. */
function captureAfter({
  capturePeriod,
  sortMethod = FIFO,
  policy,
}: Pick<CarryContext, "capturePeriod" | "sortMethod" | "policy">): (instantMs: number) => number {
  if (capturePeriod === undefined || sortMethod > LIFO) return () => Number.NaN;
  const direction = sortMethod === LIFO ? -1 : 1;
  const calendar = (step: { readonly months: number; readonly days: number }) => (instantMs: number) =>
    Number.isNaN(instantMs) ? instantMs : addCalendar(instantMs, step, policy.zone);
  if ("months" in capturePeriod) return calendar({ months: direction * capturePeriod.months, days: 0 });
  const { seconds } = capturePeriod;
  // A day of the calendar is not always 24 hours.
  if (seconds % DAY_S === 0) return calendar({ months: 0, days: (direction * seconds) / DAY_S });
  const stepMs = direction * seconds * 1000;
  return (instantMs) => instantMs + stepMs;
}

/**
 * When the clock is set back, an hour's stamps come twice and, without a deviation, look alike. The order of the rows
 * tells them apart: going forward in time, a stamp that does not move on is the second one, and one that is followed by
 * an earlier time is the first one.
 */
function tellRepeatedHours(builder: ColumnBuilder, { policy, sortMethod }: CarryContext): void {
  const { instantsMs, rowCount } = builder;
  if (movesOn(instantsMs, sortMethod === LIFO)) return;
  const order = Array.from({ length: rowCount }, (_, index) => (sortMethod === LIFO ? rowCount - 1 - index : index));
  const rows = order.filter((row) => builder.rules[row] !== TIME_RULE.none);
  eachPair(rows, (row, before) => {
    const beforeMs = instantsMs[before] ?? Number.NaN;
    const later = isStuck(builder, row, beforeMs) ? twin(builder, row, policy.zone)?.second : undefined;
    if (later !== undefined && later > beforeMs) instantsMs[row] = later;
  });
  eachPair(rows.toReversed(), (row, after) => {
    const afterMs = instantsMs[after] ?? Number.NaN;
    const ahead = builder.rules[row] === TIME_RULE.zone && (instantsMs[row] ?? Number.NaN) >= afterMs;
    const earlier = ahead ? twin(builder, row, policy.zone)?.first : undefined;
    if (earlier !== undefined && earlier < afterMs) instantsMs[row] = earlier;
  });
}

/** Whether every time is known and later than the one before, or earlier when the newest comes first. */
function movesOn(instantsMs: Float64Array, newestFirst: boolean): boolean {
  for (let row = 1; row < instantsMs.length; row++) {
    const [before = Number.NaN, after = Number.NaN] = [instantsMs[row - 1], instantsMs[row]];
    if (!(newestFirst ? after < before : after > before)) return false;
  }
  return true;
}

function eachPair(rows: readonly number[], visit: (row: number, neighbour: number) => void): void {
  for (let index = 1; index < rows.length; index++) visit(rows[index] ?? 0, rows[index - 1] ?? 0);
}

function isStuck(builder: ColumnBuilder, row: number, beforeMs: number): boolean {
  return builder.rules[row] === TIME_RULE.zone && (builder.instantsMs[row] ?? Number.NaN) <= beforeMs;
}

/** Both instants of a stamp whose wall time occurs twice. */
function twin(builder: ColumnBuilder, row: number, zone: TimeZone): { first: number; second: number } | undefined {
  const instantMs = builder.instantsMs[row] ?? Number.NaN;
  const wallMs = wallClockOfInstant(instantMs, zone);
  const second = secondOccurrence(wallMs, zone);
  return second === undefined ? undefined : { first: instantOfWallClock(wallMs, zone, true), second };
}
