/**
 * How an association uses general-ciphering and general-signing: requests carry a fresh transaction id, answers give it
 * back, so that an answer under a key of its own can't be an old one (IEC 62056-5-3, general protection).
 */
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import type { GeneralProtection, GeneralUnprotected } from "../security/general-protection.ts";
import type { Protection } from "../security/security-control.ts";
import type { KeyScheme } from "../security/transaction-key.ts";

/** What a client does to its requests beyond the ciphering of the association; answers must be signed if they are. */
export interface GeneralUse {
  readonly protection: GeneralProtection;
  /** How the key of a request is found; without it requests are ciphered as everything in the association is. */
  readonly scheme?: KeyScheme;
  /** Signs a request after it has been ciphered. */
  readonly sign?: boolean;
  /** Draws a transaction id that has never been used with this peer. */
  readonly transactionId: () => Uint8Array;
}

/** How one APDU is wrapped. */
export interface GeneralWrap {
  readonly scheme: KeyScheme | undefined;
  readonly sign: boolean;
  readonly transactionId: Uint8Array;
}

/** One layer of any kind that has been taken off. */
export type AnyLayer = GeneralUnprotected["layers"][number];

/** Ciphers and signs. `seal` is the association's own ciphering, for a wrap without scheme. */
export function wrapGeneral(
  plain: Uint8Array,
  control: Protection,
  { protection, scheme, sign, transactionId }: GeneralWrap & { readonly protection: GeneralProtection },
  seal: () => Uint8Array,
): Uint8Array {
  const transaction = { transactionId };
  const ciphered = scheme === undefined ? seal() : protection.cipher(plain, { control, scheme }, transaction);
  return sign ? protection.sign(ciphered, transaction) : ciphered;
}

/** Throws SECURITY_TRANSACTION_MISMATCH for an answer to another request, and when a signature is missing. */
export function requireTransaction(layers: readonly AnyLayer[], { sign, transactionId }: GeneralWrap): void {
  for (const layer of layers) {
    if ("header" in layer && !sameOctets(layer.header.transactionId, transactionId)) {
      throw new DlmsError("SECURITY_TRANSACTION_MISMATCH", "peer", { form: layer.form });
    }
  }
  if (sign && !isSigned(layers)) {
    throw new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", "peer", { protection: "unsigned", required: "signed" });
  }
}

/** The wrap of the answer to an APDU that had these layers; undefined when none of them is a general one. */
export function answeringWrap(layers: readonly AnyLayer[]): GeneralWrap | undefined {
  const outermost = layers.find((layer) => "header" in layer);
  if (outermost === undefined) return undefined;
  const scheme = layers.find((layer) => layer.form === "general-ciphering")?.scheme;
  return { scheme, sign: isSigned(layers), transactionId: new Uint8Array(outermost.header.transactionId) };
}

function isSigned(layers: readonly AnyLayer[]): boolean {
  return layers.some(({ form }) => form === "general-signing");
}

/** Octets of key info, at most: a wrapped key has up to 40, an ephemeral key and its signature 192. */
const KEY_INFO_OCTETS: Readonly<Record<KeyScheme, number>> = {
  unicast: 3,
  broadcast: 3,
  wrapped: 44,
  "one-pass": 199,
  static: 5,
};
/** Tag, two titles, two empty fields, lengths, security control, counter, authentication tag. */
const CIPHERING_OCTETS = 48;
/** Tag, two titles, two empty fields, lengths, the longer signature. */
const SIGNING_OCTETS = 128;
/** Transaction ids are eight octets by habit. */
const TRANSACTION_ID_OCTETS = 16;

/** Octets that a wrap adds to an APDU, at most. */
export function wrapOverhead({ scheme, sign }: Partial<Pick<GeneralWrap, "scheme" | "sign">>): number {
  const ciphering = scheme === undefined ? 0 : CIPHERING_OCTETS + KEY_INFO_OCTETS[scheme] + TRANSACTION_ID_OCTETS;
  return ciphering + (sign === true ? SIGNING_OCTETS + TRANSACTION_ID_OCTETS : 0);
}
