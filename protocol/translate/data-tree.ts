/** A value of the Data CHOICE as a tree. Damaged octets give the part before the damage. */
import { type Data, decodeData, expandCompactArray } from "../axdr/data.ts";
import { dataTypeOf } from "../axdr/tags.ts";
import { Reader } from "../bytes/reader.ts";
import { unitOf } from "../cosem/units.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Branch } from "./tree.ts";
import { dataText } from "./value-text.ts";

/** Grows the value that begins at the reader's offset below `node`; throws as decoding does, after what could be read. */
export function growData(bytes: Uint8Array, reader: Reader, node: Branch): void {
  grow(bytes, new Reader(bytes, reader.offset, reader.offset + reader.remaining), node, 0);
}

function grow(bytes: Uint8Array, reader: Reader, node: Branch, depth: number): void {
  const start = reader.offset;
  const type = dataTypeOf(reader.u8());
  if (type === "array" || type === "structure") {
    if (depth === LIMITS.depth) throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { offset: start, limit: LIMITS.depth });
    growElements(bytes, reader, node, { type, depth });
    return;
  }
  reader.offset = start;
  const data = decodeData(reader);
  node.decoded = data;
  node.value = dataText(data);
  if (data.type === "compact-array") growExpanded(expandCompactArray(data), node);
  else node.octets = bytes.subarray(start, reader.offset);
}

function growElements(
  bytes: Uint8Array,
  reader: Reader,
  node: Branch,
  { type, depth }: { readonly type: "array" | "structure"; readonly depth: number },
): void {
  const count = reader.length(LIMITS.elementCount);
  node.value = `${type} of ${count}`;
  for (let i = 0; i < count; i++) {
    const element = node.add(new Branch(`[${i}]`, reader.offset));
    grow(bytes, reader, element, depth + 1);
    element.length = reader.offset - element.offset;
  }
  node.value += scalerUnitText(node) ?? "";
}

/** Elements that share the description of a compact-array: they have no octets of their own to point at. */
function growExpanded(elements: readonly Data[], node: Branch): void {
  for (const [index, data] of elements.entries()) {
    const element = node.add(new Branch(`[${index}]`, node.offset));
    element.value = dataText(data);
    if (data.type === "array" || data.type === "structure") growExpanded(data.value, element);
  }
}

/** A structure of an integer and an enum is a scaler and a unit wherever it stands. */
function scalerUnitText({ children }: Branch): string | undefined {
  if (children?.length !== 2) return undefined;
  const scaler = numberOf(children[0]?.decoded, "integer");
  const unit = numberOf(children[1]?.decoded, "enum");
  const symbol = unit === undefined ? undefined : unitOf(unit)?.symbol;
  return scaler === undefined || symbol === undefined ? undefined : `: ×10^${scaler} ${symbol}`;
}

/** The number of a value of that type. */
function numberOf(decoded: unknown, type: string): number | undefined {
  if (typeof decoded !== "object" || decoded === null || !("type" in decoded) || !("value" in decoded))
    return undefined;
  return decoded.type === type && typeof decoded.value === "number" ? decoded.value : undefined;
}
