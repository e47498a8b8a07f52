/** What it costs to keep sums by day, beside the same writing without it and the same questions asked of the rows. */
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import type { Database } from "../../src/store/database/database.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { keepDailyLoad } from "../../src/store/upkeep/daily-load.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { benchDatabase } from "./bench-database.ts";

const METERS = 2000;
const DAY_MS = 86_400_000;
const SLOT_MS = 1_800_000;
const SLOTS = DAY_MS / SLOT_MS;
const GROUP_ROWS = 5000;
const START_MS = Date.UTC(2026, 0, 1);
const LEAST_ROUNDS = 4;
const VALUES = [
  "active_import",
  "active_export",
  "reactive_import",
  "reactive_export",
  "apparent_import",
  "active_import_total",
  "voltage_l1",
  "current_l1",
];

interface Way {
  readonly writer: ProfileWriter;
  readonly meters: readonly number[];
  readonly ingestMs: number[];
  readonly upkeepMs: number[];
}

export const bench: Bench = {
  compares: `writing a day of block load of ${METERS} meters (48 intervals, 8 values) with notes of what changed, and then summing it by day, against the same writing alone; then one meter's month and the fleet's day from the view against the same sums of the rows`,
  unfair:
    "each day is written at once and summed once, which is the best case of upkeep; in the rows' favour all of them are in memory; server and client share this machine's cores",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database, edition } = await benchDatabase(stack, 2);
    const plain = await newWay(database, []);
    const noted = await newWay(database, [noteLoadChanges]);
    const endMs = performance.now() + 8 * timeMs;
    for (let day = 0; day < LEAST_ROUNDS || performance.now() < endMs; day++) {
      const order = day % 2 === 0 ? [plain, noted] : [noted, plain];
      for (const way of order) await writeDay(way, day);
      noted.upkeepMs.push(await duration(() => keepDailyLoad(database, { sum: true })));
    }
    const rows = METERS * SLOTS;
    const [plainMs, notedMs, upkeepMs] = [plain.ingestMs, noted.ingestMs, noted.upkeepMs].map(median);
    const [ingest = 0, withNotes = 0, upkeep = 0] = [plainMs, notedMs, upkeepMs];
    const questions = await ask(database, noted.meters, timeMs);
    return {
      facts: [
        edition,
        `upkeep of a day of ${METERS} meters: ${upkeep.toFixed(0)} ms, ${((100 * upkeep) / withNotes).toFixed(1)} % of the ${withNotes.toFixed(0)} ms that its writing took`,
        ...(await lateRows(database, noted)),
      ],
      rows: [
        { task: "write, nothing else", perSecond: (1000 * rows) / ingest, unit: "rows" },
        { task: "write with notes", perSecond: (1000 * rows) / withNotes, unit: "rows" },
        { task: "write with notes and upkeep", perSecond: (1000 * rows) / (withNotes + upkeep), unit: "rows" },
        ...questions.rows,
      ],
      ratios: {
        "daily-load-notes": ingest / withNotes,
        "daily-load-upkeep": ingest / (withNotes + upkeep),
        ...questions.ratios,
      },
    };
  },
};

async function newWay(database: Database, participants: readonly (typeof noteLoadChanges)[]): Promise<Way> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name, time_zone)
     select number, number, 'Asia/Kolkata' from (select gen_random_uuid()::text as number from generate_series(1, $1::int)) as n
     returning meter_key`,
    [METERS],
  );
  const writer = new ProfileWriter(database, PROFILE_COLUMNS, participants);
  return { writer, meters: rows.map((row) => row.meter_key), ingestMs: [], upkeepMs: [] };
}

/** From 18:30 UTC on, which is midnight there. */
async function writeDay({ writer, meters, ingestMs }: Way, day: number): Promise<void> {
  const midnight = START_MS + day * DAY_MS - 5.5 * 3_600_000;
  const batches = meters.map((meter) => load(meter, midnight, SLOTS));
  const perGroup = Math.floor(GROUP_ROWS / SLOTS);
  ingestMs.push(
    await duration(async () => {
      for (let at = 0; at < batches.length; at += perGroup) await writer.write(batches.slice(at, at + perGroup));
    }),
  );
}

function load(meterKey: number, fromMs: number, count: number): ProfileBatch {
  const index = Array.from({ length: count }, (_, at) => at);
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "bench-layout",
    readAt: new Date(fromMs + 2 * DAY_MS),
    rowCount: count,
    instantsMs: index.map((at) => fromMs + (at + 1) * SLOT_MS),
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

/** A late row each of a hundredth of the meters, on a day that was summed long ago. */
async function lateRows(database: Database, { writer, meters }: Way): Promise<string[]> {
  const late = meters.filter((_, index) => index % 100 === 0);
  const lateMs = START_MS - 5.5 * 3_600_000 + 600_000 - SLOT_MS;
  await writer.write(late.map((meter) => load(meter, lateMs, 1)));
  const ms = await duration(() => keepDailyLoad(database, { sum: true }));
  return [`upkeep of a late row of ${late.length} of ${meters.length} meters: ${ms.toFixed(0)} ms`];
}

interface Questions {
  readonly rows: readonly BenchRow[];
  readonly ratios: Readonly<Record<string, number>>;
}

async function ask(database: Database, meters: readonly number[], timeMs: number): Promise<Questions> {
  await database.query("analyze");
  const direct = `select b.meter_key, ((b.captured_at - interval '1 microsecond') at time zone 'Asia/Kolkata')::date as day,
    sum(b.active_import) from dlms.block_load_profile_data b`;
  const view = "select p.day, p.active_import_wh from dlms.daily_load_profile p";
  const [first] = await database.query<{ meter_number: string }>(
    "select meter_number from public.meters where meter_key = $1::int",
    [meters[0]],
  );
  const number = `'${first?.meter_number ?? ""}'`;
  const day = "'2026-01-02'";
  const tasks: Readonly<Record<string, readonly [view: string, direct: string]>> = {
    "one meter, all days": [
      `${view} where p.meter_number = ${number}`,
      `${direct} join public.meters m using (meter_key) where m.meter_number = ${number} group by 1, 2`,
    ],
    "the fleet's day": [
      `${view} where p.day = ${day}`,
      `${direct} where b.captured_at > (${day}::timestamp at time zone 'Asia/Kolkata')
         and b.captured_at <= (${day}::timestamp + interval '1 day') at time zone 'Asia/Kolkata' group by 1, 2`,
    ],
  };
  const rows: BenchRow[] = [];
  const ratios: Record<string, number> = {};
  for (const [task, [ours, theirs]] of Object.entries(tasks)) {
    const times = { ours: [] as number[], theirs: [] as number[] };
    const endMs = performance.now() + timeMs;
    while (performance.now() < endMs || times.ours.length < 3) {
      times.ours.push(await duration(() => database.query(ours)));
      times.theirs.push(await duration(() => database.query(theirs)));
    }
    rows.push({ task: `${task}: view`, perSecond: 1000 / median(times.ours), unit: "questions" });
    rows.push({ task: `${task}: sums of rows`, perSecond: 1000 / median(times.theirs), unit: "questions" });
    ratios[task.replaceAll(/[^a-z]+/g, "-")] = median(times.theirs) / median(times.ours);
  }
  return { rows, ratios };
}

async function duration(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
