import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import pg from "pg";
import { expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { keepObisCodes } from "../../src/store/database/obis-codes.ts";
import { newestCaptures } from "../../src/store/profiles/newest-held.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { keepRejectedRows, rejectedPollRows } from "../../src/store/profiles/rejected-rows.ts";

import { openPushQueue } from "../../src/store/push/push-history.ts";

import { keepPushLayout, loadPushLayouts } from "../../src/store/push/push-layouts.ts";
import { keepPushSetups } from "../../src/store/push/push-setups.ts";
import type { ReceivedPush } from "../../src/store/push/received-push.ts";
import { BEFORE_READINGS, keepReadings, type MeterReading } from "../../src/store/records/meter-records.ts";
import { ReadAttempts } from "../../src/store/records/read-attempts.ts";
import { blockLoad, makeMeters, SLOT_MS, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

async function meterId(number: string): Promise<string> {
  await makeMeters(current().database, [number]);
  const rows = await query(current().url, "select id from public.meters where meter_number = $1", [number]);
  return String(rows[0]?.[0]);
}

test("newest captures: where to read on from", async () => {
  const { database } = current();
  const [a = 0] = await makeMeters(database, ["A"]);
  await new ProfileWriter(database, PROFILE_COLUMNS).write([blockLoad(a, slots(0, 9))]);
  expect(await newestCaptures(database, a)).toEqual({
    instant: undefined,
    block_load: START_MS + 8 * SLOT_MS,
    daily_load: undefined,
    billing: undefined,
  });
});

test("newest captures: a row stamped hours ahead does not count, or the rows until then would not be read", async () => {
  const { database } = current();
  const [a = 0] = await makeMeters(database, ["AHEAD"]);
  const halfDayAhead = Math.round((Date.now() + 12 * 3_600_000 - START_MS) / SLOT_MS);
  const ahead = blockLoad(a, slots(halfDayAhead, halfDayAhead + 1), { readAt: new Date() });
  await new ProfileWriter(database, PROFILE_COLUMNS).write([blockLoad(a, slots(0, 9)), ahead]);
  expect(await newestCaptures(database, a)).toMatchObject({ block_load: START_MS + 8 * SLOT_MS });
});

function reading(meterId: string, captureObject: string, value: MeterReading["value"]): MeterReading {
  const isNumber = captureObject.startsWith("3:");
  const readAt = new Date(START_MS);
  return { meterId, readAt, captureObject, value, isNumber, unit: "V", source: "push", receivedAt: readAt };
}

test("meter readings: numbers are exact, other values are text, the same again is nothing new", async () => {
  const { database, url } = current();
  const id = await meterId("R1");
  const readings = [
    reading(id, "3:1.0.32.7.0.255:2", "230.10"),
    reading(id, "1:0.0.96.1.0.255:2", "0012"),
    reading(id, "1:0.0.96.1.1.255:2", ["1", true, "a\0b"]),
    reading(id, "1:0.0.96.1.2.255:2", "a\0"),
  ];
  await database.transaction((client) => keepReadings(client, readings), BEFORE_READINGS);
  const more = reading(id, "3:1.0.52.7.0.255:2", "-0.5");
  const again = [more, ...readings, { ...more, value: "7" }];
  await database.transaction((client) => keepReadings(client, again), BEFORE_READINGS);
  const rows = await query(
    url,
    "select value::text, value_text, unit from public.meter_readings where meter_id = $1 order by capture_object desc",
    [id],
  );
  expect(rows).toEqual([
    ["-0.5", null, "V"],
    ["230.10", null, "V"],
    [null, "0x6100", "V"],
    [null, '["1",true,"a\\u0000b"]', "V"],
    [null, "0012", "V"],
  ]);
});

const decimal = fc
  .tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.option(fc.stringMatching(/^\d{1,30}$/)))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === null ? "" : `.${fraction}`}`);

test("meter readings: any decimal comes back with all its digits", async () => {
  const { database, url } = current();
  const id = await meterId("R2");
  const edges = ["0", "-0.0", "9999", "10000", "0.0001", "0.00010000", "99999999.9999", "1".repeat(1000)];
  const values = [...edges, ...fc.sample(decimal, { numRuns: 300, seed: 7 })];
  const readings = values.map((value, index) => reading(id, `3:1.0.1.8.0.255:2#${index}`, value));
  await database.transaction((client) => keepReadings(client, readings), BEFORE_READINGS);
  const rows = await query(url, "select value::text, capture_object from public.meter_readings where meter_id = $1", [
    id,
  ]);
  const stored = new Map(rows.map(([value, name]) => [name, value]));
  for (const [index, value] of values.entries()) {
    const expected = /^-0(\.0*)?$/.test(value) ? value.slice(1) : value;
    expect(stored.get(`3:1.0.1.8.0.255:2#${index}`)).toBe(expected);
  }
});

