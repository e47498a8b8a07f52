/** Whole APDUs from octets and back: the first octet says which. */
import type { Codec } from "../axdr/codec.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { FIELD_QUIRKS, type Quirk } from "../quirks.ts";
import { isEmptyLastBlock } from "./get.ts";
import { APDUS, type ApduBody, type ApduName, apduNameOf } from "./registry.ts";

/** One APDU: its name and its body. `quirks` names the deviations that decoding tolerated; encoding ignores it. */
export type ApduOf<N extends ApduName> = {
  [K in N]: { readonly apdu: K; readonly body: ApduBody<K>; readonly quirks?: readonly Quirk[] };
}[N];
export type Apdu = ApduOf<ApduName>;

/**
 * Decodes octets that hold exactly one APDU. Decoded octets are views into the input. Throws APDU_UNKNOWN_TAG,
 * DATA_TRUNCATED, DATA_TRAILING and what the fields throw, always with the peer at fault.
 */
export function decodeApdu(bytes: Uint8Array, tolerated: ReadonlySet<Quirk> = FIELD_QUIRKS): Apdu {
  if (bytes.length > LIMITS.apduLength) {
    throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length: bytes.length, limit: LIMITS.apduLength });
  }
  return readApdu(new Reader(bytes, 0, bytes.length, tolerated));
}

/** Decodes the one APDU that a reader holds up to its end. */
export function readApdu(reader: Reader): Apdu {
  const { offset } = reader;
  const tag = reader.u8();
  const name = apduNameOf(tag);
  if (name === undefined) throw new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset, tag });
  const codec: Codec<object> = APDUS[name][1];
  const body = codec.decode(reader);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The body came from the codec of this very name.
  const apdu = { apdu: name, body } as Apdu;
  if (reader.remaining > 0) readTrailer(reader, apdu);
  return reader.quirks.length > 0 ? { ...apdu, quirks: reader.quirks } : apdu;
}

/**
 * Octets behind the end of an APDU. Behind a last block without data, and behind the number of a block that is
 * acknowledged, they can't be a part of what was asked for.
 */
function readTrailer(reader: Reader, { apdu, body }: Apdu): void {
  const empty = apdu === "get-response" && isEmptyLastBlock(body);
  const acknowledges = apdu === "set-response" && body.type === "datablock" && reader.peek() === 0;
  const meaningless =
    (empty && reader.tolerates("empty-last-block-trailer")) ||
    (acknowledges && reader.tolerates("acknowledgement-trailer"));
  if (!meaningless && !reader.tolerates("trailing-octets")) reader.end();
}

/** The octets of an APDU in canonical form. Throws DATA_OUT_OF_RANGE and DATA_TYPE_MISMATCH with the caller at fault. */
export function encodeApdu(apdu: Apdu): Uint8Array {
  const row: readonly [number, Codec<object>] = APDUS[apdu.apdu];
  const writer = new Writer().u8(row[0]);
  row[1].encode(apdu.body, writer);
  return writer.finish();
}
