/** How a client opens an association: the AARQ, what an AARE says, and the HLS exchange (IEC 62056-5-3, A-ASSOCIATE). */
import type { ActionOutcome } from "../../apdu/action.ts";
import { type Apdu, type ApduOf, decodeApdu, encodeApdu } from "../../apdu/apdu.ts";
import type { ConfirmedServiceError } from "../../apdu/confirmed-service-error.ts";
import { DLMS_VERSION, type InitiateResponse } from "../../apdu/initiate.ts";
import { actionResultFor } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import { type Aare, type Aarq, AUTHENTICATION_REQUIREMENT } from "../../ber/association.ts";
import type { ApplicationContextName } from "../../ber/names.ts";
import { DlmsError } from "../../errors.ts";
import { FIELD_QUIRKS, type Quirk } from "../../quirks.ts";
import type { ProtectionWarning } from "../../security/apdu-protection.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import type { EllipticPublicKey } from "../../security/elliptic-key.ts";
import { type HlsInputs, hlsReply, hlsVerify } from "../../security/hls.ts";
import type { DedicatedKey } from "../../security/secret-key.ts";
import { isSystemTitle, type SystemTitle, sameTitle, systemTitle } from "../../security/system-title.ts";
import {
  ASSOCIATION_LN,
  authenticationOctets,
  CURRENT_ASSOCIATION,
  holdsTitles,
  isHls,
  REPLY_TO_HLS,
  REPLY_TO_HLS_NAME,
} from "../authentication.ts";
import { carriedSigningKey } from "../carried-certificate.ts";
import { unexpected } from "../exchanges/service-exchange.ts";
import { REFERENCING } from "../referencing.ts";
import type { Agreement, FailureEvidence } from "./client-events.ts";
import type { ClientLeniency, ClientSettings } from "./client-settings.ts";

/** What one wrapper PDU holds. */
const DEFAULT_MAX_RECEIVE_PDU_SIZE = 0xffff;
/** Has no meaning where a method is invoked. */
const NO_SELECTOR = 0;
const NO_OCTETS = new Uint8Array(0);
const ANSWERED_TWICE: ReadonlySet<Quirk> = new Set([...FIELD_QUIRKS, "trailing-octets"]);

/** What an answer means for the opening, and the step of the client's state that it is. */
export type OpeningVerdict =
  | {
      readonly type: "accepted";
      readonly agreement: Agreement;
      readonly transition: "aareAccepted" | "hlsConfirmed";
    }
  /** The server's challenge wants a reply. */
  | { readonly type: "challenged"; readonly agreement: Agreement; readonly transition: "aareHlsPending" }
  | { readonly type: "refused"; readonly evidence: FailureEvidence; readonly error: DlmsError };

/** One attempt to associate: draws the challenge and the dedicated key, and remembers them until it has ended. */
export class ClientOpening {
  readonly #settings: ClientSettings;
  readonly #note: (leniency: ClientLeniency | ProtectionWarning) => void;
  readonly #challenge: Uint8Array;
  readonly #dedicatedKey: DedicatedKey | undefined;
  #peerChallenge: Uint8Array | undefined;
  #serverTitle: SystemTitle | undefined;
  #agreement: Agreement | undefined;
  #serverSigningKey: EllipticPublicKey | undefined;
  #written = false;

  constructor(settings: ClientSettings, note: (leniency: ClientLeniency | ProtectionWarning) => void) {
    this.#settings = settings;
    this.#note = note;
    this.#challenge = isHls(settings.authentication.mechanism) ? settings.challenge() : NO_OCTETS;
    this.#dedicatedKey = settings.ciphering?.dedicatedKey?.();
    this.#serverTitle = settings.protection?.peerSystemTitle;
  }

  /** The key that this attempt offered; in force once the server has accepted it. */
  get dedicatedKey(): DedicatedKey | undefined {
    return this.#dedicatedKey;
  }

