/** How a server judges an AARQ (IEC 62056-5-3, A-ASSOCIATE): the AARE that answers it and what has been agreed on. */
import { type ApduOf, decodeApdu, encodeApdu } from "../../apdu/apdu.ts";
import type { SERVICE_ERROR_CODES } from "../../apdu/confirmed-service-error.ts";
import { DLMS_VERSION, type InitiateRequest } from "../../apdu/initiate.ts";
import { APDUS } from "../../apdu/registry.ts";
import {
  type Aare,
  type Aarq,
  AUTHENTICATION_REQUIREMENT,
  requiresAuthentication,
  type SERVICE_USER_DIAGNOSTICS,
} from "../../ber/association.ts";
import { type Conformance, conformanceToNumber } from "../../ber/conformance.ts";
import { type DlmsError, dlmsErrorOf } from "../../errors.ts";
import type { ApduProtection } from "../../security/apdu-protection.ts";
import { passwordMatches } from "../../security/challenge.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import type { EllipticPublicKey } from "../../security/elliptic-key.ts";
import { SecretKey } from "../../security/secret-key.ts";
import { type SystemTitle, sameTitle, systemTitle } from "../../security/system-title.ts";
import { authenticationOctets, holdsTitles, isHls } from "../authentication.ts";
import { carriedSigningKey } from "../carried-certificate.ts";
import { isCipheredContext, REFERENCING, referencingOf } from "../referencing.ts";
import type { AssociationRule, AssociationSecurity } from "./association-rule.ts";
import type { AssociationView } from "./object-server.ts";
import { type Protector, protectReply, unprotectRequest } from "./server-protection.ts";

export type Diagnostic = keyof typeof SERVICE_USER_DIAGNOSTICS;
type InitiateError = keyof (typeof SERVICE_ERROR_CODES)["initiate"];

/** The challenges of an HLS exchange that has begun. */
export interface Challenges {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

export type Negotiation =
  | { readonly type: "accepted"; readonly aare: Aare; readonly view: AssociationView; readonly challenges?: Challenges }
  | { readonly type: "refused"; readonly aare: Aare; readonly diagnostic: Diagnostic; readonly cause?: DlmsError };

export interface NegotiationContext {
  readonly clientSap: number;
  readonly serverSap: number;
  readonly rule: AssociationRule | undefined;
  readonly hasShortNames: boolean;
  readonly randomOctets: (length: number) => Uint8Array;
}

/** The least PDU size in which a block still carries something, protection included. */
const MIN_PDU_SIZE = 48;
const CHALLENGES = { length: 16, min: 8, max: 64 } as const;
const SIGNED_CHALLENGES = { length: 32, min: 32, max: 64 } as const;
const PLAIN_INITIATE = APDUS["initiate-request"][0];

class Refusal {
  readonly diagnostic: Diagnostic;
  readonly initiateError: InitiateError | undefined;
  readonly cause: DlmsError | undefined;

