/**
 * The shape of one row: which octets its tags and lengths take, and where its values are. Rows of a buffer mostly have
 * one shape; a run of them is then decoded column by column with the tag octets of every row compared, and nothing else
 * looked at twice. A row that differs by one tag octet starts a new run.
 */
import { DATE_TIME_LENGTH } from "../axdr/data.ts";
import { DATA_TAGS } from "../axdr/tags.ts";
import type { TypeDescription } from "../axdr/type-description.ts";

/** How the octets of a cell are read; `data` is for everything that needs the general decoder. */
export const READ = {
  null: 0,
  missing: 1,
  i8: 2,
  u8: 3,
  i16: 4,
  u16: 5,
  i32: 6,
  u32: 7,
  i64: 8,
  u64: 9,
  stamp: 10,
  data: 11,
} as const;

export interface CellForm {
  readonly read: number;
  readonly size: number;
  readonly delta: boolean;
}

const FORMS: (CellForm | undefined)[] = [];
const FORM_OF_TYPE = {
  "null-data": { read: READ.null, size: 0, delta: false },
  "dont-care": { read: READ.missing, size: 0, delta: false },
  integer: { read: READ.i8, size: 1, delta: false },
  unsigned: { read: READ.u8, size: 1, delta: false },
  enum: { read: READ.u8, size: 1, delta: false },
  long: { read: READ.i16, size: 2, delta: false },
  "long-unsigned": { read: READ.u16, size: 2, delta: false },
  "double-long": { read: READ.i32, size: 4, delta: false },
  "double-long-unsigned": { read: READ.u32, size: 4, delta: false },
  long64: { read: READ.i64, size: 8, delta: false },
  "long64-unsigned": { read: READ.u64, size: 8, delta: false },
  "delta-integer": { read: READ.i8, size: 1, delta: true },
  "delta-unsigned": { read: READ.u8, size: 1, delta: true },
  "delta-long": { read: READ.i16, size: 2, delta: true },
  "delta-long-unsigned": { read: READ.u16, size: 2, delta: true },
  "delta-double-long": { read: READ.i32, size: 4, delta: true },
  "delta-double-long-unsigned": { read: READ.u32, size: 4, delta: true },
} as const satisfies Partial<Record<keyof typeof DATA_TAGS, CellForm>>;
for (const [type, form] of Object.entries(FORM_OF_TYPE)) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries forgets the keys' literal types.
  FORMS[DATA_TAGS[type as keyof typeof FORM_OF_TYPE]] = form;
}
const STAMP: CellForm = { read: READ.stamp, size: DATE_TIME_LENGTH, delta: false };

const DATE_TIME = DATA_TAGS["date-time"];
const OCTET_STRING = DATA_TAGS["octet-string"];
/** A tag that the standard does not have. */
const UNUSED_TAG = 8;
/** Types whose length counts octets. */
const COUNTED_IN_OCTETS: ReadonlySet<number> = new Set([
  DATA_TAGS["octet-string"],
  DATA_TAGS["visible-string"],
  DATA_TAGS["utf8-string"],
]);
const FIXED_SIZES: Readonly<Record<number, number>> = {
  [DATA_TAGS.boolean]: 1,
  [DATA_TAGS.bcd]: 1,
  [DATA_TAGS.float32]: 4,
  [DATA_TAGS.float64]: 8,
  [DATA_TAGS["date-time"]]: DATE_TIME_LENGTH,
  [DATA_TAGS.date]: 5,
  [DATA_TAGS.time]: 4,
};

/** Reused from row to row: filling it allocates nothing. */
export class RowShape {
  readonly columnCount: number;
  /** READ per column. */
  readonly reads: number[] = [];
  readonly deltas: boolean[] = [];
  /** Where a column's value starts, from the start of the row; for `data` where its tag is. */
  readonly offsets: number[] = [];
  /** Where the octets are that every row of a run has like the first: tags and lengths. */
  readonly checkOffsets: number[] = [];
  checkCount = 0;
  /** Octets of the whole row. */
  stride = 0;

  constructor(columnCount: number) {
    this.columnCount = columnCount;
  }

  start(): void {
    this.checkCount = 0;
    this.stride = 0;
  }

