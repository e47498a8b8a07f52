import fc from "fast-check";
import { expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { noteLoadChanges } from "../../src/store/profiles/load-changes.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { keepDailyLoad } from "../../src/store/upkeep/daily-load.ts";
import { blockLoad, makeMeters, SLOT_MS, slots } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase(async (database) => {
  // Policies run when they like; here chunks are compressed at chosen moments.
  if (database.capabilities.policies) {
    await database.query(
      "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where proc_name = 'policy_compression'",
    );
  }
});
const DAY_MS = 86_400_000;
let madeMeters = 0;

async function newMeter(timeZone: string): Promise<number> {
  const [meter = 0] = await makeMeters(current().database, [`D${++madeMeters}`]);
  await rezone(meter, timeZone);
  return meter;
}

async function rezone(meter: number, timeZone: string): Promise<void> {
  const text = "update public.meters set time_zone = $2::text where meter_key = $1::int";
  await current().database.query(text, [meter, timeZone]);
}

function newWriter(): ProfileWriter {
  return new ProfileWriter(current().database, PROFILE_COLUMNS, [noteLoadChanges]);
}

/** Intervals of `energy` mWh that end at slots `from` + 1 to `to` after a moment. */
function load(meter: number, moment: number, [from, to]: readonly [number, number], energy = 1000n) {
  const range = slots(from + 1, to + 1);
  return blockLoad(meter, range, {
    instantsMs: range.map((slot) => moment + slot * SLOT_MS),
    columns: [{ column: "active_import", values: range.map(() => energy) }],
  });
}

interface Day {
  intervals: number;
  hours: number;
  complete: boolean;
  energy: string | null;
}

async function shownDays(meter: number): Promise<Day[]> {
  return current().database.query<Day>(
    `select p.intervals::int, (extract(epoch from p.ends_at - p.starts_at) / 3600)::int as hours, p.complete,
       p.active_import_wh::text as energy
     from dlms.daily_load_profile p join public.meters m on m.id = p.meter_id
     where m.meter_key = $1::int order by p.day`,
    [meter],
  );
}

/** What the views say of meters, and what the rows themselves amount to. */
async function bothSums(meters: readonly number[]): Promise<{ shown: unknown[]; direct: unknown[] }> {
  const { database } = current();
  const shown = await database.query(
    `select meter_key, day::text, intervals::int, covered_s::int, with_registers::int, active_import::text
     from dlms.daily_load_days where meter_key = any ($1::int[]) order by meter_key, day`,
    [meters],
  );
  const direct = await database.query(
    `select b.meter_key, ((b.captured_at - interval '1 microsecond') at time zone m.time_zone)::date::text as day,
       count(*)::int as intervals, (sum(b.interval_s) filter (where b.active_import is not null))::int as covered_s,
       count(b.active_import_total)::int as with_registers, sum(b.active_import)::text as active_import
     from dlms.block_load_profile_data b join public.meters m on m.meter_key = b.meter_key
     where b.meter_key = any ($1::int[]) group by 1, 2 order by 1, 2`,
    [meters],
  );
  return { shown, direct };
}

async function compressAll(): Promise<void> {
  for (const table of ["block_load_profile_data", "daily_load_rollup"]) {
    await current().database.query(
      "select compress_chunk(c, if_not_compressed => true) from show_chunks($1::regclass) c",
      [`dlms.${table}`],
    );
  }
}

/** Midnight before a clock change, and what the days from then on have. */
const CHANGES = [
  ["Europe/Vienna", "2026-03-27T23:00:00Z", [24, 23, 24]],
  ["Europe/Vienna", "2026-10-23T22:00:00Z", [24, 25, 24]],
  // Here clocks go back over midnight, which the day then has twice.
  ["Atlantic/Azores", "2026-10-24T00:00:00Z", [24, 25, 24]],
  ["Asia/Kolkata", "2026-05-01T18:30:00Z", [24, 24, 24]],
  ["Asia/Kathmandu", "2026-05-01T18:15:00Z", [24, 24, 24]],
  ["UTC", "2026-05-02T00:00:00Z", [24, 24, 24]],
] as const;

test.each(CHANGES)("daily load: days of %s from %s on have their own lengths", async (zone, midnight, hours) => {
  const meter = await newMeter(zone);
  const total = hours.reduce((sum, each) => sum + each, 0);
  await newWriter().write([load(meter, Date.parse(midnight), [0, total * 4])]);
  const expected = hours.map((each) => ({
    intervals: each * 4,
    hours: each,
    complete: true,
    energy: `${each * 4}.000`,
  }));
  expect(await shownDays(meter)).toEqual(expected);
  await keepDailyLoad(current().database, { sum: true });
  expect(await shownDays(meter)).toEqual(expected);
});

test("daily load: a zone that the server does not know is UTC, and no other meter suffers", async () => {
  const meter = await newMeter("Mars/Phobos");
  await newWriter().write([load(meter, Date.parse("2026-05-02T00:00:00Z"), [0, 96])]);
  expect(await shownDays(meter)).toEqual([{ intervals: 96, hours: 24, complete: true, energy: "96.000" }]);
  const [row] = await current().database.query("select time_zone from public.meters where meter_key = $1::int", [
    meter,
  ]);
  expect(row).toEqual({ time_zone: "UTC" });
  expect(await keepDailyLoad(current().database, { sum: true })).toMatchObject({ summed: 1 });
});

test("daily load: what is noted is summed once, and nothing is left to do after that", async () => {
  const { database } = current();
  const meter = await newMeter("Asia/Kolkata");
  await newWriter().write([load(meter, Date.parse("2026-06-01T18:30:00Z"), [0, 96 * 3])]);
  const first = await keepDailyLoad(database, { sum: true });
  expect(first).toMatchObject({ busyElsewhere: false, taken: 1, summed: 3 });
  expect(await keepDailyLoad(database, { sum: true })).toMatchObject({ taken: 0, summed: 0 });
  const kept = await database.query("select day::text from dlms.daily_load_kept where meter_key = $1::int", [meter]);
  expect(kept).toHaveLength(3);
});

test("daily load: a day that is not over stays due and is shown all the same", async () => {
  const { database } = current();
  const meter = await newMeter("UTC");
  const lastMs = Math.floor(Date.now() / SLOT_MS) * SLOT_MS;
  await newWriter().write([
    { ...load(meter, lastMs - SLOT_MS, [0, 1]), readAt: new Date() },
    { ...load(meter, lastMs - 3 * DAY_MS, [0, 1]), readAt: new Date() },
  ]);
  await keepDailyLoad(database, { sum: true });
  const kept = await database.query("select day::text from dlms.daily_load_kept where meter_key = $1::int", [meter]);
  expect(kept).toHaveLength(1);
  expect(await shownDays(meter)).toHaveLength(2);
});

type Step =
  | {
      readonly kind: "write" | "complete" | "change" | "delete";
      readonly meter: number;
      readonly from: number;
      readonly count: number;
      readonly energy: bigint;
    }
  | { readonly kind: "rezone"; readonly meter: number; readonly zone: string }
  | { readonly kind: "take" | "sum" | "compress" };

const METERS = 3;
const ZONES = ["UTC", "Europe/Vienna", "Atlantic/Azores", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"];
const meter = fc.nat(METERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("write" as const, "write", "complete", "change", "delete"),
      meter,
      from: fc.nat(96 * 6),
      count: fc.integer({ min: 1, max: 150 }),
      energy: fc.bigInt(0n, 5000n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("rezone" as const), meter, zone: fc.constantFrom(...ZONES) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("take" as const, "sum", "sum", "compress") }) },
);

