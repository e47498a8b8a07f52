/** Values that have no column, as they are kept: exact and readable. */
import type { Data } from "../../protocol/axdr/data.ts";
import { expandCompactArray } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { OtherValue } from "./batch.ts";
import { type Decimal, decimalOf, formatDecimal } from "./decimal.ts";

/** The exact decimal of a number of any type, or undefined for what is no number. */
export function decimalFromData(data: Data): Decimal | undefined {
  switch (data.type) {
    case "integer":
    case "long":
    case "double-long":
    case "unsigned":
    case "long-unsigned":
    case "double-long-unsigned":
    case "enum":
      return { mantissa: BigInt(data.value), exponent: 0 };
    case "long64":
    case "long64-unsigned":
      return { mantissa: data.value, exponent: 0 };
    case "float32":
      return decimalOf(data.value, 32);
    case "float64":
      return decimalOf(data.value);
    default:
      return undefined;
  }
}

/**
 * Any value for the column `others`: numbers as decimal text (times 10^scaler), texts as text, other octets as `0x…`,
 * bit-strings as `0b…`; undefined for null-data. Nothing that the meter sent is lost but the type of an integer.
 */
export function otherValue(data: Data, scaler = 0): OtherValue | undefined {
  const decimal = decimalFromData(data);
  if (decimal !== undefined) {
    return formatDecimal({ mantissa: decimal.mantissa, exponent: decimal.exponent + scaler });
  }
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return undefined;
    case "boolean":
      return data.value;
    case "float32":
    case "float64":
      // What is no number: NaN and the infinities.
      return String(data.value);
    case "bcd":
      return data.value.toString(16).padStart(2, "0");
    case "bit-string":
      return `0b${bits(data.value, data.bitCount)}`;
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      return textOrHex(data.value);
    case "date-time":
    case "date":
    case "time":
      return `0x${toHex(data.value)}`;
    case "compact-array":
      return expandCompactArray(data).map((each) => otherValue(each, scaler) ?? "");
    case "array":
    case "structure":
      return data.value.map((each) => otherValue(each, scaler) ?? "");
    default:
      return "value" in data ? `delta ${String(data.value)}` : undefined;
  }
}

/** Text when every octet is printable, trailing zeros and blanks aside; else hexadecimal octets. */
function textOrHex(octets: Uint8Array): string {
  return textOf(octets) ?? `0x${toHex(octets)}`;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
/** Control characters, and the sign that takes the place of what is no character. */
const UNPRINTABLE = /[\p{Cc}\p{Cn}\u{fffd}]/u;

/** The text that octets hold, or undefined when they hold none. */
export function textOf(octets: Uint8Array): string | undefined {
  let end = octets.length;
  while (end > 0 && octets[end - 1] === 0) end--;
  if (end === 0) return octets.length === 0 ? "" : undefined;
  const kind = kindOf(octets, end);
  if (kind === "binary") return undefined;
  if (kind === "ascii" && end <= SHORT) {
    const text = String.fromCharCode(...octets.subarray(0, end)).trimEnd();
    return text.startsWith("0x") ? undefined : text;
  }
  try {
    const text = UTF8.decode(octets.subarray(0, end)).trimEnd();
    return UNPRINTABLE.test(text) || text.startsWith("0x") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Longer texts are rare, and a function takes only so many arguments. */
const SHORT = 64;
const DELETE = 0x7f;

/** Nearly all octets are told apart here: a decoder costs ten times as much, and for stamps its exception more. */
function kindOf(octets: Uint8Array, end: number): "ascii" | "binary" | "perhaps-text" {
  let kind: "ascii" | "perhaps-text" = "ascii";
  for (let at = 0; at < end; at++) {
    const octet = octets[at] ?? 0;
    if (octet < 0x20 || octet === DELETE) return "binary";
    if (octet > DELETE) kind = "perhaps-text";
  }
  return kind;
}

function bits(octets: Uint8Array, count: number): string {
  let text = "";
  for (const octet of octets) text += octet.toString(2).padStart(8, "0");
  return text.slice(0, count);
}
