/** What a client awaits in each state, and what counts as an answer, as a refusal, as noise. */
import type { Apdu } from "../../apdu/apdu.ts";
import { invokeIdAndPriority, longInvokeIdAndPriority } from "../../apdu/invoke-id.ts";
import { APDUS, type ApduName, cipheredTagsOf } from "../../apdu/registry.ts";
import { DlmsError } from "../../errors.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import type { Referencing } from "../referencing.ts";
import { REFERENCING } from "../referencing.ts";
import type { FailureEvidence, FailureStage } from "./client-events.ts";
import type { ClientState, ClientTransition } from "./client-states.ts";

/** At which stage a failure counts in a state, and where it leads. */
export interface Awaiting {
  readonly stage: FailureStage;
  readonly refused: ClientTransition;
  readonly unanswered: ClientTransition;
}

/** States in which nothing is awaited are not here. */
const AWAITING: Readonly<Partial<Record<ClientState, Awaiting>>> = {
  associating: { stage: "association", refused: "aareRefused", unanswered: "unanswered" },
  authenticating: { stage: "hls", refused: "hlsFailed", unanswered: "unanswered" },
  requesting: { stage: "request", refused: "failed", unanswered: "failed" },
  releasing: { stage: "release", refused: "refused", unanswered: "unanswered" },
};

/** What is awaited in a state; undefined where nothing is. `ambiguous`: a late answer could be any request's. */
export function awaitingIn(state: ClientState, ambiguous: boolean): Awaiting | undefined {
  const awaiting = AWAITING[state];
  if (state !== "requesting" || awaiting === undefined || !ambiguous) return awaiting;
  // A late answer would be taken for that of the next request: the association can't go on.
  return { ...awaiting, unanswered: "answerLost" };
}

const AARE: readonly ApduName[] = ["aare"];
const RLRE: readonly ApduName[] = ["rlre"];

/** Which APDUs answer in a state, when it is not a service that is under way. */
export function awaitedNames(state: ClientState, referencing: Referencing): readonly ApduName[] {
  switch (state) {
    case "associating":
      return AARE;
    case "authenticating":
      return REFERENCING[referencing].hlsAnswers;
    case "releasing":
      return RLRE;
    default:
      return [];
  }
}

/** Tags that may hold any answer. */
const GENERAL_TAGS: ReadonlySet<number> = new Set([
  APDUS["general-glo-ciphering"][0],
  APDUS["general-ded-ciphering"][0],
  APDUS["general-ciphering"][0],
  APDUS["general-signing"][0],
  APDUS["general-block-transfer"][0],
]);

/** Whether octets that can't be read were meant as the answer, as far as their first octet tells. */
export function isMeantAs(name: ApduName, octets: Uint8Array): boolean {
  const [tag] = octets;
  if (tag === undefined) return false;
  const plainTag = APDUS[name][0];
  const ciphered = cipheredTagsOf(plainTag);
  if (tag === plainTag || tag === ciphered?.glo || tag === ciphered?.ded) return true;
  return ciphered !== undefined && GENERAL_TAGS.has(tag);
}

/** The invoke-id that an answer gives back; undefined where it has none. */
export function invokeIdOf({ body }: Apdu): number | undefined {
  if ("invokeIdAndPriority" in body) return invokeIdAndPriority(body.invokeIdAndPriority).invokeId;
  if ("longInvokeIdAndPriority" in body) return longInvokeIdAndPriority(body.longInvokeIdAndPriority).longInvokeId;
  return undefined;
}

export interface Refusal {
  readonly error: DlmsError;
  readonly evidence: FailureEvidence;
}

/** Whether a refusal says that the service is not there, rather than that something in the request was wrong. */
export function refusesService({ evidence }: Refusal): boolean {
  if (evidence.type === "serviceError") return evidence.serviceError.error.type === "service";
  if (evidence.type !== "exception") return false;
  const { serviceError } = evidence.exception;
  return serviceError === "service-not-supported" || serviceError === "operation-not-possible";
}

/** An APDU that refuses whatever is under way, as an error with its evidence; undefined when it is none. */
export function refusalIn(apdu: Apdu): Refusal | undefined {
  if (apdu.apdu === "exception-response") {
    const { stateError, serviceError } = apdu.body;
    const error = new DlmsError("SERVICE_REFUSED", "peer", { stateError, serviceError });
    return { error, evidence: { type: "exception", exception: apdu.body } };
  }
  if (apdu.apdu === "confirmed-service-error") {
    const { service, error: reason } = apdu.body;
    const error = new DlmsError("SERVICE_REFUSED", "peer", { service, error: `${reason.type}: ${reason.code}` });
    return { error, evidence: { type: "serviceError", serviceError: apdu.body } };
  }
  return undefined;
}

/** What there is to see of octets that could not be read. */
export function faultEvidence(octets: Uint8Array | undefined): FailureEvidence {
  const isCiphered = octets?.[0] !== undefined && isCipheredTag(octets[0]);
  return isCiphered ? { type: "fault", ciphered: octets } : { type: "fault" };
}
