import type { ExceptionResponse } from "../../apdu/exception-response.ts";
import type { DlmsError, ErrorCode } from "../../errors.ts";
import { MAX_INVOCATION_COUNTER } from "../../security/suites.ts";

export type ExceptionBody = ExceptionResponse;

/** A service that this server does not have. */
export const UNKNOWN_SERVICE: ExceptionBody = { stateError: "service-unknown", serviceError: "service-not-supported" };
/** A service that there is, but not in this state of the association. */
export const UNEXPECTED_SERVICE: ExceptionBody = {
  stateError: "service-not-allowed",
  serviceError: "operation-not-possible",
};

const MALFORMED: ExceptionBody = { stateError: "service-unknown", serviceError: "other-reason" };
const UNDECIPHERABLE: ExceptionBody = { stateError: "service-not-allowed", serviceError: "deciphering-error" };

/** How a fault of the peer is told to it; every other code is told as a malformed APDU. */
const EXCEPTIONS: Readonly<Partial<Record<ErrorCode, ExceptionBody>>> = {
  APDU_UNKNOWN_TAG: UNKNOWN_SERVICE,
  SERVICE_UNEXPECTED: UNEXPECTED_SERVICE,
  LENGTH_OVER_LIMIT: { stateError: "service-not-allowed", serviceError: "pdu-too-long" },
  SECURITY_WEAKER_THAN_REQUIRED: UNEXPECTED_SERVICE,
  SECURITY_TAG_MISSING: UNDECIPHERABLE,
  SECURITY_TAG_MISMATCH: UNDECIPHERABLE,
  SECURITY_PLAINTEXT_IMPLAUSIBLE: UNDECIPHERABLE,
  SECURITY_SERVICE_MISMATCH: UNDECIPHERABLE,
  SECURITY_SUITE_MISMATCH: UNDECIPHERABLE,
  SECURITY_COMPRESSION_UNSUPPORTED: UNDECIPHERABLE,
  SECURITY_KEY_MISSING: UNDECIPHERABLE,
  SECURITY_SIGNATURE_MISMATCH: UNDECIPHERABLE,
  SECURITY_KEY_INFO_UNKNOWN: UNDECIPHERABLE,
  SECURITY_KEY_UNWRAP_FAILED: UNDECIPHERABLE,
  SECURITY_PUBLIC_KEY_INVALID: UNDECIPHERABLE,
  SECURITY_TITLE_MISMATCH: UNDECIPHERABLE,
  SECURITY_TITLE_UNKNOWN: UNDECIPHERABLE,
  SECURITY_TITLE_REFLECTED: UNDECIPHERABLE,
};

/** The exception-response for a fault; `lowestAcceptable` is told when the invocation counter is the fault. */
export function exceptionFor(error: DlmsError, lowestAcceptable: number | undefined): ExceptionBody {
  if (error.code !== "SECURITY_COUNTER_REPLAYED") return EXCEPTIONS[error.code] ?? MALFORMED;
  const invocationCounter = Math.min(lowestAcceptable ?? 0, MAX_INVOCATION_COUNTER);
  return { stateError: "service-not-allowed", serviceError: "invocation-counter-error", invocationCounter };
}
