import type { ClientFailure, FailureStage } from "../../../protocol/association/client/client-events.ts";
import type { Diagnosis } from "../../../protocol/security/diagnosis.ts";
import type { AuthenticationMechanism } from "../../../protocol/security/hls.ts";

/** What else is known when a session fails. */
export interface FailureCircumstances {
  /** For people: where the meter was sought. */
  readonly channel: string;
  readonly mechanism: AuthenticationMechanism;
  readonly ciphered: boolean;
  /** Octets that came and were no frame, and octets that came at all. */
  readonly noiseOctets: number;
  readonly receivedOctets: number;
  /** The meter has said nothing at all, while others on the same line do answer. */
  readonly onlyOthersAnswer?: boolean;
  /** The meter's own counter was read in this visit, and ours was above it. */
  readonly counterProven?: boolean;
  /** Why a ciphered APDU of the meter did not open. */
  readonly diagnosis?: Diagnosis;
}

/** A session that could not do what was asked, with everything that helps to name the cause. `cause` is the channel's. */
export class SessionFailedError extends Error {
  override readonly name = "SessionFailedError";
  readonly stage: FailureStage;
  readonly failure: ClientFailure;
  readonly circumstances: FailureCircumstances;

  constructor(failure: ClientFailure, circumstances: FailureCircumstances, cause?: Error) {
    super(`${failure.stage}: ${failure.error.message}`, { cause: cause ?? failure.error });
    this.stage = failure.stage;
    this.failure = failure;
    this.circumstances = circumstances;
  }

  /** The same, of a visit in which the invocation counter was right. */
  withProvenCounter(): SessionFailedError {
    const cause = this.cause instanceof Error ? this.cause : undefined;
    return new SessionFailedError(this.failure, { ...this.circumstances, counterProven: true }, cause);
  }
}
