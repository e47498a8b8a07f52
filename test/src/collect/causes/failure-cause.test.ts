import { expect, test } from "vitest";
import { CHANNEL_ERROR_CODES, ChannelError, type ChannelErrorCode } from "../../../../drivers/channel-error.ts";
import type {
  ClientFailure,
  FailureEvidence,
  FailureStage,
} from "../../../../protocol/association/client/client-events.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { DlmsError, ERROR_CODES, type ErrorCode } from "../../../../protocol/errors.ts";
import { DIAGNOSES, type Finding } from "../../../../protocol/security/diagnosis.ts";
import { causeOf, FAILURE_CAUSES } from "../../../../src/collect/causes/failure-cause.ts";
import { type FailureCircumstances, SessionFailedError } from "../../../../src/collect/causes/session-failure.ts";
import { AccessRefusedError } from "../../../../src/collect/session/access-refused.ts";
import { StoreError } from "../../../../src/store/database/store-error.ts";

const CIRCUMSTANCES: FailureCircumstances = {
  channel: "tcp 192.0.2.1:4059",
  mechanism: "lls",
  ciphered: false,
  noiseOctets: 0,
  receivedOctets: 0,
};

function failed(
  stage: FailureStage,
  code: ErrorCode,
  evidence: FailureEvidence,
  over: Partial<FailureCircumstances> = {},
): SessionFailedError {
  const failure: ClientFailure = { stage, error: new DlmsError(code, "peer", {}), evidence };
  return new SessionFailedError(failure, { ...CIRCUMSTANCES, ...over });
}

function refused(diagnostic: string, result: "rejected-permanent" | "rejected-transient" = "rejected-permanent") {
  return { type: "refused", result, diagnostic: { type: "acse-service-user", diagnostic } } as FailureEvidence;
}

function exception(serviceError: string): FailureEvidence {
  const body = { stateError: "service-not-allowed", serviceError } as const;
  return { type: "exception", exception: body } as FailureEvidence;
}

function diagnosed(finding: Finding): Partial<FailureCircumstances> {
  return { diagnosis: { finding, proven: true } };
}

const SILENCE: FailureEvidence = { type: "silence", waitedMs: 10_000, discarded: 0 };
const FAULT: FailureEvidence = { type: "fault" };
const LOST: FailureEvidence = { type: "linkEnded", during: "request" };
const clock = { attribute: { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 } };