test("meter readings: also where some are held they go in by their key, so that no two writers wait for each other", async () => {
  const { database, url } = current();
  const numbers = Array.from({ length: 3000 }, (_, at) => `RO${at}`);
  await makeMeters(database, numbers);
  const ids = (await query(url, "select id from public.meters where meter_number like 'RO%'")).flat().map(String);
  // Fewer than there are meters: the server would rather go through the meters, in their order.
  const readings = ids.slice(0, 50).map((id) => reading(id, "3:1.0.32.7.0.255:2", "1"));
  await database.transaction((client) => keepReadings(client, readings.slice(0, 1)), BEFORE_READINGS);
  await query(url, "analyze public.meters");
  await query(
    url,
    `create table reading_order (place serial, meter_id uuid);
     create function note_reading() returns trigger language plpgsql
     as $$ begin insert into reading_order (meter_id) values (new.meter_id); return null; end $$;
     create trigger note_reading after insert on public.meter_readings for each row execute function note_reading()`,
  );
  await database.transaction((client) => keepReadings(client, readings), BEFORE_READINGS);
  await query(url, "drop trigger note_reading on public.meter_readings");
  const order = await query(url, "select meter_id from reading_order order by place");
  expect(order.flat()).toEqual(ids.slice(1, 50).toSorted());
});

async function receivedPush(number: string): Promise<ReceivedPush> {
  return {
    receivedAt: new Date(START_MS),
    peer: "192.0.2.9:40000",
    transport: "tcp",
    meterId: await meterId(number),
    systemTitle: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    attributedBy: "system-title",
    senderNames: ["SMT10007"],
    seen: { events: [], words: [] },
    repeatKey: undefined,
    counter: undefined,
    pushSetup: "0.0.25.9.0.255",
    readAt: new Date(START_MS - 1000),
    protection: "encrypted",
    verified: false,
    marks: ["suite-nibble", 'a "quoted" \0 mark'],
    outcome: "partial",
    reason: "no column for 1 value",
    octets: Uint8Array.of(0x0f, 0x00),
    values: [
      { captureObject: "3:1.0.1.8.0.255:2", value: "12345.678", isNumber: true, unit: "kWh" },
      { captureObject: "8:0.0.1.0.0.255:2", value: "x\0", isNumber: false, unit: undefined },
    ],
    rowCount: 3,
  };
}

const REJECTED = {
  meterId: undefined,
  systemTitle: undefined,
  pushSetup: undefined,
  readAt: undefined,
  protection: undefined,
  verified: undefined,
  marks: [],
  outcome: "rejected",
  reason: "wrong tag",
  values: [],
} as const;

test("push history: a push is kept with its octets, its outcome and its values, also when it was turned away", async () => {
  const { database, url } = current();
  const push = await receivedPush("P1");
  const queue = openPushQueue(database);
  const puts = await Promise.all([push, { ...push, ...REJECTED }, push].map((each) => queue.put(each)));
  await Promise.all(puts.map((put) => put.written));
  await queue.stop(0);
  const columns = "outcome, reason, encode(octets, 'hex'), push_setup, read_at, protection, verified, marks";
  const stored = [
    "partial",
    "no column for 1 value",
    "0f00",
    "0.0.25.9.0.255",
    push.readAt,
    "encrypted",
    false,
    ["suite-nibble", `0x${Buffer.from('a "quoted" \0 mark').toString("hex")}`],
  ];
  expect(await query(url, `select ${columns} from dlms.push_history order by push_key`)).toEqual([
    stored,
    ["rejected", "wrong tag", "0f00", null, null, null, null, []],
    stored,
  ]);
  const value = [1, "3:1.0.1.8.0.255:2", "12345.678", "kWh"];
  const other = [2, "8:0.0.1.0.0.255:2", "0x7800", null];
  expect(
    await query(url, "select position, capture_object, value, unit from dlms.push_values order by push_key, position"),
  ).toEqual([value, other, value, other]);
  expect(
    await query(url, "select value::text, value_text, source, read_at from public.meter_readings where meter_id = $1", [
      push.meterId,
    ]),
  ).toEqual([
    ["12345.678", null, "push", push.readAt],
    [null, "0x7800", "push", push.readAt],
  ]);
});

