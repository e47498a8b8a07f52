/**
 * Profile buffers to exact columns. The buffer comes as octets (array of structures, or compact-array), which is the
 * fast way, or as Data; both give the same columns. Rows of one shape are decoded as a run, their tag octets compared
 * row by row (run.ts); whatever differs goes through the general decoder. Compression is undone per column (carry.ts).
 * A row that does not fit the layout is put aside with its octets' meaning, never guessed and never lost.
 */
import { DATE_TIME_LENGTH, type Data, decodeData, expandCompactArray } from "../axdr/data.ts";
import { DATA_TAGS } from "../axdr/tags.ts";
import { decodeTypeDescription, type TypeDescription } from "../axdr/type-description.ts";
import { sameOctets, viewOf } from "../bytes/octets.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { captureObjectKey } from "../cosem/capture-object.ts";
import type { ClockPolicy } from "../cosem/date-time.ts";
import { typeMismatch } from "../cosem/integers.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type CarriedCell, fillColumn, type ProfileCarry } from "./carry.ts";
import { CELL, ColumnBuilder, type DecodedColumn, type TimeColumn } from "./column.ts";
import type { ProfileLayout } from "./layout.ts";
import { RowShape, shapeDescribed, shapeRow } from "./row-shape.ts";
import { decodeRun, runLength } from "./run.ts";

export interface DecodeOptions {
  readonly clock: ClockPolicy;
  /** What the last row of the read before had (`carryOf`), when this buffer goes on after it. */
  readonly carry?: ProfileCarry;
  /** A status column and the bits that say "clock set" or "power was off": such a row's clock is not reckoned. */
  readonly clockBreaks?: { readonly captureObject: string; readonly mask: number };
  /** Keep the whole rows of octets that break off, instead of refusing all. */
  readonly keepWholeRows?: boolean;
}

/** A row that does not fit the layout. */
export interface RejectedRow {
  /** Index in the buffer as sent. */
  readonly index: number;
  readonly data: Data;
  readonly error: DlmsError;
}

export interface DecodedProfile {
  readonly layout: ProfileLayout;
  readonly rowCount: number;
  /** One per column of the layout. */
  readonly columns: readonly DecodedColumn[];
  /** The column that says when a row was captured. */
  readonly clock: TimeColumn | undefined;
  readonly rejected: readonly RejectedRow[];
  /** Why the octets broke off, with `keepWholeRows`. */
  readonly brokenOff: DlmsError | undefined;
}

/**
 * Decodes a profile's buffer. Throws what the general decoder throws for octets that are no Data, PROFILE_ROW_WIDTH or
 * PROFILE_ROW_TYPE when more rows misfit than LIMITS.rejectedRows, and LENGTH_OVER_LIMIT. Octets of texts and of other
 * Data in the result are views into the buffer; numbers and times are not.
 */
export function decodeProfileBuffer(
  buffer: Uint8Array | Data,
  layout: ProfileLayout,
  options: DecodeOptions,
): DecodedProfile {
  if (!(buffer instanceof Uint8Array)) return decodeTree(buffer, layout, options);
  const reader = new Reader(buffer);
  switch (reader.peek()) {
    case DATA_TAGS.array:
      reader.u8();
      return decodeArray(buffer, reader, layout, options);
    case DATA_TAGS["compact-array"]: {
      reader.u8();
      const description = decodeTypeDescription(reader);
      const contents = reader.bytes(reader.length(LIMITS.apduLength));
      reader.end();
      return decodeCompact(description, contents, layout, options);
    }
    default: {
      const data = decodeData(reader);
      reader.end();
      return decodeTree(data, layout, options);
    }
  }
}

/** Rows on their way into columns. */
class Rows {
  readonly layout: ProfileLayout;
  readonly builders: readonly ColumnBuilder[];
  readonly times: readonly boolean[];
  readonly rejected: RejectedRow[] = [];
  readonly breaks = new Set<number>();
  readonly #options: DecodeOptions;
  /** Rows taken, and rows seen. */
  count = 0;
  seen = 0;
  brokenOff: DlmsError | undefined;

