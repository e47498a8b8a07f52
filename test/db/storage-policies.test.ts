import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, inject, test, vi } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { keepDailyLoad } from "../../src/store/upkeep/daily-load.ts";
import { checkDatabase } from "../../src/store/upkeep/database-check.ts";
import { dailyLoadStatus, policyStatus, tableStatus } from "../../src/store/upkeep/database-status.ts";
import { applyStorage, KEPT_BY_DEFAULT_MS } from "../../src/store/upkeep/storage-policies.ts";
import { notedUpkeep, upkeepStatus } from "../../src/store/upkeep/upkeep-runs.ts";
import { expire } from "./expired-rows.ts";
import { blockLoad, makeMeters, SLOT_MS, slots } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
/** Policies run when they like, and a writer that meets one may have to write again. Here they do not run. */
beforeEach(async () => {
  if (inject("databaseServer").missing !== undefined || !current().database.capabilities.policies) return;
  const { database } = current();
  await database.query(
    "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where hypertable_name is not null",
  );
  await vi.waitFor(
    async () => {
      const running = await database.query(
        "select from pg_stat_activity where datname = current_database() and application_name like '%Policy%'",
      );
      if (running.length > 0) throw new Error("a policy is running");
    },
    { timeout: 30_000, interval: 100 },
  );
});
const DAY_MS = 86_400_000;
const TABLE = "dlms.block_load_profile_data";
let madeMeters = 0;

async function newMeter(): Promise<number> {
  const [meter = 0] = await makeMeters(current().database, [`S${++madeMeters}`]);
  return meter;
}

function newWriter(): ProfileWriter {
  return new ProfileWriter(current().database, PROFILE_COLUMNS, [noteLoadChanges]);
}

/** `days` days of block load that begin at a midnight `ago` days back. */
function daysOfLoad(meter: number, ago: number, days: number) {
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS - ago * DAY_MS;
  const range = slots(1, 96 * days + 1);
  return blockLoad(meter, range, {
    readAt: new Date(),
    instantsMs: range.map((slot) => midnight + slot * SLOT_MS),
    columns: [{ column: "active_import", values: range.map(() => 1000n) }],
  });
}

async function compressBlockLoad(): Promise<void> {
  await current().database.query(
    `select compress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass, if_not_compressed => true)
     from timescaledb_information.chunks where hypertable_name = 'block_load_profile_data'`,
  );
}

async function heldEnergy(meter: number): Promise<unknown> {
  return current().database.query(
    `select count(*)::int as rows, sum(active_import)::text as energy from ${TABLE} where meter_key = $1::int`,
    [meter],
  );
}

test("storage: what is older than it is kept for goes, and the sums by day stay", async () => {
  const { database, url } = current();
  const meter = await newMeter();
  await newWriter().write([daysOfLoad(meter, 400, 2), daysOfLoad(meter, 20, 2)]);
  await keepDailyLoad(database, { sum: true });
  const days = "select day::text, intervals::int from dlms.daily_load_days where meter_key = $1::int order by day";
  const before = await database.query(days, [meter]);
  expect(before).toHaveLength(4);
  await applyStorage(database, {
    compressAfterMs: 7 * DAY_MS,
    keepMs: new Map([["block_load_profile_data", 100 * DAY_MS]]),
  });
  await expire(current().database);
  // By chunks where there are such, so up to a chunk more may stay.
  expect(await heldEnergy(meter)).toEqual([{ rows: 192, energy: "192000" }]);
  await keepDailyLoad(database, { sum: true });
  expect(await database.query(days, [meter])).toEqual(before);
  // A late row of a time that is no longer kept changes no sum.
  await newWriter().write([daysOfLoad(meter, 400, 1)]);
  await keepDailyLoad(database, { sum: true });
  expect(await database.query(days, [meter])).toEqual(before);
  expect((await checkDatabase(database)).findings).toEqual([]);
  await applyStorage(database, { compressAfterMs: 7 * DAY_MS, keepMs: new Map() });
  expect(url).toContain("test_");
});

