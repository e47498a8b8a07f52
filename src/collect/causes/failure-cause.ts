/**
 * Why a meter was not read, in words that a field engineer can act on. The causes are a closed list; which evidence means
 * which cause is in tables. Nobody matches on the text of a message.
 */
import { ChannelError, type ChannelErrorCode } from "../../../drivers/channel-error.ts";
import type { SERVICE_ERRORS } from "../../../protocol/apdu/exception-response.ts";
import type { DATA_ACCESS_RESULTS } from "../../../protocol/apdu/result-codes.ts";
import type { FailureEvidence } from "../../../protocol/association/client/client-events.ts";
import type { SERVICE_USER_DIAGNOSTICS } from "../../../protocol/ber/association.ts";
import { DlmsError, type ErrorCode } from "../../../protocol/errors.ts";
import type { Finding } from "../../../protocol/security/diagnosis.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import { BrokenReadError } from "./broken-read.ts";
import { SessionFailedError } from "./session-failure.ts";

/** Every cause: what it says, and what to do next. */
export const FAILURE_CAUSES = {
  address: {
    says: "the meter's address leads nowhere",
    nextStep: "check host name and port in the configuration, and the route to the meter's network",
  },
  "not connected": {
    says: "the meter calls in by itself, and is not connected now",
    nextStep:
      "wait for its next call (`read --wait`); if it does not come, check the address that the meter or modem calls, and its coverage",
  },
  "port refused": {
    says: "the host answers, but does not take the connection",
    nextStep: "check the port; meters that take one connection only refuse the next for minutes: wait and try again",
  },
  "serial port missing": {
    says: "the serial port is not there",
    nextStep:
      "plug the adapter or optical head in; compare the path in the configuration with those in /dev/serial/by-id",
  },
  "serial port taken": {
    says: "the serial port can't be had",
    nextStep: "end the other program that uses it (`fuser` names it), or give this user the right to (group dialout)",
  },
  "wrong address": {
    says: "the line works, but no meter answers at this address",
    nextStep:
      "check physicalAddress, addressLength and the server SAP (with mode E: deviceAddress too) against the meter's",
  },
  "no answer": {
    says: "nothing answers",
    nextStep:
      "check power and coverage of the meter or modem, the link (wrapper or HDLC), both SAPs and the HDLC address; some meters are silent when a key or invocation counter is wrong",
  },
  "connection lost": {
    says: "the connection ended in the middle",
    nextStep:
      "try again; if it always ends at the same point, compare keys, invocation counter and PDU size with the meter's",
  },
  "line noise": {
    says: "octets come, but no frames that make sense",
    nextStep:
      "check the link (wrapper or HDLC), speed and parity of a serial line, and whether a modem speaks in between",
  },
  "opening refused": {
    says: "the meter's identification does not offer HDLC",
    nextStep:
      "use `opening: hdlc` if the meter speaks HDLC at once; one of modes A to D is read with `opening: readout`",
  },
  "association refused": {
    says: "the meter refuses the association",
    nextStep: "check client SAP, authentication mechanism and whether the association is ciphered",
  },
  "wrong password": {
    says: "the meter does not accept the password or secret",
    nextStep: "check the secret of this association; do not try many: meters lock themselves",
  },
  "wrong block key": {
    says: "what one side ciphers the other can't decipher",
    nextStep:
      "check the block cipher key (global unicast encryption key), then the authentication key and both system titles",
  },
  "wrong key or counter": {
    says: "the meter can't decipher, or has seen the invocation counter already: it gives the same answer for both",
    nextStep:
      "name the meter's counter object in `security.invocationCounter`, or read it and raise ours with `dlms-gateway counters raise`; then check the block cipher key",
  },
  "wrong authentication key": {
    says: "the authentication tags don't fit, though the block cipher key does",
    nextStep: "check the authentication key of this meter",
  },
  "wrong system title": {
    says: "a system title is not the one that the other side expects",
    nextStep: "check the client's and the meter's system title; leave the meter's out to have it learned",
  },
  "counter too low": {
    says: "the invocation counter is one that the meter has seen already",
    nextStep:
      "read the meter's counter with the public client and raise ours above it; see that no other head end uses the key",
  },
  "gateway clock": {
    says: "the gateway's own clock is wrong: it is before times that are known",
    nextStep: "set the clock of this machine (see that NTP works); polls wait until it is right",
  },
  "not kept": {
    says: "what was read could not be kept: the database is away, and the spool takes nothing",
    nextStep: "see that the spool's disk is writable and has room; the meter keeps its rows and is asked again",
  },
  "counter implausible": {
    says: "the meter's counter is far above all that we have used, more than is believed of an answer without protection",
    nextStep:
      "find out who else uses the key; if the counter is true, say so with `dlms-gateway counters raise METER --to N`",
  },
  "key used up": {
    says: "no invocation counter is left for the key",
    nextStep: "give the meter a new block cipher key",
  },
  "no counters": {
    says: "no invocation counter is reserved for the key, and the database that keeps them is away",
    nextStep: "bring the database back: counters are reserved by themselves then",
  },
  "database away": {
    says: "the database does not do what this read needs of it",
    nextStep: "see that the database runs and what it says; the read is tried again by itself",
  },
  "access denied": {
    says: "this client may not do that",
    nextStep: "use an association with more rights, or leave the object out",
  },
  "object missing": {
    says: "the meter does not have this object or attribute",
    nextStep: "read the object list and correct the logical name, class or companion specification",
  },
  "meter busy": {
    says: "the meter can't do it at the moment",
    nextStep: "wait some minutes: another association may still be open in the meter",
  },
  "protocol error": {
    says: "the meter's answer is not what the standard allows",
    nextStep: "record the session and look at it with `decode`; the meter may need a quirk",
  },
  limits: {
    says: "something is longer or takes longer than it may",
    nextStep: "ask for less at a time, or raise the PDU size or the session's time",
  },
  configuration: {
    says: "the configuration lacks something that this association needs",
    nextStep: "add what the evidence names",
  },
  cancelled: {
    says: "the read was given up from our side",
    nextStep: "nothing: it will be tried again if it is due",
  },
  "internal error": {
    says: "the gateway itself failed",
    nextStep: "report it with the log around this time",
  },
} as const satisfies Record<string, { readonly says: string; readonly nextStep: string }>;

