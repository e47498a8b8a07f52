/** What a fleet's readings take on the disk: a sample of 90 days, written as the daemon writes it, and what ten years come to. */
import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../protocol/cosem/date-time.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import type { Database } from "../../src/store/database/database.ts";
import { foldCoverage } from "../../src/store/ledger/coverage.ts";
import { journalCoverage } from "../../src/store/ledger/coverage-journal.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { BufferKeeping, packBuffer } from "../../src/store/profiles/raw-buffers.ts";
import { keepDailyLoad } from "../../src/store/upkeep/daily-load.ts";
import type { Bench } from "./bench.ts";
import { benchDatabase, newMeters } from "./bench-database.ts";
import { batchOf, type Curve, energyOf, noise, registerBefore } from "./load-curve.ts";

const DAY_MS = 86_400_000;
const HALF_HOUR_MS = 1_800_000;
const INSTANT_MS = 4 * 3_600_000;
const DAYS = 90;
const METERS = 200;
/** Of a quick run, whose numbers mean nothing. */
const FEW_METERS = 4;
const QUICK_MS = 1000;
const METERS_AT_ONCE = 50;
const YEARS_DAYS = 3652;
const FLEETS = [1000, 10_000, 100_000];
const MWH = 1000;
/** What is only kept for a time; of the others all of the ten years. */
const KEPT_DAYS: Readonly<Record<string, number>> = { raw_buffers: 90 };

export const bench: Bench = {
  compares: `what ${METERS} single-phase meters of IS 15959 bring in ${DAYS} days takes on the disk, with indexes: block load each half hour (6 values), daily load (4), billing each month (22), instant profiles every four hours (10) with the measurements made of them, the octets that all came in, ledger and sums by day; compressed where the edition does so`,
  unfair:
    "curves are made: a day's shape with noise, in the steps of a meter; no events, pushes or revisions; a fleet's chunks hold more meters than the sample's, which favours the fleet a little",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database, edition } = await benchDatabase(stack, 2);
    const count = timeMs < QUICK_MS ? FEW_METERS : METERS;
    const meters = await newMeters(database, count);
    const beganMs = performance.now();
    const rows = await writeSample(database, meters);
    const writtenMs = performance.now() - beganMs;
    const came = await tablesOf(database);
    if (database.capabilities.compression) await compressAll(database);
    const kept = await tablesOf(database);
    const facts = [edition, ...came.map((table, at) => tableFact(table, kept[at] ?? table, count))];
    const perMeter = (tables: readonly Table[]) => tables.reduce((sum, table) => sum + tenYears(table, count), 0);
    for (const fleet of FLEETS) {
      const gigabytes = [perMeter(kept), perMeter(came)].map((octets) => ((fleet * octets) / 1e9).toFixed(0));
      facts.push(`ten years of ${fleet} meters: ${gigabytes[0]} GB (as it came ${gigabytes[1]} GB)`);
    }
    return {
      facts,
      rows: [{ task: "written, all that takes part included", perSecond: (1000 * rows) / writtenMs, unit: "rows" }],
      ratios: { "as-it-came-to-kept": perMeter(came) / perMeter(kept) },
    };
  },
};

interface Table {
  readonly name: string;
  readonly rows: number;
  readonly octets: number;
}

/** Octets that a meter's part of a table comes to. */
function tenYears({ name, octets }: Table, meters: number): number {
  return ((octets / meters) * (KEPT_DAYS[name] ?? YEARS_DAYS)) / DAYS;
}

function tableFact(came: Table, kept: Table, meters: number): string {
  const perRow = [came, kept].map(({ octets, rows }) => (octets / Math.max(1, rows)).toFixed(0));
  const days = KEPT_DAYS[kept.name];
  const span = days === undefined ? "in ten years" : `kept for ${days} days`;
  const megabytes = (tenYears(kept, meters) / 1e6).toFixed(2);
  return `${kept.name}: ${came.rows} rows, ${perRow[0]} octets a row, kept ${perRow[1]}; ${megabytes} MB a meter ${span}`;
}

/** Day by day, as it comes; returns how many rows. */
async function writeSample(database: Database, meters: readonly number[]): Promise<number> {
  const participants = [journalCoverage, noteLoadChanges, new BufferKeeping(database)];
  const writer = new ProfileWriter(database, PROFILE_COLUMNS, participants);
  const firstMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAYS * DAY_MS;
  let rows = 0;
  for (let day = 0; day < DAYS; day++) {
    for (let at = 0; at < meters.length; at += METERS_AT_ONCE) {
      const batches = meters.slice(at, at + METERS_AT_ONCE).flatMap((meter) => dayOf(meter, firstMs, day));
      rows += (await writer.write(batches)).inserted;
    }
    await foldCoverage(database);
  }
  while (
    (await keepDailyLoad(database, { sum: true, aggregate: database.capabilities.continuousAggregates })).summed > 0
  );
  return rows;
}

/** What a meter brings on a day. */
function dayOf(meterKey: number, firstMs: number, day: number): ProfileBatch[] {
  const startMs = firstMs + day * DAY_MS;
  const load = { meterKey, firstMs: startMs + HALF_HOUR_MS, slots: 48, slotMs: HALF_HOUR_MS };
  const once = { meterKey, firstMs: startMs, slots: 1, slotMs: DAY_MS };
  const energy = energyOf(load);
  const total = registerBefore(meterKey) + day * energy.reduce((sum, each) => sum + each, 0);
  const isNewMonth = new Date(startMs).getUTCDate() === 1;
  return [
    blockLoad(load, energy),
    batchOf(once, { profile: "daily_load", intervalS: 86_400 }, registers(total)),
    ...(isNewMonth ? [batchOf(once, { profile: "billing", intervalS: undefined }, billing(total, startMs))] : []),
    instants({ ...once, slots: DAY_MS / INSTANT_MS, slotMs: INSTANT_MS }, total),
  ].map(withOctets);
}

