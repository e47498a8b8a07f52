/** ECDSA as DLMS sends it: r ‖ s, each as long as a coordinate (IEC 62056-5-3, digital signature). */
import { sign, verify } from "node:crypto";
import { DlmsError } from "../errors.ts";
import { type Curve, curveFacts, type EllipticPrivateKey, type EllipticPublicKey } from "./elliptic-key.ts";

/** Octets of a signature: 64 on P-256, 96 on P-384. */
export function signatureLength(curve: Curve): number {
  return 2 * curveFacts(curve).coordinateLength;
}

/** Signs with the hash of the curve's suite; node:crypto draws the nonce. */
export function signOctets(key: EllipticPrivateKey, message: Uint8Array): Uint8Array {
  const signature = sign(curveFacts(key.curve).hash, message, { key: key.keyObject, dsaEncoding: "ieee-p1363" });
  return new Uint8Array(signature);
}

export function signatureFits(key: EllipticPublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== signatureLength(key.curve)) return false;
  const verifier = { key: key.keyObject, dsaEncoding: "ieee-p1363" } as const;
  return verify(curveFacts(key.curve).hash, message, verifier, signature);
}

/** Throws SECURITY_SIGNATURE_MISMATCH; `of` names what was signed. */
export function requireSignature(key: EllipticPublicKey, message: Uint8Array, signature: Uint8Array, of: string): void {
  if (!signatureFits(key, message, signature))
    throw new DlmsError("SECURITY_SIGNATURE_MISMATCH", "peer", { of, length: signature.length, curve: key.curve });
}