const FIRST_MS = Date.parse("2026-10-22T00:00:00Z");

async function perform(writer: ProfileWriter, meters: readonly number[], each: Step): Promise<void> {
  const { database } = current();
  switch (each.kind) {
    case "compress":
      if (database.capabilities.compression) await compressAll();
      return;
    case "take":
    case "sum":
      await keepDailyLoad(database, { sum: each.kind === "sum" });
      return;
    case "rezone":
      await rezone(meters[each.meter] ?? 0, each.zone);
      return;
    default:
      await changeRows(writer, meters[each.meter] ?? 0, each);
  }
}

async function changeRows(
  writer: ProfileWriter,
  meterKey: number,
  { kind, from, count, energy }: Extract<Step, { energy: bigint }>,
): Promise<void> {
  const batch = load(meterKey, FIRST_MS, [from, from + count], energy);
  if (kind === "write") {
    await writer.write([batch]);
  } else if (kind === "complete") {
    const columns = [{ column: "active_import_total", values: batch.instantsMs.map(BigInt) }];
    await writer.write([{ ...batch, columns }]);
  } else {
    const ends = [batch.instantsMs.at(0), batch.instantsMs.at(-1)].map((ms) => new Date(ms ?? 0));
    const set = "update dlms.block_load_profile_data set active_import = active_import + 7";
    await current().database.query(
      `${kind === "change" ? set : "delete from dlms.block_load_profile_data"}
       where meter_key = $1::int and captured_at between $2::timestamptz and $3::timestamptz`,
      [meterKey, ...ends],
    );
  }
}

