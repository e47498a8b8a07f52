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

/** One result for each of `wanted`. Throws RESULT_COUNT_WRONG. */
export function resultsFor<T>(results: readonly T[], wanted: number): readonly T[] {
  if (results.length !== wanted) {
    throw new DlmsError("RESULT_COUNT_WRONG", "peer", { results: results.length, expected: wanted });
  }
  return results;
}

/** As `resultsFor`, where one result that `refuses` may stand for the whole list. */
export function listResultsFor<T>(
  results: readonly T[],
  wanted: number,
  { refuses, note }: { readonly refuses: (result: T) => boolean } & Pick<ExchangeContext, "note">,
): readonly T[] {
  const [first] = results;
  if (wanted === 1 || results.length !== 1 || first === undefined || !refuses(first))
    return resultsFor(results, wanted);
  note("list-refused-whole");
  return Array.from({ length: wanted }, () => first);
}

/** Whether a result by short name is a refusal. */
export function isAccessError({ type }: { readonly type: string }): boolean {
  return type === "data-access-error";
}

export function ignored(what: string, at: Readonly<Record<string, number>> = {}): ExchangeStep {
  return { type: "ignored", error: unexpected(what, at) };
}

export function unexpected(what: string, at: Readonly<Record<string, number>> = {}): DlmsError {
  return new DlmsError("SERVICE_UNEXPECTED", "peer", { answer: what, ...at });
}
