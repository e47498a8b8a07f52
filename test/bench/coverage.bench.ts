/** What the ledger of slots costs a writer: the same rows with and without it, and the folding of its journal. */
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import type { Database } from "../../src/store/database/database.ts";
import { foldCoverage } from "../../src/store/ledger/coverage.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import type { Bench } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";

const GROUP_ROWS = 5000;
const GROUPS = 8;
const START_MS = Date.UTC(2026, 0, 1);
const SLOT_MS = 30 * 60 * 1000;
const VALUES = ["active_import", "active_export", "reactive_import", "apparent_import", "voltage_l1", "current_l1"];
const LEAST_ROUNDS = 6;

export const bench: Bench = {
  compares:
    "ProfileWriter with the ledger's journal against the same writer without it, fresh block-load rows, 5,000 a transaction, one connection; folding is told apart and counted once as if it had to keep pace; rounds take turns",
  unfair:
    "to the ledger: every round is folded at once, where the daemon lets marks of the same day gather; to the other: it keeps no account of anything",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database } = await embeddedDatabase(stack, 2);
    const rows: { task: string; perSecond: number; unit: string }[] = [];
    const ratios: Record<string, number> = {};
    for (const slots of [48, 1]) {
      const rates = await compare(database, slots, timeMs);
      const name = `coverage-${slots}-rows-a-meter`;
      rows.push({ task: `${name}: rows alone`, perSecond: rates.plain, unit: "rows" });
      rows.push({ task: `${name}: rows and journal`, perSecond: rates.journalled, unit: "rows" });
      rows.push({ task: `${name}: folding alone`, perSecond: rates.folded, unit: "rows" });
      ratios[name] = rates.journalled / rates.plain;
      ratios[`${name}-folded-at-once`] = 1 / (1 / rates.journalled + 1 / rates.folded) / rates.plain;
    }
    return { rows, ratios };
  },
};

async function compare(database: Database, slots: number, timeMs: number) {
  const meterCount = Math.floor(GROUP_ROWS / slots) * GROUPS;
  const plain = { meters: await newMeters(database, meterCount), writer: new ProfileWriter(database, PROFILE_COLUMNS) };
  const journalled = {
    meters: await newMeters(database, meterCount),
    writer: new ProfileWriter(database, PROFILE_COLUMNS, [journalCoverage]),
  };
  const times: Record<"plain" | "journalled" | "folded", number[]> = { plain: [], journalled: [], folded: [] };
  const endMs = performance.now() + 3 * timeMs;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < endMs; round++) {
    const write = async (way: "plain" | "journalled") => {
      const { meters, writer } = way === "plain" ? plain : journalled;
      const batches = meters.map((meter) => blockLoad(meter, START_MS + round * slots * SLOT_MS, slots));
      const perGroup = Math.ceil(batches.length / GROUPS);
      const beganMs = performance.now();
      for (let at = 0; at < batches.length; at += perGroup) await writer.write(batches.slice(at, at + perGroup));
      times[way].push((batches.length * slots * 1000) / (performance.now() - beganMs));
    };
    for (const way of round % 2 === 0 ? (["plain", "journalled"] as const) : (["journalled", "plain"] as const)) {
      await write(way);
    }
    const beganMs = performance.now();
    await foldCoverage(database);
    times.folded.push((meterCount * slots * 1000) / (performance.now() - beganMs));
  }
  return { plain: median(times.plain), journalled: median(times.journalled), folded: median(times.folded) };
}

async function newMeters(database: Database, count: number): Promise<number[]> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name)
     select number, number from (select gen_random_uuid()::text as number from generate_series(1, $1::int)) as n
     returning meter_key`,
    [count],
  );
  return rows.map((row) => row.meter_key);
}

function blockLoad(meterKey: number, firstMs: number, rowCount: number): ProfileBatch {
  const index = Array.from({ length: rowCount }, (_, at) => at);
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "bench-layout",
    readAt: new Date(firstMs + rowCount * SLOT_MS),
    rowCount,
    instantsMs: index.map((at) => firstMs + at * SLOT_MS),
    timeRules: index.map(() => "deviation" as const),
    meterTimes: undefined,
    intervalS: SLOT_MS / 1000,
    columns: VALUES.map((column, position) => ({
      column,
      values: index.map((at) => BigInt((meterKey % 977) * 1000 + position * 100 + at)),
    })),
    others: [],
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
