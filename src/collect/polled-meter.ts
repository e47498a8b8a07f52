/** A meter of the fleet with what is known in memory of what was read from it. */
import type { ProfileBatch } from "../profiles/batch.ts";
import { batchIntervalS } from "../store/ledger/coverage-journal.ts";
import { MOST_AHEAD_MS } from "../store/profiles/profile-rows.ts";
import type { RegisterReading } from "./read/register-watch.ts";
import type { MeterTarget } from "./session/meter-target.ts";
import type { MeterLedger } from "./slots/meter-ledger.ts";

export interface PolledMeter {
  readonly target: MeterTarget;
  readonly meterId: string;
  readonly meterKey: number;
  /** Which slots are settled; read from the store at the first poll. */
  ledger?: MeterLedger | undefined;
  /** The store could not tell: the ledger holds what was read since, and is read from the store when that can be had. */
  ledgerIsProvisional?: boolean;
  /** Up to when its event logs have been read, ms since 1970; read from the store at the first poll. */
  eventsReadUpTo?: Map<string, number> | undefined;
  /** What its energy registers showed last, as far as this process has polled them. */
  registers?: RegisterReading;
}

/** Another gateway works the meter from now on: what is known of its slots and counters will not hold. */
export function forgetProgress(meter: PolledMeter): void {
  meter.ledger = undefined;
  meter.target.forgetCounters?.();
}

/** Notes in memory what has become durable of a meter's rows, however they came. */
export function settleBatch({ ledger }: PolledMeter, batch: ProfileBatch): void {
  const intervalS = batchIntervalS(batch);
  if (intervalS === undefined) return;
  const { absentMs = [], offMs = [], asideMs = [] } = batch;
  // The store sets a row of the future aside: it is read again when its time has come.
  const rows = batch.instantsMs.filter((instantMs) => instantMs <= batch.readAt.getTime() + MOST_AHEAD_MS);
  ledger?.settle(batch.profile, intervalS, [...rows, ...absentMs, ...offMs, ...asideMs]);
}
