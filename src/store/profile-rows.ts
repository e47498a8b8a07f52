/**
 * Profile batches as single rows on their way into a table: checked, sorted by key, and encoded. What can't be a row is
 * told apart with the reason, row by row; nothing is dropped silently and nothing is rounded.
 */
import type { OtherValue, ProfileBatch, ProfileKind } from "../profiles/batch.ts";
import type { ProfileColumn } from "../profiles/columns.ts";
import type { CopyRows } from "./binary-copy.ts";
import { SOURCES, type StoredType, storedType, TIME_RULES } from "./profile-tables.ts";
import { storableValue } from "./storable-text.ts";

/** Why a row was set aside instead of stored. */
export const SET_ASIDE_REASONS = {
  meter_unknown: "no meter has this key (deleted while its readings were on their way?)",
  time_missing: "the capture time is not a moment in whole milliseconds",
  time_too_old: "the capture time lies before any smart meter",
  time_in_future: "the capture time lies further in the future than a meter's clock may be wrong",
  value_out_of_range: "a value does not fit its column",
  column_unknown: "the batch names a column that the profile does not have",
  column_repeated: "the batch names a column twice",
  batch_uneven: "a list of the batch has not one element for each row",
  batch_invalid: "the meter key, the interval or the time of reading is not a number that the table can hold",
  refused_by_database: "the database refused the row",
} as const;

export type SetAsideReason = keyof typeof SET_ASIDE_REASONS;

export interface SetAsideRow {
  readonly row: ProfileRow;
  readonly reason: SetAsideReason;
  readonly detail: string;
}

/** One row of a batch. */
export interface ProfileRow {
  readonly batch: ProfileBatch;
  readonly index: number;
}

const OLDEST_MS = Date.UTC(2000, 0, 1);
const MOST_AHEAD_MS = 24 * 60 * 60 * 1000;
const INT8_EDGE = 9.2e18;
/** 0001-01-01 and 9999-12-31. */
const LEAST_TIME_MS = -62_135_596_800_000;
const MOST_TIME_MS = 253_402_300_799_999;

/** The columns that every table has, in the order in which rows are encoded. */
const FIXED_COLUMNS = [
  "captured_at",
  "read_at",
  "meter_key",
  "layout_key",
  "interval_s",
  "source",
  "time_rule",
] as const;

/** Checks a batch as a whole; undefined when its rows can be looked at one by one. */
export function batchFault(
  batch: ProfileBatch,
  known: ReadonlyMap<string, ProfileColumn>,
): Pick<SetAsideRow, "reason" | "detail"> | undefined {
  const { meterKey, intervalS = 0, readAt } = batch;
  const detail = `meterKey ${meterKey}, intervalS ${intervalS}, readAt ${readAt.getTime()}`;
  if (!isInt4(meterKey) || !isInt4(intervalS) || timeOutOfRange(readAt.getTime())) {
    return { reason: "batch_invalid", detail };
  }
  const names = batch.columns.map((column) => column.column);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) return { reason: "column_unknown", detail: unknown };
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return { reason: "column_repeated", detail: repeated };
  const lists = [batch.instantsMs, batch.timeRules, batch.meterTimes, ...batch.columns.map((each) => each.values)];
  const uneven = [...lists, ...batch.others.map((each) => each.values)].some((list) => list.length !== batch.rowCount);
  return uneven ? { reason: "batch_uneven", detail: `${batch.rowCount} rows` } : undefined;
}

function isInt4(value: number): boolean {
  return value === (value | 0);
}

function timeOutOfRange(ms: number): boolean {
  return !(ms >= OLDEST_MS && ms <= MOST_TIME_MS);
}

/** Checks the capture time of one row. */
export function timeFault(row: ProfileRow): Pick<SetAsideRow, "reason" | "detail"> | undefined {
  const ms = row.batch.instantsMs[row.index] ?? Number.NaN;
  if (!Number.isSafeInteger(ms)) return { reason: "time_missing", detail: String(ms) };
  if (ms < OLDEST_MS) return { reason: "time_too_old", detail: String(ms) };
  if (ms > row.batch.readAt.getTime() + MOST_AHEAD_MS) return { reason: "time_in_future", detail: String(ms) };
  return undefined;
}

/** The capture time of a row that passed `timeFault`. */
export function instantOf(row: ProfileRow): number {
  return row.batch.instantsMs[row.index] ?? Number.NaN;
}

/** All rows, sorted by meter and time; rows with the same key stay in the order in which they came. */
export function sortedRows(batches: readonly ProfileBatch[]): ProfileRow[] {
  const rows = [...batches]
    .sort((a, b) => a.meterKey - b.meterKey || (a.instantsMs[0] ?? 0) - (b.instantsMs[0] ?? 0))
    .flatMap((batch) => Array.from({ length: batch.rowCount }, (_, index): ProfileRow => ({ batch, index })));
  const inOrder = rows.every((row, at) => at === 0 || compareKeys(rows[at - 1] ?? row, row) <= 0);
  return inOrder ? rows : rows.sort(compareKeys);
}

export function compareKeys(a: ProfileRow, b: ProfileRow): number {
  return a.batch.meterKey - b.batch.meterKey || instantOf(a) - instantOf(b);
}

interface LayoutColumn {
  readonly name: string;
  readonly type: StoredType;
}

