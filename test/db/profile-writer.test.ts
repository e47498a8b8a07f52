import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { openDatabase } from "../../src/store/database.ts";
import { ProfileWriter, type WriteParticipant } from "../../src/store/profile-writer.ts";
import { blockLoad, makeMeters, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
let madeMeters = 0;

async function newMeters(count: number): Promise<number[]> {
  return makeMeters(
    current().database,
    Array.from({ length: count }, () => `W${++madeMeters}`),
  );
}

async function newMeter(): Promise<number> {
  return (await newMeters(1))[0] ?? 0;
}

function newWriter(): ProfileWriter {
  return new ProfileWriter(current().database, PROFILE_COLUMNS);
}

async function countRows(meterKey: number): Promise<unknown> {
  const rows = await query(
    current().url,
    "select count(*)::int from dlms.block_load_profile_data where meter_key = $1",
    [meterKey],
  );
  return rows[0]?.[0];
}

test("profile writer: a row shows plain units, exactly, with its meter, times and origin", async () => {
  const meter = await newMeter();
  const outcome = await newWriter().write([
    blockLoad(meter, [4], {
      source: "push",
      timeRules: ["zone"],
      // 2026-01-01 06:30:00, deviation unspecified, clock status 0: the meter's own octets.
      meterTimes: [Uint8Array.from(Buffer.from("07ea0101ff061e00ff800000", "hex"))],
      columns: [
        { column: "voltage_l1", values: [230_123n] },
        { column: "active_import_total", values: [9_007_199_254_740_993n] },
        { column: "power_factor", values: [-9_876n] },
        { column: "mbus1_time", values: [BigInt(START_MS)] },
        { column: "status", values: [0xffff_ffffn] },
      ],
      others: [
        { captureObject: "3:1.0.99.99.0.255:2", unit: "kWh", values: ["12.30"] },
        { captureObject: "1:0.0.96.1.0.255:2", unit: undefined, values: ["AB\0"] },
      ],
    }),
  ]);
  expect(outcome).toEqual({ rows: 1, inserted: 1, held: 0, completed: 0, revised: 0, setAside: [] });
  const rows = await current().database.query(
    `select meter_number, captured_at, voltage_l1_v::text, active_import_total_wh::text, power_factor::text, mbus1_time,
       status, interval_s, meter_clock::text, time_rule, source, others, layout, active_import_wh
     from dlms.block_load_profile join public.meters using (meter_number) where meter_key = $1`,
    [meter],
  );
  expect(rows).toEqual([
    {
      meter_number: `W${madeMeters}`,
      captured_at: new Date(START_MS + 4 * SLOT_MS),
      voltage_l1_v: "230.123",
      active_import_total_wh: "9007199254740.993",
      power_factor: "-0.9876",
      mbus1_time: new Date(START_MS),
      status: 0xffff_ffffn,
      interval_s: 900,
      meter_clock: "2026-01-01 06:30:00",
      time_rule: "zone",
      source: "push",
      others: {
        "3:1.0.99.99.0.255:2": { value: "12.30", unit: "kWh" },
        "1:0.0.96.1.0.255:2": { value: "0x414200" },
      },
      layout: "test-layout",
      active_import_wh: null,
    },
  ]);
});

test("profile writer: the same slots any number of times are one row each", async () => {
  const [a = 0, b = 0] = await newMeters(2);
  const writer = newWriter();
  const batches = [blockLoad(b, slots(0, 50)), blockLoad(a, slots(0, 50))];
  expect(await writer.write(batches)).toMatchObject({ rows: 100, inserted: 100, held: 0 });
  expect(await writer.write(batches)).toMatchObject({ rows: 100, inserted: 0, held: 100, revised: 0 });
  // A writer that knows nothing, and half of the slots new, in descending order.
  const later = blockLoad(a, slots(25, 75).toReversed());
  expect(await newWriter().write([later])).toMatchObject({ rows: 50, inserted: 25, held: 25, revised: 0 });
  expect([await countRows(a), await countRows(b)]).toEqual([75, 50]);
});

test("profile writer: a slot that comes twice in one batch is one row; if it differs, also a revision", async () => {
  const meter = await newMeter();
  const twice = blockLoad(meter, [1, 2, 2, 3, 3]);
  const changed = { column: "voltage_l1", values: [1n, 2n, 2n, 3n, 4n] };
  const outcome = await newWriter().write([{ ...twice, columns: [changed] }]);
  expect(outcome).toMatchObject({ rows: 5, inserted: 3, held: 2, revised: 1 });
  const rows = await query(
    current().url,
    "select voltage_l1 from dlms.block_load_profile_data where meter_key = $1 order by captured_at",
    [meter],
  );
  expect(rows).toEqual([[1], [2], [3]]);
});

test("profile writer: a differing value for a held slot is kept once as a revision, with an event", async () => {
  const meter = await newMeter();
  const writer = newWriter();
  await writer.write([blockLoad(meter, slots(0, 4))]);
  const other = blockLoad(meter, slots(0, 4));
  const values = [230_000n, 230_001n, 111n, undefined];
  const differing = { ...other, source: "on_demand" as const, columns: [{ column: "voltage_l1", values }] };
  expect(await writer.write([differing])).toMatchObject({ inserted: 0, held: 4, revised: 1, completed: 0 });
  expect(await writer.write([differing])).toMatchObject({ inserted: 0, held: 4, revised: 0, completed: 0 });
  const held = "select voltage_l1 from dlms.block_load_profile_data where meter_key = $1 order by captured_at";
  expect(await query(current().url, held, [meter])).toEqual([[230_000], [230_001], [230_002], [230_003]]);
  const revisions = "select profile, captured_at, held, arrived from dlms.profile_revisions where meter_key = $1";
  expect(await query(current().url, revisions, [meter])).toEqual([
    ["block_load", new Date(START_MS + 2 * SLOT_MS), { voltage_l1: 230_002 }, { voltage_l1: 111 }],
  ]);
  const events = `select e.log, e.name, e.severity, e.details->>'rows', e.source from public.meter_events e
    join public.meters m on m.id = e.meter_id where m.meter_key = $1`;
  expect(await query(current().url, events, [meter])).toEqual([
    ["gateway", "readings_revised", "warning", "1", "on_demand"],
  ]);
});

test("profile writer: what a held slot lacks is filled in, what it has stays", async () => {
  const meter = await newMeter();
  const writer = newWriter();
  const known = { captureObject: "3:1.0.99.99.0.255:2", unit: undefined };
  const more = { captureObject: "1:1.0.0.0.0.255:2", unit: undefined, values: ["new"] };
  await writer.write([
    blockLoad(meter, [7], { columns: [{ column: "voltage_l1", values: [5n] }], others: [{ ...known, values: ["1"] }] }),
  ]);
  const outcome = await writer.write([
    blockLoad(meter, [7], {
      columns: [
        { column: "voltage_l1", values: [undefined] },
        { column: "voltage_l2", values: [6n] },
      ],
      others: [{ ...known, values: ["2"] }, more],
    }),
  ]);
  expect(outcome).toMatchObject({ inserted: 0, held: 1, completed: 1, revised: 1 });
  const rows = await query(
    current().url,
    "select voltage_l1, voltage_l2, others from dlms.block_load_profile_data where meter_key = $1",
    [meter],
  );
  expect(rows).toEqual([[5, 6, { "3:1.0.99.99.0.255:2": { value: "1" }, "1:1.0.0.0.0.255:2": { value: "new" } }]]);
  const completions = await query(
    current().url,
    `select c.columns, c.known_from > d.known_from from dlms.profile_completions c
     join dlms.block_load_profile_data d using (meter_key, captured_at) where meter_key = $1`,
    [meter],
  );
  expect(completions).toEqual([[["voltage_l2", "1:1.0.0.0.0.255:2"], true]]);
});

const IMPOSSIBLE = [
  ["a time that is no number", { instantsMs: [START_MS, Number.NaN] }, "time_missing"],
  ["a time between milliseconds", { instantsMs: [START_MS, START_MS + 0.5] }, "time_missing"],
  ["a time far in the future", { instantsMs: [START_MS, Date.UTC(2099, 0, 1)] }, "time_in_future"],
  ["a time long past", { instantsMs: [START_MS, Date.UTC(1970, 0, 1)] }, "time_too_old"],
  ["a value beyond 32 bits", { columns: [{ column: "voltage_l1", values: [1n, 2n ** 31n] }] }, "value_out_of_range"],
  ["a value beyond 64 bits", { columns: [{ column: "active_import", values: [1n, 2n ** 63n] }] }, "value_out_of_range"],
  ["a column time beyond 9999", { columns: [{ column: "mbus1_time", values: [1n, 2n ** 60n] }] }, "value_out_of_range"],
] as const;

test.each(IMPOSSIBLE)("profile writer: %s is set aside by name, the rest goes in", async (_name, changes, reason) => {
  const meter = await newMeter();
  const batch = blockLoad(meter, [0, 1], changes);
  const outcome = await newWriter().write([batch]);
  expect(outcome).toMatchObject({ rows: 2, inserted: 1, setAside: [{ reason, row: { index: 1 } }] });
  expect(await newWriter().write([batch])).toMatchObject({ inserted: 0, held: 1 });
  const kept = "select reason, detail, row_values->'columns' from dlms.rejected_rows where meter_key = $1";
  const rows = await query(current().url, kept, [meter]);
  expect(rows.length).toBe(1);
  expect(rows[0]?.[0]).toBe(reason);
});

test("profile writer: extremes that fit their columns are exact", async () => {
  const meter = await newMeter();
  const outcome = await newWriter().write([
    blockLoad(meter, [0, 1], {
      columns: [
        { column: "voltage_l1", values: [2n ** 31n - 1n, -(2n ** 31n)] },
        { column: "active_import", values: [2n ** 63n - 1n, -(2n ** 63n)] },
      ],
    }),
  ]);
  expect(outcome).toMatchObject({ inserted: 2, setAside: [] });
  const rows = await query(
    current().url,
    "select voltage_l1::text, active_import::text from dlms.block_load_profile_data where meter_key = $1 order by 1",
    [meter],
  );
  expect(rows.flat()).toEqual(["-2147483648", "-9223372036854775808", "2147483647", "9223372036854775807"]);
});

const INVALID = [
  ["an unknown column", { columns: [{ column: "no_such", values: [1n, 1n] }] }, "column_unknown"],
  [
    "a column twice",
    {
      columns: [
        { column: "voltage_l1", values: [1n, 1n] },
        { column: "voltage_l1", values: [2n, 2n] },
      ],
    },
    "column_repeated",
  ],
  ["a list that is too short", { timeRules: ["zone" as const] }, "batch_uneven"],
  ["an interval that is no number", { intervalS: Number.NaN }, "batch_invalid"],
  ["no time of reading", { readAt: new Date(Number.NaN) }, "batch_invalid"],
  ["a meter key that can't be", { meterKey: 1.5 }, "batch_invalid"],
  ["a meter that is not there", { meterKey: 2_000_000_000 }, "meter_unknown"],
] as const;

test.each(INVALID)(
  "profile writer: a batch with %s is set aside whole, the others go in",
  async (_name, changes, reason) => {
    const meter = await newMeter();
    const outcome = await newWriter().write([blockLoad(meter, [0, 1], changes), blockLoad(meter, [2, 3])]);
    expect(outcome).toMatchObject({ rows: 4, inserted: 2, setAside: [{ reason }, { reason }] });
    expect(await countRows(meter)).toBe(2);
  },
);

test("profile writer: a row that only the database knows to be impossible is found and set aside", async () => {
  const meter = await newMeter();
  const { url } = current();
  await query(url, `alter table dlms.block_load_profile_data add constraint poison check (voltage_l1 <> ${meter}666)`);
  // Connections that have not merged anything yet.
  const database = await openDatabase({ url, connections: 2 });
  try {
    const values = slots(0, 100).map((slot) => (slot === 37 ? BigInt(`${meter}666`) : BigInt(slot)));
    const batch = blockLoad(meter, slots(0, 100), { columns: [{ column: "voltage_l1", values }] });
    const outcome = await new ProfileWriter(database, PROFILE_COLUMNS).write([batch]);
    expect(outcome).toMatchObject({ inserted: 99, setAside: [{ reason: "refused_by_database", row: { index: 37 } }] });
    expect(outcome.setAside[0]?.detail).toContain("poison");
    expect(await countRows(meter)).toBe(99);
  } finally {
    await database.close();
    await query(url, "alter table dlms.block_load_profile_data drop constraint poison");
  }
});

test("profile writer: slots that another gateway wrote meanwhile are merged, not lost and not doubled", async () => {
  const meter = await newMeter();
  const [one, two] = [newWriter(), newWriter()];
  await one.write([blockLoad(meter, slots(0, 10))]);
  await two.write([blockLoad(meter, slots(10, 20))]);
  expect(await one.write([blockLoad(meter, slots(10, 30))])).toMatchObject({ inserted: 10, held: 10, revised: 0 });
  expect(await countRows(meter)).toBe(30);
});

test("profile writer: many writers on the same slots at once end with each row once", async () => {
  const meters = await newMeters(20);
  const writers = [newWriter(), newWriter(), newWriter(), newWriter()];
  const outcomes = await Promise.all(
    writers.map((writer, at) =>
      writer.write(meters.toSorted(() => (at % 2) - 0.5).map((meter) => blockLoad(meter, slots(0, 50)))),
    ),
  );
  expect(outcomes.reduce((sum, outcome) => sum + outcome.inserted, 0)).toBe(1000);
  expect(outcomes.reduce((sum, outcome) => sum + outcome.revised, 0)).toBe(0);
});

function voltages(value: bigint, count: number): ProfileBatch["columns"] {
  return [{ column: "voltage_l1", values: slots(0, count).map(() => value) }];
}

test("profile writer: a meter's clock that jumps ahead and is set back loses no row and overwrites none", async () => {
  const meter = await newMeter();
  const writer = newWriter();
  await writer.write([blockLoad(meter, slots(0, 4), { columns: voltages(1n, 4) })]);
  await writer.write([blockLoad(meter, [9000, 9001], { columns: voltages(2n, 2) })]);
  // Set back: two slots come a second time, two are new, all older than the newest.
  const outcome = await writer.write([blockLoad(meter, slots(2, 6), { columns: voltages(3n, 4) })]);
  expect(outcome).toMatchObject({ inserted: 2, held: 2, revised: 2 });
  const held = "select voltage_l1 from dlms.block_load_profile_data where meter_key = $1 order by captured_at";
  expect((await query(current().url, held, [meter])).flat()).toEqual([1, 1, 1, 1, 3, 3, 2, 2]);
});

test("profile writer: a meter that was deleted is noticed, its rows are set aside", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const writer = newWriter();
  await writer.write([blockLoad(gone, [0]), blockLoad(stays, [0])]);
  await query(current().url, "delete from public.meters where meter_key = $1", [gone]);
  const outcome = await writer.write([blockLoad(gone, [1]), blockLoad(stays, [1])]);
  expect(outcome).toMatchObject({ inserted: 1, setAside: [{ reason: "meter_unknown" }] });
});

