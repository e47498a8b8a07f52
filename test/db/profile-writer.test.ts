import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { expect, test } from "vitest";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { MeterTimes } from "../../protocol/profile/meter-times.ts";
import type { ProfileBatch } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { ProfileWriter, type WriteParticipant } from "../../src/store/profiles/profile-writer.ts";
import { blockLoad, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useProfileWriter } from "./use-profile-writer.ts";

const { current, newMeter, newMeters, newWriter, countRows } = useProfileWriter();

test("profile writer: a row shows plain units, exactly, with its meter, times and origin", async () => {
  const meter = await newMeter();
  const outcome = await newWriter().write([
    blockLoad(meter, [4], {
      source: "push",
      timeRules: ["zone"],
      // 2026-01-01 06:30:00, deviation unspecified, clock status 0: the meter's own octets.
      meterTimes: MeterTimes.of([fromHex("07ea0101ff061e00ff800000")]),
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
      meter_number: "W1",
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

test("profile writer: of two who bring the same rows in another order, the one that is ended writes once more", async () => {
  const [meter = 0, other = 0] = await newMeters(2);
  const { url, administratorUrl } = current();
  await newWriter().write([blockLoad(other, [9])]);
  const elsewhere = new Client({ connectionString: administratorUrl });
  await elsewhere.connect();
  const insert = (meterKey: number, slot: number) =>
    elsewhere.query(
      `insert into dlms.block_load_profile_data (captured_at, read_at, meter_key, layout_key, source, time_rule)
       values ($1, now(), $2, 1, 1, 1)`,
      [new Date(START_MS + slot * SLOT_MS), meterKey],
    );
  try {
    // The writer is to be the one that the server finds waiting too long.
    await elsewhere.query("begin; set local deadlock_timeout = '1min'");
    await insert(other, 1);
    const writing = newWriter().write([blockLoad(meter, [1]), blockLoad(other, [1])]);
    const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await query(url, waits)).length === 0) await sleep(5);
    await insert(meter, 1);
    await elsewhere.query("commit");
    expect(await writing).toMatchObject({ rows: 2, inserted: 0, held: 2 });
    expect([await countRows(meter), await countRows(other)]).toEqual([1, 2]);
  } finally {
    await elsewhere.end();
  }
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
