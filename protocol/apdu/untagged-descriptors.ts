/**
 * The body that meters for Czech network operators push: a structure of an enum and an array, whose elements are
 * structures of two: an attribute descriptor without any type tags, and a tagged value. Its first octets
 * could be tagged data as well, so it is only looked for where the quirk is allowed.
 */
import type { Data } from "../axdr/data.ts";
import { decodeData } from "../axdr/data.ts";
import { DATA_TAGS } from "../axdr/tags.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const LOGICAL_NAME_LENGTH = 6;

/**
 * Decodes such a body. Each element becomes a structure of four as if it had been tagged: class, logical name,
 * attribute, value. Throws DATA_TYPE_MISMATCH when the octets have another shape.
 */
export function decodeUntaggedDescriptors(reader: Reader): Data {
  wantOctets(reader, DATA_TAGS.structure, 2);
  const selector = decodeData(reader);
  wantOctets(reader, DATA_TAGS.array);
  const elements: Data[] = [];
  for (let left = reader.length(LIMITS.listCount); left > 0; left--) {
    wantOctets(reader, DATA_TAGS.structure, 2);
    elements.push({
      type: "structure",
      value: [
        { type: "long-unsigned", value: reader.u16() },
        { type: "octet-string", value: reader.bytes(LOGICAL_NAME_LENGTH) },
        { type: "integer", value: reader.i8() },
        decodeData(reader),
      ],
    });
  }
  return { type: "structure", value: [selector, { type: "array", value: elements }] };
}

function wantOctets(reader: Reader, ...octets: readonly number[]): void {
  for (const wanted of octets) {
    const { offset } = reader;
    const octet = reader.u8();
    if (octet !== wanted) throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { offset, octet, wanted });
  }
}
