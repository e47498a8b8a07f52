/** AES key wrap (RFC 3394) with the default initial value: how keys travel under the master key. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { DlmsError } from "../errors.ts";
import { type KeyRole, type MasterKey, SecretKey } from "./secret-key.ts";

const INITIAL_VALUE = new Uint8Array(8).fill(0xa6);
/** The wrap makes a key this much longer. */
const OVERHEAD = 8;

/** The key under the master key: 24 or 40 octets. */
export function wrapKey(masterKey: MasterKey, key: SecretKey): Uint8Array {
  const cipher = createCipheriv(algorithm(masterKey), masterKey.keyObject, INITIAL_VALUE);
  return new Uint8Array(cipher.update(key.reveal()));
}

/** The key that was wrapped, for the role that the caller knows. Throws SECURITY_KEY_UNWRAP_FAILED. */
export function unwrapKey<R extends KeyRole>(masterKey: MasterKey, role: R, wrapped: Uint8Array): SecretKey<R> {
  if (wrapped.length !== 16 + OVERHEAD && wrapped.length !== 32 + OVERHEAD)
    throw new DlmsError("SECURITY_KEY_UNWRAP_FAILED", "peer", { key: role, length: wrapped.length });
  const decipher = createDecipheriv(algorithm(masterKey), masterKey.keyObject, INITIAL_VALUE);
  let octets: Uint8Array;
  try {
    octets = decipher.update(wrapped);
  } catch {
    throw new DlmsError("SECURITY_KEY_UNWRAP_FAILED", "peer", { key: role });
  }
  // A failed integrity check gives no octets rather than an error in some releases of OpenSSL.
  if (octets.length !== wrapped.length - OVERHEAD)
    throw new DlmsError("SECURITY_KEY_UNWRAP_FAILED", "peer", { key: role });
  return new SecretKey(role, octets);
}

function algorithm(masterKey: MasterKey): string {
  return masterKey.length === 16 ? "id-aes128-wrap" : "id-aes256-wrap";
}