test("profile writer: a meter whose deletion is under way is waited for, and its rows are set aside", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const { database, url } = current();
  const writer = newWriter();
  await writer.write([blockLoad(gone, [0]), blockLoad(stays, [0])]);
  const outcome = await database.transaction(async (deleting) => {
    await deleting.query("delete from public.meters where meter_key = $1", [gone]);
    const writing = writer.write([blockLoad(gone, [1]), blockLoad(stays, [1])]);
    const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await query(url, waits)).length === 0) await sleep(5);
    return { writing };
  });
  expect(await outcome.writing).toMatchObject({ inserted: 1, setAside: [{ reason: "meter_unknown" }] });
  expect([await countRows(gone), await countRows(stays)]).toEqual([1, 2]);
});

test("profile writer: a meter that is deleted in mid-write goes after the write, which is whole", async () => {
  const [gone = 0, stays = 0] = await newMeters(2);
  const { url } = current();
  const written = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const writing = newWriter().write([blockLoad(gone, [0, 1]), blockLoad(stays, [0, 1])], {
    alsoHere: async () => {
      written.resolve();
      await go.promise;
    },
  });
  await written.promise;
  const deleting = query(url, "delete from public.meters where meter_key = $1", [gone]);
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await query(url, waits)).length === 0) await sleep(5);
  go.resolve();
  expect(await writing).toMatchObject({ inserted: 4, setAside: [] });
  await deleting;
  expect([await countRows(gone), await countRows(stays)]).toEqual([2, 2]);
});

