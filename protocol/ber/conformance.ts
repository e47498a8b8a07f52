/** The conformance block: the services that a side offers (IEC 62056-5-3). */
import type { Codec } from "../axdr/codec.ts";
import { DlmsError } from "../errors.ts";

/** Bit 0 is the most significant bit of the first octet. */
const CONFORMANCE_BITS = {
  "reserved-zero": 0,
  "general-protection": 1,
  "general-block-transfer": 2,
  read: 3,
  write: 4,
  "unconfirmed-write": 5,
  "delta-value-encoding": 6,
  "reserved-seven": 7,
  "attribute0-supported-with-set": 8,
  "priority-mgmt-supported": 9,
  "attribute0-supported-with-get": 10,
  "block-transfer-with-get-or-read": 11,
  "block-transfer-with-set-or-write": 12,
  "block-transfer-with-action": 13,
  "multiple-references": 14,
  "information-report": 15,
  "data-notification": 16,
  access: 17,
  "parameterized-access": 18,
  get: 19,
  set: 20,
  "selective-access": 21,
  "event-notification": 22,
  action: 23,
} as const;

export type ConformanceBit = keyof typeof CONFORMANCE_BITS;
export type Conformance = ReadonlySet<ConformanceBit>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const BITS = Object.keys(CONFORMANCE_BITS) as ConformanceBit[];
const BIT_COUNT = 24;

/** The block as a number of 24 bits, bit 0 the most significant: 0x007e1f. */
export function conformanceToNumber(conformance: Conformance): number {
  let value = 0;
  for (const bit of conformance) value |= 1 << (BIT_COUNT - 1 - CONFORMANCE_BITS[bit]);
  return value;
}

/** The latest block that was read: the meters of a fleet grant much the same. */
let latest: { readonly value: number; readonly conformance: Conformance } | undefined;

export function conformanceFromNumber(value: number): Conformance {
  if (latest?.value === value) return latest.conformance;
  const conformance = new Set(BITS.filter((bit) => (value >>> (BIT_COUNT - 1 - CONFORMANCE_BITS[bit])) & 1));
  latest = { value, conformance };
  return conformance;
}

const TAG = 0x5f;
const TAG_NUMBER = 0x1f;
const LENGTH = 4;

/** [APPLICATION 31] BIT STRING in BER, as both initiate APDUs carry it: 5F 1F 04 00 and three octets. */
export const conformance: Codec<Conformance> = {
  decode(reader) {
    const offset = reader.offset;
    const tag = reader.u8();
    if (tag !== TAG) throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag });
    if (reader.peek() === TAG_NUMBER) reader.u8();
    // The tag of an early edition: the length 04 follows at once and cannot be taken for the tag number.
    else if (!reader.tolerates("conformance-short-tag")) {
      throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag });
    }
    const length = reader.length();
    // The first octet counts unused bits, of which there are none.
    if (length !== LENGTH || reader.u8() !== 0) throw new DlmsError("LENGTH_INVALID", "peer", { offset, length });
    return conformanceFromNumber(reader.u8() * 0x1_0000 + reader.u16());
  },
  encode(value, writer) {
    writer.u8(TAG).u8(TAG_NUMBER).lengthField(LENGTH).u32(conformanceToNumber(value));
  },
};