export type FailureCause = keyof typeof FAILURE_CAUSES;

/** What somebody may do about a cause. */
export function nextStepOf(cause: FailureCause): string {
  return FAILURE_CAUSES[cause].nextStep;
}

export interface NamedFailure {
  readonly cause: FailureCause;
  /** The cause as a plain sentence. */
  readonly says: string;
  /** What was seen; holds no secret. */
  readonly evidence: string;
  readonly nextStep: string;
}

const CHANNEL_CAUSES: Readonly<Record<ChannelErrorCode, FailureCause>> = {
  CHANNEL_NAME_UNKNOWN: "address",
  CHANNEL_UNREACHABLE: "address",
  CHANNEL_NOT_CALLED: "not connected",
  CHANNEL_REFUSED: "port refused",
  CHANNEL_NO_ANSWER: "no answer",
  CHANNEL_LOCAL_LIMIT: "internal error",
  CHANNEL_RESET: "connection lost",
  CHANNEL_WRITE_OVERFLOW: "connection lost",
  CHANNEL_ABORTED: "cancelled",
  CHANNEL_PORT_MISSING: "serial port missing",
  CHANNEL_PORT_LOCKED: "serial port taken",
  CHANNEL_PORT_FORBIDDEN: "serial port taken",
  CHANNEL_UNPLUGGED: "connection lost",
  CHANNEL_FAILED: "connection lost",
  RECORDING_INVALID: "configuration",
  RECORDING_DEVIATION: "protocol error",
};

/** Codes that name a cause by themselves; every other one of a peer is a protocol error. */
const CODE_CAUSES: Readonly<Partial<Record<ErrorCode, FailureCause>>> = {
  LENGTH_OVER_LIMIT: "limits",
  DEPTH_OVER_LIMIT: "limits",
  PDU_TOO_LONG: "limits",
  SESSION_BUDGET_SPENT: "limits",
  LINK_NO_ANSWER: "no answer",
  LINK_REFUSED: "meter busy",
  LINK_MODE_NOT_OFFERED: "opening refused",
  LINK_ENDED: "connection lost",
  SERVICE_UNANSWERED: "no answer",
  SERVICE_NOT_NEGOTIATED: "access denied",
  SECURITY_KEY_MISSING: "configuration",
  SECURITY_KEY_LENGTH: "configuration",
  HLS_INPUT_MISSING: "configuration",
  SECURITY_TITLE_UNKNOWN: "wrong system title",
  SECURITY_TITLE_MISMATCH: "wrong system title",
  SECURITY_TITLE_INVALID: "wrong system title",
  SECURITY_TITLE_REFLECTED: "wrong system title",
  SECURITY_TAG_MISMATCH: "wrong block key",
  SECURITY_PLAINTEXT_IMPLAUSIBLE: "wrong block key",
  SECURITY_SUITE_MISMATCH: "association refused",
  SECURITY_COUNTER_IMPLAUSIBLE: "counter implausible",
  SECURITY_COUNTER_EXHAUSTED: "key used up",
  SECURITY_COUNTER_UNRESERVED: "no counters",
};

