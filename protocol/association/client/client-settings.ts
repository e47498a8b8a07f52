import type { Conformance } from "../../ber/conformance.ts";
import type { ApduProtection } from "../../security/apdu-protection.ts";
import type { CipheredForm } from "../../security/ciphered-apdu.ts";
import type { EllipticPrivateKey, EllipticPublicKey } from "../../security/elliptic-key.ts";
import type { EcbPadding, HlsFormula } from "../../security/hls.ts";
import type { DedicatedKey, HlsSecret } from "../../security/secret-key.ts";
import type { Protection } from "../../security/security-control.ts";
import type { SystemTitle } from "../../security/system-title.ts";
import type { CertificateTrust } from "../carried-certificate.ts";
import type { GeneralUse } from "../general-use.ts";
import type { Referencing } from "../referencing.ts";

/** How the client proves who it is. `hls-gmac` takes its keys from `protection`. */
export type ClientAuthentication =
  | { readonly mechanism: "none" }
  | { readonly mechanism: "lls"; readonly password: HlsSecret }
  | {
      readonly mechanism: "hls" | "hls-md5" | "hls-sha1" | "hls-sha256";
      readonly secret: HlsSecret;
      readonly ecbPadding?: EcbPadding;
      /** `hls` by the formula of a maker. */
      readonly formula?: HlsFormula;
    }
  | { readonly mechanism: "hls-gmac" }
  | {
      readonly mechanism: "hls-ecdsa";
      readonly signingKey?: EllipticPrivateKey;
      readonly serverSigningKey?: EllipticPublicKey;
      /** Our certificate for signatures, DER: it goes along in the AARQ. */
      readonly certificate?: Uint8Array;
      /** Takes the server's key from the certificate in its AARE, where none is given. */
      readonly trust?: CertificateTrust;
    };

/** What makes the application context one with ciphering. */
interface ClientCiphering {
  /** How requests are protected; `none` sends them plain and takes plain answers. The AARQ is always protected. */
  readonly request: Protection | "none";
  /** Protection of the initiate request; authenticated and encrypted when absent. */
  readonly initiate?: Protection;
  readonly form?: CipheredForm;
  /** Draws a key for one association. It is offered in the initiate request and used once the peer has accepted. */
  readonly dedicatedKey?: (() => DedicatedKey) | undefined;
}

/** How the client takes leave: with a plain RLRQ, with one that carries a protected initiate request, or with none. */
type ReleaseHabit = "plain" | "protected" | "none";

/** When APDUs go in general blocks: never, when one is longer than the peer takes, or always. */
type GeneralBlockUse = "never" | "when-needed" | "always";

/** Deviations of meters that may be let pass, each by name. */
const CLIENT_TOLERANCES = {
  "pass4-missing": "the server may confirm the HLS exchange without proving that it knows the secret",
  "plain-response": "a protected request may be answered in clear",
} as const;
type ClientTolerance = keyof typeof CLIENT_TOLERANCES;

/** Deviations that are read all the same and told. */
const CLIENT_LENIENCIES = {
  "invoke-id-not-echoed": "the answer carries another invoke-id than the request",
  "context-not-echoed": "the AARE names another application context than the AARQ",
  "mechanism-not-echoed": "the AARE names another authentication mechanism than the AARQ",
  "hls-without-diagnostic": "the AARE has a challenge, but not the diagnostic that announces the HLS exchange",
  "pass4-missing": "the server confirmed the HLS exchange without proving that it knows the secret",
  "title-changed": "the server's system title is not the one that was expected",
  "title-missing": "the AARE of a ciphered association names no system title",
  "version-low": "the negotiated DLMS version is below 6",
  "first-block-zero": "blocks are numbered from 0",
  "acknowledgement-names-next": "a block is acknowledged with the number of the next",
  "acknowledgement-as-last": "blocks are acknowledged by the choice of the last one, the number before the result",
  "list-refused-whole": "one result answers a list of requests",
  "hls-reply-by-write": "the reply to the challenge is not read but written, as the server refused the reading",
  "read-results-headless": "the blocks of a long answer lack the count of results and the first choice",
  "rlre-malformed": "the RLRE can't be decoded, but its tag says what it is",
  "list-of-one": "a single request is answered by a list of one, or the other way round",
  "plain-response": "a protected request was answered in clear",
} as const;
export type ClientLeniency = keyof typeof CLIENT_LENIENCIES;

export interface ClientSettings {
  /** How attributes and methods are named; by logical names when absent. */
  readonly referencing?: Referencing;
  readonly authentication: ClientAuthentication;
  /** Keys, titles and counters; needed for ciphering and for `hls-gmac`. One object per association. */
  readonly protection?: ApduProtection | undefined;
  /** Present: context with ciphering. Absent: context without. */
  readonly ciphering?: ClientCiphering | undefined;
  /** General-ciphering and general-signing; in a context with ciphering only. */
  readonly general?: GeneralUse | undefined;
  /** The client's system title where there is no `protection` (`hls-sha256`). */
  readonly systemTitle?: SystemTitle;
  /** Draws a challenge of 8 to 64 octets. */
  readonly challenge: () => Uint8Array;
  /** Nothing is exchanged to associate: the meter counts us as associated always. */
  readonly preEstablished?: boolean | undefined;
  readonly conformance?: Conformance | undefined;
  /** Services that the meter has although it does not negotiate them. */
  readonly assumedConformance?: Conformance | undefined;
  /** Octets; 0 says that there is no limit. Longer APDUs are taken up to LIMITS.apduLength all the same. */
  readonly maxReceivePduSize?: number;
  /** Identification of the client's user, 0 to 255 (calling-AE-invocation-id). */
  readonly userId?: number | undefined;
  readonly responseTimeoutMs?: number;
  /**
   * How often a GET without any answer is made anew, and the association from its beginning, for links that lose APDUs;
   * each with an invocation counter of its own.
   */
  readonly repeatReads?: number;
  /** How long to wait for the next general block before asking again. */
  readonly blockTimeoutMs?: number;
  readonly releaseTimeoutMs?: number;
  readonly release?: ReleaseHabit | undefined;
  readonly generalBlocks?: GeneralBlockUse;
  /** General blocks that the server may send without being acknowledged, 1 to 63. */
  readonly generalBlockWindow?: number;
  readonly highPriority?: boolean;
  readonly tolerate?: readonly ClientTolerance[] | undefined;
}

const RESPONSE_TIMEOUT_MS = 30_000;
const BLOCK_TIMEOUT_MS = 5000;
const RELEASE_TIMEOUT_MS = 5000;

/** How long is waited for what, with the defaults. */
export function clientTimeouts(settings: ClientSettings) {
  return {
    answerMs: settings.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS,
    blockMs: settings.blockTimeoutMs ?? BLOCK_TIMEOUT_MS,
    releaseMs: settings.releaseTimeoutMs ?? RELEASE_TIMEOUT_MS,
  };
}
