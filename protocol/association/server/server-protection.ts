/** How a server takes protection off requests and puts it on answers: an answer is protected like its request, or more. */
import { DlmsError } from "../../errors.ts";
import type { CipheredForm, KeySet } from "../../security/ciphered-apdu.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import { isGeneralTag } from "../../security/general-apdu.ts";
import { PROTECTIONS, type Protection, strongerProtection } from "../../security/security-control.ts";
import { answeringWrap, type GeneralWrap, wrapGeneral, wrapOverhead } from "../general-use.ts";
import type { AssociationSecurity } from "./association-rule.ts";

/** The protection that an answer must have. */
export interface Protector {
  readonly security: AssociationSecurity;
  readonly control: Protection;
  readonly form: CipheredForm;
  readonly keySet: KeySet;
  /** For the answer to a request that came wrapped. */
  readonly wrap?: GeneralWrap;
}

export interface UnprotectedRequest {
  readonly apdu: Uint8Array;
  readonly protector: Protector | undefined;
  readonly signed: boolean;
  /**
   * To be called once the request has proved to be an APDU. Without a tag nothing else vouches for the counter: only a
   * request that makes sense was made with the key.
   */
  readonly settle: () => void;
}

/**
 * A plain request and how to protect its answer. Throws what the protection room throws: a wrong tag, an old counter,
 * protection that is weaker than the policy.
 */
export function unprotectRequest(octets: Uint8Array, security: AssociationSecurity | undefined): UnprotectedRequest {
  if (security === undefined) return { apdu: octets, protector: undefined, signed: false, settle: nothing };
  const { protection } = security;
  if (isGeneralTag(octets[0])) return unwrapRequest(octets, security);
  if (octets[0] === undefined || !isCipheredTag(octets[0])) {
    protection.admitPlain(octets);
    return { apdu: octets, protector: responseProtector(security), signed: false, settle: nothing };
  }
  const { apdu, form, keySet, securityControl, invocationCounter, verified } = protection.unprotect(octets);
  const control = strongerProtection(securityControl, responseBits(security));
  const protector = control && {
    security,
    control,
    form,
    keySet: keySet === "dedicated" ? keySet : ("global" as const),
  };
  const settle = verified ? nothing : () => protection.expectInvocationCounter(keySet, invocationCounter + 1);
  return { apdu, protector, signed: false, settle };
}

function unwrapRequest(octets: Uint8Array, security: AssociationSecurity): UnprotectedRequest {
  const { general, protection } = security;
  if (general === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "peer", { key: "general protection" });
  const { apdu, layers } = general.unprotect(octets);
  const sealed = layers.filter((layer) => "securityControl" in layer);
  protection.admit(sealed);
  const wrap = answeringWrap(layers);
  const own = sealed.find((layer) => "keySet" in layer);
  const control = strongerProtection(responseBits(security), ...sealed.map((layer) => layer.securityControl));
  const protector = control && {
    security,
    control,
    form: own?.form ?? ("general" as const),
    keySet: own?.keySet === "dedicated" ? own.keySet : ("global" as const),
    ...(wrap && { wrap }),
  };
  // Without a tag nothing vouches for the counter, and a wrap has no window that could be moved afterwards.
  return { apdu, protector, signed: wrap?.sign === true, settle: nothing };
}

function responseBits({ response }: AssociationSecurity) {
  return response && PROTECTIONS[response];
}

function nothing(): void {
  // What has been verified, or was not protected, needs nothing more.
}

/** The protection of what the server sends unasked, or in answer to a plain request. */
export function responseProtector(security: AssociationSecurity): Protector | undefined {
  const control = security.response;
  return control && { security, control, form: "service-specific", keySet: "global" };
}

export function protectReply(apdu: Uint8Array, protector: Protector | undefined): Uint8Array {
  if (protector === undefined) return apdu;
  const { security, control, form, keySet, wrap } = protector;
  const seal = () => security.protection.protect(apdu, { control, form, keySet });
  if (wrap === undefined || security.general === undefined) return seal();
  return wrapGeneral(apdu, control, { ...wrap, protection: security.general }, seal);
}

const TAG_AND_LENGTH = 5;
const GENERAL_TITLE = 9;
const CONTROL_AND_COUNTER = 5;
const GCM_TAG = 12;

/** Octets that protection adds to an APDU, at most. */
export function protectionOverhead(protector: Protector | undefined): number {
  if (protector === undefined) return 0;
  const tag = PROTECTIONS[protector.control].authenticated ? GCM_TAG : 0;
  const general = protector.form === "general" ? GENERAL_TITLE : 0;
  return TAG_AND_LENGTH + CONTROL_AND_COUNTER + tag + general + wrapOverhead(protector.wrap ?? {});
}