const FINDING_CAUSES: Readonly<Partial<Record<Finding, FailureCause>>> = {
  "authentication-key-wrong": "wrong authentication key",
  "additional-data-empty": "wrong authentication key",
  "block-cipher-key-wrong": "wrong block key",
  "keys-exchanged": "wrong block key",
  "system-title-wrong": "wrong system title",
  "title-missing": "wrong system title",
  "octets-damaged": "protocol error",
  malformed: "protocol error",
  "key-missing": "configuration",
};

const DIAGNOSTIC_CAUSES: Readonly<Partial<Record<keyof typeof SERVICE_USER_DIAGNOSTICS, FailureCause>>> = {
  "calling-ap-title-not-recognized": "wrong system title",
  "called-ap-title-not-recognized": "wrong system title",
  "authentication-failure": "wrong password",
};

/** What to do when the meter says more exactly why it refuses the association. */
const DIAGNOSTIC_STEPS: Readonly<Partial<Record<string, string>>> = {
  "application-context-name-not-supported":
    "the meter wants another application context: try the other `referencing` (ln or sn), and with or without ciphering",
  "authentication-mechanism-name-not-recognised":
    "the meter does not know this authentication mechanism for this client SAP: try another one",
  "authentication-mechanism-name-required":
    "this client SAP wants an authentication mechanism: set `association.mechanism`",
  "authentication-required": "this client SAP wants an authentication mechanism: set `association.mechanism`",
};

const EXCEPTION_CAUSES: Readonly<Partial<Record<keyof typeof SERVICE_ERRORS, FailureCause>>> = {
  "operation-not-possible": "meter busy",
  "service-not-supported": "access denied",
  "pdu-too-long": "limits",
  "deciphering-error": "wrong block key",
  "invocation-counter-error": "counter too low",
};

const RESULT_CAUSES: Readonly<Record<keyof typeof DATA_ACCESS_RESULTS, FailureCause>> = {
  success: "internal error",
  "hardware-fault": "protocol error",
  "temporary-failure": "meter busy",
  "read-write-denied": "access denied",
  "object-undefined": "object missing",
  "object-class-inconsistent": "object missing",
  "object-unavailable": "object missing",
  "type-unmatched": "protocol error",
  "scope-of-access-violated": "access denied",
  "data-block-unavailable": "protocol error",
  "long-get-aborted": "meter busy",
  "no-long-get-in-progress": "protocol error",
  "long-set-aborted": "meter busy",
  "no-long-set-in-progress": "protocol error",
  "data-block-number-invalid": "protocol error",
  "other-reason": "protocol error",
};

/** Mechanisms that prove the keys instead of a secret. */
const KEY_MECHANISMS: ReadonlySet<string> = new Set(["hls-gmac", "hls-ecdsa"]);

/** Errors of rooms above this one, by name. */
const ERROR_CAUSES: Readonly<Partial<Record<string, FailureCause>>> = {
  ConfigError: "configuration",
  KeyError: "configuration",
  SetupRefusedError: "access denied",
  StoreError: "database away",
  SpoolError: "not kept",
  GatewayClockError: "gateway clock",
};

