/** One decoded column to integers in the decimal unit of a table's column, and what cannot be such an integer. */
import { DATE_TIME_LENGTH, type Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { newOctets } from "../../protocol/bytes/octets.ts";
import { type CaptureObject, captureObjectKey } from "../../protocol/cosem/capture-object.ts";
import { type ClockPolicy, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { type ScalerUnit, UNSCALED } from "../../protocol/cosem/scaler-unit.ts";
import type { DataColumn, DecodedColumn, NumberColumn, TimeColumn } from "../../protocol/profile/column.ts";
import { wantsScaler } from "../../protocol/profile/layout.ts";
import type { BatchColumn, OtherColumn, OtherValue } from "./batch.ts";
import type { ProfileColumn } from "./columns.ts";
import { type Decimal, formatDecimal, rescale } from "./decimal.ts";
import { decimalFromData, otherValue } from "./other-value.ts";
import { convertUnit, isConvertible, ucumOf } from "./unit-conversion.ts";

/** What a column of a layout is, whatever rows it has. */
export interface ColumnSource {
  readonly captureObject: CaptureObject;
  readonly scalerUnit: ScalerUnit | undefined;
  readonly isTime: boolean;
}

/** How a column of a layout is mapped, worked out once for all rows of all meters that have it. */
export interface ColumnPlan {
  /** The columns that can take its values, the best first. */
  readonly converters: readonly Converter[];
  /** Name, unit and scaler with which is kept what has no place in a column. */
  readonly key: string;
  readonly unit: string | undefined;
  readonly scaler: number;
}

export interface MappedColumn {
  readonly values: BatchColumn["values"];
  /** What has no place in the column; empty when everything has. */
  readonly rest: readonly (OtherValue | undefined)[];
}

type Cell = bigint | undefined;

/** `candidates` are the columns that its values may go to; `lent` are scaler and unit of another register. */
export function planColumn(
  { captureObject, scalerUnit, isTime }: ColumnSource,
  candidates: readonly ProfileColumn[] = [],
  lent?: ScalerUnit,
): ColumnPlan {
  const key = captureObjectKey(captureObject);
  if (isTime) {
    const times = candidates.filter((column) => column.kind === "timestamp");
    return { converters: times.map((column) => converterFor(column, UNSCALED)), key, unit: undefined, scaler: 0 };
  }
  const known = scalerUnit ?? lent;
  if (known === undefined && wantsScaler(captureObject)) {
    return { converters: [], key: `${key}@raw`, unit: undefined, scaler: 0 };
  }
  const { scaler, unit } = known ?? UNSCALED;
  const fitting = candidates.filter((column) => column.kind !== "number" || isConvertible(unit, column.unit));
  const converters = fitting.map((column) => converterFor(column, { scaler, unit }));
  return { converters, key, unit: ucumOf(known?.unit), scaler };
}

/** Maps all rows of a column; without a converter everything is rest. */
export function mapColumn(
  column: DecodedColumn,
  { scaler }: ColumnPlan,
  converter?: Converter,
  clock?: ClockPolicy,
): MappedColumn {
  if (column.kind === "time") return mapTimes(column, converter);
  const whole = column.kind === "number" && converter !== undefined ? wholeCells(column, converter) : undefined;
  if (whole !== undefined) return { values: whole, rest: [] };
  const convert = (data: Data | undefined): Cell => (data === undefined ? undefined : converter?.data(data, clock));
  const values = column.kind === "number" ? numberCells(column, converter, convert) : column.values.map(convert);
  return { values, rest: restOf(column, values, scaler) };
}

/** A column in the words of its values, as if nothing knew it. */
export function columnInWords(column: DecodedColumn): OtherColumn {
  const isTime = column.kind === "time";
  const { captureObject, scalerUnit } = isTime ? { ...column, scalerUnit: undefined } : column;
  const plan = planColumn({ captureObject, scalerUnit, isTime });
  return { captureObject: plan.key, unit: plan.unit, values: mapColumn(column, plan).rest };
}

/** What takes values to a column. */
export interface Converter {
  readonly column: ProfileColumn;
  /** What a mantissa is multiplied with, when that is a whole number, */
  readonly factor: number;
  /** and up to which mantissa the product is exact as a number and fits the column; below 0 where there is no factor. */
  readonly limit: number;
  readonly number: (decimal: Decimal) => Cell;
  readonly data: (data: Data, clock: ClockPolicy | undefined) => Cell;
}

function converterFor(column: ProfileColumn, scalerUnit: ScalerUnit): Converter {
  const { bits } = column;
  const fit = (value: Cell): Cell => (value !== undefined && BigInt.asIntN(bits, value) === value ? value : undefined);
  if (column.kind === "timestamp") {
    const data = (value: Data, clock: ClockPolicy | undefined) => fit(instantOf(value, clock));
    return { column, factor: 0, limit: -1, number: () => undefined, data };
  }
  if (column.kind === "status") {
    const data = (value: Data) => fit(statusOf(value));
    return { column, factor: 1, limit: limitOf(1, bits), number: (decimal) => fit(rescale(decimal, 0)), data };
  }
  const number = ({ mantissa, exponent }: Decimal): Cell => {
    const scaled = { mantissa, exponent: exponent + scalerUnit.scaler };
    const converted = convertUnit(scaled, scalerUnit.unit, column.unit);
    return converted === undefined ? undefined : fit(rescale(converted, column.exponent));
  };
  const data = (value: Data): Cell => {
    const decimal = decimalFromData(value);
    return decimal === undefined ? undefined : number(decimal);
  };
  const factor = Number(number({ mantissa: 1n, exponent: 0 }) ?? Number.NaN);
  return { column, factor, limit: limitOf(factor, bits), number, data };
}

/** The largest mantissa whose product is exact as a number and within the width; -1 where there is none. */
function limitOf(factor: number, bits: 32 | 64): number {
  if (!Number.isSafeInteger(factor) || factor === 0) return -1;
  return Math.min(Number.MAX_SAFE_INTEGER / factor, 2 ** (bits - 1) / factor - 1);
}

/** Bits as the integer that their octets are; true and false as 1 and 0. */
function statusOf(data: Data): Cell {
  if (data.type === "boolean") return data.value ? 1n : 0n;
  if (data.type === "bit-string") return data.bitCount > 56 ? undefined : BigInt(`0x0${toHex(data.value)}`);
  const decimal = decimalFromData(data);
  return decimal === undefined ? undefined : rescale(decimal, 0);
}

function instantOf(data: Data, clock: ClockPolicy | undefined): Cell {
  if ((data.type !== "octet-string" && data.type !== "date-time") || data.value.length !== DATE_TIME_LENGTH) {
    return undefined;
  }
  const resolved = clock === undefined ? undefined : resolveDateTime(data.value, clock);
  return resolved === undefined ? undefined : BigInt(resolved.instantMs);
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** All rows at once, where each has a number whose product is exact; undefined where one has not. */
function wholeCells(
  { mantissas, present, exceptions }: NumberColumn,
  { factor, limit }: Converter,
): BigInt64Array | undefined {
  if (mantissas instanceof BigInt64Array || exceptions.size > 0 || !LITTLE_ENDIAN) return undefined;
  const rowCount = present.length;
  const octets = newOctets(rowCount * BigInt64Array.BYTES_PER_ELEMENT);
  const cells = new BigInt64Array(octets.buffer, octets.byteOffset, rowCount);
  // A number becomes a bigint of 64 bits in two halves: BigInt() takes four times as long.
  const halves = new Int32Array(octets.buffer, octets.byteOffset, 2 * rowCount);
  for (let row = 0; row < rowCount; row++) {
    const mantissa = mantissas[row] ?? Number.NaN;
    if (present[row] === 0 || !(Math.abs(mantissa) <= limit)) return undefined;
    const product = mantissa * factor;
    halves[2 * row] = product;
    halves[2 * row + 1] = Math.floor(product / 2 ** 32);
  }
  return cells;
}

function numberCells(
  { mantissas, present, exceptions }: NumberColumn,
  converter: Converter | undefined,
  convert: (data: Data) => Cell,
): Cell[] {
  const { factor = 0, limit = -1 } = converter ?? {};
  const cells = Array.from(present, (isPresent, row): Cell => {
    const mantissa = mantissas[row] ?? 0;
    if (isPresent === 0) return undefined;
    if (typeof mantissa === "number" && Math.abs(mantissa) <= limit) return BigInt(mantissa * factor);
    return converter?.number({ mantissa: BigInt(mantissa), exponent: 0 });
  });
  for (const [row, data] of exceptions) cells[row] = convert(data);
  return cells;
}

/** The values of rows that have no cell, in their own words; empty when every row has one. */
function restOf(
  column: NumberColumn | DataColumn,
  cells: readonly Cell[],
  scaler: number,
): readonly (OtherValue | undefined)[] {
  if (!cells.includes(undefined)) return [];
  return cells.map((cell, row) => {
    if (cell !== undefined) return undefined;
    if (column.kind === "number" && column.present[row] === 1) {
      return formatDecimal({ mantissa: BigInt(column.mantissas[row] ?? 0), exponent: scaler });
    }
    const data = column.kind === "number" ? column.exceptions.get(row) : column.values[row];
    return data === undefined ? undefined : otherValue(data, scaler);
  });
}

function mapTimes(column: TimeColumn, converter: Converter | undefined): MappedColumn {
  const values = Array.from(column.instantsMs, (instantMs): Cell => {
    return converter === undefined || Number.isNaN(instantMs) ? undefined : BigInt(instantMs);
  });
  return { values, rest: values.map((value, row) => (value === undefined ? stampOf(column, row) : undefined)) };
}

/** The octets of a stamp that has not become an instant; a stamp with every field open says nothing. */
function stampOf(column: TimeColumn, row: number): OtherValue | undefined {
  const exception = column.exceptions.get(row);
  if (exception !== undefined) return otherValue(exception);
  if (column.sent[row] === 1) {
    const octets = column.stamps.subarray(DATE_TIME_LENGTH * row, DATE_TIME_LENGTH * (row + 1));
    return octets.subarray(0, OPEN_FIELDS).every((octet) => octet === 0xff) ? undefined : `0x${toHex(octets)}`;
  }
  const instantMs = column.instantsMs[row] ?? Number.NaN;
  return Number.isNaN(instantMs) ? undefined : new Date(instantMs).toISOString();
}

/** Year, month, day and weekday, hour and minute. */
const OPEN_FIELDS = 7;
