/**
 * Values of the Data CHOICE in JSON: `{"t": type, "v": value}`. Octets are hexadecimal, strings of characters text,
 * 64-bit integers decimal text, bit-strings `0` and `1` in the order of the wire, a compact-array its whole encoding,
 * floats that JSON does not have `NaN`, `Infinity`, `-Infinity` and `-0`.
 */
import { type Data, dataFromBytes, dataToBytes } from "../../protocol/axdr/data.ts";
import { DATA_TAGS, type DataType } from "../../protocol/axdr/tags.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";

export interface TypedJson {
  readonly t: string;
  readonly v?: unknown;
}

/** What is wrong in a JSON description of a meter, and where: `objects[3].attributes.2.v[0]`. */
export class ObjectDumpError extends Error {
  override readonly name = "ObjectDumpError";
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

const LATIN1 = new TextDecoder("latin1");
const UTF8 = new TextDecoder();
const TO_UTF8 = new TextEncoder();

export function dataToJson(data: Data): TypedJson {
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return { t: data.type };
    case "array":
    case "structure":
      return { t: data.type, v: data.value.map(dataToJson) };
    case "bit-string":
      return { t: data.type, v: bitText(data.value, data.bitCount) };
    case "visible-string":
      return { t: data.type, v: LATIN1.decode(data.value) };
    case "utf8-string":
      return { t: data.type, v: UTF8.decode(data.value) };
    case "octet-string":
    case "date-time":
    case "date":
    case "time":
      return { t: data.type, v: toHex(data.value) };
    case "boolean":
      return { t: data.type, v: data.value };
    case "long64":
    case "long64-unsigned":
      return { t: data.type, v: data.value.toString() };
    case "compact-array":
      return { t: data.type, v: toHex(dataToBytes(data)) };
    default:
      return { t: data.type, v: numberJson(data.value) };
  }
}

function numberJson(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

/** Numbers that JSON does not have. */
const OTHER_NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/** Throws ObjectDumpError that names the place. */
export function dataFromJson(json: unknown, path: string): Data {
  if (typeof json !== "object" || json === null || !("t" in json)) {
    throw new ObjectDumpError(path, 'a value is an object like {"t": "unsigned", "v": 1}');
  }
  const value = "v" in json ? json.v : undefined;
  const type = typeOf(json.t, path);
  switch (type) {
    case "null-data":
    case "dont-care":
      return { type };
    case "array":
    case "structure":
      return { type, value: listOf(value, path).map((each, index) => dataFromJson(each, `${path}.v[${index}]`)) };
    case "boolean":
      if (typeof value !== "boolean") throw new ObjectDumpError(path, "v is true or false");
      return { type, value };
    case "bit-string":
      return bitString(textOf(value, path), path);
    case "visible-string":
      return { type, value: latin1Octets(textOf(value, path)) };
    case "utf8-string":
      return { type, value: TO_UTF8.encode(textOf(value, path)) };
    case "octet-string":
    case "date-time":
    case "date":
    case "time":
      return encodable({ type, value: hexOf(value, path) }, path);
    case "long64":
    case "long64-unsigned":
      return encodable({ type, value: wholeNumber(textOf(value, path), path) }, path);
    case "compact-array":
      return compactArray(hexOf(value, path), path);
    default: {
      const number = typeof value === "number" ? value : OTHER_NUMBERS.get(value);
      if (number === undefined) throw new ObjectDumpError(path, "v is a number");
      return encodable({ type, value: number }, path);
    }
  }
}

function typeOf(name: unknown, path: string): DataType {
  if (typeof name === "string" && name in DATA_TAGS) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `in` has found the key.
    return name as DataType;
  }
  throw new ObjectDumpError(path, `t is the name of a data type, not ${JSON.stringify(name)}`);
}

/** Numbers outside their type and date-times of a wrong length show when they are encoded. */
function encodable(data: Data, path: string): Data {
  try {
    dataToBytes(data);
    return data;
  } catch (cause) {
    throw new ObjectDumpError(path, `v does not fit the type ${data.type}`, { cause });
  }
}

function compactArray(octets: Uint8Array, path: string): Data {
  try {
    const data = dataFromBytes(octets);
    if (data.type === "compact-array") return data;
  } catch (cause) {
    throw new ObjectDumpError(path, "v is not the encoding of a compact-array", { cause });
  }
  throw new ObjectDumpError(path, "v is not the encoding of a compact-array");
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ObjectDumpError(path, "v is a list");
}

function textOf(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw new ObjectDumpError(path, "v is text");
}

function hexOf(value: unknown, path: string): Uint8Array {
  try {
    return fromHex(textOf(value, path));
  } catch (cause) {
    throw new ObjectDumpError(path, "v is hexadecimal", { cause });
  }
}

function wholeNumber(text: string, path: string): bigint {
  if (!/^-?\d{1,20}$/.test(text)) throw new ObjectDumpError(path, "v is a decimal integer as text");
  return BigInt(text);
}

function bitText(octets: Uint8Array, count: number): string {
  return Array.from(octets, (octet) => octet.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, count);
}

function bitString(text: string, path: string): Data {
  if (!/^[01]*$/.test(text)) throw new ObjectDumpError(path, "v has only 0 and 1");
  const value = new Uint8Array(Math.ceil(text.length / 8));
  for (let bit = 0; bit < text.length; bit++) {
    if (text[bit] === "1") value[bit >> 3] = (value[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  return { type: "bit-string", bitCount: text.length, value };
}

function latin1Octets(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}
