/**
 * The xDLMS Data CHOICE (IEC 62056-5-3, Data; A-XDR encoded). Written by hand because a profile buffer runs it a
 * hundred thousand times. Decoded octets are views into the input: copy what has to outlive it.
 *
 * A value is what was on the wire: strings stay octets, a delta stays a difference and null-data stays null; the
 * profile room gives them their meaning.
 */
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { DATA_TAGS, type DataType, dataTypeOf } from "./tags.ts";
import { decodeTypeDescription, encodeTypeDescription, type TypeDescription } from "./type-description.ts";

export type NumberType =
  | "double-long"
  | "double-long-unsigned"
  | "bcd"
  | "integer"
  | "long"
  | "unsigned"
  | "long-unsigned"
  | "enum"
  | "float32"
  | "float64"
  | "delta-integer"
  | "delta-long"
  | "delta-double-long"
  | "delta-unsigned"
  | "delta-long-unsigned"
  | "delta-double-long-unsigned";
export type BigIntType = "long64" | "long64-unsigned";
export type OctetsType = "octet-string" | "visible-string" | "utf8-string" | "date-time" | "date" | "time";

export type Data =
  | { readonly type: "null-data" | "dont-care" }
  | { readonly type: "array" | "structure"; readonly value: readonly Data[] }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "bit-string"; readonly bitCount: number; readonly value: Uint8Array }
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: BigIntType; readonly value: bigint }
  | { readonly type: OctetsType; readonly value: Uint8Array }
  | { readonly type: "compact-array"; readonly description: TypeDescription; readonly contents: Uint8Array };

const NULL_DATA: Data = { type: "null-data" };
const DONT_CARE: Data = { type: "dont-care" };

/** Octets that date-time, date and time take on the wire, without a length. */
export const DATE_TIME_LENGTH = 12;
export const DATE_LENGTH = 5;
export const TIME_LENGTH = 4;

/** Octets after the tag, of types that always take as many. */
const FIXED_LENGTHS = {
  "null-data": 0,
  "dont-care": 0,
  boolean: 1,
  integer: 1,
  "delta-integer": 1,
  unsigned: 1,
  "delta-unsigned": 1,
  enum: 1,
  bcd: 1,
  long: 2,
  "delta-long": 2,
  "long-unsigned": 2,
  "delta-long-unsigned": 2,
  "double-long": 4,
  "delta-double-long": 4,
  "double-long-unsigned": 4,
  "delta-double-long-unsigned": 4,
  long64: 8,
  "long64-unsigned": 8,
  float32: 4,
  float64: 8,
  "date-time": DATE_TIME_LENGTH,
  date: DATE_LENGTH,
  time: TIME_LENGTH,
} as const satisfies Partial<Record<DataType, number>>;

/** Decodes one tagged value. Throws DATA_UNKNOWN_TAG, DATA_TRUNCATED, LENGTH_OVER_LIMIT, DEPTH_OVER_LIMIT. */
export function decodeData(reader: Reader, depth = 0): Data {
  const offset = reader.offset;
  const tag = reader.u8();
  const type = dataTypeOf(tag);
  if (type === undefined) throw new DlmsError("DATA_UNKNOWN_TAG", "peer", { offset, tag });
  if (type === "array" || type === "structure") return { type, value: decodeElements(reader, depth + 1) };
  if (type !== "compact-array") return decodeUntagged(reader, type);
  const description = decodeTypeDescription(reader);
  return { type, description, contents: reader.bytes(reader.length(LIMITS.apduLength)) };
}

function decodeElements(reader: Reader, depth: number): Data[] {
  const elements: Data[] = [];
  for (let left = elementCount(reader, depth); left > 0; left--) elements.push(decodeData(reader, depth));
  return elements;
}

function elementCount(reader: Reader, depth: number): number {
  const offset = reader.offset;
  if (depth > LIMITS.depth) throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { offset, limit: LIMITS.depth });
  const count = reader.length(LIMITS.elementCount);
  // An element takes at least one octet, so a count that cannot be true is refused before anything is allocated.
  if (count > reader.remaining) {
    throw new DlmsError("DATA_TRUNCATED", "peer", { offset, wanted: count, left: reader.remaining });
  }
  return count;
}

/** What has no fixed length is told apart by these. */
const LENGTH = { unknown: -1, elements: -2, compact: -3, bits: -4, octets: -5 } as const;
const LENGTHS = {
  ...FIXED_LENGTHS,
  array: LENGTH.elements,
  structure: LENGTH.elements,
  "compact-array": LENGTH.compact,
  "bit-string": LENGTH.bits,
  "octet-string": LENGTH.octets,
  "visible-string": LENGTH.octets,
  "utf8-string": LENGTH.octets,
} as const satisfies Record<DataType, number>;
const LENGTH_OF_TAG = new Int8Array(0x100).fill(LENGTH.unknown);
for (let tag = 0; tag < LENGTH_OF_TAG.length; tag++) {
  const type = dataTypeOf(tag);
  if (type !== undefined) LENGTH_OF_TAG[tag] = LENGTHS[type];
}

/** Passes over one tagged value, which is checked as `decodeData` checks it; nothing is made of it. */
export function skipData(reader: Reader, depth = 0): void {
  const offset = reader.offset;
  const tag = reader.u8();
  const length = LENGTH_OF_TAG[tag] ?? LENGTH.unknown;
  if (length >= 0) {
    reader.skip(length);
    return;
  }
  switch (length) {
    case LENGTH.octets:
      reader.skip(reader.length());
      return;
    case LENGTH.elements:
      for (let left = elementCount(reader, depth + 1); left > 0; left--) skipData(reader, depth + 1);
      return;
    case LENGTH.bits:
      reader.skip((reader.length(LIMITS.stringLength) + 7) >> 3);
      return;
    case LENGTH.compact:
      decodeTypeDescription(reader);
      reader.skip(reader.length(LIMITS.apduLength));
      return;
    default:
      throw new DlmsError("DATA_UNKNOWN_TAG", "peer", { offset, tag });
  }
}