test("profile writer: a session that is ended in mid-write leaves nothing, and the same again succeeds", async () => {
  const [meter = 0, blocked = 0] = await newMeters(2);
  const { database, url, administratorUrl } = current();
  const writer = newWriter();
  await writer.write([blockLoad(meter, [0]), blockLoad(blocked, [0])]);
  // Another session holds the same new slot uncommitted, so that the writer waits in the middle of its COPY.
  const outcome = await database.transaction(async (holder) => {
    await holder.query(
      `insert into dlms.block_load_profile_data (captured_at, read_at, meter_key, layout_key, source, time_rule)
       values ($1, now(), $2, 1, 1, 1)`,
      [new Date(START_MS + 2 * SLOT_MS), blocked],
    );
    const writing = writer
      .write([blockLoad(meter, [1, 2, 3]), blockLoad(blocked, [1, 2, 3])])
      .catch((error: unknown) => error);
    const end = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'copy %' and wait_event_type = 'Lock'`;
    for (let ended = 0; ended === 0; ) ended = (await query(administratorUrl, end)).length;
    return writing;
  });
  expect(outcome).toMatchObject({ code: "DATABASE_UNREACHABLE" });
  expect([await countRows(meter), await countRows(blocked)]).toEqual([1, 2]);
  const again = await writer.write([blockLoad(meter, [1, 2, 3]), blockLoad(blocked, [1, 2, 3])]);
  expect(again).toMatchObject({ inserted: 5, held: 1 });
  expect([await countRows(meter), await countRows(blocked)]).toEqual([4, 4]);
  expect(url).not.toBe("");
});

const noteRows: WriteParticipant = async (client, { batches, setAside }) => {
  const rows = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  await client.query("insert into participant_notes values ($1, $2)", [rows, setAside.length]);
};

test("profile writer: a participant's statements become durable with the rows, or not at all", async () => {
  const meter = await newMeter();
  const { database, url } = current();
  await query(url, "create table participant_notes (rows int, set_aside int)");
  const writer = new ProfileWriter(database, PROFILE_COLUMNS, [noteRows]);
  await writer.write([blockLoad(meter, [0, 1], { instantsMs: [START_MS, Number.NaN] })]);
  const refusal = writer.write([blockLoad(meter, [2])], { alsoHere: () => Promise.reject(new Error("not now")) });
  await expect(refusal).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
  // Slots that another writer put in meanwhile make the first try fail: it leaves no note.
  await newWriter().write([blockLoad(meter, [1, 2])]);
  await writer.write([blockLoad(meter, [1, 2, 3])]);
  expect(await query(url, "select rows, set_aside from participant_notes order by rows")).toEqual([
    [2, 1],
    [3, 0],
  ]);
  expect(await countRows(meter)).toBe(4);
});

test("profile writer: instant profiles also fill the tables of energy, power, voltage and current", async () => {
  const meter = await newMeter();
  const batch = blockLoad(meter, [0], {
    profile: "instant",
    intervalS: undefined,
    columns: [
      { column: "voltage_l1", values: [230_100n] },
      { column: "current_l1", values: [5_250n] },
      { column: "active_power_import", values: [1_200_500n] },
      { column: "active_import_total", values: [123_456_789n] },
    ],
  });
  await newWriter().write([batch]);
  await newWriter().write([batch]);
  const rows = await query(
    current().url,
    `select v.voltage_l1_v::text, c.current_l1_a::text, p.active_power_import_w::text, e.active_import_total_wh::text, v.source
     from public.meters m
     join dlms.voltage_measurements v on v.meter_id = m.id
     join dlms.current_measurements c on c.meter_id = m.id
     join dlms.power_readings p on p.meter_id = m.id
     join dlms.energy_measurements e on e.meter_id = m.id
     where m.meter_key = $1`,
    [meter],
  );
  expect(rows).toEqual([["230.100", "5.250", "1200.500", "123456.789", "poll"]]);
});

test("profile writer: those tables say what the instant profile says, also after more came for a slot", async () => {
  const meter = await newMeter();
  const snapshot = (slot: number, source: "poll" | "push", values: Readonly<Record<string, bigint>>) =>
    blockLoad(meter, [slot], {
      profile: "instant",
      intervalS: undefined,
      source,
      columns: Object.entries(values).map(([column, value]) => ({ column, values: [value] })),
    });
  const writer = newWriter();
  await writer.write([snapshot(0, "poll", { voltage_l1: 230_100n }), snapshot(1, "push", { current_l1: 1n })]);
  await writer.write([snapshot(0, "push", { voltage_l1: 229_000n, voltage_l2: 231_000n, active_import_total: 7n })]);
  await writer.write([
    snapshot(1, "poll", { current_l1: 1n, power_factor: 9_900n }),
    snapshot(2, "push", { current_n: 2n }),
  ]);
  const tables = ["energy_measurements", "power_readings", "voltage_measurements", "current_measurements"];
  for (const table of tables) {
    const [[listed] = []] = await query(
      current().url,
      `select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns
       where table_schema = 'dlms' and table_name = $1 and column_name not in ('meter_id', 'measured_at', 'source')`,
      [table],
    );
    const columns = String(listed);
    const told = `select captured_at, ${columns}, source from dlms.instant_profile
      where meter_id = (select id from public.meters where meter_key = $1) and num_nonnulls(${columns}) > 0 order by 1`;
    const kept = `select measured_at, ${columns}, source from dlms.${table}
      where meter_id = (select id from public.meters where meter_key = $1) order by 1`;
    const wanted = await query(current().url, told, [meter]);
    expect(wanted.length).toBeGreaterThan(0);
    expect([table, await query(current().url, kept, [meter])]).toEqual([table, wanted]);
  }
});

function slotOf(capturedAt: unknown): number {
  return (Number(capturedAt) - START_MS) / SLOT_MS;
}

test("profile writer: any sequence of batches leaves the first value of each slot, and each difference once", async () => {
  const anyBatch = fc.array(
    fc.record({ slot: fc.integer({ min: 0, max: 12 }), value: fc.integer({ min: 0, max: 2 }) }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 5 }), async (sequence) => {
      const meter = await newMeter();
      const writer = newWriter();
      const first = new Map<number, number>();
      const differences = new Set<string>();
      for (const each of sequence) {
        // Within one batch, rows of the same slot keep their order.
        const values = each.map((row) => BigInt(row.value));
        const batch = blockLoad(
          meter,
          each.map((row) => row.slot),
          { columns: [{ column: "voltage_l1", values }] },
        );
        await writer.write([batch]);
        for (const { slot, value } of each) {
          if (!first.has(slot)) first.set(slot, value);
          else if (first.get(slot) !== value) differences.add(`${slot}=${value}`);
        }
      }
      const stored = await query(
        current().url,
        "select captured_at, voltage_l1 from dlms.block_load_profile_data where meter_key = $1",
        [meter],
      );
      expect(new Map(stored.map(([at, value]) => [slotOf(at), value]))).toEqual(first);
      const revisions = await query(
        current().url,
        "select captured_at, arrived->'voltage_l1' from dlms.profile_revisions where meter_key = $1",
        [meter],
      );
      expect(new Set(revisions.map(([at, value]) => `${slotOf(at)}=${String(value)}`))).toEqual(differences);
    }),
    { numRuns: 25 },
  );
});
