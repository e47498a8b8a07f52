/** Decodes runs of rows of one shape, column by column, straight from the octets into the columns. */
import { decodeData } from "../axdr/data.ts";
import { Reader } from "../bytes/reader.ts";
import { CELL, type ColumnBuilder } from "./column.ts";
import { READ, type RowShape } from "./row-shape.ts";

/** A run of rows: where it is in the octets, and where it goes in the columns. */
export interface Run {
  readonly octets: Uint8Array;
  readonly view: DataView;
  /** Where the first row of the run starts. */
  readonly at: number;
  /** Index of the first row in the columns. */
  readonly row: number;
  readonly count: number;
  /** Whether the row before it in the columns is the one that the meter sent before it. */
  readonly goesOn: boolean;
}

/** How many rows from `at` on have the shape: as many as fit before `end`, at most `rows`. */
export function runLength(
  shape: RowShape,
  octets: { readonly octets: Uint8Array; readonly view: DataView },
  span: { at: number; end: number },
  rows: number,
): number {
  const { stride, checkCount, checkOffsets } = shape;
  let count = Math.min(rows, Math.floor((span.end - span.at) / stride));
  for (let check = 0; check < checkCount; ) {
    const offset = checkOffsets[check] ?? 0;
    const together = checkOffsets[check + 3] === offset + 3 && check + 3 < checkCount ? 4 : 1;
    const start = span.at + offset;
    count =
      together === 4 ? sameWords(octets.view, start, stride, count) : sameOctets(octets.octets, start, stride, count);
    check += together;
  }
  return count;
}

/** How many of `count` octets that are `stride` apart equal the first. */
function sameOctets(octets: Uint8Array, start: number, stride: number, count: number): number {
  const first = octets[start] ?? 0;
  let same = 0;
  let place = start;
  // Four rows at a time: most runs are long, and a difference is looked for one by one below.
  for (; same + 4 <= count; same += 4, place += 4 * stride) {
    const second = place + stride;
    const third = second + stride;
    const differences =
      ((octets[place] ?? 0) ^ first) |
      ((octets[second] ?? 0) ^ first) |
      ((octets[third] ?? 0) ^ first) |
      ((octets[third + stride] ?? 0) ^ first);
    if (differences !== 0) break;
  }
  for (; same < count && octets[place] === first; place += stride) same++;
  return same;
}

/** The same for four octets at once. */
function sameWords(view: DataView, start: number, stride: number, count: number): number {
  const first = count > 0 ? view.getUint32(start) : 0;
  let same = 0;
  for (let place = start; same < count && view.getUint32(place) === first; place += stride) same++;
  return same;
}

export function decodeRun(shape: RowShape, builders: readonly ColumnBuilder[], run: Run): void {
  for (const [column, builder] of builders.entries()) {
    const read = shape.reads[column] ?? READ.missing;
    const start = run.at + (shape.offsets[column] ?? 0);
    switch (read) {
      case READ.null:
        setNulls(builder, run);
        break;
      case READ.missing:
        break;
      case READ.stamp:
        builder.setStamps(run.view, run, start, shape.stride);
        break;
      case READ.data:
        readData(builder, run, start, shape.stride);
        break;
      case READ.i64:
      case READ.u64:
        readWide(builder, run, { start, stride: shape.stride, signed: read === READ.i64 });
        break;
      default:
        readNumbers(builder, run, {
          start,
          stride: shape.stride,
          read,
          cell: shape.deltas[column] === true ? CELL.delta : CELL.value,
        });
    }
  }
}

interface NumberCells {
  readonly start: number;
  readonly stride: number;
  readonly read: number;
  readonly cell: number;
}

/** Null-data means the value before: where that is a number by now, nothing is left to be filled in later. */
function setNulls(builder: ColumnBuilder, { row, count, goesOn }: Run): void {
  const before = goesOn ? builder.numberAt(row - 1) : undefined;
  builder.cells.fill(before === undefined ? CELL.null : CELL.value, row, row + count);
  if (before === undefined) builder.sparse = true;
  else builder.mantissas?.fill(before, row, row + count);
}

function readNumbers(builder: ColumnBuilder, run: Run, cells: NumberCells): void {
  const narrow = builder.narrow();
  const into = narrow ?? new Float64Array(run.count);
  const first = narrow === undefined ? 0 : run.row;
  READERS[cells.read]?.(run, cells, into, first);
  const isAdded = cells.cell === CELL.delta && narrow !== undefined && addUp(builder, narrow, run);
  builder.cells.fill(isAdded ? CELL.value : cells.cell, run.row, run.row + run.count);
  if (cells.cell === CELL.delta && !isAdded) builder.sparse = true;
  if (narrow !== undefined) return;
  const wide = builder.widened();
  for (const [index, value] of into.entries()) wide[run.row + index] = BigInt(value);
}

/** A delta is of 32 bits at most. */
const DELTA_RANGE = 2 ** 32;

/** Adds the deltas of a run to the number before it, unless that is not known yet or sums might not be exact. */
function addUp(builder: ColumnBuilder, deltas: Float64Array, { row, count, goesOn }: Run): boolean {
  let sum = goesOn ? builder.numberAt(row - 1) : undefined;
  if (sum === undefined || Math.abs(sum) + count * DELTA_RANGE > Number.MAX_SAFE_INTEGER) return false;
  for (let index = row; index < row + count; index++) {
    sum += deltas[index] ?? 0;
    deltas[index] = sum;
  }
  return true;
}

type NumberReader = (run: Run, cells: NumberCells, into: Float64Array, first: number) => void;

/** One loop per type, so that each stays a loop over one kind of read. */
const READERS: Readonly<Record<number, NumberReader>> = {
  [READ.u8]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getUint8(place);
  },
  [READ.i8]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getInt8(place);
  },
  [READ.u16]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getUint16(place);
  },
  [READ.i16]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getInt16(place);
  },
  [READ.u32]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getUint32(place);
  },
  [READ.i32]({ view, count }, { start, stride }, into, first) {
    for (let i = 0, place = start; i < count; i++, place += stride) into[first + i] = view.getInt32(place);
  },
};

function readWide(
  builder: ColumnBuilder,
  { view, row, count }: Run,
  { start, stride, signed }: { start: number; stride: number; signed: boolean },
): void {
  for (let i = 0, place = start; i < count; i++, place += stride) {
    builder.setBigInt(row + i, signed ? view.getBigInt64(place) : view.getBigUint64(place));
  }
}

function readData(builder: ColumnBuilder, { octets, row, count }: Run, start: number, stride: number): void {
  const reader = new Reader(octets);
  for (let i = 0; i < count; i++) {
    reader.offset = start + i * stride;
    builder.setData(row + i, decodeData(reader));
  }
}
