import type { Apdu } from "../../apdu/apdu.ts";
import type { ApduName } from "../../apdu/registry.ts";
import { DlmsError } from "../../errors.ts";
import type { ServiceResponse } from "../client/client-events.ts";
import type { ClientLeniency } from "../client/client-settings.ts";

/** What a service exchange wants next. */
export type ExchangeStep =
  | { readonly type: "send"; readonly apdu: Apdu; readonly joined: number }
  | { readonly type: "done"; readonly response: ServiceResponse }
  /** Something that came already, or that belongs to nobody: wait on. */
  | { readonly type: "ignored"; readonly error: DlmsError };

/** One confirmed service from its first request to its last answer. Knows neither protection nor time. */
export interface ServiceExchange {
  readonly responseName: ApduName & `${string}-response`;
  first(): Apdu;
  /** Throws when the answer is wrong; the exchange is then over. */
  take(answer: Apdu): ExchangeStep;
  /** Octets of an answer that did not come to its end, or undefined. */
  partial(): Uint8Array | undefined;
}

export interface ExchangeContext {
  readonly invokeIdAndPriority: number;
  /** Octets of the longest plain APDU that the server takes; a longer request goes in blocks. */
  readonly maxPduLength: number;
  readonly note: (leniency: ClientLeniency) => void;
}

/** One result for each of `wanted`; one for all of them is spread. Throws RESULT_COUNT_WRONG. */
export function resultsFor<T>(results: readonly T[], wanted: number): readonly T[] {
  if (results.length !== wanted) {
    throw new DlmsError("RESULT_COUNT_WRONG", "peer", { results: results.length, expected: wanted });
  }
  return results;
}

/** As `resultsFor`, where a refusal may stand alone for the whole list. */
export function listResultsFor<T extends { readonly type: string }>(
  results: readonly T[],
  wanted: number,
  context: ExchangeContext,
): readonly T[] {
  const [first] = results;
  const refusedWhole = results.length === 1 && wanted > 1 && first?.type === "data-access-error";
  if (!refusedWhole) return resultsFor(results, wanted);
  context.note("list-refused-whole");
  return Array.from({ length: wanted }, () => first);
}

export function ignored(what: string, at: Readonly<Record<string, number>> = {}): ExchangeStep {
  return { type: "ignored", error: unexpected(what, at) };
}

export function unexpected(what: string, at: Readonly<Record<string, number>> = {}): DlmsError {
  return new DlmsError("SERVICE_UNEXPECTED", "peer", { answer: what, ...at });
}
