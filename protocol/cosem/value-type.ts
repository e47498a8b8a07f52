/**
 * The types of attributes and of method parameters, as the interface class tables name them. A type reads what a meter
 * sent (`parse`, throws DATA_TYPE_MISMATCH or DATA_OUT_OF_RANGE) and writes what a meter wants (`build`). Reading is
 * tolerant where meters are known to differ: integers come in any width, date-times tagged or as octets, texts in any
 * string type. Octets are views into what was decoded.
 */
import { DATE_LENGTH, DATE_TIME_LENGTH, type Data, expandCompactArray, TIME_LENGTH } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  type CosemDate,
  type CosemDateTime,
  type CosemTime,
  decodeDate,
  decodeDateTime,
  decodeTime,
  encodeDate,
  encodeDateTime,
  encodeTime,
} from "./date-time.ts";
import { integerOf, typeMismatch } from "./integers.ts";
import { LOGICAL_NAME_LENGTH, logicalNameFromOctets, logicalNameToOctets } from "./obis.ts";

const DEVIATION = 9;

/** Members in method syntax on purpose: as properties, types of narrower values would not nest. */
export interface ValueType<T> {
  /** The type as the Blue Book would write it, for people. */
  readonly text: string;
  /** Names of the values of an enumeration. */
  readonly labels?: Readonly<Record<number, string>>;
  /** A value of this type that says nothing: what a server shows where nobody has said anything else. */
  readonly empty: Data;
  parse(data: Data): T;
  build(value: T): Data;
}

export type ValueOf<V> = V extends ValueType<infer T> ? T : never;

type Fields = Readonly<Record<string, ValueType<unknown>>>;
export type StructureOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

export interface BitString {
  readonly bitCount: number;
  /** The first bit is the most significant of the first octet. */
  readonly octets: Uint8Array;
}

/** Any value of the Data CHOICE, as it is. */
export const anyData: ValueType<Data> = {
  text: "CHOICE",
  empty: { type: "null-data" },
  parse: (data) => data,
  build: (value) => value,
};

export const boolean: ValueType<boolean> = {
  text: "boolean",
  empty: { type: "boolean", value: false },
  parse(data) {
    if (data.type === "boolean") return data.value;
    return wholeNumber(data, "boolean") !== 0;
  },
  build: (value) => ({ type: "boolean", value }),
};

type IntegerType =
  | "integer"
  | "long"
  | "double-long"
  | "unsigned"
  | "long-unsigned"
  | "double-long-unsigned"
  | "enum"
  | "bcd";

function integerType(type: IntegerType, min: number, max: number): ValueType<number> {
  return {
    text: type,
    empty: { type, value: 0 },
    parse(data) {
      const value = wholeNumber(data, type);
      if (value >= min && value <= max) return value;
      throw new DlmsError("DATA_OUT_OF_RANGE", "peer", { wanted: type, value });
    },
    build: (value) => ({ type, value }),
  };
}

export const integer = integerType("integer", -0x80, 0x7f);
export const long = integerType("long", -0x8000, 0x7fff);
export const doubleLong = integerType("double-long", -0x8000_0000, 0x7fff_ffff);
export const unsigned = integerType("unsigned", 0, 0xff);
export const longUnsigned = integerType("long-unsigned", 0, 0xffff);
export const doubleLongUnsigned = integerType("double-long-unsigned", 0, 0xffff_ffff);

export const long64Unsigned: ValueType<bigint> = {
  text: "long64-unsigned",
  empty: { type: "long64-unsigned", value: 0n },
  parse: (data) => (data.type === "long64-unsigned" ? data.value : BigInt(wholeNumber(data, "long64-unsigned"))),
  build: (value) => ({ type: "long64-unsigned", value }),
};

/** A number of an enumeration; numbers without a label are read too, as makers and newer editions add some. */
export function enumeration(labels: Readonly<Record<number, string>> = {}): ValueType<number> {
  const [first = 0] = Object.keys(labels).map(Number);
  return { ...integerType("enum", 0, 0xff), text: "enum", labels, empty: { type: "enum", value: first } };
}

export const octetString: ValueType<Uint8Array> = {
  text: "octet-string",
  empty: { type: "octet-string", value: new Uint8Array(0) },
  parse: (data) => stringOctets(data, "octet-string"),
  build: (value) => ({ type: "octet-string", value }),
};

/** An octet-string of that many octets. */
export function octetStringOf(length: number): ValueType<Uint8Array> {
  const text = `octet-string(${length})`;
  return {
    ...octetString,
    text,
    empty: { type: "octet-string", value: new Uint8Array(length) },
    parse(data) {
      const octets = stringOctets(data, text);
      if (octets.length === length) return octets;
      throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: text, length: octets.length });
    },
  };
}

const UTF8 = new TextDecoder("utf-8");
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TO_UTF8 = new TextEncoder();

export const visibleString: ValueType<string> = {
  text: "visible-string",
  empty: { type: "visible-string", value: new Uint8Array(0) },
  parse: (data) => UTF8.decode(stringOctets(data, "visible-string")),
  build: (value) => ({ type: "visible-string", value: TO_UTF8.encode(value) }),
};

