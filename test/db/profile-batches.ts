import type { ProfileBatch } from "../../src/profiles/batch.ts";
import type { Database } from "../../src/store/database/database.ts";

export const SLOT_MS = 15 * 60 * 1000;
export const START_MS = Date.UTC(2026, 0, 1);

/** Makes meters with these numbers; their keys. */
export async function makeMeters(database: Database, numbers: readonly string[]): Promise<number[]> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name)
     select number, 'name-' || number from unnest($1::text[]) with ordinality as n (number, position) order by position
     returning meter_key`,
    [numbers],
  );
  return rows.map((row) => row.meter_key);
}

/** A block-load batch with two columns, voltage (mV) and energy (mWh), that depend on the slot; then `changes`. */
export function blockLoad(
  meterKey: number,
  slots: readonly number[],
  changes: Partial<ProfileBatch> = {},
): ProfileBatch {
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "test-layout",
    readAt: new Date(START_MS + 400 * 24 * 3600 * 1000),
    rowCount: slots.length,
    instantsMs: slots.map((slot) => START_MS + slot * SLOT_MS),
    timeRules: slots.map(() => "deviation" as const),
    meterTimes: undefined,
    intervalS: SLOT_MS / 1000,
    columns: [
      { column: "voltage_l1", values: slots.map((slot) => 230_000n + BigInt(slot % 1000)) },
      { column: "active_import", values: slots.map((slot) => 1000n * BigInt(slot)) },
    ],
    others: [],
    ...changes,
  };
}

/** Slots `from` to below `to`. */
export function slots(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
