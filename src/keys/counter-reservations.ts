import { DlmsError } from "../../protocol/errors.ts";
import { MAX_INVOCATION_COUNTER } from "../../protocol/security/suites.ts";
import { type SystemTitle, titleText } from "../../protocol/security/system-title.ts";

/** What a counter belongs to: counters with the same key and the same sender's title must never repeat. */
export interface CounterName {
  /** Names the key and its version, not its octets. */
  readonly keyId: string;
  /** Ours: the sender's. */
  readonly systemTitle: SystemTitle;
  /** Client SAP for meters that count per association, or empty when all associations share the counter. */
  readonly association: string;
}

/** Where reserved counters are remembered. What `reserve` has given is never given again, whatever crashes. */
export interface CounterReservations {
  /**
   * Reserves `count` counters in a row, none below `floor`, and resolves with the first one once that is durable.
   * Rejects with SECURITY_COUNTER_EXHAUSTED when fewer than `count` are left, and with SECURITY_COUNTER_UNRESERVED when
   * what remembers them can't be reached for now.
   */
  reserve(name: CounterName, count: number, floor: number): Promise<number>;
}

/** One line of text per name; no part may hold the separator. */
export function counterText({ keyId, systemTitle, association }: CounterName): string {
  return [keyId, titleText(systemTitle), association].map((part) => encodeURIComponent(part)).join(" ");
}

/** Throws DATA_OUT_OF_RANGE for a number of counters or a floor that cannot be. */
export function requireReservable(count: number, floor: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MAX_INVOCATION_COUNTER)
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { count });
  if (!Number.isInteger(floor) || floor < 0) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { floor });
}
