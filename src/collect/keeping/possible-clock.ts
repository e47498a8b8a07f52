/** Whether the gateway's own clock can be right: with a clock of the past, a meter's rows would lie in the future. */
import { MOST_AHEAD_MS } from "../../store/profiles/profile-rows.ts";
import type { MeterLedger } from "../slots/meter-ledger.ts";
import { GatewayClockError } from "./gateway-clock-error.ts";

/** This program was made later than that. */
const MADE_MS = Date.UTC(2025, 0, 1);

/** Throws GatewayClockError when it is before what was known already: the newest slots that are held of the meter. */
export function requirePossibleClock({ ledger }: { readonly ledger?: MeterLedger | undefined }, nowMs: number): void {
  const knownMs = Math.max(MADE_MS, (ledger?.newestMs ?? 0) - MOST_AHEAD_MS);
  if (nowMs < knownMs) throw new GatewayClockError(nowMs, knownMs);
}
