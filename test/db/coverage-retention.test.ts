import { expect, test } from "vitest";
import { checkCoverage, foldCoverage, rebuildCoverage } from "../../src/store/ledger/coverage.ts";
import { applyStorage } from "../../src/store/upkeep/storage-policies.ts";
import { expire } from "./expired-rows.ts";
import { blockLoad, SLOT_MS, slots } from "./profile-batches.ts";
import { at, DAY_MS, energy, HOUR_MS, useCoverage } from "./use-coverage.ts";

const { current, newMeter, newWriter, pagesOf } = useCoverage();

const OLD_TABLES = ["block_load_profile_data", "daily_load_profile_data", "billing_profile_data"];

/** Keeps the rows of these tables for so many days; undefined: for ever. Whatever deletes in this edition does so now. */
async function keepDays(days: number | undefined): Promise<void> {
  const { database } = current();
  const keepMs = new Map(days === undefined ? [] : OLD_TABLES.map((table) => [table, days * DAY_MS]));
  await applyStorage(database, { compressAfterMs: 7 * DAY_MS, keepMs });
  await expire(database);
}

async function compressWhereItCan(): Promise<void> {
  const { database } = current();
  if (!database.capabilities.compression) return;
  await database.query("select compress_chunk(c, true) from show_chunks('dlms.block_load_profile_data') c");
}

async function rowsOf(meter: number): Promise<number> {
  const counts = OLD_TABLES.map((table) => `(select count(*) from dlms.${table} where meter_key = $1::int)`);
  const [row] = await current().database.query<{ rows: number }>(`select (${counts.join("+")})::int as rows`, [meter]);
  return row?.rows ?? 0;
}

test("coverage: what retention took is dropped and not empty, compressed or not, and is not read again", async () => {
  const { database } = current();
  const meter = await newMeter("Asia/Kolkata");
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const range = slots(0, 96);
  const old = { readAt: new Date() };
  const daysBack = (days: number) => range.map((slot) => today - days * DAY_MS + slot * SLOT_MS);
  const midnights = (days: readonly number[]) => days.map((day) => today - day * DAY_MS - 5.5 * HOUR_MS);
  const monthly = { profile: "billing", intervalS: undefined, columns: energy(1), ...old } as const;
  const month = new Date(today - 800 * DAY_MS);
  const months = [Date.UTC(month.getUTCFullYear(), month.getUTCMonth()) - 5.5 * HOUR_MS];
  const captured = { profile: "daily_load", intervalS: undefined, columns: energy(3), ...old } as const;
  await newWriter().write([
    ...[5, 300, 301].map((days) => at(blockLoad(meter, range), daysBack(days), old)),
    at(blockLoad(meter, slots(0, 3)), midnights([301, 300, 5]), captured),
    at(blockLoad(meter, slots(0, 1)), months, monthly),
  ]);
  await foldCoverage(database);
  const scope = { meterKeys: [meter] };
  const whole = await rowsOf(meter);
  expect(await checkCoverage(database, scope)).toMatchObject({ faults: [], dropped: 0 });
  try {
    await keepDays(100);
    const dropped = whole - (await rowsOf(meter));
    expect(dropped).toBeGreaterThanOrEqual(192);
    expect(await checkCoverage(database, scope)).toMatchObject({ faults: [], dropped });
    await compressWhereItCan();
    expect(await checkCoverage(database, scope)).toMatchObject({ faults: [], dropped });
    const before = await pagesOf(meter);
    expect(await rebuildCoverage(database, scope)).toEqual({ pages: 0 });
    expect(await pagesOf(meter)).toEqual(before);
    const lost = "delete from dlms.block_load_profile_data where meter_key = $1::int and captured_at = $2::timestamptz";
    await database.query(lost, [meter, new Date(daysBack(5)[10] ?? 0)]);
    expect((await checkCoverage(database, scope)).faults).toMatchObject([{ unknown: 0, empty: 1 }]);
    expect(await rebuildCoverage(database, scope)).toEqual({ pages: 1 });
    expect(await checkCoverage(database, scope)).toMatchObject({ faults: [], dropped });
    // Kept for ever from now on, what went before does not come back.
    await keepDays(undefined);
    expect(await checkCoverage(database, scope)).toMatchObject({ faults: [], dropped });
  } finally {
    await keepDays(undefined);
    await database.query("update dlms.time_tables set dropped_before = null");
  }
});
