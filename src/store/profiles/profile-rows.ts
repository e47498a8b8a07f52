/**
 * Profile batches as single rows on their way into a table: checked, sorted by key, and encoded. What can't be a row is
 * told apart with the reason, row by row; nothing is dropped silently and nothing is rounded.
 */
import type { BatchColumn, OtherValue, ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import type { ProfileColumn } from "../../profiles/columns.ts";
import type { CopyRows } from "../database/binary-copy.ts";
import { storableValue } from "../database/storable-text.ts";
import { type StoredType, sourceCode, storedType, TIME_RULES } from "./profile-tables.ts";
import type { SharedTexts } from "./shared-texts.ts";

/** Why a row was set aside instead of stored. */
const SET_ASIDE_REASONS = {
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

type SetAsideReason = keyof typeof SET_ASIDE_REASONS;

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

/** Earlier captures are never held, */
export const OLDEST_MS = Date.UTC(2000, 0, 1);
/** nor such as lie further behind their reading than a meter's clock may be wrong. */
export const MOST_AHEAD_MS = 24 * 60 * 60 * 1000;
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

export type RowFault = Pick<SetAsideRow, "reason" | "detail">;

/** Checks batches as wholes. Neighbours often have the same columns, so the last judgement on those is kept. */
export class BatchCheck {
  readonly #known: ReadonlyMap<string, ProfileColumn>;
  #last: { readonly columns: readonly BatchColumn[]; readonly fault: RowFault | undefined } | undefined;

  constructor(known: ReadonlyMap<string, ProfileColumn>) {
    this.#known = known;
  }

  /** Undefined when the rows can be looked at one by one. */
  faultOf(batch: ProfileBatch): RowFault | undefined {
    const { meterKey, intervalS = 0, readAt } = batch;
    if (!isInt4(meterKey) || !isInt4(intervalS) || timeOutOfRange(readAt.getTime())) {
      const detail = `meterKey ${meterKey}, intervalS ${intervalS}, readAt ${readAt.getTime()}`;
      return { reason: "batch_invalid", detail };
    }
    if (this.#last === undefined || !haveSameColumns(this.#last.columns, batch.columns)) {
      this.#last = { columns: batch.columns, fault: this.#columnFault(batch.columns) };
    }
    if (this.#last.fault !== undefined) return this.#last.fault;
    return isEven(batch) ? undefined : { reason: "batch_uneven", detail: `${batch.rowCount} rows` };
  }

  #columnFault(columns: readonly BatchColumn[]): RowFault | undefined {
    const names = columns.map((column) => column.column);
    const unknown = names.find((name) => !this.#known.has(name));
    if (unknown !== undefined) return { reason: "column_unknown", detail: unknown };
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    return repeated === undefined ? undefined : { reason: "column_repeated", detail: repeated };
  }
}

function haveSameColumns(a: readonly BatchColumn[], b: readonly BatchColumn[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at]?.column !== b[at]?.column) return false;
  return true;
}

function isEven({ rowCount, instantsMs, timeRules, meterTimes, columns, others }: ProfileBatch): boolean {
  if (instantsMs.length !== rowCount || timeRules.length !== rowCount) return false;
  if (meterTimes !== undefined && meterTimes.length !== rowCount) return false;
  for (const column of columns) if (column.values.length !== rowCount) return false;
  for (const other of others) if (other.values.length !== rowCount) return false;
  return true;
}

function isInt4(value: number): boolean {
  return value === (value | 0);
}

export function timeOutOfRange(ms: number): boolean {
  return !(ms >= OLDEST_MS && ms <= MOST_TIME_MS);
}

function timeFault(row: ProfileRow): RowFault | undefined {
  const ms = instantOf(row);
  if (!Number.isSafeInteger(ms)) return { reason: "time_missing", detail: String(ms) };
  if (ms < OLDEST_MS) return { reason: "time_too_old", detail: String(ms) };
  if (ms > row.batch.readAt.getTime() + MOST_AHEAD_MS) return { reason: "time_in_future", detail: String(ms) };
  return undefined;
}

/** The capture time of a row. */
export function instantOf(row: ProfileRow): number {
  return row.batch.instantsMs[row.index] ?? Number.NaN;
}

/** The first and the last capture time of rows. */
export function rangeOf(rows: readonly ProfileRow[]): readonly [firstMs: number, lastMs: number] {
  let [firstMs, lastMs] = [Infinity, -Infinity];
  for (const row of rows) {
    firstMs = Math.min(firstMs, instantOf(row));
    lastMs = Math.max(lastMs, instantOf(row));
  }
  return [firstMs, lastMs];
}

/**
 * All rows with a usable time, sorted by meter and time; rows with the same key stay in the order in which they came.
 * The others go to `setAside`.
 */
export function sortedRows(batches: readonly ProfileBatch[], setAside: (row: SetAsideRow) => void): ProfileRow[] {
  const rows: ProfileRow[] = [];
  let inOrder = true;
  for (const batch of batches.toSorted(compareFirst)) {
    for (let index = 0; index < batch.rowCount; index++) {
      const row = { batch, index };
      const fault = timeFault(row);
      const last = rows.at(-1);
      if (fault === undefined) {
        inOrder &&= last === undefined || compareKeys(last, row) < 0;
        rows.push(row);
      } else setAside({ row, ...fault });
    }
  }
  if (inOrder) return rows;
  const arrival = new Map(batches.map((batch, at) => [batch, at]));
  const arrivalOf = ({ batch }: ProfileRow) => arrival.get(batch) ?? 0;
  return rows.sort((a, b) => compareKeys(a, b) || arrivalOf(a) - arrivalOf(b));
}

function compareFirst(a: ProfileBatch, b: ProfileBatch): number {
  return a.meterKey - b.meterKey || (a.instantsMs[0] ?? 0) - (b.instantsMs[0] ?? 0);
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
  /** Where in the columns of the last batch each of `valueColumns` is; -1 for nowhere. Neighbours share the list. */
  #places = new Int32Array();
  #batch: ProfileBatch | undefined;
  /** The values of the last batch for each of `valueColumns`. */
  readonly #values: (BatchColumn["values"] | undefined)[] = [];
  readonly #fieldCount: number;
  readonly #layouts: Pick<SharedTexts, "keyOf">;

  constructor(
    batches: readonly ProfileBatch[],
    known: ReadonlyMap<string, ProfileColumn>,
    layouts: Pick<SharedTexts, "keyOf">,
  ) {
    this.profile = batches[0]?.profile ?? "instant";
    this.#layouts = layouts;
    this.valueColumns = usedColumns(batches, known);
    this.hasMeterTimes = batches.some((batch) => batch.meterTimes !== undefined);
    this.hasOthers = batches.some((batch) => batch.others.length > 0);
    this.#fieldCount = this.columns.length;
  }

  #turnTo(batch: ProfileBatch): void {
    if (this.#batch === undefined || !haveSameColumns(this.#batch.columns, batch.columns)) {
      const names = batch.columns.map((column) => column.column);
      this.#places = Int32Array.from(this.valueColumns, (column) => names.indexOf(column.name));
    }
    this.#batch = batch;
    for (let at = 0; at < this.#places.length; at++) this.#values[at] = batch.columns[this.#places[at] ?? -1]?.values;
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
  encode(row: ProfileRow, into: CopyRows): RowFault | undefined {
    const { batch, index } = row;
    into.beginRow(this.#fieldCount);
    into.timestamptz(instantOf(row));
    into.timestamptz(batch.readAt.getTime());
    into.int4(batch.meterKey);
    into.int4(this.#layouts.keyOf(batch.layoutFingerprint));
    if (batch.intervalS === undefined) into.absent();
    else into.int4(batch.intervalS);
    into.int2(sourceCode(batch.source));
    into.int2(TIME_RULES.indexOf(batch.timeRules[index] ?? "received") + 1);
    if (this.#batch !== batch) this.#turnTo(batch);
    for (let at = 0; at < this.valueColumns.length; at++) {
      const column = this.valueColumns[at];
      const value = this.#values[at]?.[index];
      if (column !== undefined && encodeValue(value, column.type, into)) continue;
      into.takeBackRow();
      return { reason: "value_out_of_range", detail: `${column?.name} = ${value}` };
    }
    if (this.hasMeterTimes) {
      const meterTime = batch.meterTimes?.at(index);
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

/** The columns that the batches name, in the table's order. */
function usedColumns(batches: readonly ProfileBatch[], known: ReadonlyMap<string, ProfileColumn>): LayoutColumn[] {
  const used = new Set<string>();
  let last: ProfileBatch | undefined;
  for (const batch of batches) {
    if (last === undefined || !haveSameColumns(last.columns, batch.columns)) {
      for (const column of batch.columns) used.add(column.column);
    }
    last = batch;
  }
  return [...known.values()]
    .filter((column) => used.has(column.name))
    .map((column) => ({ name: column.name, type: storedType(column) }));
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
function othersOf(row: ProfileRow): Record<string, { value: OtherValue; unit?: string }> | undefined {
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
  const meterTime = batch.meterTimes?.at(index);
  return JSON.stringify({
    columns: Object.fromEntries(columns.filter(([, value]) => value !== "")),
    others: othersOf(row) ?? {},
    intervalS: batch.intervalS ?? null,
    timeRule: batch.timeRules[index] ?? null,
    meterTime: meterTime === undefined ? null : Buffer.from(meterTime).toString("hex"),
    layout: batch.layoutFingerprint,
  });
}
