/** Finding series among a million keys, and reading one over a year as it was known at a moment. */
import { profileQuantities } from "../../src/profiles/quantities.ts";
import { keepQuantities } from "../../src/series/quantities.ts";
import type { Database } from "../../src/store/database/database.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { benchDatabase } from "./bench-database.ts";

const SERIES_A_METER = 20;
const METERS = 50_000;
const QUICK_METERS = 500;
/** Meters that have readings: half hours, and midnights. */
const READ_METERS = 40;
const QUICK_READ_METERS = 2;
const LEAST_ROUNDS = 7;
const QUICK_MS = 500;

/** A statement, and how many rows it must give. */
interface Task {
  readonly name: string;
  readonly text: string;
  readonly rows: number;
}

const YEAR = "'2025-01-01', '2026-01-01'";

function read(key: string, rest = ""): string {
  return `select * from dlms_api.read_series(array['${key}'], ${YEAR}${rest})`;
}

function plain(table: string, column: string): string {
  return `select captured_at, ${column} * 0.001::numeric from dlms.${table} where meter_key = 2
    and captured_at >= '2025-01-01' and captured_at < '2026-01-01' order by captured_at`;
}

function tasks(meters: number, beforeRevisions: string): Record<string, Task> {
  const some = 10_000_000 + Math.floor(meters / 3);
  return {
    scan: {
      name: "search: every key against the pattern (reference)",
      text: `select key from dlms.series where key || '' ~ '${String(some).slice(1)}.*voltage_l1\\.block'`,
      rows: 1,
    },
    within: {
      name: "search: find_series by a pattern within the key",
      text: `select * from dlms_api.find_series('${String(some).slice(1)}.*voltage_l1\\.block')`,
      rows: 1,
    },
    prefix: {
      name: "search: find_series by how the key begins",
      text: `select * from dlms_api.find_series('^m\\.B${some}\\.')`,
      rows: SERIES_A_METER,
    },
    halfHours: {
      name: "year of half hours: the table's rows (reference)",
      text: plain("block_load_profile_data", "active_import"),
      rows: 17_520,
    },
    halfHoursNow: {
      name: "year of half hours: read_series, 2.3 % revised",
      text: read("m.B10000002.active_import.block_load"),
      rows: 17_520,
    },
    halfHoursAsOf: {
      name: "year of half hours: read_series as of before the revisions",
      text: read("m.B10000002.active_import.block_load", `, as_of => '${beforeRevisions}'`),
      rows: 17_520,
    },
    days: {
      name: "year of days: the table's rows (reference)",
      text: plain("daily_load_profile_data", "active_import_total"),
      rows: 365,
    },
    daysNow: {
      name: "year of days: read_series",
      text: read("m.B10000002.active_import_total.daily_load", ", as_of => now()"),
      rows: 365,
    },
  };
}

export const bench: Bench = {
  compares:
    "dlms_api.find_series over a million keys against a look at every key, and dlms_api.read_series of one meter over a year against a plain select of the same rows; chunks are compressed where the edition can",
  unfair:
    "the plain select knows no access, no embargo, no revisions and no keys, and everything is in memory; the search is for little, which suits an index; ratios are of the server's time, which leaves out writing rows to the connection and reading them at the client",
  async run({ timeMs }) {
    const isQuick = timeMs < QUICK_MS;
    const meters = isQuick ? QUICK_METERS : METERS;
    await using stack = new AsyncDisposableStack();
    const { database, edition } = await benchDatabase(stack, 1);
    await fill(database, meters, isQuick ? QUICK_READ_METERS : READ_METERS);
    const [moment] = await database.query<{ known: string }>(
      "select max(known_from)::text as known from dlms.block_load_profile_data",
    );
    const found = tasks(meters, moment?.known ?? "");
    const costs = await measureInTurns(database, Object.values(found), timeMs);
    const rows: BenchRow[] = [...costs].map(([task, cost]) => ({
      task: `${task.name}: ${cost.wholeMs.toFixed(1)} ms, the server ${cost.serverMs.toFixed(1)} ms`,
      perSecond: 1000 / cost.wholeMs,
      unit: "reads",
    }));
    const serverMsOf = (task: string) => (found[task] && costs.get(found[task])?.serverMs) ?? Number.NaN;
    const [first] = rows;
    if (first !== undefined) rows[0] = { ...first, task: `${first.task} (${edition})` };
    const ratio = (reference: string, task: string) => serverMsOf(reference) / serverMsOf(task);
    return {
      rows,
      ratios: {
        "key-search": ratio("scan", "within"),
        "key-prefix": ratio("scan", "prefix"),
        "half-hours": ratio("halfHours", "halfHoursNow"),
        "half-hours-as-of": ratio("halfHours", "halfHoursAsOf"),
        days: ratio("days", "daysNow"),
      },
    };
  },
};