  aarq(): ApduOf<"aarq"> {
    const { authentication, protection, ciphering, systemTitle: plainTitle, userId } = this.#settings;
    const { mechanism } = authentication;
    const needsTitle = ciphering !== undefined || holdsTitles(mechanism);
    const title = protection?.ownSystemTitle ?? plainTitle;
    if (needsTitle && title === undefined) throw new DlmsError("HLS_INPUT_MISSING", "caller", { input: "systemTitle" });
    const body: Aarq = {
      applicationContextName: this.#contextName(),
      ...(needsTitle && title !== undefined && { callingApTitle: title }),
      ...("certificate" in authentication && { callingAeQualifier: authentication.certificate }),
      ...(userId !== undefined && { callingAeInvocationId: userId }),
      ...(mechanism !== "none" && {
        senderAcseRequirements: AUTHENTICATION_REQUIREMENT,
        mechanismName: mechanism,
        callingAuthenticationValue: { type: "charstring", value: this.#authenticationValue() },
      }),
      userInformation: protectedInitiate(this.#settings, this.#dedicatedKey),
    };
    return { apdu: "aarq", body };
  }

  /** Takes the AARE or the server's reply to our challenge. Throws when either is wrong. */
  judge(answer: Apdu): OpeningVerdict {
    if (answer.apdu === "aare") return this.#judgeAare(answer.body);
    if (this.#agreement === undefined) throw unexpected(answer.apdu);
    const verdict = this.#verify(answer);
    if (verdict === "confirmed") {
      return { type: "accepted", agreement: this.#agreement, transition: "hlsConfirmed" };
    }
    const error = new DlmsError("ASSOCIATION_REFUSED", "peer", { replyToHls: verdict.result });
    return { type: "refused", error, evidence: verdict };
  }

  /** Pass 3: our reply to the server's challenge. */
  reply(invokeIdAndPriority: number): ApduOf<"action-request" | "read-request"> {
    const parameters = this.#replyValue();
    if (this.#settings.referencing === "short-name") {
      const variable = { variableName: REPLY_TO_HLS_NAME, selector: NO_SELECTOR, parameter: parameters } as const;
      return { apdu: "read-request", body: { variables: [{ type: "parameterized-access", ...variable }] } };
    }
    const method = { classId: ASSOCIATION_LN, logicalName: CURRENT_ASSOCIATION, methodId: REPLY_TO_HLS };
    return { apdu: "action-request", body: { type: "normal", invokeIdAndPriority, method, parameters } };
  }

  /** Pass 3 for servers with short names that let the method be written only; undefined when that has been tried. */
  otherReply(): ApduOf<"write-request"> | undefined {
    if (this.#settings.referencing !== "short-name" || this.#written) return undefined;
    this.#written = true;
    const variables = [{ type: "variable-name", variableName: REPLY_TO_HLS_NAME }] as const;
    return { apdu: "write-request", body: { variables, values: [this.#replyValue()] } };
  }

  /** Servers that let the method be written answer twice in one: with what it gives back, and that it was written. */
  get tolerated(): ReadonlySet<Quirk> | undefined {
    return this.#written ? ANSWERED_TWICE : undefined;
  }

  /** Result and diagnostic are looked at first: a refusal may lack everything else. */
  #judgeAare(aare: Aare): OpeningVerdict {
    const { diagnostic } = aare.resultSourceDiagnostic;
    const challenge = authenticationOctets(aare.respondingAuthenticationValue);
    const expectsChallenge = isHls(this.#settings.authentication.mechanism);
    if (aare.result !== "accepted") return this.#refused(aare);
    if (diagnostic === "authentication-required" && !expectsChallenge) return this.#refused(aare);
    this.#compareNames(aare);
    this.#learnTitle(aare);
    this.#learnSigningKey(aare);
    const initiated = this.#readInitiate(aare);
    if (initiated.apdu === "confirmed-service-error") return this.#refused(aare, initiated.body);
    const agreement = this.#agreementOn(initiated.body);
    if (!expectsChallenge) return { type: "accepted", agreement, transition: "aareAccepted" };
    if (challenge === undefined) throw new DlmsError("HLS_NO_CHALLENGE", "peer", { diagnostic });
    if (diagnostic !== "authentication-required") this.#note("hls-without-diagnostic");
    this.#peerChallenge = new Uint8Array(challenge);
    this.#agreement = agreement;
    return { type: "challenged", agreement, transition: "aareHlsPending" };
  }

  /** Pass 4: whether the server took our reply and knows the secret as well. */
  #verify(answer: Apdu): "confirmed" | Extract<FailureEvidence, { type: "replyRefused" }> {
    const outcome = outcomeIn(answer);
    if (outcome === undefined) throw unexpected(answer.apdu);
    if (outcome.result !== "success") return { type: "replyRefused", result: outcome.result };
    const parameters = outcome.returnParameters;
    if (parameters?.type === "data" && parameters.data.type === "octet-string") {
      hlsVerify(this.#settings.authentication.mechanism, parameters.data.value, this.#hlsInputs());
      return "confirmed";
    }
    const missing = parameters === undefined || (parameters.type === "data" && parameters.data.type === "null-data");
    if (!missing || this.#settings.tolerate?.includes("pass4-missing") !== true) {
      throw new DlmsError("HLS_REPLY_MISMATCH", "peer", {
        mechanism: this.#settings.authentication.mechanism,
        missing,
      });
    }
    this.#note("pass4-missing");
    return "confirmed";
  }

  #replyValue(): Data {
    const value = hlsReply(this.#settings.authentication.mechanism, this.#hlsInputs());
    return { type: "octet-string", value };
  }

  #contextName(): ApplicationContextName {
    const { plainContext, cipheredContext } = factsOf(this.#settings);
    return this.#settings.ciphering === undefined ? plainContext : cipheredContext;
  }

  #authenticationValue(): Uint8Array {
    const { authentication } = this.#settings;
    return authentication.mechanism === "lls" ? authentication.password.reveal() : this.#challenge;
  }

  #refused(aare: Aare, found?: ConfirmedServiceError): OpeningVerdict {
    const { result, resultSourceDiagnostic: diagnostic } = aare;
    const serviceError = found ?? this.#serviceErrorOf(aare);
    const evidence = { type: "refused", result, diagnostic, ...(serviceError && { serviceError }) } as const;
    const error = new DlmsError("ASSOCIATION_REFUSED", "peer", {
      result,
      source: diagnostic.type,
      diagnostic: diagnostic.diagnostic,
      ...(serviceError && { serviceError: `${serviceError.error.type}: ${serviceError.error.code}` }),
    });
    return { type: "refused", evidence, error };
  }

  /** The reason inside of a refusal, if it can be read: what can't is no second failure. */
  #serviceErrorOf(aare: Aare): ConfirmedServiceError | undefined {
    try {
      const initiated = aare.userInformation && this.#readInitiate(aare);
      return initiated?.apdu === "confirmed-service-error" ? initiated.body : undefined;
    } catch (error) {
      if (error instanceof DlmsError) return undefined;
      throw error;
    }
  }

  #compareNames(aare: Aare): void {
    if (aare.applicationContextName !== this.#contextName()) this.#note("context-not-echoed");
    const { mechanism } = this.#settings.authentication;
    if (aare.mechanismName !== undefined && aare.mechanismName !== mechanism) this.#note("mechanism-not-echoed");
  }

  /** Some tell it where nothing asks for it: a wrong one harms nothing there. */
  #learnTitle({ respondingApTitle = NO_OCTETS }: Aare): void {
    const { protection, authentication, ciphering } = this.#settings;
    const isNeeded = ciphering !== undefined || holdsTitles(authentication.mechanism);
    if (isNeeded && respondingApTitle.length === 0) this.#note("title-missing");
    if (respondingApTitle.length === 0 || (!isNeeded && !isSystemTitle(respondingApTitle))) return;
    const title = systemTitle(respondingApTitle, "peer");
    if (this.#serverTitle !== undefined && !sameTitle(title, this.#serverTitle)) this.#note("title-changed");
    this.#serverTitle = title;
    protection?.learnPeerSystemTitle(title);
  }

  /** A key that is given beforehand is the one that counts. */
  #learnSigningKey({ respondingAeQualifier }: Aare): void {
    const { authentication } = this.#settings;
    if (authentication.mechanism !== "hls-ecdsa" || authentication.serverSigningKey !== undefined) return;
    this.#serverSigningKey = carriedSigningKey(respondingAeQualifier, authentication.trust, this.#serverTitle);
  }

  #readInitiate(aare: Aare): ApduOf<"initiate-response" | "confirmed-service-error"> {
    const { ciphering, protection, tolerate } = this.#settings;
    const octets = aare.userInformation;
    if (octets === undefined) throw new DlmsError("ASSOCIATION_INVALID", "peer", { missing: "user-information" });
    const ciphered = octets[0] !== undefined && isCipheredTag(octets[0]);
    if (ciphered && protection === undefined) {
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" });
    }
    const opened = ciphered ? protection?.unprotect(octets) : undefined;
    for (const warning of opened?.warnings ?? []) this.#note(warning);
    const initiated = decodeApdu(opened?.apdu ?? octets);
    if (initiated.apdu === "confirmed-service-error") return initiated;
    if (initiated.apdu !== "initiate-response") {
      throw new DlmsError("ASSOCIATION_INVALID", "peer", { userInformation: initiated.apdu });
    }
    if (!ciphered && ciphering !== undefined) {
      if (tolerate?.includes("plain-response") !== true) {
        throw new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", "peer", { apdu: initiated.apdu, protection: "none" });
      }
      this.#note("plain-response");
    }
    return initiated;
  }

  #agreementOn(response: InitiateResponse): Agreement {
    const { conformance, assumedConformance = new Set() } = this.#settings;
    const proposed = conformance ?? factsOf(this.#settings).conformance;
    if (response.negotiatedDlmsVersion < DLMS_VERSION) this.#note("version-low");
    const granted = new Set(assumedConformance);
    for (const bit of response.negotiatedConformance) if (proposed.has(bit)) granted.add(bit);
    return {
      conformance: granted,
      serverMaxReceivePduSize: response.serverMaxReceivePduSize,
      dlmsVersion: response.negotiatedDlmsVersion,
      serverSystemTitle: this.#serverTitle,
    };
  }

  #hlsInputs(): HlsInputs {
    const { authentication, protection } = this.#settings;
    if (this.#peerChallenge === undefined) throw new DlmsError("HLS_NO_CHALLENGE", "caller", {});
    const ownSystemTitle = protection?.ownSystemTitle ?? this.#settings.systemTitle;
    const peerSystemTitle = protection?.peerSystemTitle ?? this.#serverTitle;
    return {
      ownChallenge: this.#challenge,
      peerChallenge: this.#peerChallenge,
      ...("secret" in authentication && { secret: authentication.secret }),
      ...("ecbPadding" in authentication && { ecbPadding: authentication.ecbPadding }),
      ...("formula" in authentication && { formula: authentication.formula }),
      ...("signingKey" in authentication && { ownSigningKey: authentication.signingKey }),
      ...("serverSigningKey" in authentication && { peerSigningKey: authentication.serverSigningKey }),
      ...(this.#serverSigningKey && { peerSigningKey: this.#serverSigningKey }),
      ...(ownSystemTitle !== undefined && { ownSystemTitle }),
      ...(peerSystemTitle !== undefined && { peerSystemTitle }),
      ...(protection !== undefined && { protection }),
    };
  }
}

function factsOf({ referencing }: ClientSettings): (typeof REFERENCING)["logical-name"] {
  return REFERENCING[referencing ?? "logical-name"];
}

/** The outcome of the method in either referencing; undefined for an APDU that answers something else. */
function outcomeIn(answer: Apdu): ActionOutcome | undefined {
  if (answer.apdu === "action-response") return answer.body.type === "normal" ? answer.body.outcome : undefined;
  if (answer.apdu !== "read-response" && answer.apdu !== "write-response") return undefined;
  const [result, more] = answer.body.results;
  if (more !== undefined) return undefined;
  if (result?.type === "success") return { result: "success" };
  if (result?.type === "data") return { result: "success", returnParameters: result };
  return result?.type === "data-access-error" ? { result: actionResultFor(result.dataAccessResult) } : undefined;
}

/** What holds with a server that nothing has been negotiated with. */
export function presumedAgreement(settings: ClientSettings): Agreement {
  return {
    conformance: settings.conformance ?? factsOf(settings).conformance,
    serverMaxReceivePduSize: 0,
    dlmsVersion: DLMS_VERSION,
    serverSystemTitle: settings.protection?.peerSystemTitle,
  };
}

/** How leave is taken: the RLRQ of the settings' habit, or undefined where nothing is said. */
export function releaseRequest(settings: ClientSettings): ApduOf<"rlrq"> | undefined {
  const habit = settings.release ?? (settings.ciphering === undefined ? "plain" : "protected");
  if (habit === "none" || settings.preEstablished === true) return undefined;
  if (habit === "plain") return { apdu: "rlrq", body: { reason: "normal" } };
  return { apdu: "rlrq", body: { reason: "normal", userInformation: protectedInitiate(settings) } };
}

/** The xDLMS initiate request, ciphered where the context is: for the AARQ, and for an RLRQ that has to be protected. */
function protectedInitiate(settings: ClientSettings, dedicatedKey?: DedicatedKey): Uint8Array {
  const { ciphering, protection, conformance, maxReceivePduSize } = settings;
  const plain = encodeApdu({
    apdu: "initiate-request",
    body: {
      ...(dedicatedKey !== undefined && { dedicatedKey: dedicatedKey.reveal() }),
      responseAllowed: true,
      proposedDlmsVersion: DLMS_VERSION,
      proposedConformance: conformance ?? factsOf(settings).conformance,
      clientMaxReceivePduSize: maxReceivePduSize ?? DEFAULT_MAX_RECEIVE_PDU_SIZE,
    },
  });
  if (ciphering === undefined) return plain;
  if (protection === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" });
  const requested = ciphering.request === "none" ? undefined : ciphering.request;
  const control = ciphering.initiate ?? requested ?? "authenticated-encrypted";
  return protection.protect(plain, { control, form: "service-specific", keySet: "global" });
}
