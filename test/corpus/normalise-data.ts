import { type Data, expandCompactArray } from "../../protocol/axdr/data.ts";
import type { TypeDescription } from "../../protocol/axdr/type-description.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { Writer } from "../../protocol/bytes/writer.ts";
import { utf8String } from "../../protocol/cosem/value-type.ts";
import { dataToJson } from "../../src/simulator/typed-json.ts";

/** A value of the Data CHOICE in the corpus' form: that of typed JSON, but floats with octets, compact-arrays with types. */
export interface NormalData {
  readonly t: string;
  readonly v?: unknown;
  /** What a compact-array's elements are. */
  readonly type?: unknown;
}

export function normaliseData(data: Data): NormalData {
  switch (data.type) {
    case "array":
    case "structure":
      return { t: data.type, v: data.value.map(normaliseData) };
    case "utf8-string":
      return { t: data.type, v: utf8String.parse(data) };
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
      return dataToJson(data);
  }
}

function normaliseDescription(description: TypeDescription): unknown {
  if (description.type === "structure") return { structure: description.elements.map(normaliseDescription) };
  if (description.type === "array") {
    return { array: { count: description.count, of: normaliseDescription(description.element) } };
  }
  return description.type;
}

function float(value: number, octets: Uint8Array): { readonly float: number | string; readonly hex: string } {
  return { float: Number.isFinite(value) ? value : String(value), hex: toHex(octets) };
}
