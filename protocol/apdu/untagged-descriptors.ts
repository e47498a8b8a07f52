/**
 * The body that meters for Czech network operators push: a structure of an enum and an array, whose elements are
 * structures of two: an attribute descriptor without any type tags, and a tagged value. Its first octets
 * could be tagged data as well, so it is only looked for where the quirk is allowed.
 */
import { data, decodeField, fixedOctets, i8, sequence, u16 } from "../axdr/codec.ts";
import type { Data } from "../axdr/data.ts";
import { DATA_TAGS } from "../axdr/tags.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const element = sequence({ classId: u16, logicalName: fixedOctets(6), attributeId: i8, value: data });

/**
 * Decodes such a body. Each element becomes a structure of four as if it had been tagged: class, logical name,
 * attribute, value. Throws DATA_TYPE_MISMATCH when the octets have another shape.
 */
export function decodeUntaggedDescriptors(reader: Reader): Data {
  wantOctets(reader, DATA_TAGS.structure, 2);
  const selector = decodeField("selector", data, reader);
  wantOctets(reader, DATA_TAGS.array);
  const elements: Data[] = [];
  const count = reader.length(LIMITS.listCount);
  for (let i = 0; i < count; i++) {
    wantOctets(reader, DATA_TAGS.structure, 2);
    const { classId, logicalName, attributeId, value } = decodeField(`[${i}]`, element, reader);
    elements.push({
      type: "structure",
      value: [
        { type: "long-unsigned", value: classId },
        { type: "octet-string", value: logicalName },
        { type: "integer", value: attributeId },
        value,
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
