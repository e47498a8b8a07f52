/**
 * Key agreement on the curve of the suite (NIST SP 800-56A): C(2e,0s) for the security setup's key_agreement method,
 * C(1e,1s) and C(0e,2s) for general-ciphering. The key is the leftmost octets of H(00000001 ‖ Z ‖ OtherInfo).
 */
import { createHash, diffieHellman } from "node:crypto";
import { joinOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import {
  type Curve,
  curveFacts,
  curveOfSuite,
  type EllipticPrivateKey,
  type EllipticPublicKey,
  publicKeyFromOctets,
} from "./elliptic-key.ts";
import { type KeyRole, SecretKey } from "./secret-key.ts";
import { requireSignature, signatureLength, signOctets } from "./signature.ts";
import { SECURITY_SUITES, type SecuritySuite } from "./suites.ts";
import type { SystemTitle } from "./system-title.ts";

/** What the agreed key is for: the last octet of the algorithm identifier, per curve. */
const ALGORITHMS = {
  "authenticated-encryption": { "P-256": 0x00, "P-384": 0x01 },
  "key-wrap": { "P-256": 0x02, "P-384": 0x03 },
} as const;

type AgreedKeyUse = keyof typeof ALGORITHMS;

/**
 * The fourth octet of the algorithm identifier in OtherInfo. `corrected` is 05, as most stacks have it; `first-print` is
 * 06, as the examples of an early print and the British profile have it. Which one a meter uses is not certain before it
 * has been tried: both give the published keys of their print.
 */
const IDENTIFIER_ARC = { corrected: 0x05, "first-print": 0x06 } as const;

export type KdfIdentifier = keyof typeof IDENTIFIER_ARC;

export interface Derivation {
  readonly suite: SecuritySuite;
  readonly partyUInfo: Uint8Array;
  readonly partyVInfo: Uint8Array;
  readonly use?: AgreedKeyUse;
  readonly identifier?: KdfIdentifier;
}

/** Z: the x coordinate that both sides compute. Throws SECURITY_PUBLIC_KEY_INVALID for another curve. */
export function sharedSecret(own: EllipticPrivateKey, peer: EllipticPublicKey): Uint8Array {
  if (own.curve !== peer.curve)
    throw new DlmsError("SECURITY_PUBLIC_KEY_INVALID", "peer", { curve: peer.curve, wanted: own.curve });
  return new Uint8Array(diffieHellman({ privateKey: own.keyObject, publicKey: peer.keyObject }));
}

/** OtherInfo = AlgorithmID ‖ PartyUInfo ‖ PartyVInfo, without lengths. */
function otherInfo(derivation: Derivation): Uint8Array {
  const { partyUInfo, partyVInfo } = derivation;
  const use = ALGORITHMS[derivation.use ?? "authenticated-encryption"][curveOfSuite(derivation.suite)];
  const arc = IDENTIFIER_ARC[derivation.identifier ?? "corrected"];
  return joinOctets([Uint8Array.of(0x60, 0x85, 0x74, arc, 0x08, 0x03, use), partyUInfo, partyVInfo]);
}

/** The agreed key in its role. */
export function deriveKey<R extends KeyRole>(role: R, z: Uint8Array, derivation: Derivation): SecretKey<R> {
  return deriveWithInfo(role, z, derivation.suite, otherInfo(derivation));
}

/** As `deriveKey`, with OtherInfo ready made. */
export function deriveWithInfo<R extends KeyRole>(
  role: R,
  z: Uint8Array,
  suite: SecuritySuite,
  info: Uint8Array,
): SecretKey<R> {
  const { hash } = curveFacts(curveOfSuite(suite));
  const digest = createHash(hash)
    .update(Uint8Array.of(0, 0, 0, 1))
    .update(z)
    .update(info)
    .digest();
  return new SecretKey(role, new Uint8Array(digest).subarray(0, SECURITY_SUITES[suite].keyLength));
}

/** PartyUInfo of C(0e,2s): the originator's title, then the transaction id with its length. */
export function staticPartyUInfo(originator: SystemTitle, transactionId: Uint8Array): Uint8Array {
  return joinOctets([originator, Uint8Array.of(transactionId.length), transactionId]);
}

/**
 * An ephemeral public key and its signature. C(2e,0s) signs the key's id in front of it (`keyId` given), C(1e,1s) signs
 * the public key alone.
 */
export function offerEphemeralKey(
  signingKey: EllipticPrivateKey,
  ephemeral: EllipticPublicKey,
  keyId?: number,
): Uint8Array {
  const octets = ephemeral.octets();
  return joinOctets([octets, signOctets(signingKey, signedOffer(octets, keyId))]);
}

/** The ephemeral public key that the peer offers, verified. Throws SECURITY_SIGNATURE_MISMATCH, LENGTH_INVALID. */
export function acceptEphemeralKey(
  verificationKey: EllipticPublicKey,
  offer: Uint8Array,
  keyId?: number,
): EllipticPublicKey {
  const curve: Curve = verificationKey.curve;
  const split = 2 * curveFacts(curve).coordinateLength;
  const wanted = split + signatureLength(curve);
  if (offer.length !== wanted) throw new DlmsError("LENGTH_INVALID", "peer", { length: offer.length, wanted });
  const octets = offer.subarray(0, split);
  requireSignature(verificationKey, signedOffer(octets, keyId), offer.subarray(split), "ephemeral key");
  return publicKeyFromOctets(curve, octets);
}

function signedOffer(publicKey: Uint8Array, keyId: number | undefined): Uint8Array {
  return keyId === undefined ? publicKey : joinOctets([Uint8Array.of(keyId), publicKey]);
}

/** A key that client and meter have agreed on by the key_agreement method: party U is the client. */
export function agreedSetupKey<R extends KeyRole>(
  role: R,
  z: Uint8Array,
  agreement: {
    readonly suite: SecuritySuite;
    readonly clientSystemTitle: SystemTitle;
    readonly serverSystemTitle: SystemTitle;
    readonly identifier?: KdfIdentifier;
  },
): SecretKey<R> {
  const { suite, clientSystemTitle, serverSystemTitle, identifier } = agreement;
  return deriveKey(role, z, {
    suite,
    partyUInfo: clientSystemTitle,
    partyVInfo: serverSystemTitle,
    use: role === "masterKey" ? "key-wrap" : "authenticated-encryption",
    ...(identifier && { identifier }),
  });
}
