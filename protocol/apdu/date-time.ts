import { type Codec, optionFlag } from "../axdr/codec.ts";
import { DATE_TIME_LENGTH } from "../axdr/data.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";

const OCTET_STRING_TAG = 0x09;

/** The date-time of an APDU: an octet-string of twelve octets, or an empty one for "none". Decoded octets are a view. */
export const dateTime: Codec<Uint8Array | undefined> = {
  decode(reader) {
    // No length that is allowed here equals the tag, so the deviation cannot be mistaken.
    if (reader.peek() === OCTET_STRING_TAG && reader.tolerates("tagged-date-time")) reader.u8();
    return decodeOctets(reader);
  },
  encode(value, writer) {
    writer.octetString(checked(value ?? new Uint8Array(0)));
  },
};

/** The same as an OPTIONAL field: its flag comes first. */
export const optionalDateTime: Codec<Uint8Array | undefined> = {
  decode(reader) {
    if (reader.peek() === OCTET_STRING_TAG && reader.tolerates("tagged-date-time")) reader.u8();
    else if (!optionFlag(reader)) return undefined;
    return decodeOctets(reader);
  },
  encode(value, writer) {
    writer.u8(value === undefined ? 0 : 1);
    if (value !== undefined) writer.octetString(checked(value));
  },
};

function decodeOctets(reader: Reader): Uint8Array | undefined {
  const offset = reader.offset;
  const length = reader.length();
  if (length === 0) return undefined;
  if (length !== DATE_TIME_LENGTH) throw new DlmsError("LENGTH_INVALID", "peer", { offset, length });
  return reader.bytes(length);
}

function checked(value: Uint8Array): Uint8Array {
  if (value.length === 0 || value.length === DATE_TIME_LENGTH) return value;
  throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { length: value.length, wanted: DATE_TIME_LENGTH });
}