  /** `capacity` is the most rows that can be taken. */
  constructor(layout: ProfileLayout, options: DecodeOptions, capacity: number) {
    const elements = capacity * layout.columns.length;
    if (elements > LIMITS.totalElementCount) {
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { elements, limit: LIMITS.totalElementCount });
    }
    this.layout = layout;
    this.#options = options;
    this.builders = layout.columns.map((column) => new ColumnBuilder(column, capacity, options.clock));
    this.times = this.builders.map((builder) => builder.isTime);
  }

  take(data: Data): void {
    const width = data.type === "structure" || data.type === "array" ? data.value.length : -1;
    const index = this.seen++;
    if (width !== this.builders.length || (data.type !== "structure" && data.type !== "array")) {
      this.#reject(index, width, data);
      return;
    }
    this.builders.forEach((builder, column) => {
      const cell = data.value[column];
      if (cell !== undefined) builder.setData(this.count, cell);
    });
    this.count++;
  }

  taken(rows: number): void {
    this.count += rows;
    this.seen += rows;
  }

  #reject(index: number, width: number, data: Data): void {
    const wanted = this.builders.length;
    const error =
      width < 0
        ? new DlmsError("PROFILE_ROW_TYPE", "peer", { row: index, type: data.type })
        : new DlmsError("PROFILE_ROW_WIDTH", "peer", { row: index, wanted, width });
    if (this.rejected.length >= LIMITS.rejectedRows) throw error;
    this.rejected.push({ index, data, error });
    this.breaks.add(this.count);
  }

  finish(): DecodedProfile {
    const { layout, count } = this;
    const { carry, clock: policy } = this.#options;
    for (const builder of this.builders) builder.trim(count);
    const { capturePeriod, sortMethod } = layout;
    const context = { policy, capturePeriod, sortMethod, breaks: this.breaks, clockBreaks: this.#clockBreaks() };
    // The clock last: whether it may be reckoned depends on the status, which may be compressed too.
    for (const isLast of [false, true]) {
      this.builders.forEach((builder, column) => {
        if (isClock(layout, column) === isLast) fillColumn(builder, carry?.[column], context);
      });
    }
    const columns = this.builders.map((builder) => builder.finish());
    const clockAt = layout.columns.findIndex((_, column) => isClock(layout, column));
    const clock = columns[clockAt];
    return {
      layout,
      rowCount: count,
      columns,
      clock: clock?.kind === "time" ? clock : undefined,
      rejected: this.rejected,
      brokenOff: this.brokenOff,
    };
  }

  #clockBreaks(): (row: number) => boolean {
    const { clockBreaks } = this.#options;
    if (clockBreaks === undefined) return () => false;
    let status: ColumnBuilder | undefined;
    return (row) => {
      status ??= this.builders.find(
        ({ layout }) => captureObjectKey(layout.captureObject) === clockBreaks.captureObject,
      );
      if (status?.cells[row] !== CELL.value) return false;
      return (Number(status.wide?.[row] ?? status.mantissas?.[row] ?? 0) & clockBreaks.mask) !== 0;
    };
  }
}

function isClock(layout: ProfileLayout, column: number): boolean {
  const role = layout.columns[column]?.role;
  return role === "clock" || role === "unix-clock";
}

/** Smallest octets of a row that fits: its tag, its count and one per cell. */
function rowCapacity(claimed: number, left: number, columns: number): number {
  return Math.min(claimed, Math.floor(left / (2 + columns)));
}

function decodeArray(
  octets: Uint8Array,
  reader: Reader,
  layout: ProfileLayout,
  options: DecodeOptions,
): DecodedProfile {
  const offset = reader.offset;
  const claimed = reader.length(LIMITS.elementCount);
  const rows = new Rows(layout, options, rowCapacity(claimed, reader.remaining, layout.columns.length));
  try {
    // A row takes two octets at least.
    if (claimed * 2 > reader.remaining && options.keepWholeRows !== true) {
      throw new DlmsError("DATA_TRUNCATED", "peer", { offset, wanted: claimed * 2, left: reader.remaining });
    }
    readRows(octets, reader, rows, claimed);
    reader.end();
  } catch (error) {
    if (options.keepWholeRows !== true || !(error instanceof DlmsError) || error.code === "DATA_TRAILING") throw error;
    rows.brokenOff = error;
  }
  return rows.finish();
}

/** How many rows the first run may have. */
const FIRST_HORIZON = 1024;