/** Text that is not UTF-8 is refused: a replacement character would stand for octets that nobody can get back. */
export const utf8String: ValueType<string> = {
  text: "utf8-string",
  empty: { type: "utf8-string", value: new Uint8Array(0) },
  parse(data) {
    const octets = stringOctets(data, "utf8-string");
    try {
      return STRICT_UTF8.decode(octets);
    } catch (cause) {
      throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: "utf8-string", length: octets.length }, { cause });
    }
  },
  build: (value) => ({ type: "utf8-string", value: TO_UTF8.encode(value) }),
};

/** A logical name as dotted text, `0.0.1.0.0.255`. */
export const logicalName: ValueType<string> = {
  text: "octet-string(6)",
  empty: { type: "octet-string", value: new Uint8Array(LOGICAL_NAME_LENGTH) },
  parse: (data) => logicalNameFromOctets(stringOctets(data, "logical name")),
  build: (value) => ({ type: "octet-string", value: logicalNameToOctets(value) }),
};

export const bitString: ValueType<BitString> = {
  text: "bit-string",
  empty: { type: "bit-string", bitCount: 0, value: new Uint8Array(0) },
  parse(data) {
    if (data.type === "bit-string") return { bitCount: data.bitCount, octets: data.value };
    throw typeMismatch("bit-string", data);
  },
  build: (value) => ({ type: "bit-string", bitCount: value.bitCount, value: value.octets }),
};

/** Date-times are written as octet-string, which is what nearly every attribute wants. */
export const dateTime: ValueType<CosemDateTime> = {
  text: "octet-string(12)",
  empty: { type: "octet-string", value: openFields(DATE_TIME_LENGTH) },
  parse: (data) => decodeDateTime(data.type === "date-time" ? data.value : stringOctets(data, "date-time")),
  build: (value) => ({ type: "octet-string", value: encodeDateTime(value) }),
};

export const date: ValueType<CosemDate> = {
  text: "octet-string(5)",
  empty: { type: "octet-string", value: openFields(DATE_LENGTH) },
  parse: (data) => decodeDate(data.type === "date" ? data.value : stringOctets(data, "date")),
  build: (value) => ({ type: "octet-string", value: encodeDate(value) }),
};

export const time: ValueType<CosemTime> = {
  text: "octet-string(4)",
  empty: { type: "octet-string", value: openFields(TIME_LENGTH) },
  parse: (data) => decodeTime(data.type === "time" ? data.value : stringOctets(data, "time")),
  build: (value) => ({ type: "octet-string", value: encodeTime(value) }),
};

/** A date or time of which nothing is specified; a deviation that is not is 8000. */
function openFields(length: number): Uint8Array {
  const octets = new Uint8Array(length).fill(0xff);
  if (length === DATE_TIME_LENGTH) octets.set([0x80, 0x00], DEVIATION);
  return octets;
}

/** The same date-time with the tag of its own, for the newer classes that want it so. */
export const taggedDateTime: ValueType<CosemDateTime> = {
  ...dateTime,
  text: "date-time",
  empty: { type: "date-time", value: openFields(DATE_TIME_LENGTH) },
  build: (value) => ({ type: "date-time", value: encodeDateTime(value) }),
};

/** Elements by name, in the order of the wire. A value with more elements is read; one with fewer is a mismatch. */
export function structure<const F extends Fields>(fields: F): ValueType<StructureOf<F>> {
  const entries = Object.entries(fields);
  const text = `structure{${entries.map(([name, type]) => `${type.text} ${name}`).join("; ")}}`;
  return {
    text,
    empty: { type: "structure", value: entries.map(([, type]) => type.empty) },
    parse(data) {
      if (data.type !== "structure" || data.value.length < entries.length) throw typeMismatch(text, data);
      const value: Record<string, unknown> = {};
      for (const [index, [name, type]] of entries.entries()) value[name] = type.parse(elementAt(data.value, index));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop has filled every key of F.
      return value as StructureOf<F>;
    },
    build: (value) => ({ type: "structure", value: entries.map(([name, type]) => type.build(value[name])) }),
  };
}

/** Any number of elements of one type; a compact-array is read as one. */
export function arrayOf<T>(element: ValueType<T>): ValueType<readonly T[]> {
  const text = `array of ${element.text}`;
  return {
    text,
    empty: { type: "array", value: [] },
    parse(data) {
      if (data.type === "null-data") return [];
      if (data.type === "compact-array") return expandCompactArray(data).map((each) => element.parse(each));
      if (data.type !== "array") throw typeMismatch(text, data);
      return data.value.map((each) => element.parse(each));
    },
    build: (value) => ({ type: "array", value: value.map((each) => element.build(each)) }),
  };
}

function elementAt(elements: readonly Data[], index: number): Data {
  const element = elements[index];
  if (element !== undefined) return element;
  throw new DlmsError("DATA_TRUNCATED", "peer", { element: index, limit: LIMITS.elementCount });
}

function wholeNumber(data: Data, wanted: string): number {
  const value = data.type === "boolean" ? Number(data.value) : integerOf(data);
  if (value !== undefined) return value;
  throw typeMismatch(wanted, data);
}

function stringOctets(data: Data, wanted: string): Uint8Array {
  switch (data.type) {
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      return data.value;
    default:
      throw typeMismatch(wanted, data);
  }
}