  /** The octet at the present place is the same in every row of the shape. */
  check(): void {
    this.checkOffsets[this.checkCount] = this.stride;
    this.checkCount++;
    this.stride++;
  }

  /**
   * Takes the cell whose tag is at the present place, followed by `next`. False when only the general decoder can say
   * where it ends. A cell that is cut off gives a shape that does not fit before the end of the octets.
   */
  taggedCell(column: number, isTime: boolean, tag: number, next: number): boolean {
    const tagOffset = this.stride;
    this.check();
    if (isTime && tag === DATE_TIME) return this.#value(column, STAMP);
    if (isTime && tag === OCTET_STRING && next === DATE_TIME_LENGTH) {
      this.check();
      return this.#value(column, STAMP);
    }
    const form = FORMS[tag];
    if (form !== undefined && (!isTime || form.size === 0)) return this.#value(column, form);
    const size = form?.size ?? FIXED_SIZES[tag];
    if (size !== undefined) return this.#data(column, tagOffset, size);
    if (next >= LONG_LENGTH) return false;
    if (COUNTED_IN_OCTETS.has(tag)) {
      this.check();
      return this.#data(column, tagOffset, next);
    }
    if (tag !== DATA_TAGS["bit-string"]) return false;
    this.check();
    return this.#data(column, tagOffset, (next + 7) >> 3);
  }

  /** Takes the cell of an untagged row that the type describes. False when its size can differ from row to row. */
  describedCell(column: number, isTime: boolean, type: keyof typeof DATA_TAGS): boolean {
    if (!isTime) {
      const form = FORMS[DATA_TAGS[type]];
      return form !== undefined && this.#value(column, form);
    }
    if (type === "octet-string") this.check();
    else if (type !== "date-time") return false;
    return this.#value(column, STAMP);
  }

  #value(column: number, form: CellForm): true {
    this.reads[column] = form.read;
    this.deltas[column] = form.delta;
    this.offsets[column] = this.stride;
    this.stride += form.size;
    return true;
  }

  #data(column: number, tagOffset: number, size: number): true {
    this.reads[column] = READ.data;
    this.deltas[column] = false;
    this.offsets[column] = tagOffset;
    this.stride += size;
    return true;
  }
}

/** Tag of a row and its count in up to five octets. */
const ROW_HEADER = 6;
/** Lengths from here on take more than one octet. */
const LONG_LENGTH = 0x80;
const ROW_TAGS: ReadonlySet<number> = new Set([DATA_TAGS.structure, DATA_TAGS.array]);

/**
 * Shapes the tagged row at `at`. "other" when it is no row of that width or needs the general decoder, which then says
 * what it is.
 */
export function shapeRow(
  shape: RowShape,
  octets: Uint8Array,
  at: number,
  times: readonly boolean[],
): "shaped" | "other" {
  shape.start();
  const tag = octets[at] ?? LONG_LENGTH;
  if (!ROW_TAGS.has(tag)) return "other";
  shape.check();
  const first = octets[at + 1] ?? LONG_LENGTH;
  shape.check();
  let width = first;
  if (first >= LONG_LENGTH) {
    width = 0;
    for (let left = first & 0x7f; left > 0 && shape.stride < ROW_HEADER; left--) {
      const octet = octets[at + shape.stride] ?? 0;
      shape.check();
      width = width * 256 + octet;
    }
  }
  if (width !== shape.columnCount) return "other";
  for (let column = 0; column < width; column++) {
    const place = at + shape.stride;
    const shaped = shape.taggedCell(
      column,
      times[column] === true,
      octets[place] ?? UNUSED_TAG,
      octets[place + 1] ?? 0,
    );
    if (!shaped) return "other";
  }
  return "shaped";
}

/** Shapes the rows of a compact-array. "other" when they can differ in size. */
export function shapeDescribed(
  shape: RowShape,
  description: TypeDescription,
  times: readonly boolean[],
): "shaped" | "other" {
  if (description.type !== "structure" || description.elements.length !== shape.columnCount) return "other";
  shape.start();
  for (const [column, element] of description.elements.entries()) {
    if (!shape.describedCell(column, times[column] === true, element.type)) return "other";
  }
  return shape.stride > 0 ? "shaped" : "other";
}
