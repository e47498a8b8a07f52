import type { Conformance } from "../../ber/conformance.ts";
import type { ApplicationContextName } from "../../ber/names.ts";
import type { ApduProtection } from "../../security/apdu-protection.ts";
import type { EllipticPrivateKey, EllipticPublicKey } from "../../security/elliptic-key.ts";
import type { GeneralProtection } from "../../security/general-protection.ts";
import type { AuthenticationMechanism, EcbPadding, HlsFormula } from "../../security/hls.ts";
import type { HlsSecret } from "../../security/secret-key.ts";
import type { Protection } from "../../security/security-control.ts";
import type { SystemTitle } from "../../security/system-title.ts";
import type { CertificateTrust } from "../carried-certificate.ts";

/** How a server answers an APDU that it cannot decipher or whose counter is too low. Meters do any of these. */
type DecipherFailureReply = "exception-response" | "aare" | "silence";

export interface AssociationSecurity {
  /**
   * Keys, titles and counters of this association; kept from one association to the next so that the replay window
   * holds. Its `minimum.received` is the security policy for requests.
   */
  readonly protection: ApduProtection;
  /** Opens general-ciphering and general-signing, and answers in the same way. Built on `protection`. */
  readonly general?: GeneralProtection;
  /** Requests must be signed. */
  readonly signedRequests?: boolean;
  /** The lowest invocation counter taken from a client that has not been heard before. */
  readonly lowestCounter?: number;
  /** The least protection of responses; a response is never protected less than its request. */
  readonly response?: Protection;
}

/** What a server demands of one client before it serves it, and what it offers. */
export interface AssociationRule {
  /** For people and logs. */
  readonly name: string;
  readonly clientSap: number;
  /** Six octets: the Association LN object of this association. */
  readonly logicalName: Uint8Array;
  readonly applicationContexts: readonly ApplicationContextName[];
  readonly mechanism: AuthenticationMechanism;
  /** Password of LLS, secret of HLS 2, 3, 4 and 6. */
  readonly secret?: HlsSecret;
  readonly ecbPadding?: EcbPadding;
  /** HLS 2 by the formula of a maker. */
  readonly formula?: HlsFormula;
  /** The server's own title where no `security` tells it: for HLS 6 and 7 in a plain context. */
  readonly systemTitle?: SystemTitle;
  /** HLS 7: the server's key to sign with, and the client's to verify with. */
  readonly signingKey?: EllipticPrivateKey;
  readonly clientSigningKey?: EllipticPublicKey;
  /** HLS 7: the server's certificate goes along in the AARE, and the client's key may come in the AARQ. */
  readonly certificate?: Uint8Array;
  readonly clientTrust?: CertificateTrust;
  readonly challengeLength?: number;
  readonly conformance: Conformance;
  /** Octets of the longest APDU that the server takes. */
  readonly maxReceivePduSize: number;
  readonly security?: AssociationSecurity;
  /** The only client that may associate; any when absent. */
  readonly clientSystemTitle?: SystemTitle;
  readonly decipherFailure?: DecipherFailureReply;
  /**
   * The association is there without being asked for: the first of the contexts, all of the conformance. Requests and
   * pushes are served at once; an AARQ is judged all the same.
   */
  readonly preEstablished?: {
    /** Octets of the longest APDU that the client takes; 0, as when absent, for no limit. */
    readonly maxSendPduSize?: number;
  };
}
