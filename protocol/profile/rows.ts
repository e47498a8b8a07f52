/** Rows of decoded profiles taken apart and put together: to keep what was asked for, and to join what came in parts. */
import { DATE_TIME_LENGTH, type Data } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import type { DataColumn, DecodedColumn, NumberColumn, TimeColumn } from "./column.ts";
import type { DecodedProfile } from "./decode.ts";

/** A row of one of several parts. */
export interface RowPlace {
  readonly part: number;
  readonly row: number;
}

/**
 * The rows at those places as one profile, in that order. The parts must be of one layout: throws DATA_OUT_OF_RANGE for
 * others, and for none at all. Rejected rows of all parts are kept, with their index in their own part.
 */
export function joinRows(parts: readonly DecodedProfile[], places: readonly RowPlace[]): DecodedProfile {
  const [first] = parts;
  const fingerprints = new Set(parts.map(({ layout }) => layout.fingerprint));
  if (first === undefined || fingerprints.size > 1) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { parts: parts.length, layouts: fingerprints.size });
  }
  const columns = first.columns.map((_, index) => joinColumn(parts, index, places));
  const clockAt = first.clock === undefined ? -1 : first.columns.indexOf(first.clock);
  const clock = columns[clockAt];
  return {
    layout: first.layout,
    rowCount: places.length,
    columns,
    clock: clock?.kind === "time" ? clock : undefined,
    rejected: parts.flatMap(({ rejected }) => rejected),
    brokenOff: parts.at(-1)?.brokenOff,
  };
}

/** The rows from one up to before another; they share the memory of all. */
function sliceRows(profile: DecodedProfile, from: number, to: number): DecodedProfile {
  const columns = profile.columns.map((column) => sliceColumn(column, from, to));
  const clock = columns[profile.clock === undefined ? -1 : profile.columns.indexOf(profile.clock)];
  return { ...profile, rowCount: to - from, columns, clock: clock?.kind === "time" ? clock : undefined };
}

function sliceColumn(column: DecodedColumn, from: number, to: number): DecodedColumn {
  if (column.kind === "data") return { ...column, values: column.values.slice(from, to) };
  const exceptions = new Map<number, Data>();
  for (const [row, data] of column.exceptions) if (row >= from && row < to) exceptions.set(row - from, data);
  if (column.kind === "number") {
    const { mantissas, present } = column;
    return { ...column, mantissas: mantissas.subarray(from, to), present: present.subarray(from, to), exceptions };
  }
  return {
    ...column,
    stamps: column.stamps.subarray(from * DATE_TIME_LENGTH, to * DATE_TIME_LENGTH),
    sent: column.sent.subarray(from, to),
    instantsMs: column.instantsMs.subarray(from, to),
    rules: column.rules.subarray(from, to),
    exceptions,
  };
}

/** The rows of one profile for which the test holds; the profile itself when that is all of them. */
export function filterRows(profile: DecodedProfile, keeps: (row: number) => boolean): DecodedProfile {
  const rows: number[] = [];
  for (let row = 0; row < profile.rowCount; row++) if (keeps(row)) rows.push(row);
  if (rows.length === profile.rowCount) return profile;
  const [first = 0] = rows;
  const end = (rows.at(-1) ?? -1) + 1;
  if (rows.length === end - first) return sliceRows(profile, first, end);
  return joinRows(
    [profile],
    rows.map((row) => ({ part: 0, row })),
  );
}

function joinColumn(parts: readonly DecodedProfile[], index: number, places: readonly RowPlace[]): DecodedColumn {
  const columns = parts.flatMap(({ columns }) => columns[index] ?? []);
  // A column of the same layout may be of numbers in one part and of other data in the next.
  if (columns.every((column) => column.kind === "number")) return joinNumbers(columns, places);
  if (columns.every((column) => column.kind === "time")) return joinTimes(columns, places);
  return joinData(columns, places);
}

function joinNumbers(columns: readonly NumberColumn[], places: readonly RowPlace[]): NumberColumn {
  const wide = columns.some(({ mantissas }) => mantissas instanceof BigInt64Array);
  const mantissas = wide ? new BigInt64Array(places.length) : new Float64Array(places.length);
  const present = new Uint8Array(places.length);
  for (const [to, { part, row }] of places.entries()) {
    const column = columns[part];
    present[to] = column?.present[row] ?? 0;
    const mantissa = column?.mantissas[row] ?? 0;
    if (mantissas instanceof BigInt64Array) mantissas[to] = BigInt(mantissa);
    else mantissas[to] = Number(mantissa);
  }
  const { captureObject, scalerUnit } = firstOf(columns);
  return { kind: "number", captureObject, scalerUnit, mantissas, present, exceptions: exceptionsOf(columns, places) };
}

function joinTimes(columns: readonly TimeColumn[], places: readonly RowPlace[]): TimeColumn {
  const stamps = new Uint8Array(places.length * DATE_TIME_LENGTH);
  const sent = new Uint8Array(places.length);
  const instantsMs = new Float64Array(places.length);
  const rules = new Uint8Array(places.length);
  for (const [to, { part, row }] of places.entries()) {
    const column = columns[part];
    if (column === undefined) continue;
    stamps.set(column.stamps.subarray(row * DATE_TIME_LENGTH, (row + 1) * DATE_TIME_LENGTH), to * DATE_TIME_LENGTH);
    sent[to] = column.sent[row] ?? 0;
    instantsMs[to] = column.instantsMs[row] ?? Number.NaN;
    rules[to] = column.rules[row] ?? 0;
  }
  const { captureObject } = firstOf(columns);
  return { kind: "time", captureObject, stamps, sent, instantsMs, rules, exceptions: exceptionsOf(columns, places) };
}

function joinData(columns: readonly DecodedColumn[], places: readonly RowPlace[]): DataColumn {
  const { captureObject } = firstOf(columns);
  const scaled = columns.find((column) => column.kind !== "time");
  const values = places.map(({ part, row }) => valueAt(columns[part], row));
  return { kind: "data", captureObject, scalerUnit: scaled?.scalerUnit, values };
}

function valueAt(column: DecodedColumn | undefined, row: number): Data | undefined {
  if (column === undefined) return undefined;
  if (column.kind === "data") return column.values[row];
  const exception = column.exceptions.get(row);
  if (exception !== undefined || column.kind === "time") return exception;
  const mantissa = column.mantissas[row];
  return column.present[row] === 1 && mantissa !== undefined ? { type: "long64", value: BigInt(mantissa) } : undefined;
}

function exceptionsOf(
  columns: readonly (NumberColumn | TimeColumn)[],
  places: readonly RowPlace[],
): ReadonlyMap<number, Data> {
  const exceptions = new Map<number, Data>();
  for (const [to, { part, row }] of places.entries()) {
    const exception = columns[part]?.exceptions.get(row);
    if (exception !== undefined) exceptions.set(to, exception);
  }
  return exceptions;
}

function firstOf<Column>(columns: readonly Column[]): Column {
  const [first] = columns;
  if (first === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { columns: 0 });
  return first;
}
