import type { Reader } from "../bytes/reader.ts";
import type { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { DATA_TAGS, type DataType, dataTypeOf } from "./tags.ts";

type SimpleType = Exclude<DataType, "array" | "structure" | "compact-array">;

/** What the elements of a compact-array are, said once before the untagged contents. */
export type TypeDescription =
  | { readonly type: SimpleType }
  | { readonly type: "array"; readonly count: number; readonly element: TypeDescription }
  | { readonly type: "structure"; readonly elements: readonly TypeDescription[] };

/** Throws DATA_UNKNOWN_TAG, DEPTH_OVER_LIMIT, DATA_TRUNCATED. */
export function decodeTypeDescription(reader: Reader, depth = 0): TypeDescription {
  const offset = reader.offset;
  if (depth > LIMITS.depth) throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { offset, limit: LIMITS.depth });
  const tag = reader.u8();
  const type = dataTypeOf(tag);
  if (type === undefined || type === "compact-array") throw new DlmsError("DATA_UNKNOWN_TAG", "peer", { offset, tag });
  if (type === "array") {
    return { type, count: reader.u16(), element: decodeTypeDescription(reader, depth + 1) };
  }
  if (type !== "structure") return { type };
  const elements: TypeDescription[] = [];
  for (let left = reader.u8(); left > 0; left--) elements.push(decodeTypeDescription(reader, depth + 1));
  return { type, elements };
}

export function encodeTypeDescription(description: TypeDescription, writer: Writer): void {
  writer.u8(DATA_TAGS[description.type]);
  if (description.type === "array") {
    writer.u16(description.count);
    encodeTypeDescription(description.element, writer);
  } else if (description.type === "structure") {
    writer.u8(description.elements.length);
    for (const element of description.elements) encodeTypeDescription(element, writer);
  }
}