/** The columns that a set of batches uses, and how its rows become COPY fields. */
export class RowLayout {
  readonly profile: ProfileKind;
  readonly valueColumns: readonly LayoutColumn[];
  readonly hasMeterTimes: boolean;
  readonly hasOthers: boolean;
  /** By batch: the values of each of `valueColumns`. */
  readonly #values = new Map<ProfileBatch, readonly (readonly (bigint | undefined)[] | undefined)[]>();
  readonly #layoutKeys: ReadonlyMap<string, number>;

  constructor(
    batches: readonly ProfileBatch[],
    known: ReadonlyMap<string, ProfileColumn>,
    layoutKeys: ReadonlyMap<string, number>,
  ) {
    this.profile = batches[0]?.profile ?? "instant";
    const used = new Set(batches.flatMap((batch) => batch.columns.map((column) => column.column)));
    this.valueColumns = [...known.values()]
      .filter((column) => used.has(column.name))
      .map((column) => ({ name: column.name, type: storedType(column) }));
    this.hasMeterTimes = batches.some((batch) => batch.meterTimes.some((time) => time !== undefined));
    this.hasOthers = batches.some((batch) => batch.others.length > 0);
    this.#layoutKeys = layoutKeys;
    for (const batch of batches) {
      const lists = new Map(batch.columns.map((column) => [column.column, column.values]));
      this.#values.set(
        batch,
        this.valueColumns.map((column) => lists.get(column.name)),
      );
    }
  }

  /** Names of the table's columns in the order of the fields. */
  get columns(): string[] {
    return [
      ...FIXED_COLUMNS,
      ...this.valueColumns.map((column) => column.name),
      ...(this.hasMeterTimes ? ["meter_time"] : []),
      ...(this.hasOthers ? ["others"] : []),
    ];
  }

  /** Appends one row; when a value does not fit its column the row is taken back and the fault is returned. */
  encode(row: ProfileRow, into: CopyRows): Pick<SetAsideRow, "reason" | "detail"> | undefined {
    const { batch, index } = row;
    const fieldCount = FIXED_COLUMNS.length + this.valueColumns.length + Number(this.hasMeterTimes);
    into.beginRow(fieldCount + Number(this.hasOthers));
    into.timestamptz(instantOf(row));
    into.timestamptz(batch.readAt.getTime());
    into.int4(batch.meterKey);
    into.int4(this.#layoutKeys.get(batch.layoutFingerprint) ?? 0);
    if (batch.intervalS === undefined) into.absent();
    else into.int4(batch.intervalS);
    into.int2(SOURCES.indexOf(batch.source) + 1);
    into.int2(TIME_RULES.indexOf(batch.timeRules[index] ?? "received") + 1);
    const lists = this.#values.get(batch) ?? [];
    for (let at = 0; at < lists.length; at++) {
      const column = this.valueColumns[at];
      if (column !== undefined && encodeValue(lists[at]?.[index], column.type, into)) continue;
      into.takeBackRow();
      return { reason: "value_out_of_range", detail: `${column?.name} = ${lists[at]?.[index]}` };
    }
    if (this.hasMeterTimes) {
      const meterTime = batch.meterTimes[index];
      if (meterTime === undefined) into.absent();
      else into.bytea(meterTime);
    }
    if (this.hasOthers) {
      const others = othersOf(row);
      if (others === undefined) into.absent();
      else into.jsonb(JSON.stringify(others));
    }
    return undefined;
  }
}

/** False when the value does not fit the type. */
function encodeValue(value: bigint | undefined, type: StoredType, into: CopyRows): boolean {
  if (value === undefined) {
    into.absent();
    return true;
  }
  const approximate = Number(value);
  if (type === "integer") {
    if (!isInt4(approximate)) return false;
    into.int4(approximate);
    return true;
  }
  if (type === "timestamptz") {
    if (approximate < LEAST_TIME_MS || approximate > MOST_TIME_MS) return false;
    into.distantTimestamptz(value);
    return true;
  }
  if ((approximate > INT8_EDGE || approximate < -INT8_EDGE) && BigInt.asIntN(64, value) !== value) return false;
  into.int8(value);
  return true;
}

/** What no column is for, as it is kept in the row: `{ "class:logical name:attribute": { value, unit } }`. */
export function othersOf(row: ProfileRow): Record<string, { value: OtherValue; unit?: string }> | undefined {
  const entries = row.batch.others.flatMap(({ captureObject, unit, values }) => {
    const value = values[row.index];
    if (value === undefined) return [];
    return [
      [
        captureObject,
        unit === undefined ? { value: storableValue(value) } : { value: storableValue(value), unit },
      ] as const,
    ];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** A row as it is kept when it is set aside. */
export function rowAsJson(row: ProfileRow): string {
  const { batch, index } = row;
  const columns = batch.columns.map((column) => [column.column, String(column.values[index] ?? "")]);
  const meterTime = batch.meterTimes[index];
  return JSON.stringify({
    columns: Object.fromEntries(columns.filter(([, value]) => value !== "")),
    others: othersOf(row) ?? {},
    intervalS: batch.intervalS ?? null,
    timeRule: batch.timeRules[index] ?? null,
    meterTime: meterTime === undefined ? null : Buffer.from(meterTime).toString("hex"),
    layout: batch.layoutFingerprint,
  });
}