test("push history: a push that the database refuses takes no other with it", async () => {
  const { database } = current();
  const push = { ...(await receivedPush("P2")), values: [] };
  const queue = openPushQueue(database);
  const puts = await Promise.all(
    [push, { ...push, peer: "a\0" }, { ...push, meterId: "no uuid" }].map((each) => queue.put(each)),
  );
  expect(await Promise.allSettled(puts.map((put) => put.written))).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "DATABASE_REFUSED" } },
    { status: "rejected", reason: { cause: { message: "not a uuid" } } },
  ]);
  await queue.stop(0);
});

test("push history: what is said to have happened in the year 12034 is left out, and takes nobody with it", async () => {
  const { database, url } = current();
  const push = await receivedPush("P12");
  const occurredAt = new Date(Date.UTC(12_034, 0, 1));
  const event = { occurredAt, log: "0.0.99.98.0.255", code: 1, severity: "info", disputed: false } as const;
  const word = { at: occurredAt, log: "0.0.97.98.0.255", latched: false, bits: [event] };
  const events = [event, { ...event, occurredAt: push.receivedAt }];
  const queue = openPushQueue(database);
  const { written } = await queue.put({ ...push, seen: { events, words: [word] } });
  await written;
  await queue.stop(0);
  const kept = await query(url, "select occurred_at from public.meter_events where meter_id = $1", [push.meterId]);
  expect(kept).toEqual([[push.receivedAt]]);
});

test("push history: a push that its sender repeats is one row, which counts how often it came again", async () => {
  const { database, url } = current();
  const push = { ...(await receivedPush("P10")), receivedAt: new Date(), repeatKey: Buffer.from("p10") };
  const queue = openPushQueue(database);
  const together = await Promise.all([queue.put(push), queue.put(push)]);
  await Promise.all(together.map(({ written }) => written));
  await (await queue.put(push)).written;
  await queue.stop(0);
  expect(await query(url, "select repeats from dlms.push_history where meter_id = $1", [push.meterId])).toEqual([[2]]);
});

test("push history: whoever waits for a counter holds no reading that another one may want", async () => {
  const { database, url } = current();
  const counter = { keyId: "k21", systemTitle: new Uint8Array(8), invocationCounter: 5, isStrict: false };
  const first = { ...(await receivedPush("Q1")), receivedAt: new Date(), repeatKey: Buffer.from("p21"), counter };
  const other = { ...(await receivedPush("Q2")), receivedAt: new Date() };
  const queue = openPushQueue(database);
  await (await queue.put(first)).written;
  const elsewhere = new pg.Client({ connectionString: url });
  await elsewhere.connect();
  await elsewhere.query("begin; set local lock_timeout = '300ms'; select from dlms.push_counters for update");
  const repeated = { ...first, counter: { ...counter, invocationCounter: 6 } };
  const put = await Promise.all([queue.put(repeated), queue.put(other)]);
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await query(url, waits)).length === 0) await sleep(5);
  await elsewhere.query(
    `insert into public.meter_readings (meter_id, read_at, capture_object, value, source, received_at)
     values ($1, $2, $3, 1, 'push', now())`,
    [other.meterId, other.readAt, other.values[0]?.captureObject],
  );
  await elsewhere.query("commit");
  await elsewhere.end();
  await Promise.all(put.map(({ written }) => written));
  await queue.stop(0);
  expect(await query(url, "select repeats from dlms.push_history where meter_id = $1", [first.meterId])).toEqual([[1]]);
});

