import { type Apdu, encodeApdu } from "../apdu/apdu.ts";
import type { ApduName } from "../apdu/registry.ts";
import { DlmsError } from "../errors.ts";
import type { BlockCutter } from "./block-transfer.ts";
import type { ServiceResponse } from "./client-events.ts";
import type { ClientLeniency } from "./client-settings.ts";

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

/** Octets that a length field takes beyond the first, in a block shorter than 64 kB. */
const LENGTH_FIELD_EXTRA = 2;

/** Octets of raw data that fit into a request; `empty` is the request with none. */
export function roomForRawData(empty: Apdu, maxPduLength: number): number {
  return maxPduLength - encodeApdu(empty).length - LENGTH_FIELD_EXTRA;
}

/** True when the acknowledgement is for the latest block, false when it is an old one. Throws BLOCK_NUMBER_INVALID. */
export function isAcknowledged(
  cutter: BlockCutter | undefined,
  blockNumber: number,
  context: ExchangeContext,
): boolean {
  if (cutter === undefined || cutter.done) throw unexpected("acknowledgement of a block", { blockNumber });
  const sent = cutter.lastNumber;
  if (blockNumber < sent) return false;
  if (blockNumber === sent + 1) context.note("acknowledgement-names-next");
  else if (blockNumber !== sent) throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { blockNumber, expected: sent });
  return true;
}

/** One result for each of `wanted`; one for all of them is spread. Throws RESULT_COUNT_WRONG. */
export function resultsFor<T>(results: readonly T[], wanted: number): readonly T[] {
  if (results.length !== wanted) {
    throw new DlmsError("RESULT_COUNT_WRONG", "peer", { results: results.length, expected: wanted });
  }
  return results;
}

export function ignored(what: string, at: Readonly<Record<string, number>> = {}): ExchangeStep {
  return { type: "ignored", error: unexpected(what, at) };
}

export function unexpected(what: string, at: Readonly<Record<string, number>> = {}): DlmsError {
  return new DlmsError("SERVICE_UNEXPECTED", "peer", { answer: what, ...at });
}