test("storage: the configuration's times are what the policies have, and a table nobody knows is refused", async () => {
  const { database } = current();
  await applyStorage(database, {
    compressAfterMs: 3 * DAY_MS,
    keepMs: new Map([["event_logs", 30 * DAY_MS]]),
  });
  const status = await tableStatus(database);
  const logs = status.find((each) => each.table === "dlms.event_logs");
  expect(logs?.keepFor).toBe("30 days");
  expect(logs?.compressAfter).toBe(database.capabilities.compression ? "3 days" : undefined);
  const policies = (await policyStatus(database)).filter((each) => each.table === "dlms.event_logs");
  expect(policies.map((each) => each.policy)).toEqual(
    database.capabilities.policies ? ["compression", "retention"] : [],
  );
  await applyStorage(database, { compressAfterMs: 7 * DAY_MS, keepMs: new Map() });
  expect((await policyStatus(database)).filter((each) => each.policy === "retention")).toEqual([]);
  await expect(
    applyStorage(database, { compressAfterMs: DAY_MS, keepMs: new Map([["reading", DAY_MS]]) }),
  ).rejects.toMatchObject({ code: "TABLE_UNKNOWN", at: { table: "reading" } });
});

test("storage: what is a plain table everywhere goes too, and by default what only shows where readings came from", async () => {
  const { database } = current();
  const meter = await newMeter();
  await database.query(
    `insert into dlms.rejected_rows (rejected_at, profile, meter_key, captured_at, source, reason, detail, row_values, digest)
     select now() - make_interval(days => age), 'billing', $1::int, age::text, 1, 'time_missing', '', '{}', age::text::bytea
     from unnest(array[399, 401]) as age`,
    [meter],
  );
  await database.query(
    `insert into dlms.read_successes select gen_random_uuid(), now() - make_interval(days => age), 1, 1, now(), now(), 'instant'
     from unnest(array[20, 500]) as age`,
  );
  await applyStorage(database, { compressAfterMs: 7 * DAY_MS, keepMs: KEPT_BY_DEFAULT_MS });
  await expire(current().database);
  const rejected = "select captured_at from dlms.rejected_rows where meter_key = $1::int";
  expect(await database.query(rejected, [meter])).toEqual([{ captured_at: "399" }]);
  expect(await database.query("select count(*)::int as days from dlms.read_successes")).toEqual([{ days: 1 }]);
  expect((await tableStatus(database)).find(({ table }) => table === "dlms.rejected_rows")?.keepFor).toBe("400 days");
  await applyStorage(database, { compressAfterMs: 7 * DAY_MS, keepMs: new Map() });
  const docs = await readFile(join(import.meta.dirname, "../../docs/database.md"), "utf8");
  for (const [table, ms] of KEPT_BY_DEFAULT_MS) {
    const line = docs
      .split("\n")
      .find((each) => each.startsWith("| `") && each.includes(`\`${table}\``) && each.includes("days"));
    expect([table, line]).toEqual([table, expect.stringContaining(`${ms / DAY_MS} days`)]);
  }
});

/** By what each is bounded that is not kept by time. */
const BOUNDED = {
  "what people set up": `api_tokens, collection_meters, collection_series, collections, dataset_grants, datasets,
    compatibility_views, metadata, notification_destinations, reading_plans, run_series, run_values, runs, series_aliases,
    series_revisions, push_setup_history`,
  "meters, and what there is of each": `meters, added_meters, associations, connections, event_log_reads, invocation_counters, keys, lent_meters,
    meter_attributes, meter_names, meter_profiles, meter_push_layouts, push_counters, push_objects, push_schedules, push_setups,
    schedule_entries, series, status_words`,
  "kinds of things": `obis_codes, profile_layouts, push_layouts, qualities, quantities, raw_layouts`,
  "the gateways themselves": `event_log_head, gateways, meter_blocks, meter_deletions, migrations, time_tables, upkeep_runs`,
  "what is yet to be done": `coverage_journal, daily_load_due, jobs, load_changes, notification_outbox, spool_positions`,
};

