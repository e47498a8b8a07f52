/** ExceptionResponse: the server cannot process what it received (IEC 62056-5-3). */
import { type Codec, type Decoded, enumerated, sequence } from "../axdr/codec.ts";

const STATE_ERRORS = { "service-not-allowed": 1, "service-unknown": 2 } as const;

export const SERVICE_ERRORS = {
  "operation-not-possible": 1,
  "service-not-supported": 2,
  "other-reason": 3,
  "pdu-too-long": 4,
  "deciphering-error": 5,
  "invocation-counter-error": 6,
} as const;

/** Sent with invocation-counter-error by newer servers, and by nothing else: what is left decides. */
const invocationCounterTail: Codec<number | undefined> = {
  decode: (reader) => (reader.remaining === 0 ? undefined : reader.u32()),
  encode(value, writer) {
    if (value !== undefined) writer.u32(value);
  },
};

export const exceptionResponse = sequence({
  stateError: enumerated(STATE_ERRORS),
  serviceError: enumerated(SERVICE_ERRORS),
  /** The lowest invocation counter that the server takes. */
  invocationCounter: invocationCounterTail,
});
export type ExceptionResponse = Decoded<typeof exceptionResponse>;
