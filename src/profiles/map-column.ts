/** One decoded column to integers in the decimal unit of a table's column, and what cannot be such an integer. */
import { DATE_TIME_LENGTH, type Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { captureObjectKey } from "../../protocol/cosem/capture-object.ts";
import { type ClockPolicy, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { type ScalerUnit, UNSCALED } from "../../protocol/cosem/scaler-unit.ts";
import type { DataColumn, DecodedColumn, NumberColumn, TimeColumn } from "../../protocol/profile/column.ts";
import { wantsScaler } from "../../protocol/profile/layout.ts";
import type { OtherValue } from "./batch.ts";
import type { ProfileColumn } from "./columns.ts";
import { type Decimal, formatDecimal, rescale } from "./decimal.ts";
import { decimalFromData, otherValue } from "./other-value.ts";
import { convertUnit, ucumOf } from "./unit-conversion.ts";

/** Where a column's values go. */
export interface MapTarget {
  readonly column: ProfileColumn;
  /** Columns to take instead when the unit fits them and not the first. */
  readonly alternatives: readonly ProfileColumn[];
  /** The scaler and unit of another register, for a value that has none of its own. */
  readonly lentScaler: ScalerUnit | undefined;
  readonly clock: ClockPolicy;
}

export interface MappedColumn {
  /** The column that was taken. */
  readonly column: ProfileColumn | undefined;
  readonly values: readonly (bigint | undefined)[];
  /** What has no place in the column; empty when everything has. */
  readonly rest: readonly (OtherValue | undefined)[];
  /** Name and unit under which the rest is kept. */
  readonly key: string;
  readonly unit: string | undefined;
}

type Cell = bigint | undefined;

/** Maps all rows of a column; without a target everything is rest. */
export function mapColumn(column: DecodedColumn, target: MapTarget | undefined): MappedColumn {
  if (column.kind === "time") return mapTimes(column, target?.column);
  const known = column.scalerUnit ?? target?.lentScaler;
  const isRaw = known === undefined && wantsScaler(column.captureObject);
  const scalerUnit = known ?? UNSCALED;
  const chosen = isRaw ? undefined : chooseColumn(target, scalerUnit);
  const key = captureObjectKey(column.captureObject);
  const named = { column: chosen, key: isRaw ? `${key}@raw` : key, unit: ucumOf(known?.unit) };
  const convert = chosen === undefined ? undefined : converterFor(chosen, scalerUnit, target?.clock);
  const cells = column.kind === "number" ? numberCells(column, convert) : dataCells(column, convert);
  return { ...named, values: cells, rest: restOf(column, cells, scalerUnit) };
}

function chooseColumn(target: MapTarget | undefined, { unit }: ScalerUnit): ProfileColumn | undefined {
  if (target === undefined) return undefined;
  const candidates = [target.column, ...target.alternatives];
  const one = { mantissa: 60n, exponent: 0 };
  return candidates.find((each) => each.kind !== "number" || convertUnit(one, unit, each.unit) !== undefined);
}

interface Converter {
  /** What a mantissa is multiplied with, when that is a whole number. */
  readonly factor: bigint | undefined;
  readonly number: (decimal: Decimal) => Cell;
  readonly data: (data: Data) => Cell;
  /** Width of the column. */
  readonly bits: 32 | 64;
}

function converterFor(column: ProfileColumn, scalerUnit: ScalerUnit, clock: ClockPolicy | undefined): Converter {
  const { bits } = column;
  const fit = (value: Cell): Cell => (value !== undefined && BigInt.asIntN(bits, value) === value ? value : undefined);
  if (column.kind === "timestamp") {
    return { factor: undefined, number: () => undefined, data: (value) => fit(instantOf(value, clock)), bits };
  }
  if (column.kind === "status") {
    return { factor: 1n, number: (decimal) => fit(rescale(decimal, 0)), data: (value) => fit(statusOf(value)), bits };
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
  return { factor: number({ mantissa: 1n, exponent: 0 }), number, data, bits };
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

function numberCells(column: NumberColumn, convert: Converter | undefined): Cell[] {
  const { mantissas, present, exceptions } = column;
  const cells: Cell[] = [];
  const factor = convert?.factor;
  // Products below this are exact as numbers, and so is the check of their width.
  const limit =
    convert === undefined || factor === undefined || factor > MAX_EXACT
      ? -1
      : Math.min(Number(MAX_EXACT / factor), 2 ** (convert.bits - 1) / Number(factor) - 1);
  const multiplier = Number(factor ?? 0n);
  for (let row = 0; row < present.length; row++) {
    const mantissa = mantissas[row] ?? 0;
    if (present[row] === 0) cells.push(undefined);
    else if (typeof mantissa === "number" && mantissa <= limit && mantissa >= -limit) {
      cells.push(bigintOf(mantissa * multiplier));
    } else cells.push(convert?.number({ mantissa: BigInt(mantissa), exponent: 0 }));
  }
  for (const [row, data] of exceptions) cells[row] = convert?.data(data);
  return cells;
}

const wide = new BigInt64Array(1);
const halves = new Int32Array(wide.buffer);
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** An exact whole number as bigint: BigInt() takes four times as long. */
function bigintOf(value: number): bigint {
  if (!LITTLE_ENDIAN) return BigInt(value);
  halves[0] = value;
  halves[1] = Math.floor(value / 2 ** 32);
  return wide[0] ?? 0n;
}

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

function dataCells(column: DataColumn, convert: Converter | undefined): Cell[] {
  return column.values.map((data) => (data === undefined ? undefined : convert?.data(data)));
}

/** The values of rows that have no cell, in their own words; empty when every row has one. */
function restOf(
  column: NumberColumn | DataColumn,
  cells: readonly Cell[],
  { scaler }: ScalerUnit,
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

function mapTimes(column: TimeColumn, target: ProfileColumn | undefined): MappedColumn {
  const chosen = target?.kind === "timestamp" ? target : undefined;
  const values = Array.from(column.instantsMs, (instantMs): Cell => {
    return chosen === undefined || Number.isNaN(instantMs) ? undefined : BigInt(instantMs);
  });
  const rest = values.map((value, row) => (value === undefined ? stampOf(column, row) : undefined));
  return { column: chosen, values, rest, key: captureObjectKey(column.captureObject), unit: undefined };
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
