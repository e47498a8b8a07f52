/** Values as people write them: numbers, texts, octets as 0x…, lists of these; their types are those of what a meter has. */
import type { Data } from "../axdr/data.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { integerOf } from "./integers.ts";

export type PlainValue = number | string | boolean | readonly PlainValue[] | TypedValue;

/** A value with the type that it is to have, where the meter has nothing that would show it. */
export type TypedValue =
  | { readonly structure: readonly PlainValue[] }
  | { readonly array: readonly PlainValue[] }
  | { readonly [Type in SmallInteger["type"]]?: number };

const LONG_UNSIGNED = 0xffff;
const OCTETS = /^0x(?:[0-9a-f]{2})*$/i;
const DIGITS = /^-?\d{1,20}$/;
const NOTHING: Data = { type: "null-data" };

/** A value as people write it, in the form that the meter has now. */
export function dataLike(value: PlainValue, present: Data): Data {
  if (typeof value === "boolean") return { type: "boolean", value };
  if (typeof value === "number") return inTypesOf(present, numberLike(value, present));
  if (typeof value === "string") return textLike(value, present);
  if (!isList(value)) return typedData(value, present);
  return { type: present.type === "structure" ? "structure" : "array", value: elementsLike(value, present) };
}

function typedData(typed: TypedValue, present: Data): Data {
  if ("structure" in typed) return { type: "structure", value: elementsLike(typed.structure, present) };
  if ("array" in typed) return { type: "array", value: elementsLike(typed.array, present) };
  const type = SMALL_INTEGERS.find((each) => typed[each] !== undefined) ?? "enum";
  return { type, value: typed[type] ?? 0 };
}

function elementsLike(values: readonly PlainValue[], present: Data): Data[] {
  const elements = present.type === "array" || present.type === "structure" ? present.value : [];
  const [sample = NOTHING] = elements;
  return values.map((each, index) => dataLike(each, elements[index] ?? sample));
}

/** Array.isArray does not tell a list that can't be changed. */
function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function numberLike(value: number, present: Data): Data {
  if (present.type === "float32" || present.type === "float64") return { type: present.type, value };
  if (isLong64(present) && Number.isSafeInteger(value)) return { type: present.type, value: BigInt(value) };
  if (value < 0) return { type: "double-long", value };
  return { type: value > LONG_UNSIGNED ? "double-long-unsigned" : "long-unsigned", value };
}

/** Numbers that a double does not hold come as text. */
function textLike(value: string, present: Data): Data {
  if (isLong64(present) && DIGITS.test(value)) return { type: present.type, value: BigInt(value) };
  const octets = OCTETS.test(value) ? fromHex(value.slice(2)) : new TextEncoder().encode(value);
  const isText = present.type === "visible-string" || present.type === "utf8-string";
  return { type: isText ? present.type : "octet-string", value: octets };
}

function isLong64(data: Data): data is Data & { type: "long64" | "long64-unsigned" } {
  return data.type === "long64" || data.type === "long64-unsigned";
}

/** The wanted value in the types of the present one, wherever it fits them. */
export function inTypesOf(present: Data, wanted: Data): Data {
  if (isSmallInteger(wanted) && isSmallInteger(present)) return { type: present.type, value: wanted.value };
  if ((wanted.type === "structure" || wanted.type === "array") && present.type === wanted.type) {
    const [first] = present.value;
    const value = wanted.value.map((element, index) => {
      const own = present.value[index] ?? (wanted.type === "array" ? first : undefined);
      return own === undefined ? element : inTypesOf(own, element);
    });
    return { type: wanted.type, value };
  }
  return wanted;
}

interface SmallInteger {
  readonly type: (typeof SMALL_INTEGERS)[number];
  readonly value: number;
}

const SMALL_INTEGERS = [
  "integer",
  "long",
  "double-long",
  "unsigned",
  "long-unsigned",
  "double-long-unsigned",
  "enum",
] as const;
const SMALL: ReadonlySet<string> = new Set(SMALL_INTEGERS);

function isSmallInteger(data: Data): data is Data & SmallInteger {
  return SMALL.has(data.type);
}

/** Whether two values say the same, in whatever types of numbers. */
export function saysTheSame(a: Data, b: Data): boolean {
  return JSON.stringify(readable(a)) === JSON.stringify(readable(b));
}

/** A value for people and for comparison; 64-bit integers beyond what a double holds as text. */
export function readable(data: Data): unknown {
  const number = integerOf(data);
  if (number !== undefined) return number;
  switch (data.type) {
    case "array":
    case "structure":
      return data.value.map(readable);
    case "octet-string":
    case "visible-string":
    case "utf8-string":
    case "date-time":
    case "date":
    case "time": {
      const text = new TextDecoder("latin1").decode(data.value);
      return /^[\x20-\x7e]+$/.test(text) ? text : `0x${toHex(data.value)}`;
    }
    case "bit-string":
      return `0b${toHex(data.value)}/${data.bitCount}`;
    case "boolean":
    case "float32":
    case "float64":
      return data.value;
    case "long64":
    case "long64-unsigned":
      return data.value.toString();
    default:
      return data.type;
  }
}
