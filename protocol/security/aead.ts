/**
 * AES-GCM as DLMS uses it: `SC | IC(4) | payload | tag(12)`, initialisation vector = sender's system title ‖ invocation
 * counter, additional authenticated data = SC ‖ authentication key ‖ header ‖ (payload when it is not encrypted)
 * (IEC 62056-5-3, security header). Knows no tags of APDUs. Opened octets are new; sealed octets are new.
 */
import { type CipherGCM, type CipherGCMTypes, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto";
import { newOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import type { AuthenticationKey, SecretKey } from "./secret-key.ts";
import { protectionName, type SecurityControl, securityControlOf } from "./security-control.ts";
import { SECURITY_SUITES, type SecuritySuite, TAG_LENGTH } from "./suites.ts";
import type { SystemTitle } from "./system-title.ts";

/** Octets of SC ‖ invocation counter. */
export const CONTENT_HEADER_LENGTH = 5;
const IV_LENGTH = 12;
const NO_OCTETS = new Uint8Array(0);
/** Ciphers copy the vector at once. */
const IV = new Uint8Array(IV_LENGTH);

/** Which octets the tag of authenticated content covers besides the content: by the standard, or none at all. */
export type AadForm = "standard" | "empty";

/** The keys for one direction or both; the authentication key may be missing where nothing is authenticated. */
export interface AeadKeys {
  readonly suite: SecuritySuite;
  readonly encryption: SecretKey;
  readonly authentication: AuthenticationKey | undefined;
  readonly aadForm?: AadForm;
}

/** Who sends, and octets of an outer header that the tag covers as well (general-ciphering). */
export interface AeadContext {
  readonly sender: SystemTitle;
  readonly header?: Uint8Array;
}

/** Ciphered content, cut up; the members are views. */
export interface CipheredContent {
  readonly securityControl: SecurityControl;
  readonly invocationCounter: number;
  readonly payload: Uint8Array;
  readonly tag: Uint8Array | undefined;
}

/**
 * Cuts up `SC | IC | payload | tag`. Throws SECURITY_TAG_MISSING when an announced tag cannot be there, DATA_TRUNCATED
 * when no payload is: an APDU has an octet at least, only the reply to a challenge has none.
 */
export function parseContent(content: Uint8Array, leastPayload = 1): CipheredContent {
  const wanted = CONTENT_HEADER_LENGTH + leastPayload;
  if (content.length < wanted)
    throw new DlmsError("DATA_TRUNCATED", "peer", { offset: 0, wanted, left: content.length });
  const securityControl = securityControlOf(content[0] ?? 0);
  const invocationCounter = counterAt(content, 1);
  if (!securityControl.authenticated)
    return { securityControl, invocationCounter, payload: content.subarray(CONTENT_HEADER_LENGTH), tag: undefined };
  const end = content.length - TAG_LENGTH;
  if (end < wanted)
    throw new DlmsError("SECURITY_TAG_MISSING", "peer", {
      octets: content.length - CONTENT_HEADER_LENGTH,
      wanted: TAG_LENGTH,
    });
  return {
    securityControl,
    invocationCounter,
    payload: content.subarray(CONTENT_HEADER_LENGTH, end),
    tag: content.subarray(end),
  };
}

/**
 * Protects octets as the security control says; returns `SC | IC | payload | tag`. Throws SECURITY_COUNTER_EXHAUSTED for a
 * counter that four octets can't hold.
 */
export function seal(
  keys: AeadKeys,
  context: AeadContext,
  head: { readonly securityControl: number; readonly invocationCounter: number },
  plain: Uint8Array,
): Uint8Array {
  const control = securityControlOf(head.securityControl);
  const { invocationCounter } = head;
  if (invocationCounter >>> 0 !== invocationCounter)
    throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { invocationCounter });
  const out = newOctets(CONTENT_HEADER_LENGTH + plain.length + (control.authenticated ? TAG_LENGTH : 0));
  out[0] = control.octet;
  putCounter(out, 1, invocationCounter);
  const iv = initialisationVector(context.sender, invocationCounter, IV);
  if (!control.encrypted) out.set(plain, CONTENT_HEADER_LENGTH);
  if (!control.authenticated) {
    if (control.encrypted) out.set(counterMode(keys, iv, plain), CONTENT_HEADER_LENGTH);
    return out;
  }
  const cipher = createCipheriv(gcm(keys.suite), keys.encryption.keyObject, iv, { authTagLength: TAG_LENGTH });
  authenticate(cipher, keys, context, { securityControl: control, payload: plain });
  if (control.encrypted) out.set(cipher.update(plain), CONTENT_HEADER_LENGTH);
  cipher.final();
  out.set(cipher.getAuthTag(), CONTENT_HEADER_LENGTH + plain.length);
  return out;
}

/**
 * Verifies and deciphers; nothing is returned before the tag has been verified. Content without a tag is deciphered as
 * it is. Throws SECURITY_TAG_MISMATCH.
 */
export function open(keys: AeadKeys, context: AeadContext, content: CipheredContent): Uint8Array {
  const { securityControl, invocationCounter, payload, tag } = content;
  const iv = initialisationVector(context.sender, invocationCounter, IV);
  if (tag === undefined) return securityControl.encrypted ? counterMode(keys, iv, payload) : payload;
  const decipher = createDecipheriv(gcm(keys.suite), keys.encryption.keyObject, iv, { authTagLength: TAG_LENGTH });
  authenticate(decipher, keys, context, content);
  decipher.setAuthTag(tag);
  const plain = securityControl.encrypted ? decipher.update(payload) : payload;
  try {
    decipher.final();
  } catch {
    // The cause is not kept: OpenSSL's sentence says less than the code does.
    throw new DlmsError("SECURITY_TAG_MISMATCH", "peer", {
      protection: protectionName(securityControl),
      suite: securityControl.suite,
      invocationCounter,
    });
  }
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}

/** Enciphers or deciphers without looking at a tag: GCM's own counter mode, whose first block is number 2. */
export function counterMode(keys: Omit<AeadKeys, "authentication">, iv: Uint8Array, octets: Uint8Array): Uint8Array {
  const block = new Uint8Array(IV_LENGTH + 4);
  block.set(iv);
  block[IV_LENGTH + 3] = 2;
  const cipher = createCipheriv(SECURITY_SUITES[keys.suite].ctr, keys.encryption.keyObject, block);
  const out = cipher.update(octets);
  return new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
}

/** Sender's system title ‖ invocation counter, in memory of its own or the given one. */
export function initialisationVector(
  sender: SystemTitle,
  invocationCounter: number,
  iv = new Uint8Array(IV_LENGTH),
): Uint8Array {
  iv.set(sender);
  putCounter(iv, IV_LENGTH - 4, invocationCounter);
  return iv;
}

function putCounter(octets: Uint8Array, offset: number, counter: number): void {
  octets[offset] = counter >>> 24;
  octets[offset + 1] = counter >>> 16;
  octets[offset + 2] = counter >>> 8;
  octets[offset + 3] = counter;
}

/** Four octets, big-endian; a DataView would cost more than all four reads. */
function counterAt(octets: Uint8Array, offset: number): number {
  let counter = 0;
  for (let i = offset; i < offset + 4; i++) counter = counter * 256 + (octets[i] ?? 0);
  return counter;
}

function gcm(suite: SecuritySuite): CipherGCMTypes {
  return SECURITY_SUITES[suite].gcm;
}

/** Gives a cipher what is authenticated besides the octets that it enciphers. */
function authenticate(
  cipher: CipherGCM | DecipherGCM,
  { aadForm, authentication }: AeadKeys,
  { header = NO_OCTETS }: AeadContext,
  { securityControl, payload }: Pick<CipheredContent, "securityControl" | "payload">,
): void {
  const clear = securityControl.encrypted ? NO_OCTETS : payload;
  if (aadForm === "empty") {
    cipher.setAAD(clear);
    return;
  }
  if (authentication === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "authenticationKey" });
  const keyEnd = 1 + authentication.length;
  const aad = newOctets(keyEnd + header.length + clear.length);
  aad[0] = securityControl.octet;
  authentication.copyInto(aad, 1);
  aad.set(header, keyEnd);
  aad.set(clear, keyEnd + header.length);
  cipher.setAAD(aad);
  aad.fill(0, 1, keyEnd);
}