test("daily load: after any writes, changes and upkeep, the views say what the rows amount to", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      const meters = await Promise.all(ZONES.slice(0, METERS).map((zone) => newMeter(zone)));
      const writer = newWriter();
      for (const each of steps) {
        await perform(writer, meters, each);
        const { shown, direct } = await bothSums(meters);
        expect(shown).toEqual(direct);
      }
      await keepDailyLoad(current().database, { sum: true });
      const { shown, direct } = await bothSums(meters);
      expect(shown).toEqual(direct);
      await current().database.query("delete from public.meters where meter_key = any ($1::int[])", [meters]);
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

test("daily load: rows that come while days are summed are not lost", async () => {
  const { database } = current();
  const meter = await newMeter("UTC");
  const writer = newWriter();
  const writing = new AbortController();
  const keeping = (async () => {
    while (!writing.signal.aborted) await keepDailyLoad(database, { sum: true });
  })();
  for (let slot = 0; slot < 200; slot += 5) await writer.write([load(meter, FIRST_MS - 30 * DAY_MS, [slot, slot + 5])]);
  writing.abort();
  await keeping;
  await keepDailyLoad(database, { sum: true });
  const due = await database.query("select from dlms.daily_load_due where meter_key = $1::int", [meter]);
  expect(due).toHaveLength(0);
  const { shown, direct } = await bothSums([meter]);
  expect(shown).toEqual(direct);
});

/** A day's capture of registers, in mWh, at midnights. */
function captures(meterKey: number, registers: readonly (readonly [midnight: string, register: bigint])[]) {
  return blockLoad(meterKey, slots(0, registers.length), {
    profile: "daily_load",
    intervalS: undefined,
    instantsMs: registers.map(([midnight]) => Date.parse(midnight)),
    columns: [{ column: "active_import_total", values: registers.map(([, register]) => register) }],
  });
}

test("daily load: beside the sum stand the registers that the meter captured at the end of the day", async () => {
  const meter = await newMeter("Asia/Kolkata");
  await newWriter().write([
    load(meter, Date.parse("2026-06-01T18:30:00Z"), [0, 96]),
    captures(meter, [
      ["2026-06-01T18:30:00Z", 500_000n],
      ["2026-06-02T18:30:00Z", 596_000n],
      ["2026-06-03T18:30:00Z", 700_000n],
    ]),
  ]);
  const rows = await current().database.query(
    `select p.day::text, p.intervals::int, p.active_import_wh::text, p.active_import_total_wh::text, p.complete
     from dlms.daily_load_profile p join public.meters m on m.id = p.meter_id where m.meter_key = $1::int order by p.day`,
    [meter],
  );
  const shown = { intervals: 0, active_import_wh: null, complete: false };
  expect(rows).toEqual([
    { ...shown, day: "2026-06-01", active_import_total_wh: "500.000" },
    { day: "2026-06-02", intervals: 96, active_import_wh: "96.000", active_import_total_wh: "596.000", complete: true },
    { day: "2026-06-03", intervals: 0, active_import_wh: "104.000", active_import_total_wh: "700.000", complete: true },
  ]);
});

test("daily load: where the block load holds registers, their difference is the day's consumption", async () => {
  const meter = await newMeter("Europe/Vienna");
  const midnight = Date.parse("2026-03-27T23:00:00Z");
  const range = slots(0, 96 + 92 + 1);
  const registers = range.map((slot) => 1_000_000n + 2_000n * BigInt(slot));
  await newWriter().write([
    blockLoad(meter, range, {
      instantsMs: range.map((slot) => midnight + slot * SLOT_MS),
      columns: [{ column: "active_import_total", values: registers }],
    }),
  ]);
  expect((await shownDays(meter)).filter((day) => day.complete)).toEqual([
    { intervals: 96, hours: 24, complete: true, energy: "192.000" },
    { intervals: 92, hours: 23, complete: true, energy: "184.000" },
  ]);
});

/** Captures at the ends of the first of June, between which the register goes from 0 to `register`. */
function oneDay(meterKey: number, register: bigint) {
  return captures(meterKey, [
    ["2026-06-01T00:00:00Z", 0n],
    ["2026-06-02T00:00:00Z", register],
  ]);
}

function known(interval_sum: string, captured_difference: string, spread: string) {
  return { interval_sum, captured_difference, spread };
}

test("daily load: meters whose sums disagree with their registers are listed, and no others", async () => {
  const [agrees, disagrees, gappy] = [await newMeter("UTC"), await newMeter("UTC"), await newMeter("UTC")];
  const midnight = Date.parse("2026-06-01T00:00:00Z");
  await newWriter().write([
    load(agrees, midnight, [0, 96], 500_000n),
    // One step of a register that counts in 10 Wh.
    oneDay(agrees, 48_010_000n),
    load(disagrees, midnight, [0, 96], 500_000n),
    oneDay(disagrees, 60_000_000n),
    load(gappy, midnight, [0, 90], 500_000n),
    oneDay(gappy, 48_000_000n),
  ]);
  const keys = [agrees, disagrees, gappy];
  const compared = await current().database.query(
    `select m.meter_key, c.quantity, c.unit, c.complete, c.interval_sum::text, c.captured_difference::text, c.spread::text
     from dlms.daily_load_comparison c join public.meters m on m.id = c.meter_id
     where m.meter_key = any ($1::int[]) order by m.meter_key`,
    [keys],
  );
  const active = { quantity: "active_import", unit: "Wh" };
  expect(compared).toEqual([
    { meter_key: agrees, ...active, complete: true, ...known("48000.000", "48010.000", "10.000") },
    { meter_key: disagrees, ...active, complete: true, ...known("48000.000", "60000.000", "12000.000") },
    { meter_key: gappy, ...active, complete: false, ...known("45000.000", "48000.000", "3000.000") },
  ]);
  const listed = await current().database.query(
    `select m.meter_key, d.quantity, d.days::int, d.greatest_spread::text
     from dlms.daily_load_disagreements d join public.meters m on m.id = d.meter_id where m.meter_key = any ($1::int[])`,
    [keys],
  );
  expect(listed).toEqual([{ meter_key: disagrees, quantity: "active_import", days: 1, greatest_spread: "12000.000" }]);
});
