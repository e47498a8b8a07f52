/** Certificates that travel in the AE-qualifiers of AARQ and AARE: the key to verify the other side's signature with. */
import { type Certificate, checkCertificate, readCertificate } from "../security/certificate.ts";
import type { EllipticPublicKey } from "../security/elliptic-key.ts";
import type { SystemTitle } from "../security/system-title.ts";

/** Who vouches for the other side. */
export interface CertificateTrust {
  readonly authorities: readonly Certificate[];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/**
 * The key of a certificate for signatures, if one came. Throws CERTIFICATE_* for one that no authority vouches for, that is
 * for something else or for somebody else, and what reading it throws.
 */
export function carriedSigningKey(
  octets: Uint8Array | undefined,
  trust: CertificateTrust | undefined,
  systemTitle: SystemTitle | undefined,
): EllipticPublicKey | undefined {
  if (octets === undefined || octets.length === 0 || trust === undefined) return undefined;
  const certificate = readCertificate(new Uint8Array(octets));
  checkCertificate(certificate, {
    usage: "digitalSignature",
    ...(systemTitle && { systemTitle }),
    trusted: trust.authorities,
    atMs: trust.nowMs(),
  });
  return certificate.publicKey;
}