  constructor(diagnostic: Diagnostic, initiateError?: InitiateError, cause?: DlmsError) {
    this.diagnostic = diagnostic;
    this.initiateError = initiateError;
    this.cause = cause;
  }
}

/**
 * Judges an AARQ by a rule. What is wrong with it is in the AARE; only a failure to decipher its user-information is
 * thrown, because servers differ in how they answer that.
 */
export function negotiate(aarq: Aarq, context: NegotiationContext): Negotiation {
  const { rule } = context;
  if (rule === undefined) return refused(aarq, undefined, new Refusal("no-reason-given"));
  const refusal = judgeContext(aarq, rule, context) ?? judgeMechanism(aarq, rule) ?? judgeTitle(aarq, rule);
  if (refusal !== undefined) return refused(aarq, rule, refusal);
  const wrong = judgeAuthentication(aarq, rule);
  if (wrong !== undefined) return refused(aarq, rule, wrong);
  const carried = judgeCertificate(aarq, rule);
  if (carried instanceof Refusal) return refused(aarq, rule, carried);
  const initiate = readInitiate(aarq, rule);
  if (initiate instanceof Refusal) return refused(aarq, rule, initiate);
  const { request, protector } = initiate;
  const conformance = new Set([...request.proposedConformance].filter((bit) => rule.conformance.has(bit)));
  const unfit = judgeInitiate(request, conformance);
  if (unfit !== undefined) return refused(aarq, rule, unfit);
  return accepted(aarq, context, { rule, request, conformance, protector, ...carried });
}

function judgeContext(aarq: Aarq, rule: AssociationRule, { hasShortNames }: NegotiationContext): Refusal | undefined {
  const name = aarq.applicationContextName;
  const known = rule.applicationContexts.includes(name) && (hasShortNames || referencingOf(name) !== "short-name");
  const ciphered = isCiphered(aarq);
  if (known && (!ciphered || rule.security !== undefined)) return undefined;
  return new Refusal("application-context-name-not-supported");
}

function judgeMechanism(aarq: Aarq, rule: AssociationRule): Refusal | undefined {
  const asked = requiresAuthentication(aarq.senderAcseRequirements) ? aarq.mechanismName : undefined;
  if ((asked ?? "none") === rule.mechanism) return undefined;
  return new Refusal(
    asked === undefined ? "authentication-mechanism-name-required" : "authentication-mechanism-name-not-recognised",
  );
}

function judgeTitle(aarq: Aarq, rule: AssociationRule): Refusal | undefined {
  if (!isCiphered(aarq) && !holdsTitles(rule.mechanism)) return undefined;
  try {
    const title = systemTitle(aarq.callingApTitle ?? new Uint8Array(0), "peer");
    if (rule.clientSystemTitle !== undefined && !sameTitle(title, rule.clientSystemTitle)) {
      return new Refusal("calling-ap-title-not-recognized");
    }
    if (rule.security !== undefined) meet(title, rule.security);
    return undefined;
  } catch (error) {
    return new Refusal("calling-ap-title-not-recognized", undefined, dlmsErrorOf(error));
  }
}

/** The association that a rule has without an AARQ; undefined when it has none. */
export function preEstablished({ rule, clientSap, serverSap }: NegotiationContext): AssociationView | undefined {
  const [applicationContext] = rule?.applicationContexts ?? [];
  if (rule?.preEstablished === undefined || applicationContext === undefined) return undefined;
  const { clientSystemTitle, security, conformance, maxReceivePduSize } = rule;
  if (clientSystemTitle !== undefined && security !== undefined) meet(clientSystemTitle, security);
  return {
    rule,
    clientSap,
    serverSap,
    applicationContext,
    conformance,
    maxSendPduSize: rule.preEstablished.maxSendPduSize ?? 0,
    maxReceivePduSize,
    clientSystemTitle: clientSystemTitle ?? security?.protection.peerSystemTitle,
    pending: false,
  };
}

function challengesOf({ mechanism }: AssociationRule): { length: number; min: number; max: number } {
  return mechanism === "hls-ecdsa" ? SIGNED_CHALLENGES : CHALLENGES;
}

function meet(title: SystemTitle, { protection, lowestCounter }: AssociationSecurity): void {
  protection.learnPeerSystemTitle(title);
  if (lowestCounter === undefined || protection.lowestAcceptable("global") !== undefined) return;
  protection.expectInvocationCounter("global", lowestCounter);
}

function judgeAuthentication(aarq: Aarq, rule: AssociationRule): Refusal | undefined {
  if (rule.mechanism === "none") return undefined;
  const value = authenticationValue(aarq);
  if (rule.mechanism === "lls") {
    const right = rule.secret !== undefined && passwordMatches(rule.secret, value);
    return right ? undefined : new Refusal("authentication-failure");
  }
  const { min, max } = challengesOf(rule);
  return value.length >= min && value.length <= max ? undefined : new Refusal("authentication-failure");
}

interface Initiate {
  readonly request: InitiateRequest;
  readonly protector: Protector | undefined;
}

/** The InitiateRequest of the AARQ; how it was protected says how to protect the answer. */
function readInitiate(aarq: Aarq, rule: AssociationRule): Initiate | Refusal {
  const octets = aarq.userInformation;
  if (octets === undefined) return new Refusal("no-reason-given", "other");
  const security = isCiphered(aarq) ? rule.security : undefined;
  if (security === undefined && octets[0] !== undefined && isCipheredTag(octets[0])) {
    return new Refusal("application-context-name-not-supported");
  }
  if (octets[0] === PLAIN_INITIATE && demandsProtection(octets, security)) {
    return new Refusal("no-reason-given", "refused-by-the-vde-handler");
  }
  const { apdu, protector, settle } = unprotectRequest(octets, security);
  try {
    const decoded = decodeApdu(apdu);
    if (decoded.apdu !== "initiate-request") return new Refusal("no-reason-given", "other");
    useDedicatedKey(decoded.body, security);
    settle();
    return { request: decoded.body, protector };
  } catch (error) {
    return new Refusal("no-reason-given", "other", dlmsErrorOf(error));
  }
}

/** Whether the policy forbids an initiate request in clear. */
function demandsProtection(octets: Uint8Array, security: AssociationSecurity | undefined): boolean {
  try {
    security?.protection.admitPlain(octets);
    return false;
  } catch (error) {
    dlmsErrorOf(error);
    return true;
  }
}

function judgeInitiate(request: InitiateRequest, conformance: Conformance): Refusal | undefined {
  if (request.proposedDlmsVersion < DLMS_VERSION) return new Refusal("no-reason-given", "dlms-version-too-low");
  if (conformanceToNumber(conformance) === 0) return new Refusal("no-reason-given", "incompatible-conformance");
  const size = request.clientMaxReceivePduSize;
  return size !== 0 && size < MIN_PDU_SIZE ? new Refusal("no-reason-given", "pdu-size-too-short") : undefined;
}

function useDedicatedKey(request: InitiateRequest, security: AssociationSecurity | undefined): void {
  const octets = request.dedicatedKey;
  const key = octets === undefined ? undefined : new SecretKey("dedicatedKey", octets);
  security?.protection.useDedicatedKey(key);
}

/** The key of a certificate that came along, where the rule takes such. */
function judgeCertificate(aarq: Aarq, rule: AssociationRule): { clientSigningKey?: EllipticPublicKey } | Refusal {
  if (rule.mechanism !== "hls-ecdsa" || rule.clientTrust === undefined) return {};
  try {
    const title = systemTitle(aarq.callingApTitle ?? new Uint8Array(0), "peer");
    const clientSigningKey = carriedSigningKey(aarq.callingAeQualifier, rule.clientTrust, title);
    return clientSigningKey === undefined ? {} : { clientSigningKey };
  } catch (error) {
    return new Refusal("calling-ae-qualifier-not-recognized", undefined, dlmsErrorOf(error));
  }
}

interface Agreement extends Initiate {
  readonly rule: AssociationRule;
  readonly clientSigningKey?: EllipticPublicKey;
  readonly conformance: Conformance;
}

function accepted(aarq: Aarq, context: NegotiationContext, agreement: Agreement): Negotiation {
  const { rule, request, conformance, protector, clientSigningKey } = agreement;
  const named = isCiphered(aarq) || holdsTitles(rule.mechanism);
  const respondingApTitle = named ? (rule.security?.protection.ownSystemTitle ?? rule.systemTitle) : undefined;
  const hls = isHls(rule.mechanism);
  const challenges = hls ? drawChallenges(aarq, rule, context.randomOctets) : undefined;
  const view = {
    rule,
    clientSap: context.clientSap,
    serverSap: context.serverSap,
    applicationContext: aarq.applicationContextName,
    conformance,
    maxSendPduSize: request.clientMaxReceivePduSize,
    maxReceivePduSize: rule.maxReceivePduSize,
    clientSystemTitle: clientTitle(aarq, rule.security?.protection),
    ...(clientSigningKey && { clientSigningKey }),
    pending: hls,
  };
  const aare: Aare = {
    applicationContextName: aarq.applicationContextName,
    result: "accepted",
    resultSourceDiagnostic: {
      type: "acse-service-user",
      diagnostic: hls ? "authentication-required" : "null",
    },
    ...(respondingApTitle && { respondingApTitle }),
    ...(rule.certificate && { respondingAeQualifier: rule.certificate }),
    ...(challenges && {
      responderAcseRequirements: AUTHENTICATION_REQUIREMENT,
      mechanismName: rule.mechanism,
      respondingAuthenticationValue: { type: "charstring", value: challenges.server },
    }),
    userInformation: protectReply(initiateResponse(view), protector),
  };
  return { type: "accepted", aare, view, ...(challenges && { challenges }) };
}

/** The InitiateResponse that says what an association was made on. */
export function initiateResponse(view: AssociationView): Uint8Array {
  const referencing = referencingOf(view.applicationContext) ?? "logical-name";
  return encodeApdu({
    apdu: "initiate-response",
    body: {
      negotiatedDlmsVersion: DLMS_VERSION,
      negotiatedConformance: view.conformance,
      serverMaxReceivePduSize: view.maxReceivePduSize,
      vaaName: REFERENCING[referencing].vaaName,
    },
  });
}

function drawChallenges(aarq: Aarq, rule: AssociationRule, randomOctets: (length: number) => Uint8Array): Challenges {
  const client = new Uint8Array(authenticationValue(aarq));
  return { client, server: randomOctets(rule.challengeLength ?? challengesOf(rule).length) };
}

/** The AARE that says no. */
function refused(aarq: Aarq, rule: AssociationRule | undefined, refusal: Refusal): Negotiation {
  const { diagnostic, initiateError, cause } = refusal;
  const known = rule?.applicationContexts.includes(aarq.applicationContextName) ?? true;
  const aare: Aare = {
    applicationContextName: known
      ? aarq.applicationContextName
      : (rule?.applicationContexts[0] ?? aarq.applicationContextName),
    result: "rejected-permanent",
    resultSourceDiagnostic: { type: "acse-service-user", diagnostic },
    ...(initiateError && { userInformation: encodeApdu(serviceError(initiateError)) }),
  };
  return { type: "refused", aare, diagnostic, ...(cause && { cause }) };
}

/** The refusal of an AARQ whose user-information can't be deciphered. */
export function refusedUndeciphered(aarq: Aarq, rule: AssociationRule, cause: DlmsError): Negotiation {
  return refused(aarq, rule, new Refusal("no-reason-given", undefined, cause));
}

function serviceError(code: InitiateError): ApduOf<"confirmed-service-error"> {
  return {
    apdu: "confirmed-service-error",
    body: { service: "initiate-error", error: { type: "initiate", code } },
  };
}

function isCiphered(aarq: Aarq): boolean {
  return isCipheredContext(aarq.applicationContextName);
}

function authenticationValue(aarq: Aarq): Uint8Array {
  return authenticationOctets(aarq.callingAuthenticationValue) ?? new Uint8Array(0);
}

function clientTitle(aarq: Aarq, protection: ApduProtection | undefined): SystemTitle | undefined {
  if (aarq.callingApTitle?.length !== 8) return protection?.peerSystemTitle;
  return systemTitle(aarq.callingApTitle, "peer");
}