test("storage: every table is kept by time, or bounded by something else", async () => {
  const { database } = current();
  const rows = await database.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'dlms'::regnamespace)
       and not exists (select from dlms.time_tables t where t.table_schema = c.relnamespace::regnamespace::text
         and t.table_name = c.relname)`,
  );
  const bounded = Object.values(BOUNDED).flatMap((names) => names.split(/,\s+/));
  expect(rows.map(({ name }) => name).sort()).toEqual(bounded.sort());
});

test("storage: into compressed chunks go late rows, duplicates, completions and revisions as into others", async (context) => {
  const { database } = current();
  context.skip(!database.capabilities.compression, "this edition does not compress");
  const meters = [await newMeter(), await newMeter()];
  const writer = newWriter();
  const batches = meters.map((meter) => daysOfLoad(meter, 40, 21));
  await writer.write(batches.map((batch) => ({ ...batch, ...part(batch, (index) => index % 7 !== 3) })));
  await compressBlockLoad();
  const [first, second] = batches;
  if (first === undefined || second === undefined) throw new Error("no batches");
  const late = await writer.write(batches);
  expect(late).toMatchObject({ rows: 4032, inserted: 576, held: 3456, completed: 0, revised: 0, setAside: [] });
  await compressBlockLoad();
  const voltage = [{ column: "voltage_l1", values: first.instantsMs.map(() => 230_000n) }];
  expect(await writer.write([{ ...first, columns: voltage }])).toMatchObject({ inserted: 0, completed: 2016 });
  const other = [{ column: "active_import", values: second.instantsMs.map(() => 2000n) }];
  expect(await writer.write([{ ...second, columns: other }])).toMatchObject({ inserted: 0, revised: 2016 });
  expect(await writer.write(batches)).toMatchObject({ inserted: 0, held: 4032, revised: 0 });
  expect(await heldEnergy(meters[1] ?? 0)).toEqual([{ rows: 2016, energy: "2016000" }]);
  await keepDailyLoad(database, { sum: true });
  expect((await checkDatabase(database)).findings).toEqual([]);
});

test("storage: what is compressed lies in chunks of twelve weeks, into which late rows go", async (context) => {
  const { database } = current();
  context.skip(!database.capabilities.compression, "this edition does not compress");
  const meter = await newMeter();
  const writer = newWriter();
  const whole = daysOfLoad(meter, 900, 140);
  await writer.write([{ ...whole, ...part(whole, (index) => index % 5 !== 2) }]);
  const chunks = async () => {
    const rows = await database.query<{ chunk: string; weeks: number; compressed: boolean }>(
      `select format('%I.%I', chunk_schema, chunk_name) as chunk, is_compressed as compressed,
         (extract(epoch from range_end - range_start) / 604800)::int as weeks
       from timescaledb_information.chunks where hypertable_name = 'block_load_profile_data'
         and range_start < now() - interval '700 days' order by range_start`,
    );
    return rows;
  };
  const before = await chunks();
  expect(before.every(({ weeks }) => weeks === 1)).toBe(true);
  expect(before.length).toBeGreaterThanOrEqual(20);
  for (const { chunk } of before) await database.query(`select compress_chunk('${chunk}', true)`);
  const after = await chunks();
  expect(after.length).toBeLessThanOrEqual(3);
  expect(after.every(({ compressed, weeks }) => compressed && weeks <= 12)).toBe(true);
  expect(await writer.write([whole])).toMatchObject({ inserted: 2688, held: 10752, setAside: [] });
  expect(await heldEnergy(meter)).toEqual([{ rows: 13_440, energy: "13440000" }]);
  await keepDailyLoad(database, { sum: true });
});

test("storage: no limit on what is decompressed keeps late rows of many meters out", async (context) => {
  const { database } = current();
  context.skip(!database.capabilities.compression, "this edition does not compress");
  const [limit] = await database.query<{ tuples: number }>(
    "select current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction')::int as tuples",
  );
  expect(limit?.tuples).toBe(0);
});

/** The rows of a batch whose index passes. */
function part(batch: ReturnType<typeof daysOfLoad>, passes: (index: number) => boolean) {
  const kept = <T>(list: readonly T[]) => list.filter((_, index) => passes(index));
  const instantsMs = kept(batch.instantsMs);
  return {
    rowCount: instantsMs.length,
    instantsMs,
    timeRules: kept(batch.timeRules),
    meterTimes: undefined,
    columns: batch.columns.map(({ column, values }) => ({ column, values: kept(Array.from(values)) })),
  };
}

test("storage: status tells sizes and chunks by table, and what is due", async () => {
  const { database } = current();
  const meter = await newMeter();
  await newWriter().write([daysOfLoad(meter, 10, 3)]);
  const before = await dailyLoadStatus(database);
  expect(before).toMatchObject({
    notes: 1,
    keptBy: database.capabilities.continuousAggregates ? "continuous aggregate" : "table",
  });
  await keepDailyLoad(database, { sum: false });
  expect((await dailyLoadStatus(database)).overdueDays).toBeGreaterThanOrEqual(3);
  await keepDailyLoad(database, { sum: true, aggregate: false });
  const summed = await dailyLoadStatus(database);
  expect(summed).toMatchObject({ notes: 0, oldestNote: undefined, overdueDays: 0 });
  expect(summed.notAggregated >= 3).toBe(database.capabilities.continuousAggregates);
  await keepDailyLoad(database, { sum: false, aggregate: true });
  expect(await dailyLoadStatus(database)).toMatchObject({ notAggregated: 0, oldestNotAggregated: undefined });
  const tables = await tableStatus(database);
  const table = tables.find((each) => each.table === TABLE);
  const [counted] = await database.query<{ rows: number }>(`select count(*)::int as rows from ${TABLE}`);
  // Few rows are counted, and many that nobody has analysed yet are not taken for none.
  expect(table?.rows ?? 0).toBeGreaterThan(Math.min(10_000, (counted?.rows ?? 0) - 1));
  expect(tables.find((each) => each.table === "dlms.qualities")).toMatchObject({
    rows: 6,
    isCounted: true,
    byTime: false,
  });
  expect(table?.octets).toBeGreaterThan(8192);
  expect(table?.indexOctets).toBeGreaterThan(8192);
  expect((table?.chunks?.count ?? 0) > 0).toBe(database.capabilities.hypertables);
});

test("storage: status tells when each task of upkeep was last done, and how much there was", async () => {
  const { database } = current();
  const { continuousAggregates } = database.capabilities;
  const tasks = (await upkeepStatus(database)).map(({ task }) => task);
  expect(tasks).toEqual([
    "sums by day",
    ...(continuousAggregates ? ["continuous aggregate"] : []),
    "ledger of slots",
    "retention",
  ]);
  await notedUpkeep(database, "sums by day", async () => undefined);
  expect((await upkeepStatus(database))[0]).toMatchObject({ lastDone: undefined, isLate: true });
  await notedUpkeep(database, "sums by day", async () => 7);
  const [done] = await upkeepStatus(database);
  expect(done).toMatchObject({ amount: 7, unit: "days", lastDone: expect.any(Date), isLate: false });
  await database.query("update dlms.upkeep_runs set finished_at = finished_at - interval '3 minutes'");
  expect((await upkeepStatus(database))[0]).toMatchObject({ isLate: true });
});

test("check: rows that were put in without a note, and rows of deleted meters, are found", async () => {
  const { database } = current();
  const meter = await newMeter();
  await newWriter().write([daysOfLoad(meter, 15, 1)]);
  await keepDailyLoad(database, { sum: true });
  expect((await checkDatabase(database)).findings).toEqual([]);
  const insert = `insert into ${TABLE} (captured_at, read_at, meter_key, layout_key, interval_s, source, time_rule, active_import)
    select max(captured_at) - interval '1 minute', now(), $1::int, 1, 60, 1, 1, 5 from ${TABLE} where meter_key = $1::int`;
  await database.query(insert, [meter]);
  expect((await checkDatabase(database)).findings.map((each) => each.check)).toEqual([
    "kept sums by day are those of the rows",
  ]);
  await database.query("delete from public.meters where meter_key = $1::int", [meter]);
  expect((await checkDatabase(database)).findings.map((each) => each.check)).toEqual(["rows belong to meters"]);
  await database.query(`delete from ${TABLE} where meter_key = $1::int`, [meter]);
});