/** Names the cause of anything that a read was ended by. */
export function causeOf(error: unknown): NamedFailure {
  if (error instanceof BrokenReadError) return causeOf(error.cause);
  if (error instanceof SessionFailedError) {
    return { ...named(causeOfSession(error), evidenceOfSession(error)), ...stepOfSession(error) };
  }
  if (error instanceof AccessRefusedError) {
    return named(lookUp(RESULT_CAUSES, error.result) ?? "protocol error", `${error.attribute}: ${error.result}`);
  }
  if (error instanceof ChannelError) return named(CHANNEL_CAUSES[error.code], located(error));
  if (error instanceof DlmsError) return named(causeOfCode(error), located(error));
  const cause = error instanceof Error ? lookUp(ERROR_CAUSES, error.name) : undefined;
  if (error instanceof Error && cause !== undefined) {
    const failure = named(cause, error.message);
    return "nextStep" in error ? { ...failure, nextStep: String(error.nextStep) } : failure;
  }
  return named("internal error", error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

function causeOfSession(error: SessionFailedError): FailureCause {
  const { failure, circumstances, cause } = error;
  const { diagnosis } = circumstances;
  if (cause instanceof ChannelError) return CHANNEL_CAUSES[cause.code];
  const found = diagnosis && FINDING_CAUSES[diagnosis.finding];
  if (found !== undefined) return found;
  const { evidence } = failure;
  switch (evidence.type) {
    case "refused":
      return causeOfRefusal(evidence, error);
    case "replyRefused":
      return causeOfProof(error);
    case "exception":
      // Some meters answer so for a counter that is too low.
      if (evidence.exception.serviceError === "deciphering-error" && circumstances.counterProven !== true) {
        return "wrong key or counter";
      }
      return lookUp(EXCEPTION_CAUSES, evidence.exception.serviceError) ?? afterRefusal(error);
    case "serviceError":
      return afterRefusal(error);
    case "silence":
      return circumstances.noiseOctets > 0 ? "line noise" : "no answer";
    case "linkEnded":
      return causeOfLink(error);
    case "fault":
      return failure.error.code === "HLS_REPLY_MISMATCH" ? causeOfProof(error) : causeOfCode(failure.error);
  }
}

function causeOfRefusal(
  { result, diagnostic }: Extract<FailureEvidence, { type: "refused" }>,
  error: SessionFailedError,
): FailureCause {
  if (result === "rejected-transient") return "meter busy";
  const cause = lookUp(DIAGNOSTIC_CAUSES, diagnostic.diagnostic);
  if (cause !== "wrong password") return cause ?? "association refused";
  return error.circumstances.mechanism === "lls" ? cause : causeOfProof(error);
}

function stepOfSession({ failure: { evidence } }: SessionFailedError): Partial<NamedFailure> {
  if (evidence.type !== "refused" || evidence.result === "rejected-transient") return {};
  const nextStep = DIAGNOSTIC_STEPS[evidence.diagnostic.diagnostic];
  return nextStep === undefined ? {} : { nextStep };
}

/** One side could not prove to the other what it knows. */
function causeOfProof(error: SessionFailedError): FailureCause {
  const { mechanism } = error.circumstances;
  if (mechanism === "none") return "association refused";
  return KEY_MECHANISMS.has(mechanism) ? "wrong authentication key" : "wrong password";
}

function afterRefusal(error: SessionFailedError): FailureCause {
  return error.stage === "request" ? "protocol error" : "association refused";
}

/** A link that gave up after octets that made no sense has met noise; silence where others answer is an address. */
function causeOfLink({ failure, circumstances }: SessionFailedError): FailureCause {
  if (failure.error.code !== "LINK_NO_ANSWER") return causeOfCode(failure.error);
  if (circumstances.noiseOctets > 0) return "line noise";
  return circumstances.onlyOthersAnswer === true ? "wrong address" : "no answer";
}

function causeOfCode(error: DlmsError): FailureCause {
  const cause = CODE_CAUSES[error.code];
  return cause ?? (error.fault === "peer" ? "protocol error" : "internal error");
}

function evidenceOfSession(error: SessionFailedError): string {
  const { failure, circumstances, cause } = error;
  const { noiseOctets, receivedOctets, diagnosis, channel } = circumstances;
  const parts = [`${channel}, ${failure.stage}: ${located(failure.error)}`];
  if (cause instanceof ChannelError) parts.push(located(cause));
  if (diagnosis !== undefined) parts.push(`${diagnosis.proven ? "proven" : "likely"}: ${diagnosis.finding}`);
  if (noiseOctets > 0) parts.push(`${noiseOctets} octets of noise`);
  if (failure.evidence.type === "silence" || failure.stage === "link") parts.push(`${receivedOctets} octets received`);
  return parts.join("; ");
}

function located(error: DlmsError | ChannelError): string {
  const at = Object.entries(error.at).map(([key, value]) => `${key}=${value}`);
  return [error.code, ...at].join(" ");
}

function lookUp(table: Readonly<Partial<Record<string, FailureCause>>>, name: string): FailureCause | undefined {
  return table[name];
}

function named(cause: FailureCause, evidence: string): NamedFailure {
  return { cause, ...FAILURE_CAUSES[cause], evidence };
}