/** Decodes the contents of a simple type whose tag is already known: after a tag, or inside a compact-array. */
function decodeUntagged(reader: Reader, type: Exclude<DataType, "array" | "structure" | "compact-array">): Data {
  switch (type) {
    case "null-data":
      return NULL_DATA;
    case "dont-care":
      return DONT_CARE;
    case "boolean":
      return { type, value: reader.u8() !== 0 };
    case "bit-string": {
      const bitCount = reader.length(LIMITS.stringLength);
      return { type, bitCount, value: reader.bytes((bitCount + 7) >> 3) };
    }
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      return { type, value: reader.bytes(reader.length()) };
    case "date-time":
      return { type, value: reader.bytes(DATE_TIME_LENGTH) };
    case "date":
      return { type, value: reader.bytes(DATE_LENGTH) };
    case "time":
      return { type, value: reader.bytes(TIME_LENGTH) };
    case "long64":
      return { type, value: reader.i64() };
    case "long64-unsigned":
      return { type, value: reader.u64() };
    default:
      return { type, value: decodeNumber(reader, type) };
  }
}

function decodeNumber(reader: Reader, type: NumberType): number {
  switch (type) {
    case "integer":
    case "delta-integer":
      return reader.i8();
    case "unsigned":
    case "delta-unsigned":
    case "enum":
    case "bcd":
      return reader.u8();
    case "long":
    case "delta-long":
      return reader.i16();
    case "long-unsigned":
    case "delta-long-unsigned":
      return reader.u16();
    case "double-long":
    case "delta-double-long":
      return reader.i32();
    case "double-long-unsigned":
    case "delta-double-long-unsigned":
      return reader.u32();
    case "float32":
      return reader.f32();
    case "float64":
      return reader.f64();
  }
}

/** Encodes one tagged value. Throws DATA_OUT_OF_RANGE for a number outside its type. */
export function encodeData(data: Data, writer: Writer): void {
  writer.u8(DATA_TAGS[data.type]);
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return;
    case "array":
    case "structure":
      writer.lengthField(data.value.length);
      for (const element of data.value) encodeData(element, writer);
      return;
    case "boolean":
      writer.u8(data.value ? 1 : 0);
      return;
    case "bit-string":
      writer.lengthField(data.bitCount).bytes(data.value);
      return;
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      writer.octetString(data.value);
      return;
    case "date-time":
    case "date":
    case "time":
      writer.bytes(fixedOctets(data.type, data.value));
      return;
    case "long64":
      writer.i64(data.value);
      return;
    case "long64-unsigned":
      writer.u64(data.value);
      return;
    case "compact-array":
      encodeTypeDescription(data.description, writer);
      writer.octetString(data.contents);
      return;
    default:
      encodeNumber(data.type, data.value, writer);
  }
}

function fixedOctets(type: "date-time" | "date" | "time", value: Uint8Array): Uint8Array {
  if (value.length === FIXED_LENGTHS[type]) return value;
  throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { type, length: value.length });
}

function encodeNumber(type: NumberType, value: number, writer: Writer): Writer {
  switch (type) {
    case "integer":
    case "delta-integer":
      return writer.i8(value);
    case "unsigned":
    case "delta-unsigned":
    case "enum":
    case "bcd":
      return writer.u8(value);
    case "long":
    case "delta-long":
      return writer.i16(value);
    case "long-unsigned":
    case "delta-long-unsigned":
      return writer.u16(value);
    case "double-long":
    case "delta-double-long":
      return writer.i32(value);
    case "double-long-unsigned":
    case "delta-double-long-unsigned":
      return writer.u32(value);
    case "float32":
      return writer.f32(value);
    case "float64":
      return writer.f64(value);
  }
}

/**
 * The elements of a compact-array as tagged values. Throws DATA_TRUNCATED when the contents end inside an element,
 * LENGTH_OVER_LIMIT when they stand for more elements than their octets may.
 */
export function expandCompactArray(data: Extract<Data, { type: "compact-array" }>): Data[] {
  const reader = new Reader(data.contents);
  const limit = Math.min(LIMITS.totalElementCount, LIMITS.compactElementsPerOctet * (1 + data.contents.length));
  const budget = { left: limit, limit };
  const elements: Data[] = [];
  while (reader.remaining > 0) {
    const offset = reader.offset;
    elements.push(decodeDescribed(reader, data.description, budget));
    // An element that takes no octets would repeat for ever.
    if (reader.offset === offset) throw new DlmsError("LENGTH_INVALID", "peer", { offset });
  }
  return elements;
}

function decodeDescribed(reader: Reader, description: TypeDescription, budget: { left: number; limit: number }): Data {
  if (--budget.left < 0)
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { offset: reader.offset, limit: budget.limit });
  if (description.type === "array") {
    const value: Data[] = [];
    for (let i = 0; i < description.count; i++) value.push(decodeDescribed(reader, description.element, budget));
    return { type: "array", value };
  }
  if (description.type === "structure") {
    return { type: "structure", value: description.elements.map((each) => decodeDescribed(reader, each, budget)) };
  }
  return decodeUntagged(reader, description.type);
}

/** Decodes octets that hold exactly one value. */
export function dataFromBytes(bytes: Uint8Array): Data {
  const reader = new Reader(bytes);
  const data = decodeData(reader);
  reader.end();
  return data;
}

export function dataToBytes(data: Data): Uint8Array {
  const writer = new Writer();
  encodeData(data, writer);
  return writer.finish();
}
