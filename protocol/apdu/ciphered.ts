/** APDUs that carry another one in protected form. What is inside is the security room's; here it is octets. */
import { type Codec, type Decoded, octets, sequence } from "../axdr/codec.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";

/** Security control octet and invocation counter. */
export const SECURITY_HEADER_LENGTH = 5;
export const AUTHENTICATION_TAG_LENGTH = 12;
export const SYSTEM_TITLE_LENGTH = 8;
const AUTHENTICATED = 0x10;

/** Security control, invocation counter, ciphered or plain octets, and the tag if authenticated. A view. */
const protectedContents: Codec<Uint8Array> = {
  decode(reader) {
    const offset = reader.offset;
    const contents = octets.decode(reader);
    const authenticated = ((contents[0] ?? 0) & AUTHENTICATED) !== 0;
    const wanted = SECURITY_HEADER_LENGTH + (authenticated ? AUTHENTICATION_TAG_LENGTH : 0);
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
export type CipheredApdu = Decoded<typeof cipheredApdu>;

/** general-glo-ciphering and general-ded-ciphering. */
export const generalCipheredApdu = sequence({ systemTitle, contents: protectedContents });
export type GeneralCipheredApdu = Decoded<typeof generalCipheredApdu>;
