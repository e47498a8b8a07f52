/**
 * Keys at rest: AES-256-GCM under a sealing key, bound to where the key belongs by additional data.
 * `01 | fingerprint of the sealing key (4) | nonce (12) | ciphered | tag (16)`.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { keyFingerprint, type SealingKey } from "./secret-key.ts";

const FORM = 1;
const FINGERPRINT_LENGTH = 4;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Which of several keys opens an envelope. */
function fingerprintOf(key: SealingKey): Uint8Array {
  return keyFingerprint(key, "sealing key").subarray(0, FINGERPRINT_LENGTH);
}

/** Seals octets; `boundTo` must be given again to open them. The nonce comes from the source of random octets. */
export function sealEnvelope(
  key: SealingKey,
  octets: Uint8Array,
  boundTo: Uint8Array,
  randomOctets: (length: number) => Uint8Array,
): Uint8Array {
  const nonce = randomOctets(NONCE_LENGTH);
  const cipher = createCipheriv("aes-256-gcm", key.keyObject, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(boundTo);
  const ciphered = cipher.update(octets);
  cipher.final();
  const writer = new Writer().u8(FORM).bytes(fingerprintOf(key)).bytes(nonce);
  return writer.bytes(ciphered).bytes(cipher.getAuthTag()).finish();
}

/** Opens an envelope with the one of the keys that sealed it. Every way to fail has its own code. */
export function openEnvelope(keys: readonly SealingKey[], envelope: Uint8Array, boundTo: Uint8Array): Uint8Array {
  const reader = new Reader(envelope);
  if (reader.remaining < 1 + FINGERPRINT_LENGTH + NONCE_LENGTH + TAG_LENGTH || reader.u8() !== FORM)
    throw new DlmsError("SECURITY_ENVELOPE_INVALID", "caller", { length: envelope.length });
  const fingerprint = reader.bytes(FINGERPRINT_LENGTH);
  const key = keys.find((each) => fingerprintOf(each).every((octet, i) => octet === fingerprint[i]));
  if (key === undefined) throw new DlmsError("SECURITY_SEALING_KEY_UNKNOWN", "caller", { known: keys.length });
  const nonce = reader.bytes(NONCE_LENGTH);
  const decipher = createDecipheriv("aes-256-gcm", key.keyObject, nonce, { authTagLength: TAG_LENGTH });
  const ciphered = reader.bytes(reader.remaining - TAG_LENGTH);
  decipher.setAAD(boundTo);
  decipher.setAuthTag(reader.rest());
  const octets = decipher.update(ciphered);
  try {
    decipher.final();
  } catch {
    throw new DlmsError("SECURITY_ENVELOPE_DAMAGED", "caller", { length: envelope.length });
  }
  return new Uint8Array(octets);
}
