import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { dailyEntry } from "../../src/push/setups/push-schedule.ts";
import type { Database } from "../../src/store/database/database.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { insertSchedules, keepExpectedPushes } from "../../src/store/push/push-schedules.ts";
import { RequestTimes } from "../../src/store/records/request-times.ts";
import { type ServiceLevelOrder, serviceLevels } from "../../src/store/records/service-levels.ts";
import { blockLoad, makeMeters, SLOT_MS, START_MS } from "./profile-batches.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SETUP = "0.4.25.9.0.255";

function dayOf(day: number): string {
  return new Date(START_MS + day * DAY_MS).toISOString().slice(0, 10);
}

async function meter(database: Database, number: string): Promise<{ key: number; id: string }> {
  const [key = 0] = await makeMeters(database, [number]);
  const [row] = await database.query<{ id: string }>(
    "update public.meters set time_zone = 'Asia/Kolkata' where meter_key = $1 returning id",
    [key],
  );
  return { key, id: row?.id ?? "" };
}

async function levels(database: Database, day: number, order: Partial<ServiceLevelOrder>) {
  return await serviceLevels(database, { from: dayOf(day), to: dayOf(day), scope: null, limitsMs: [], ...order });
}

test("service levels: slots by how long after their end they were read; the one of midnight is of the day before", async () => {
  const { database } = current();
  const { key } = await meter(database, "SLOTS");
  await database.query(
    "insert into dlms.meter_profiles (meter_key, profile, valid_from, interval_s) values ($1, 'block_load', $2, 900)",
    [key, new Date(START_MS)],
  );
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const read = (slot: number, afterMs: number) =>
    blockLoad(key, [slot], { readAt: new Date(START_MS + slot * SLOT_MS + afterMs) });
  // The day has slots 97 to 192.
  await writer.write([96, 97, 98, 192].map((slot) => read(slot, HOUR_MS)));
  await writer.write([120, 121].map((slot) => read(slot, HOUR_MS + 1)));
  await writer.write([read(130, 9 * HOUR_MS), read(131, 25 * HOUR_MS)]);
  const [level] = await levels(database, 1, { scope: [key] });
  expect(level).toMatchObject({ group: "all", day: dayOf(1), meters: 1, due: 96, held: 7 });
  expect(level).toMatchObject({ within1h: 3, within8h: 5, within24h: 6, pushes: { expected: 0 } });
});

test("service levels: pushes stand for those that are expected, each setup for itself; one never heard is not expected", async () => {
  const { database } = current();
  const [expected, heard, silent] = [
    await meter(database, "EXPECTED"),
    await meter(database, "HEARD"),
    await meter(database, "NEVER"),
  ];
  await keepExpectedPushes(database, [{ meterId: expected.id, pushSetup: SETUP, entries: [dailyEntry("*:30")] }]);
  for (const { id } of [expected, heard, silent]) {
    await database.transaction(async (client) => {
      const { rows } = await client.query<{ push_setup_id: string }>(
        `insert into dlms.push_setups (meter_id, logical_name) values ($1, $2)
         on conflict (meter_id, logical_name) do update set logical_name = excluded.logical_name returning push_setup_id`,
        [id, SETUP],
      );
      const setupId = rows[0]?.push_setup_id ?? "";
      // On the first of each month at midnight of the meter: that is half past six in the evening before, in UTC.
      const from = { ...dailyEntry("00:00"), day: 1 };
      await insertSchedules(client, [
        { setupId, kind: "schedule", logicalName: "0.0.15.0.4.255", entries: [{ from }] },
      ]);
    });
  }
  const push = (id: string, hour: number, setup: string) =>
    database.query(
      `insert into dlms.push_history (received_at, peer, transport, meter_id, outcome, octets, push_setup)
       values ($1, 'peer', 'tcp', $2, 'stored', '', $3)`,
      [new Date(START_MS + 30 * DAY_MS + hour * HOUR_MS), id, setup],
    );
  // Twenty of twenty-four, five more within one of the hours, and one of another setup.
  for (let hour = 0; hour < 20; hour++) await push(expected.id, hour + 0.01, SETUP);
  await push(expected.id, 23, "0.1.25.9.0.255");
  await push(heard.id, 18.5, SETUP);
  const on = async (day: number, key: number) => (await levels(database, day, { scope: [key] }))[0]?.pushes;
  expect(await on(30, expected.key)).toEqual({ expected: 24, received: 20 });
  for (let more = 0; more < 5; more++) await push(expected.id, 12.2, SETUP);
  expect(await on(30, expected.key)).toEqual({ expected: 24, received: 24 });
  expect(await on(30, heard.key)).toEqual({ expected: 1, received: 1 });
  expect(await on(31, heard.key)).toBeUndefined();
  expect(await on(30, silent.key)).toBeUndefined();
});

test("service levels: a push that is expected of no setup in particular is any; a push stands for one that is expected", async () => {
  const { database } = current();
  const [any, other] = [await meter(database, "ANY"), await meter(database, "NOT-ANY")];
  await keepExpectedPushes(database, [
    { meterId: any.id, pushSetup: undefined, entries: [dailyEntry("*:30")] },
    { meterId: other.id, pushSetup: SETUP, entries: [dailyEntry("06:00")] },
  ]);
  const push = (id: string, hour: number, setup: string | null) =>
    database.query(
      `insert into dlms.push_history (received_at, peer, transport, meter_id, outcome, octets, push_setup)
       values ($1, 'peer', 'tcp', $2, 'stored', '', $3)`,
      [new Date(START_MS + 50 * DAY_MS + hour * HOUR_MS), id, setup],
    );
  for (const setup of [SETUP, "0.1.25.9.0.255", null]) await push(any.id, 1, setup);
  await push(other.id, 1, null);
  const on = async (key: number) => (await levels(database, 50, { scope: [key] }))[0]?.pushes;
  expect(await on(any.key)).toEqual({ expected: 24, received: 3 });
  expect(await on(other.key)).toEqual({ expected: 1, received: 0 });
  await keepExpectedPushes(database, []);
  expect(await on(any.key)).toBeUndefined();
});

test("service levels: requests by kind, those done within a time, and percentiles; one that is kept twice counts once", async () => {
  const { database } = current();
  const { key, id } = await meter(database, "ASKED");
  const lost: unknown[] = [];
  const times = new RequestTimes(database, (error) => lost.push(error));
  const askedAt = new Date(START_MS + 40 * DAY_MS + 1);
  const ended = (kind: string, afterMs: number, done = true) => {
    const endedAt = new Date(askedAt.getTime() + afterMs);
    return { id: randomUUID(), meterId: id, kind, askedAt, endedAt, done, actor: "somebody" };
  };
  for (let second = 1; second <= 9; second++) times.add(ended("read", second * 1000));
  times.add(ended("read", 500, false));
  const off = ended("disconnect", 4000);
  times.add(off);
  times.add({ ...off });
  await times.stop(10_000);
  expect(lost).toEqual([]);
  const [level] = await levels(database, 40, { scope: [key], limitsMs: [5000, 60_000] });
  expect(level).toMatchObject({ due: 0, meters: 0, day: dayOf(40) });
  expect(level?.requests).toEqual(
    new Map([
      ["disconnect", { asked: 1, done: 1, ms: [4000, 4000, 4000], within: [1, 1] }],
      ["read", { asked: 10, done: 9, ms: [5000, 8600, 8920], within: [5, 9] }],
    ]),
  );
});
