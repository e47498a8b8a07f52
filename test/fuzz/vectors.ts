import { existsSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { loadCases } from "../corpus/case.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Field captures make better seeds where they are at hand; without them our own vectors serve. */
const PLACES = [join(ROOT, "test", "vectors"), join(ROOT, "..", "shared", "corpus", "field")];

const cases = loadCases(PLACES.filter((place) => existsSync(place))).cases;

/** The octets of all cases of these layers: single units, frames, APDUs, chunks and text alike. */
export function vectorsOf(layers: readonly string[]): Uint8Array[] {
  const wanted = cases.filter((each) => layers.includes(each.layer));
  return wanted.flatMap((each) => {
    const { hex, frames, apdus, chunks, text } = each.input;
    const parts = [frames, apdus, chunks].flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
    if (typeof hex === "string") parts.push(hex);
    const units = parts.map((part) => fromHex(part));
    if (typeof text === "string") units.push(Buffer.from(text, "latin1"));
    return units;
  });
}
