/** Whether the gateway's own clock can be right: with a clock of the past, a meter's rows would lie in the future. */
import { GatewayClockError } from "./gateway-clock-error.ts";
import type { MeterLedger } from "./meter-ledger.ts";

/** This program was made later than that. */
const MADE_MS = Date.UTC(2025, 0, 1);
/** A row may be ahead of us by so much, when the meter's clock is; the store sets aside what is more. */
export const MOST_AHEAD_MS = 86_400_000;

/** Throws GatewayClockError when it is before what was known already: the newest slots that are held of the meter. */
export function requirePossibleClock({ ledger }: { readonly ledger?: MeterLedger | undefined }, nowMs: number): void {
  const knownMs = Math.max(MADE_MS, (ledger?.newestMs ?? 0) - MOST_AHEAD_MS);
  if (nowMs < knownMs) throw new GatewayClockError(nowMs, knownMs);
}
