import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { DlmsError, type Fault } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { SECURITY_SUITES, type SecuritySuite } from "./suites.ts";

/** Which lengths, in octets, a key of each role may have. */
const KEY_ROLES = {
  blockCipherKey: [16, 32],
  authenticationKey: [16, 32],
  broadcastKey: [16, 32],
  dedicatedKey: [16, 32],
  masterKey: [16, 32],
  /** Key of one general-ciphering transaction: wrapped or agreed. */
  transactionKey: [16, 32],
  /** Seals other keys for storage; never used towards a meter. */
  sealingKey: [32],
  /** Private keys of ours, stored as the number d. */
  signingKey: [32, 48],
  agreementKey: [32, 48],
  /** Password of LLS, or secret of HLS 2, 3, 4 and 6: any length. */
  hlsSecret: undefined,
} as const;

export type KeyRole = keyof typeof KEY_ROLES;

/**
 * A symmetric key that never shows its octets: texts, JSON and inspection give its role and length only. The octets are
 * copied in; `reveal()` is the only way out. A KeyObject is kept because a raw key would be set up anew in every call.
 */
export class SecretKey<R extends KeyRole = KeyRole> {
  readonly role: R;
  readonly length: number;
  readonly #key: KeyObject;
  readonly #octets: Uint8Array;

  constructor(role: R, octets: Uint8Array) {
    const lengths: readonly number[] | undefined = KEY_ROLES[role];
    const fits = lengths === undefined ? octets.length <= LIMITS.hlsSecretLength : lengths.includes(octets.length);
    if (!fits) throw new DlmsError("SECURITY_KEY_LENGTH", "caller", { key: role, length: octets.length });
    this.role = role;
    this.length = octets.length;
    this.#octets = new Uint8Array(octets);
    this.#key = createSecretKey(this.#octets);
  }

  /** For node:crypto; prints nothing either. */
  get keyObject(): KeyObject {
    return this.#key;
  }

  /** A copy of the octets, for additional authenticated data, hashing, wrapping and sealed storage. */
  reveal(): Uint8Array {
    return new Uint8Array(this.#octets);
  }

  /** Writes the octets into a buffer of the caller's, which must not outlive its use. */
  copyInto(target: Uint8Array, offset: number): void {
    target.set(this.#octets, offset);
  }

  equals(other: SecretKey): boolean {
    return this.#key.equals(other.keyObject);
  }

  toString(): string {
    return `[${this.role}, ${this.length} octets]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export type BlockCipherKey = SecretKey<"blockCipherKey">;
export type AuthenticationKey = SecretKey<"authenticationKey">;
export type BroadcastKey = SecretKey<"broadcastKey">;
export type DedicatedKey = SecretKey<"dedicatedKey">;
export type MasterKey = SecretKey<"masterKey">;
export type TransactionKey = SecretKey<"transactionKey">;
export type SealingKey = SecretKey<"sealingKey">;
export type HlsSecret = SecretKey<"hlsSecret">;

const FINGERPRINT_LENGTH = 16;

/** Names a key for one purpose: the same key has the same name, and the name does not lead back to the key. */
export function keyFingerprint(key: SecretKey, purpose: string): Uint8Array {
  const digest = createHmac("sha256", key.keyObject).update(`dlms-gateway ${purpose}`).digest();
  return new Uint8Array(digest).subarray(0, FINGERPRINT_LENGTH);
}

/** Whether a text, such as a column of a table, names a role. */
export function isKeyRole(text: string): text is KeyRole {
  return Object.hasOwn(KEY_ROLES, text);
}

/** Throws SECURITY_KEY_LENGTH unless the key has the length that the suite asks for; `fault` says whose key it is. */
export function requireSuiteLength(key: SecretKey, suite: SecuritySuite, fault: Fault = "caller"): void {
  const wanted = SECURITY_SUITES[suite].keyLength;
  if (key.length !== wanted)
    throw new DlmsError("SECURITY_KEY_LENGTH", fault, { key: key.role, length: key.length, wanted, suite });
}
