/** APDUs that carry another one in protected form. What is inside is the security room's; here it is octets. */
import { type Codec, choice, type Decoded, enumerated, octets, optional, sequence } from "../axdr/codec.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Security control octet and invocation counter. */
const SECURITY_HEADER_LENGTH = 5;
const AUTHENTICATION_TAG_LENGTH = 12;
const SYSTEM_TITLE_LENGTH = 8;
const AUTHENTICATED = 0x10;

/** Security control, invocation counter, ciphered or plain octets, and the tag if authenticated. A view. */
const protectedContents: Codec<Uint8Array> = {
  decode(reader) {
    const offset = reader.offset;
    const length = reader.length(LIMITS.apduLength);
    const authenticated = ((reader.peek() ?? 0) & AUTHENTICATED) !== 0;
    const countsTag = !authenticated && length === reader.remaining + AUTHENTICATION_TAG_LENGTH;
    const contents = countsTag && reader.tolerates("ciphered-length-counts-tag") ? reader.rest() : reader.bytes(length);
    // At least one octet is protected, for the shortest APDU is its tag.
    const wanted = SECURITY_HEADER_LENGTH + 1 + (authenticated ? AUTHENTICATION_TAG_LENGTH : 0);
    if (contents.length < wanted) {
      throw new DlmsError("DATA_TRUNCATED", "peer", { offset, wanted, left: contents.length });
    }
    return contents;
  },
  encode: (value, writer) => octets.encode(value, writer),
};

/** Empty when the peer's title is known from elsewhere; some meters send it so. */
const systemTitle: Codec<Uint8Array> = {
  decode(reader: Reader) {
    const offset = reader.offset;
    const title = octets.decode(reader);
    if (title.length !== 0 && title.length !== SYSTEM_TITLE_LENGTH) {
      throw new DlmsError("LENGTH_INVALID", "peer", { offset, length: title.length });
    }
    return title;
  },
  encode: (value, writer) => octets.encode(value, writer),
};

/** A service-specific ciphered APDU (glo-…, ded-…). */
export const cipheredApdu = sequence({ contents: protectedContents });

/** general-glo-ciphering and general-ded-ciphering. */
export const generalCipheredApdu = sequence({ systemTitle, contents: protectedContents });

const IDENTIFIED_KEYS = { "global-unicast-encryption-key": 0, "global-broadcast-encryption-key": 1 } as const;
const KEY_ENCRYPTING_KEYS = { "master-key": 0 } as const;

/** Which key protects a general-ciphering APDU, or how to get it. */
const keyInfo = choice({
  "identified-key": [0, sequence({ keyId: enumerated(IDENTIFIED_KEYS) })],
  "wrapped-key": [1, sequence({ kekId: enumerated(KEY_ENCRYPTING_KEYS), keyCipheredData: octets })],
  /** Parameters 01: one-pass Diffie-Hellman C(1e, 1s); 02: static unified model C(0e, 2s). */
  "agreed-key": [2, sequence({ keyParameters: octets, keyCipheredData: octets })],
});
export type KeyInfo = Decoded<typeof keyInfo>;

/** What precedes the contents of general-ciphering and general-signing; the octets are authenticated as they are. */
const generalHeader = {
  transactionId: octets,
  originatorSystemTitle: octets,
  recipientSystemTitle: octets,
  dateTime: octets,
  otherInformation: octets,
} as const;

export const generalCiphering = sequence({
  ...generalHeader,
  keyInfo: optional(keyInfo),
  contents: protectedContents,
});

/** The signature is r and s, each of the curve's size; the content is an APDU, plain or ciphered. */
export const generalSigning = sequence({ ...generalHeader, content: octets, signature: octets });