function readRows(octets: Uint8Array, reader: Reader, rows: Rows, claimed: number): void {
  const shape = new RowShape(rows.builders.length);
  const view = viewOf(octets);
  // Looking no further than the last runs were long keeps a buffer whose rows all differ from costing its square.
  let horizon = FIRST_HORIZON;
  while (rows.seen < claimed) {
    const at = reader.offset;
    const shaped = shapeRow(shape, octets, at, rows.times) === "shaped";
    const most = Math.min(horizon, claimed - rows.seen);
    const count = shaped ? runLength(shape, { octets, view }, { at, end: octets.length }, most) : 0;
    // Halved after a short run only: between long ones there may be single rows, such as the first of a day.
    horizon = Math.max(2 * count, Math.ceil(horizon / 2));
    if (count === 0) {
      // The general decoder takes the row, or says what is wrong with it.
      rows.take(decodeData(reader, 1));
      continue;
    }
    decodeRun(shape, rows.builders, { octets, view, at, row: rows.count, count, goesOn: !rows.breaks.has(rows.count) });
    rows.taken(count);
    reader.offset = at + count * shape.stride;
  }
}

function decodeCompact(
  description: TypeDescription,
  contents: Uint8Array,
  layout: ProfileLayout,
  options: DecodeOptions,
): DecodedProfile {
  const shape = new RowShape(layout.columns.length);
  const times = layout.columns.map((column) => column.role !== "value");
  if (shapeDescribed(shape, description, times) === "shaped") {
    const octets = withoutCount(contents, shape.stride);
    const view = viewOf(octets);
    const wanted = octets.length / shape.stride;
    const same = runLength(shape, { octets, view }, { at: 0, end: octets.length }, wanted);
    if (same === wanted && stampsAreWhole(shape, octets)) {
      const rows = new Rows(layout, options, wanted);
      decodeRun(shape, rows.builders, { octets, view, at: 0, row: 0, count: wanted, goesOn: false });
      rows.taken(wanted);
      return rows.finish();
    }
  }
  const elements = expandCompactArray({ type: "compact-array", description, contents });
  return decodeTree({ type: "array", value: elements }, layout, options);
}

/** Octets of a length field that says LIMITS.elementCount. */
const COUNT_OCTETS = 4;

/** Some stacks put the number of rows before the contents; it is recognised when it fits the octets exactly. */
function withoutCount(contents: Uint8Array, stride: number): Uint8Array {
  if (contents.length % stride === 0) return contents;
  for (let length = 1; length <= COUNT_OCTETS; length++) {
    const left = contents.subarray(length);
    const count = new Writer().lengthField(Math.floor(left.length / stride)).finish();
    if (left.length % stride === 0 && sameOctets(count, contents.subarray(0, length))) return left;
  }
  return contents;
}

/** The only octets that described rows repeat are the lengths of stamps. */
function stampsAreWhole(shape: RowShape, octets: Uint8Array): boolean {
  return shape.checkOffsets.slice(0, shape.checkCount).every((offset) => octets[offset] === DATE_TIME_LENGTH);
}

function decodeTree(data: Data, layout: ProfileLayout, options: DecodeOptions): DecodedProfile {
  const elements = rowsOf(data, layout.columns.length);
  const rows = new Rows(layout, options, elements.length);
  for (const element of elements) rows.take(element);
  return rows.finish();
}

/** The rows of a buffer: some meters send the only row of a profile without the array around it. */
function rowsOf(data: Data, columns: number): readonly Data[] {
  switch (data.type) {
    case "null-data":
      return [];
    case "array":
      return data.value;
    case "compact-array":
      return expandCompactArray(data);
    case "structure":
      return data.value.length === columns && !data.value.every((each) => each.type === "structure")
        ? [data]
        : data.value;
    default:
      throw typeMismatch("profile buffer", data);
  }
}

/** What the last row had, for a read that goes on after it. Undefined when there is no row. */
export function carryOf(decoded: DecodedProfile): ProfileCarry | undefined {
  const row = decoded.rowCount - 1;
  return row < 0 ? undefined : decoded.columns.map((column) => carriedCell(column, row));
}

function carriedCell(column: DecodedColumn, row: number): CarriedCell {
  if (column.kind === "data") return dataCell(column.values[row]);
  if (column.kind === "time") {
    return { instantMs: column.instantsMs[row] ?? Number.NaN, rule: column.rules[row] ?? 0 };
  }
  const number = column.mantissas[row];
  return column.present[row] === 1 && number !== undefined ? { number } : dataCell(column.exceptions.get(row));
}

function dataCell(data: Data | undefined): CarriedCell {
  return data === undefined ? {} : { data };
}