test("push history: counters stay locked where readings are held already", async () => {
  const { database, url } = current();
  const counter = { keyId: "k22", systemTitle: new Uint8Array(8), invocationCounter: 5, isStrict: false };
  const push = { ...(await receivedPush("P23")), receivedAt: new Date(), counter };
  const [value] = push.values;
  if (value === undefined) throw new Error("a push without values");
  const queue = openPushQueue(database);
  await (await queue.put(push)).written;
  const elsewhere = new pg.Client({ connectionString: url });
  await elsewhere.connect();
  await elsewhere.query("begin");
  await elsewhere.query(
    `insert into public.meter_readings (meter_id, read_at, capture_object, value, source, received_at)
     values ($1, $2, '9:0.0.1.0.0.255:2', 1, 'push', now())`,
    [push.meterId, push.readAt],
  );
  const again = { ...push, values: [value, { ...value, captureObject: "9:0.0.1.0.0.255:2" }] };
  const { written } = await queue.put({ ...again, counter: { ...counter, invocationCounter: 6 } });
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await query(url, waits)).length === 0) await sleep(5);
  const free = await elsewhere.query("select from dlms.push_counters where key_id = 'k22' for update skip locked");
  await elsewhere.query("commit");
  await elsewhere.end();
  await written;
  await queue.stop(0);
  expect(free.rowCount).toBe(0);
});

test("push history: a confirmed push waits for nobody who sums or folds", async () => {
  const { database, url } = current();
  const push = { ...(await receivedPush("P9")), repeatKey: Buffer.from("p9") };
  const busy = new pg.Client({ connectionString: url });
  await busy.connect();
  for (const lock of ["6142023918440519", "6142023918440517", "6142023918440520"]) {
    await busy.query("select pg_advisory_lock($1::bigint)", [lock]);
  }
  const queue = openPushQueue(database);
  const { written } = await queue.put(push);
  await written;
  await busy.end();
  await queue.stop(0);
  expect(await query(url, "select count(*)::int from dlms.push_history where meter_id = $1", [push.meterId])).toEqual([
    [1],
  ]);
});

test("rejected rows: what could not be mapped is kept once with its reason", async () => {
  const { database, url } = current();
  const [key = 0] = await makeMeters(database, ["J1"]);
  const row = { profile: "billing" as const, index: 3, reason: "no-time" as const, values: { row: ["1", "a\0b"] } };
  for (const day of [1, 2]) {
    const rows = rejectedPollRows(key, [row], new Date(Date.UTC(2026, 0, day)));
    await database.transaction((client) => keepRejectedRows(client, rows));
  }
  const kept = "select profile, reason, detail, row_values from dlms.rejected_rows where meter_key = $1";
  expect(await query(url, kept, [key])).toEqual([["billing", "no-time", "row 3: no-time", { row: ["1", "0x610062"] }]]);
});

test("push setups: what a meter sends is replaced whole", async () => {
  const { database, url } = current();
  const id = await meterId("S1");
  const clock = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const voltage = { classId: 3, logicalName: "1.0.12.7.0.255", attributeId: 2, dataIndex: 1 };
  const setup = { logicalName: "0.0.25.9.0.255", destination: "192.0.2.1:4059", transport: "tcp" };
  const other = { logicalName: "0.4.25.9.0.255", destination: undefined, transport: undefined };
  await keepPushSetups(database, id, [
    { ...setup, objects: [clock, voltage] },
    { ...other, objects: [clock] },
  ]);
  await keepPushSetups(database, id, [{ ...setup, objects: [voltage, clock, clock] }]);
  await keepPushSetups(database, id, []);
  const rows = await query(
    url,
    `select s.logical_name, o.position, o.class_id, o.data_index from dlms.push_objects o
     join dlms.push_setups s using (push_setup_id) where s.meter_id = $1 order by 1, 2`,
    [id],
  );
  expect(rows).toEqual([
    ["0.0.25.9.0.255", 1, 3, 1],
    ["0.0.25.9.0.255", 2, 8, 0],
    ["0.0.25.9.0.255", 3, 8, 0],
    ["0.4.25.9.0.255", 1, 8, 0],
  ]);
});

