import { type Data, expandCompactArray } from "../../protocol/axdr/data.ts";
import type { TypeDescription } from "../../protocol/axdr/type-description.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { Writer } from "../../protocol/bytes/writer.ts";
import { utf8String } from "../../protocol/cosem/value-type.ts";

/** A value of the Data CHOICE in the corpus' form: `{t, v}`, octets in hex, 64-bit integers as decimal text. */
export interface NormalData {
  readonly t: string;
  readonly v?: unknown;
  /** What a compact-array's elements are. */
  readonly type?: unknown;
}

const latin1 = new TextDecoder("latin1");

export function normaliseData(data: Data): NormalData {
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return { t: data.type };
    case "array":
    case "structure":
      return { t: data.type, v: data.value.map(normaliseData) };
    case "bit-string":
      return { t: data.type, v: bits(data.value, data.bitCount) };
    case "visible-string":
      return { t: data.type, v: latin1.decode(data.value) };
    case "utf8-string":
      return { t: data.type, v: utf8String.parse(data) };
    case "octet-string":
    case "date-time":
    case "date":
    case "time":
      return { t: data.type, v: toHex(data.value) };
    case "long64":
    case "long64-unsigned":
      return { t: data.type, v: data.value.toString() };
    case "float32":
      return { t: data.type, v: float(data.value, new Writer().f32(data.value).finish()) };
    case "float64":
      return { t: data.type, v: float(data.value, new Writer().f64(data.value).finish()) };
    case "compact-array":
      return {
        t: data.type,
        type: normaliseDescription(data.description),
        v: expandCompactArray(data).map(normaliseData),
      };
    default:
      return { t: data.type, v: data.value };
  }
}

function normaliseDescription(description: TypeDescription): unknown {
  if (description.type === "structure") return { structure: description.elements.map(normaliseDescription) };
  if (description.type === "array") {
    return { array: { count: description.count, of: normaliseDescription(description.element) } };
  }
  return description.type;
}

/** `1` and `0` in the order of the wire, without the unused bits of the last octet. */
function bits(octets: Uint8Array, count: number): string {
  return Array.from(octets, (octet) => octet.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, count);
}

function float(value: number, octets: Uint8Array): { readonly float: number | string; readonly hex: string } {
  return { float: Number.isFinite(value) ? value : String(value), hex: toHex(octets) };
}