async function fill(database: Database, meters: number, readMeters: number): Promise<void> {
  await keepQuantities(database, profileQuantities());
  await database.query("drop index dlms.series_key_trigrams");
  await database.query(
    `insert into public.meters (meter_number, name) select 'B' || i, 'b' || i from generate_series(10000001, 10000000 + $1::int) i`,
    [meters],
  );
  await database.withClient(async (client) => {
    await client.query("set statement_timeout = 0");
    await client.query(
      `insert into dlms.series (dataset_key, namespace, stem, quantity, part, meter_key, column_name)
       select d.dataset_key, 'm', m.meter_number, q.column_name, d.name, m.meter_key, q.column_name
       from public.meters m
       cross join (
         select * from dlms.quantities where profile = 'block_load' and kind = 'number'
         order by column_name not in ('voltage_l1', 'active_import'), column_name limit ${SERIES_A_METER - 1}
       ) q
       join dlms.datasets d using (profile)
       union all
       select d.dataset_key, 'm', m.meter_number, 'active_import_total', d.name, m.meter_key, 'active_import_total'
       from public.meters m join dlms.datasets d on d.name = 'daily_load'`,
    );
    await client.query("select dlms.make_key_search()");
    await client.query("reset statement_timeout");
  });
  await database.query(
    `insert into dlms.block_load_profile_data
       (captured_at, read_at, meter_key, layout_key, source, time_rule, interval_s, voltage_l1, active_import, active_import_total)
     select t, t, m, 1, 1, 1, 1800, 230000 + (extract(epoch from t)::bigint / 1800 * 7 + m) % 1000,
       1000 * ((extract(epoch from t)::bigint / 1800 * 13) % 500), extract(epoch from t)::bigint * m
     from generate_series(1, $1::int) m, generate_series('2025-01-01'::timestamptz, '2025-12-31 23:30Z', '30 minutes') t`,
    [readMeters],
  );
  await database.query(
    `insert into dlms.daily_load_profile_data (captured_at, read_at, meter_key, layout_key, source, time_rule, active_import_total)
     select t, t, m, 1, 1, 1, extract(epoch from t)::bigint * m
     from generate_series(1, $1::int) m, generate_series('2025-01-01'::timestamptz, '2025-12-31', '1 day') t`,
    [readMeters],
  );
  await database.query("select pg_sleep(0.01)");
  await database.query(
    `insert into dlms.profile_revisions (profile, meter_key, captured_at, source, layout_key, read_at, held, arrived, digest)
     select 'block_load', meter_key, captured_at, 1, 1, now(), '{"active_import": 0}', '{"active_import": 1}', '\\x00'
     from dlms.block_load_profile_data where (extract(epoch from captured_at)::bigint / 1800 * 11) % 1000 < 23`,
  );
  if (database.capabilities.compression) {
    for (const table of ["block_load_profile_data", "daily_load_profile_data"]) {
      await database.query(`select count(compress_chunk(c)) from show_chunks('dlms.${table}') c`);
    }
  }
  for (const table of [
    "dlms.series",
    "dlms.block_load_profile_data",
    "dlms.daily_load_profile_data",
    "dlms.profile_revisions",
  ]) {
    await database.query(`vacuum analyze ${table}`);
  }
}

/** Medians in milliseconds: until the rows are at the client, and what the server takes to make them. */
interface Cost {
  readonly wholeMs: number;
  readonly serverMs: number;
}

/** What each task costs; they take turns, so that what else the machine does meets all alike. */
async function measureInTurns(
  database: Database,
  all: readonly Task[],
  timeMs: number,
): Promise<ReadonlyMap<Task, Cost>> {
  const times = new Map(all.map((task) => [task, { whole: [] as number[], server: [] as number[] }]));
  const endMs = performance.now() + all.length * timeMs;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < endMs; round++) {
    for (const [task, { whole, server }] of times) {
      const beganMs = performance.now();
      const rows = await database.query(task.text);
      whole.push(performance.now() - beganMs);
      if (rows.length !== task.rows) throw new Error(`${task.name}: ${rows.length} rows, not ${task.rows}`);
      server.push(await serverMs(database, task));
    }
  }
  return new Map(
    [...times].map(([task, { whole, server }]) => [task, { wholeMs: median(whole), serverMs: median(server) }]),
  );
}

async function serverMs(database: Database, task: Task): Promise<number> {
  const [explained] = await database.query<{ "QUERY PLAN": [{ "Planning Time": number; "Execution Time": number }] }>(
    `explain (analyze, timing off, format json) ${task.text}`,
  );
  const plan = explained?.["QUERY PLAN"][0];
  return plan === undefined ? Number.NaN : plan["Planning Time"] + plan["Execution Time"];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
