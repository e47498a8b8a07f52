/** From the configuration of an association and its secrets to the settings of the client machine. */
import type { ClientAuthentication, ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { GeneralUse } from "../../../protocol/association/general-use.ts";
import { REFERENCING as REFERENCING_FACTS } from "../../../protocol/association/referencing.ts";
import type { Conformance } from "../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { GeneralProtection } from "../../../protocol/security/general-protection.ts";
import type { HlsFormula } from "../../../protocol/security/hls.ts";
import { digestFormula } from "../../../protocol/security/hls-formula.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import type { AssociationConfig } from "../../config/schema.ts";
import type { MeterSecrets } from "./meter-secrets.ts";
import { quirkyClient, quirkyProtection } from "./quirk-settings.ts";
import { SYSTEM_ENVIRONMENT } from "./visit-environment.ts";

/** The names of the configuration are those of the field; the machine's are the standard's. */
const MECHANISMS = {
  "hls-2": "hls",
  "hls-3": "hls-md5",
  "hls-4": "hls-sha1",
  "hls-5": "hls-gmac",
  "hls-6": "hls-sha256",
  "hls-7": "hls-ecdsa",
} as const;

const REFERENCING = { ln: "logical-name", sn: "short-name" } as const;
const WITH_GENERAL_BLOCKS = { ln: withGeneralBlocks("ln"), sn: withGeneralBlocks("sn") };
const NO_QUIRKS: ReadonlySet<MeterQuirk> = new Set();
const CHALLENGE_LENGTH = 16;
/** HLS 7 wants at least this. */
const SIGNED_CHALLENGE_LENGTH = 32;
const TRANSACTION_ID_LENGTH = 8;
/** Some meters take printable challenges only. */
const FIRST_PRINTABLE = 0x21;
const AFTER_LAST_PRINTABLE = 0x7f;
const DEDICATED_KEY_LENGTHS = { 0: 16, 1: 16, 2: 32 } as const;

export interface AssociationContext {
  readonly association: AssociationConfig;
  readonly secrets: MeterSecrets;
  readonly maxReceivePduSize: number;
  readonly responseTimeoutMs: number;
  readonly repeatReads?: number;
  /** What the meter's protection does otherwise. */
  readonly quirks?: ReadonlySet<MeterQuirk>;
  readonly randomOctets?: (length: number) => Uint8Array;
  /** Milliseconds since 1970; the system's when absent. */
  readonly nowMs?: () => number;
  /** Gives each counter once; asked only where the association is ciphered or authenticates by GMAC. */
  readonly nextInvocationCounter: () => number;
}

/** Throws an Error that names what the configuration lacks for its mechanism. */
export function associationSettings(context: AssociationContext): ClientSettings {
  const { association, maxReceivePduSize, responseTimeoutMs, repeatReads = 0, quirks = NO_QUIRKS } = context;
  const { mechanism, referencing, generalBlocks } = association;
  const randomOctets = randomOctetsOf(context);
  const protection = protectionOf(context);
  const { tolerate, release = association.release, assumedConformance } = quirkyClient(quirks);
  return {
    authentication: authenticationOf(context),
    referencing: REFERENCING[referencing],
    challenge: () => printable(randomOctets(mechanism === "hls-7" ? SIGNED_CHALLENGE_LENGTH : CHALLENGE_LENGTH)),
    preEstablished: association.preEstablished,
    release,
    userId: association.userId,
    conformance: generalBlocks === "never" ? undefined : WITH_GENERAL_BLOCKS[referencing],
    assumedConformance,
    generalBlocks,
    generalBlockWindow: association.generalBlockWindow,
    maxReceivePduSize,
    responseTimeoutMs,
    repeatReads,
    tolerate,
    protection,
    ciphering: cipheringOf(context),
    general: protection && generalUse(context, protection),
  };
}

function cipheringOf(context: AssociationContext): ClientSettings["ciphering"] {
  const { security } = context.association;
  if (security === undefined || security.protection === "none") return undefined;
  const randomOctets = randomOctetsOf(context);
  return {
    request: security.protection,
    form: security.general ? "general" : "service-specific",
    dedicatedKey: security.dedicatedKey ? () => randomDedicatedKey(security.suite, randomOctets) : undefined,
  };
}

/** General-ciphering and general-signing, where the configuration wants any of them. */
function generalUse(context: AssociationContext, protection: ApduProtection): GeneralUse | undefined {
  const { security } = context.association;
  const { secrets, nextInvocationCounter } = context;
  const randomOctets = randomOctetsOf(context);
  if (security?.generalCiphering === undefined && security?.sign !== true) return undefined;
  const { generalCiphering: scheme, sign } = security;
  const { blockCipherKey, authenticationKey, masterKey } = secrets;
  const keys = {
    ...(blockCipherKey && { blockCipherKey }),
    ...(authenticationKey && { authenticationKey }),
    ...(masterKey && { masterKey }),
    ...(secrets.signingKey && { ownSigningKey: secrets.signingKey }),
    ...(secrets.serverSigningKey && { peerSigningKey: secrets.serverSigningKey }),
    ...(secrets.agreementKey && { ownAgreementKey: secrets.agreementKey }),
    ...(secrets.serverAgreementKey && { peerAgreementKey: secrets.serverAgreementKey }),
  };
  const general = new GeneralProtection({
    protection,
    keys,
    nextInvocationCounter,
    randomOctets,
    aad: security.tagCovers === "keys" ? "without-header" : "with-header",
    tolerateOtherAad: security.tagCovers === "either",
    kdfIdentifier: security.keyDerivation,
    ephemeralSignature: security.ephemeralSignatureCovers,
    signedContent: security.signatureCovers === "content" ? "without-length" : "with-length",
  });
  const transactionId = () => randomOctets(TRANSACTION_ID_LENGTH);
  return { protection: general, sign, transactionId, ...(scheme && { scheme }) };
}

function withGeneralBlocks(referencing: keyof typeof REFERENCING): Conformance {
  return new Set([...REFERENCING_FACTS[REFERENCING[referencing]].conformance, "general-block-transfer"]);
}

/** The public client: no authentication, no ciphering. */
export function publicClientSettings(
  { referencing }: Pick<AssociationConfig, "referencing">,
  responseTimeoutMs: number,
  randomOctets = SYSTEM_ENVIRONMENT.randomOctets,
): ClientSettings {
  return {
    authentication: { mechanism: "none" },
    referencing: REFERENCING[referencing],
    challenge: () => printable(randomOctets(CHALLENGE_LENGTH)),
    responseTimeoutMs,
  };
}

function authenticationOf(context: AssociationContext): ClientAuthentication {
  const { association, secrets, nowMs = () => SYSTEM_ENVIRONMENT.clock.now() } = context;
  const { mechanism } = association;
  if (mechanism === "none") return { mechanism: "none" };
  if (mechanism === "lls") return { mechanism: "lls", password: required(secrets.secret, mechanism, "secret") };
  const name = MECHANISMS[mechanism];
  if (name === "hls-ecdsa") return signedAuthentication(secrets, nowMs);
  if (name === "hls-gmac") {
    required(association.security, mechanism, "security");
    return { mechanism: name };
  }
  const secret = required(secrets.secret, mechanism, "secret");
  const { blockPadding, hlsFormula } = association;
  if (name !== "hls") return { mechanism: name, secret };
  return { mechanism: name, secret, ecbPadding: blockPadding, ...(hlsFormula && { formula: formulaOf(hlsFormula) }) };
}

/** The meter's key is given, or comes with a certificate that an authority vouches for. */
function signedAuthentication(secrets: MeterSecrets, nowMs: () => number): ClientAuthentication {
  const { signingKey, serverSigningKey, certificate, authority } = secrets;
  if (authority === undefined) required(serverSigningKey, "hls-7", "security.serverSigningKey");
  return {
    mechanism: "hls-ecdsa",
    signingKey: required(signingKey, "hls-7", "security.signingKey"),
    ...(serverSigningKey && { serverSigningKey }),
    ...(certificate && { certificate: certificate.octets }),
    ...(authority && { trust: { authorities: [authority], nowMs } }),
  };
}

function formulaOf({ digest, over, length }: NonNullable<AssociationConfig["hlsFormula"]>): HlsFormula {
  return digestFormula({ digest, over, ...(length !== undefined && { length }) });
}

function protectionOf(context: AssociationContext): ApduProtection | undefined {
  const { association, secrets, nextInvocationCounter, quirks = NO_QUIRKS } = context;
  const { security } = association;
  if (security === undefined) return undefined;
  const { blockCipherKey, authenticationKey } = secrets;
  const { serverSystemTitle, protection } = security;
  return new ApduProtection({
    suite: security.suite,
    ownSystemTitle: systemTitle(fromHex(security.clientSystemTitle)),
    peerSystemTitle: serverSystemTitle === undefined ? undefined : systemTitle(fromHex(serverSystemTitle)),
    keys: {
      ...(blockCipherKey === undefined ? {} : { blockCipherKey }),
      ...(authenticationKey === undefined ? {} : { authenticationKey }),
    },
    nextInvocationCounter,
    minimum: protection === "none" ? undefined : { sent: protection, received: protection },
    ...quirkyProtection(quirks),
  });
}

function required<T>(value: T | undefined, mechanism: string, field: string): T {
  if (value === undefined) throw new Error(`mechanism ${mechanism} needs association.${field} in the configuration`);
  return value;
}

function printable(octets: Uint8Array): Uint8Array {
  return octets.map((octet) => FIRST_PRINTABLE + (octet % (AFTER_LAST_PRINTABLE - FIRST_PRINTABLE)));
}

function randomDedicatedKey(suite: 0 | 1 | 2, randomOctets: (length: number) => Uint8Array): SecretKey<"dedicatedKey"> {
  return new SecretKey("dedicatedKey", randomOctets(DEDICATED_KEY_LENGTHS[suite]));
}

function randomOctetsOf({ randomOctets = SYSTEM_ENVIRONMENT.randomOctets }: AssociationContext) {
  return randomOctets;
}
