/** Octets of a row of block load, as it came and compressed, beside the same rows as floating-point numbers. */
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import type { Database } from "../../src/store/database/database.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import type { Bench } from "./bench.ts";
import { benchDatabase, newMeters } from "./bench-database.ts";
import { batchOf, energyOf, noise, registerBefore } from "./load-curve.ts";

const METERS = 300;
const SLOT_MS = 900_000;
/** A whole chunk: seven days that begin where chunks of seven days do. */
const SLOTS = 7 * 96;
const FIRST_MS = Math.floor(Date.UTC(2026, 0, 1) / (7 * 86_400_000)) * 7 * 86_400_000;
const METERS_AT_ONCE = 7;
const TABLE = "dlms.block_load_profile_data";
const REFERENCE = "bench_floats";

export const bench: Bench = {
  compares: `octets a row of block load (8 values) of ${METERS} meters in a week of quarter hours: our table, with all its columns and its key, against a hypertable of the same rows with a UUID and 8 double precision columns, of the same chunks and the same compression`,
  unfair:
    "curves are made: a day's shape with noise, in the steps of a meter; the reference has neither origin nor layout of a row; without the Community edition nothing is compressed",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database, edition } = await benchDatabase(stack, 2);
    const { hypertables, compression } = database.capabilities;
    const meters = await newMeters(database, METERS);
    const writer = new ProfileWriter(database, PROFILE_COLUMNS);
    const beganMs = performance.now();
    for (let at = 0; at < METERS; at += METERS_AT_ONCE) {
      await writer.write(meters.slice(at, at + METERS_AT_ONCE).map((meter) => week(meter)));
    }
    const writeMs = performance.now() - beganMs;
    await fillReference(database, hypertables);
    const rows = METERS * SLOTS;
    const before = [await octets(database, TABLE), await octets(database, REFERENCE)].map((each) => each / rows);
    const facts = [
      edition,
      `${rows} rows; as they came: ${before[0]?.toFixed(1)} octets a row with the key's index, the reference ${before[1]?.toFixed(1)}`,
    ];
    const ratios: Record<string, number> = { "octets-as-it-came": (before[1] ?? 0) / (before[0] ?? 1) };
    const written = { task: "written", perSecond: (1000 * rows) / writeMs, unit: "rows" };
    if (!compression) return { facts: [...facts, "this edition does not compress"], rows: [written], ratios };
    const compressMs = [await compress(database, TABLE), await compress(database, REFERENCE)];
    const after = [await octets(database, TABLE), await octets(database, REFERENCE)].map((each) => each / rows);
    facts.push(
      `compressed: ${after[0]?.toFixed(1)} octets a row, 1 to ${((before[0] ?? 0) / (after[0] ?? 1)).toFixed(1)}; the reference ${after[1]?.toFixed(1)}`,
    );
    ratios["octets-compressed"] = (after[1] ?? 0) / (after[0] ?? 1);
    const late = await lateRows(writer, meters, timeMs);
    return {
      facts: [...facts, late],
      rows: [written, { task: "compressed", perSecond: (1000 * rows) / (compressMs[0] ?? 1), unit: "rows" }],
      ratios,
    };
  },
};

function week(meterKey: number, shiftMs = 0): ProfileBatch {
  const curve = { meterKey, firstMs: FIRST_MS + shiftMs, slots: SLOTS, slotMs: SLOT_MS };
  const energy = energyOf(curve);
  let total = registerBefore(meterKey);
  const totals = energy.map((each) => (total += each));
  return batchOf(
    curve,
    { profile: "block_load", intervalS: SLOT_MS / 1000 },
    {
      active_import: (at) => 1000 * (energy[at] ?? 0),
      active_export: () => 0,
      reactive_import: (at) => 1000 * Math.round((energy[at] ?? 0) * 0.2 * noise(at)),
      reactive_export: () => 0,
      apparent_import: (at) => 1000 * Math.round((energy[at] ?? 0) * (1 + 0.1 * noise(at + 7))),
      active_import_total: (at) => 1000 * (totals[at] ?? 0),
      voltage_l1: (at) => 100 * Math.round(2300 + 60 * (noise(at + meterKey) - 0.5)),
      current_l1: (at) => 10 * Math.round((energy[at] ?? 0) * 1.74),
    },
  );
}

async function fillReference(database: Database, hypertables: boolean): Promise<void> {
  const columns = ["active_import", "active_export", "reactive_import", "reactive_export", "apparent_import"];
  const values = [...columns, "active_import_total", "voltage_l1", "current_l1"];
  await database.query(`create table ${REFERENCE} (meter_id uuid not null, captured_at timestamptz not null,
    ${values.map((name) => `${name} double precision`).join(", ")}, primary key (meter_id, captured_at))`);
  if (hypertables) {
    await database.query(
      `select create_hypertable('${REFERENCE}', by_range('captured_at', interval '7 days'), create_default_indexes => false)`,
    );
  }
  await database.query(
    `insert into ${REFERENCE} select m.id, b.captured_at, ${values.map((name) => `b.${name} / 1000.0`).join(", ")}
     from ${TABLE} b join public.meters m on m.meter_key = b.meter_key order by b.meter_key, b.captured_at`,
  );
}

async function octets(database: Database, table: string): Promise<number> {
  const size = database.capabilities.hypertables ? "hypertable_size" : "pg_total_relation_size";
  const rows = await database.query<{ octets: bigint }>(`select ${size}('${table}'::regclass) as octets`);
  return Number(rows[0]?.octets ?? 0);
}

async function compress(database: Database, table: string): Promise<number> {
  if (table === REFERENCE) {
    await database.query(
      `alter table ${REFERENCE} set (timescaledb.compress, timescaledb.compress_segmentby = 'meter_id', timescaledb.compress_orderby = 'captured_at')`,
    );
  }
  const beganMs = performance.now();
  await database.query(`select compress_chunk(c, if_not_compressed => true) from show_chunks('${table}') c`);
  return performance.now() - beganMs;
}

/** A row of each meter between those that are compressed. */
async function lateRows(writer: ProfileWriter, meters: readonly number[], timeMs: number): Promise<string> {
  const times: number[] = [];
  const endMs = performance.now() + timeMs;
  for (let round = 1; times.length < 3 || performance.now() < endMs; round++) {
    const batches = meters.map((meter): ProfileBatch => {
      const whole = week(meter, round * 1000);
      const columns = whole.columns.map(({ column, values }) => ({ column, values: values.slice(0, 1) }));
      return {
        ...whole,
        rowCount: 1,
        instantsMs: whole.instantsMs.slice(0, 1),
        columns,
        timeRules: ["deviation"],
        meterTimes: undefined,
      };
    });
    const beganMs = performance.now();
    await writer.write(batches);
    times.push(performance.now() - beganMs);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  return `a late row of each of ${meters.length} meters into the compressed chunk: ${median.toFixed(0)} ms`;
}