function voltageAt(seed: number): number {
  return 100 * Math.round(2300 + 60 * (noise(seed) - 0.5));
}

function blockLoad(curve: Curve, energy: readonly number[]): ProfileBatch {
  const seed = curve.meterKey + curve.firstMs / HALF_HOUR_MS;
  return batchOf(
    curve,
    { profile: "block_load", intervalS: HALF_HOUR_MS / 1000 },
    {
      active_import: (at) => MWH * (energy[at] ?? 0),
      active_export: () => 0,
      apparent_import: (at) => MWH * Math.round((energy[at] ?? 0) * (1 + 0.1 * noise(at + 7))),
      apparent_export: () => 0,
      voltage_l1: (at) => voltageAt(at + seed),
      current_l1: (at) => 10 * Math.round((energy[at] ?? 0) * 0.87),
    },
  );
}

function registers(total: number): Record<string, () => number> {
  return {
    active_import_total: () => MWH * total,
    active_export_total: () => 0,
    apparent_import_total: () => MWH * Math.round(total * 1.05),
    apparent_export_total: () => 0,
  };
}

function billing(total: number, startMs: number): Record<string, () => number> {
  const tariffs = Array.from({ length: 8 }, (_, at) => at + 1);
  const share = (tariff: number) => Math.round((total * tariff) / 36);
  return {
    ...registers(total),
    power_factor: () => 9500,
    ...Object.fromEntries(tariffs.map((tariff) => [`active_import_t${tariff}`, () => MWH * share(tariff)])),
    ...Object.fromEntries(tariffs.map((tariff) => [`apparent_import_t${tariff}`, () => MWH * share(tariff)])),
    demand_active_import_max: () => MWH * Math.round(2000 * noise(total)),
    demand_active_import_max_time: () => startMs - DAY_MS * Math.ceil(20 * noise(total)),
    demand_apparent_import_max: () => MWH * Math.round(2200 * noise(total)),
    demand_apparent_import_max_time: () => startMs - DAY_MS * Math.ceil(20 * noise(total)),
  };
}

function instants(curve: Curve, total: number): ProfileBatch {
  const seed = curve.meterKey + curve.firstMs / DAY_MS;
  const power = (at: number) => Math.round(50 + 3000 * noise(seed * 6 + at));
  const energy = (at: number) => total + 500 * at;
  return batchOf(
    curve,
    { profile: "instant", intervalS: undefined },
    {
      voltage_l1: (at) => voltageAt(at + seed),
      current_l1: (at) => 10 * Math.round(power(at) / 2.3),
      current_n: (at) => 10 * Math.round(power(at) / 2.3),
      power_factor: (at) => 9000 + Math.round(999 * noise(at + seed)),
      frequency: (at) => 499_000 + 100 * Math.round(20 * noise(at + 3 * seed)),
      active_power_import: (at) => MWH * power(at),
      apparent_power_import: (at) => MWH * Math.round(power(at) * 1.05),
      active_import_total: (at) => MWH * energy(at),
      apparent_import_total: (at) => MWH * Math.round(energy(at) * 1.05),
      power_failures: () => 12,
    },
  );
}

const STAMP = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };

/** The rows once more as a meter would have sent them. */
function withOctets(batch: ProfileBatch): ProfileBatch {
  const { meterKey, profile, source, readAt, columns, instantsMs } = batch;
  const rows = instantsMs.map((instantMs, row): Data => {
    const stamp: Data = { type: "octet-string", value: encodeDateTime(dateTimeAt(instantMs, UTC)) };
    const values = columns.map(({ values }): Data => {
      return { type: "double-long-unsigned", value: Number((values[row] ?? 0n) / 1000n) % 2 ** 32 };
    });
    return { type: "structure", value: [stamp, ...values] };
  });
  const octets = dataToBytes({ type: "array", value: rows });
  const buffer = { form: "buffer", meterKey, profile, source, receivedAt: readAt, octets } as const;
  return { ...batch, buffers: [packBuffer({ ...buffer, layout: LAYOUT, deviation: "standard" })] };
}

const LAYOUT = profileLayout({ captureObjects: [STAMP] });

/** Tables that hold something of the sample; of all that is in them. */
async function tablesOf(database: Database): Promise<Table[]> {
  const names = await database.query<{ schema: string; name: string }>(
    "select table_schema as schema, table_name as name from dlms.time_tables order by 1, 2",
  );
  const size = database.capabilities.hypertables
    ? "coalesce(hypertable_size($1::regclass), pg_total_relation_size($1::regclass))"
    : "pg_total_relation_size($1::regclass)";
  const tables: Table[] = [];
  for (const { schema, name } of names) {
    const [table] = await database.query<{ rows: number; octets: number }>(
      `select (select count(*)::float8 from ${schema}.${name}) as rows, ${size}::float8 as octets`,
      [`${schema}.${name}`],
    );
    if (table !== undefined && table.rows > 0) tables.push({ name, ...table });
  }
  return tables;
}

async function compressAll(database: Database): Promise<void> {
  const tables = await database.query<{ relation: string }>(
    "select format('%I.%I', table_schema, table_name) as relation from dlms.time_tables where order_by is not null",
  );
  for (const { relation } of tables) {
    const chunks = await database.query<{ chunk: string }>(
      "select c::text as chunk from show_chunks($1::regclass) c order by c::oid",
      [relation],
    );
    for (const { chunk } of chunks) {
      // One that was merged into its neighbour is gone.
      await database.query(
        "select compress_chunk(c, if_not_compressed => true) from to_regclass($1::text) c where c is not null",
        [chunk],
      );
    }
  }
}