test("push layouts: versions in order, each with its firmware, the same layout once for all meters", async () => {
  const { database, url } = current();
  const ids = [await meterId("PL1"), await meterId("PL2")];
  const clock = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const scaler = { classId: 3, logicalName: "1.0.12.7.0.255", scalerUnit: { scaler: -1, unit: 35 } };
  const layout = {
    lists: new Map([["0.0.25.9.0.255", [clock]]]),
    scalers: [scaler],
    profiles: new Map([["1.0.99.1.0.255", { captureObjects: [clock], scalers: [], capturePeriodS: 900 }]]),
  };
  const later = { ...layout, lists: new Map([["0.0.25.9.0.255", [clock, clock]]]) };
  const readAt = new Date(START_MS);
  for (const id of ids) await keepPushLayout(database, id, { layout, firmware: "1.0", readAt });
  await keepPushLayout(database, ids[1] ?? "", { layout: later, firmware: undefined, readAt });
  const keys = await query(
    url,
    "select meter_key, firmware from public.meters where meter_number in ('PL1', 'PL2') order by meter_number",
  );
  const loaded = await loadPushLayouts(database);
  expect(keys.map(([key]) => loaded.get(Number(key)))).toEqual([
    [{ layout, firmware: "1.0", readAt }],
    [
      { layout, firmware: "1.0", readAt },
      { layout: later, firmware: undefined, readAt },
    ],
  ]);
  expect(keys.map(([, firmware]) => firmware)).toEqual(["1.0", "1.0"]);
  expect(await query(url, "select count(*)::int from dlms.push_layouts")).toEqual([[2]]);
});

test("read attempts: failures are kept with their cause, successes counted by day; what can't be written is counted", async () => {
  const { database, url } = current();
  const lost: number[] = [];
  const attempts = new ReadAttempts(database, (_error, count) => lost.push(count));
  const attempt = {
    meterId: await meterId("T1"),
    startedAt: new Date(START_MS),
    endedAt: new Date(START_MS + 1500),
    what: "block_load",
    rowCount: 4,
    failure: undefined,
  };
  const failure = { cause: "no_answer", evidence: "nothing within 10 s", nextStep: "check the address" };
  attempts.add(attempt);
  attempts.add({ ...attempt, rowCount: 0, failure });
  await attempts.flush();
  // Nobody heard of a commit, and the same are written again.
  attempts.add(attempt);
  attempts.add({ ...attempt, rowCount: 0, failure });
  attempts.add({ ...attempt, startedAt: new Date(START_MS + 5000), endedAt: new Date(START_MS + 6000) });
  await attempts.flush();
  const held = "select succeeded, reads, row_count, started_at, cause, next_step from dlms.read_attempts order by 1";
  expect(await query(url, held)).toEqual([
    [false, 1, 0, new Date(START_MS), "no_answer", "check the address"],
    [true, 2, 8, new Date(START_MS + 5000), null, null],
  ]);
  attempts.add({ ...attempt, meterId: "no uuid" });
  await attempts.flush();
  expect(lost).toEqual([1]);
});

test("obis codes: the table names what is measured, and putting them again changes nothing", async () => {
  const { database, url } = current();
  expect(await keepObisCodes(database)).toBeGreaterThan(1000);
  expect(await keepObisCodes(database)).toBe(0);
  const codes = ["1.0.1.8.0.255", "1.0.32.7.0.255", "1.0.91.7.0.255", "0.0.96.1.0.255"];
  const rows = await query(
    url,
    "select code, description, unit from dlms.obis_codes where code = any ($1::text[]) order by code",
    [codes],
  );
  expect(rows.map(([code, , unit]) => [code, unit])).toEqual([
    ["0.0.96.1.0.255", null],
    ["1.0.1.8.0.255", "Wh"],
    ["1.0.32.7.0.255", "V"],
    ["1.0.91.7.0.255", "A"],
  ]);
  expect(rows[1]?.[1]).toBe("active import energy");
  await query(url, "update dlms.obis_codes set description = 'wrong' where code = '1.0.1.8.0.255'");
  expect(await keepObisCodes(database)).toBe(1);
});
