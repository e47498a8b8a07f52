/**
 * How the user key of an M-Bus device travels to it through the meter, by Dutch companion specifications: DSMR 4 ciphers
 * it with AES-128-ECB, SMR 5 with AES-GCM and a tag of eight octets. Both use the device's default key.
 */
import { createCipheriv } from "node:crypto";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import type { MasterKey, TransactionKey } from "./secret-key.ts";

const SHORT_TAG_LENGTH = 8;
const LETTER_BITS = 5;
const BEFORE_A = 64;

/** What the initialisation vector of SMR 5 names the device by. */
export interface MbusDevice {
  /** Eight decimal digits. */
  readonly identification: string;
  /** Three letters (EN 13757-3). */
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
}

/** The key ciphered as DSMR 4 wants it: 16 octets. */
export function mbusUserKeyEcb(defaultKey: MasterKey, key: TransactionKey): Uint8Array {
  if (defaultKey.length !== 16)
    throw new DlmsError("SECURITY_KEY_LENGTH", "caller", { key: "masterKey", length: defaultKey.length, wanted: 16 });
  const cipher = createCipheriv("aes-128-ecb", defaultKey.keyObject, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(key.reveal()));
}

/** The key as SMR 5 wants it: key id, key size and key ciphered, then the tag. The counter must grow with every change. */
export function mbusUserKeyGcm(
  defaultKey: MasterKey,
  key: TransactionKey,
  { keyId, keyChangeCounter, device }: { keyId: number; keyChangeCounter: number; device: MbusDevice },
): Uint8Array {
  const algorithm = defaultKey.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
  const iv = mbusVector(device, keyChangeCounter);
  const cipher = createCipheriv(algorithm, defaultKey.keyObject, iv, { authTagLength: SHORT_TAG_LENGTH });
  const ciphered = cipher.update(new Writer().u8(keyId).u8(key.length).bytes(key.reveal()).finish());
  cipher.final();
  return new Writer().bytes(ciphered).bytes(cipher.getAuthTag()).finish();
}

/** Identification and manufacturer least octet first, version, medium, then the key change counter. */
function mbusVector(device: MbusDevice, keyChangeCounter: number): Uint8Array {
  const { identification, manufacturer, version, medium } = device;
  if (!/^\d{8}$/.test(identification) || !/^[A-Z]{3}$/.test(manufacturer))
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { identification, manufacturer });
  const digits = Number.parseInt(identification, 16);
  let letters = 0;
  for (let i = 0; i < manufacturer.length; i++)
    letters = (letters << LETTER_BITS) | (manufacturer.charCodeAt(i) - BEFORE_A);
  const head = new DataView(new ArrayBuffer(6));
  head.setUint32(0, digits, true);
  head.setUint16(4, letters, true);
  const writer = new Writer().bytes(new Uint8Array(head.buffer));
  return writer.u8(version).u8(medium).u32(keyChangeCounter).finish();
}