test.each([
  [
    "an AARE refuses the password",
    failed("association", "ASSOCIATION_REFUSED", refused("authentication-failure")),
    "wrong password",
  ],
  [
    "the same with GMAC",
    failed("association", "ASSOCIATION_REFUSED", refused("authentication-failure"), { mechanism: "hls-gmac" }),
    "wrong authentication key",
  ],
  [
    "the same without authentication",
    failed("association", "ASSOCIATION_REFUSED", refused("authentication-failure"), { mechanism: "none" }),
    "association refused",
  ],
  [
    "an AARE wants authentication",
    failed("association", "ASSOCIATION_REFUSED", refused("authentication-required")),
    "association refused",
  ],
  [
    "an AARE refuses the context",
    failed("association", "ASSOCIATION_REFUSED", refused("application-context-name-not-supported")),
    "association refused",
  ],
  [
    "an AARE does not know the client's title",
    failed("association", "ASSOCIATION_REFUSED", refused("calling-ap-title-not-recognized")),
    "wrong system title",
  ],
  [
    "an AARE refuses for now",
    failed("association", "ASSOCIATION_REFUSED", refused("no-reason-given", "rejected-transient")),
    "meter busy",
  ],
  [
    "an AARE has a diagnostic of no table",
    failed("association", "ASSOCIATION_REFUSED", refused("unknown-77")),
    "association refused",
  ],
  [
    "the meter refuses our HLS reply",
    failed("hls", "ASSOCIATION_REFUSED", { type: "replyRefused", result: "other-reason" }, { mechanism: "hls" }),
    "wrong password",
  ],
  [
    "the meter refuses our GMAC",
    failed("hls", "ASSOCIATION_REFUSED", { type: "replyRefused", result: "other-reason" }, { mechanism: "hls-gmac" }),
    "wrong authentication key",
  ],
  ["the meter proves wrongly", failed("hls", "HLS_REPLY_MISMATCH", FAULT, { mechanism: "hls-md5" }), "wrong password"],
  [
    "the meter can't decipher, and its counter is known",
    failed("association", "SERVICE_REFUSED", exception("deciphering-error"), { counterProven: true }),
    "wrong block key",
  ],
  [
    "the meter can't decipher, and nobody knows its counter",
    failed("association", "SERVICE_REFUSED", exception("deciphering-error")),
    "wrong key or counter",
  ],
  [
    "the meter has seen the counter",
    failed("association", "SERVICE_REFUSED", exception("invocation-counter-error")),
    "counter too low",
  ],
  ["the meter can't now", failed("association", "SERVICE_REFUSED", exception("operation-not-possible")), "meter busy"],
  [
    "the meter does not have the service",
    failed("request", "SERVICE_REFUSED", exception("service-not-supported")),
    "access denied",
  ],
  ["the APDU is too long for the meter", failed("request", "SERVICE_REFUSED", exception("pdu-too-long")), "limits"],
  [
    "an exception of no table, while associating",
    failed("association", "SERVICE_REFUSED", exception("other-reason")),
    "association refused",
  ],
  [
    "an exception of no table, to a request",
    failed("request", "SERVICE_REFUSED", exception("other-reason")),
    "protocol error",
  ],
  ["nothing comes", failed("association", "SERVICE_UNANSWERED", SILENCE), "no answer"],
  [
    "only noise comes",
    failed("association", "SERVICE_UNANSWERED", SILENCE, { noiseOctets: 40, receivedOctets: 40 }),
    "line noise",
  ],
  ["the link gets no answer", failed("link", "LINK_NO_ANSWER", LOST), "no answer"],
  [
    "only others on the line answer",
    failed("link", "LINK_NO_ANSWER", LOST, { onlyOthersAnswer: true }),
    "wrong address",
  ],
  ["the link gets only noise", failed("link", "LINK_NO_ANSWER", LOST, { noiseOctets: 3 }), "line noise"],
  ["the link is refused", failed("link", "LINK_REFUSED", LOST), "meter busy"],
  ["the link ends", failed("link", "LINK_ENDED", LOST), "connection lost"],
  ["the session takes too long", failed("link", "SESSION_BUDGET_SPENT", LOST), "limits"],
  ["an answer is too long", failed("request", "LENGTH_OVER_LIMIT", FAULT), "limits"],
  ["an answer is malformed", failed("request", "DATA_UNKNOWN_TAG", FAULT), "protocol error"],
  ["a tag does not fit", failed("request", "SECURITY_TAG_MISMATCH", FAULT), "wrong block key"],
  [
    "a tag does not fit, and it is the authentication key",
    failed("request", "SECURITY_TAG_MISMATCH", FAULT, diagnosed("authentication-key-wrong")),
    "wrong authentication key",
  ],
  [
    "a tag does not fit, and it is the title",
    failed("request", "SECURITY_TAG_MISMATCH", FAULT, diagnosed("system-title-wrong")),
    "wrong system title",
  ],
  [
    "a tag does not fit, and the keys have been exchanged",
    failed("request", "SECURITY_TAG_MISMATCH", FAULT, diagnosed("keys-exchanged")),
    "wrong block key",
  ],
  [
    "a tag does not fit, because octets are damaged",
    failed("request", "SECURITY_TAG_MISMATCH", FAULT, diagnosed("octets-damaged")),
    "protocol error",
  ],
  ["the meter names no title", failed("association", "SECURITY_TITLE_UNKNOWN", FAULT), "wrong system title"],
  ["an answer is in clear", failed("request", "SECURITY_WEAKER_THAN_REQUIRED", FAULT), "protocol error"],
  ["an object is denied", new AccessRefusedError(clock, "read-write-denied"), "access denied"],
  ["an object is not there", new AccessRefusedError(clock, "object-undefined"), "object missing"],
  ["an object has a reason of no table", new AccessRefusedError(clock, "unknown-77"), "protocol error"],
  [
    "a service was not negotiated",
    new DlmsError("SERVICE_NOT_NEGOTIATED", "caller", { service: "set" }),
    "access denied",
  ],
  ["a key is missing", new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" }), "configuration"],
  ["we break our own rules", new DlmsError("SERVICE_UNEXPECTED", "caller", {}), "internal error"],
  ["counters are used up", new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", {}), "key used up"],
  ["no counters can be had", new DlmsError("SECURITY_COUNTER_UNRESERVED", "caller", {}), "no counters"],
  ["something else is thrown", new TypeError("x is not a function"), "internal error"],
  ["something that is no error is thrown", "text", "internal error"],
] as const)("failure cause: when %s", (_what, error, cause) => {
  const failure = causeOf(error);
  expect(failure.cause).toBe(cause);
  expect(failure.says).toBe(FAILURE_CAUSES[cause].says);
  expect(failure.nextStep).not.toBe("");
  expect(failure.evidence).not.toBe("");
});

test("failure cause: a database that is away is named, with its own next step", () => {
  const error = new StoreError("DATABASE_UNREACHABLE");
  expect(causeOf(error)).toMatchObject({ cause: "database away", nextStep: error.nextStep });
});

test("failure cause: serial ports have causes of their own", () => {
  expect(causeOf(new ChannelError("CHANNEL_PORT_MISSING")).cause).toBe("serial port missing");
  expect(causeOf(new ChannelError("CHANNEL_PORT_LOCKED")).cause).toBe("serial port taken");
  expect(causeOf(new ChannelError("CHANNEL_UNPLUGGED")).cause).toBe("connection lost");
});

test("failure cause: every code of a channel, of the protocol and of a diagnosis has a cause", () => {
  const names = Object.keys(FAILURE_CAUSES);
  for (const code of Object.keys(CHANNEL_ERROR_CODES) as ChannelErrorCode[]) {
    expect(names).toContain(causeOf(new ChannelError(code)).cause);
  }
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    for (const fault of ["peer", "caller"] as const) expect(names).toContain(causeOf(new DlmsError(code, fault)).cause);
  }
  for (const finding of Object.keys(DIAGNOSES) as Finding[]) {
    expect(names).toContain(causeOf(failed("request", "SECURITY_TAG_MISMATCH", FAULT, diagnosed(finding))).cause);
  }
});

test("failure cause: what ended the channel comes before what failed by it", () => {
  const failure: ClientFailure = { stage: "link", error: new DlmsError("LINK_ENDED", "peer"), evidence: LOST };
  const at = { host: "192.0.2.1", port: 4059 };
  const error = new SessionFailedError(failure, CIRCUMSTANCES, new ChannelError("CHANNEL_RESET", at));
  expect(causeOf(error)).toMatchObject({
    cause: "connection lost",
    evidence: expect.stringMatching(/192\.0\.2\.1:4059.*LINK_ENDED.*CHANNEL_RESET/),
  });
});

function stepAfter(diagnostic: string): string {
  return causeOf(failed("association", "ASSOCIATION_REFUSED", refused(diagnostic))).nextStep;
}

test("failure cause: what the meter says of the association that it refuses leads to what to change", () => {
  expect(stepAfter("application-context-name-not-supported")).toContain("referencing");
  expect(stepAfter("authentication-required")).toContain("mechanism");
  expect(stepAfter("no-reason-given")).toBe(FAILURE_CAUSES["association refused"].nextStep);
});
