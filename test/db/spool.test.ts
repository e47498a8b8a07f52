import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { PackedBuffer, ProfileBatch } from "../../src/profiles/batch.ts";
import { FRAME_HEADER_LENGTH, putFrame, runSeed } from "../../src/spool/frame.ts";
import { segmentName } from "../../src/spool/segment.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { PROFILE_ROWS } from "../../src/store/intake/spool-kinds.ts";
import { keptBuffers } from "../../src/store/profiles/raw-buffers.ts";
import { PushHistory } from "../../src/store/push/push-history.ts";
import { queuedPush } from "../../src/store/push/received-push.ts";
import { blockLoad, makeMeters, START_MS, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { type SpoolStation, somePush, startSpoolStation } from "./spool-station.ts";

let station: SpoolStation;
let madeMeters = 0;

beforeAll(async () => {
  station = await startSpoolStation();
});
beforeEach(() => {
  station.events.length = 0;
});
afterAll(() => station[Symbol.asyncDispose]());

async function newMeter(): Promise<number> {
  return (await makeMeters(station.database, [`Q${++madeMeters}`]))[0] ?? 0;
}

/** Puts batches and waits until each is durable somewhere. */
async function keep(...batches: readonly ProfileBatch[]): Promise<void> {
  const puts: { readonly written: Promise<void> }[] = [];
  for (const batch of batches) puts.push(await station.intake.rows.put(batch));
  await Promise.all(puts.map((put) => put.written));
}

async function keepPush(number: number): Promise<void> {
  await (await station.intake.pushes.put(somePush(number))).written;
}

async function heldSlots(meterKey: number): Promise<unknown> {
  const rows = await query(
    station.url,
    `select count(*)::int, count(distinct captured_at)::int,
       (select count(*)::int from dlms.profile_revisions r where r.meter_key = $1)
     from dlms.block_load_profile_data where meter_key = $1`,
    [meterKey],
  );
  return rows[0];
}

async function heldPushes(from: number, to: number): Promise<unknown> {
  const rows = await query(
    station.url,
    `select count(*)::int, count(distinct octets)::int, count(v.value)::int
     from dlms.push_history h left join dlms.push_values v using (push_key)
     where h.received_at >= $1 and h.received_at < $2`,
    [somePush(from).receivedAt, somePush(to).receivedAt],
  );
  return rows[0];
}

function told(event: string): number {
  return station.events.filter((each) => each.event === event).length;
}

/** A batch of one slot with a voltage in millivolts. */
function voltage(meter: number, slot: number, value: bigint): ProfileBatch {
  return blockLoad(meter, [slot], { columns: [{ column: "voltage_l1", values: [value] }] });
}

test("spool: while the server is away, rows, pushes and attempts are durable all the same, and come in once", async () => {
  const meter = await newMeter();
  await keep(blockLoad(meter, slots(0, 10)));
  const [[meterId] = []] = await query(station.url, "select id from public.meters where meter_key = $1", [meter]);
  await station.stopServer();
  await keep(blockLoad(meter, slots(10, 20)), blockLoad(meter, slots(15, 25)));
  await keepPush(1);
  const at = { startedAt: new Date(START_MS), endedAt: new Date(START_MS + 1) };
  station.intake.addAttempt({ ...at, meterId: String(meterId), what: "block_load", rowCount: 1, failure: undefined });
  await station.intake.addRejected(meter, [{ profile: "billing", index: 0, reason: "no-time", values: {} }]);
  expect(station.intake.isSpooling).toBe(true);
  await sleep(1100);
  await station.startServer();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([25, 25, 0]);
  expect(await heldPushes(1, 2)).toEqual([1, 1, 1]);
  const others = `select (select count(*)::int from dlms.read_attempts where meter_id = $1),
    (select count(*)::int from dlms.rejected_rows where meter_key = $2)`;
  expect(await query(station.url, others, [meterId, meter])).toEqual([[1, 1]]);
  expect([told("spoolBegun"), told("spoolDrained")]).toEqual([1, 1]);
  expect(await readdir(station.spoolDirectory)).toEqual([]);
});

function buffer(at: number): PackedBuffer {
  return {
    form: "buffer",
    receivedAt: new Date(START_MS + at),
    layout: JSON.stringify({
      captureObjects: [{ classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 }],
      scalers: [],
    }),
    layoutFingerprint: "test-layout",
    deviation: "standard",
    octetCount: 3,
    compression: 0,
    octets: Uint8Array.of(1, 2, at),
  };
}

async function keptOctets(meterKey: number): Promise<string[]> {
  await using database = await openDatabase({ url: station.url, connections: 1 });
  const kept: string[] = [];
  for await (const { buffers } of keptBuffers(database, { meterKeys: [meterKey] })) {
    kept.push(...buffers.map(({ octets }) => toHex(octets)));
  }
  return kept;
}

test("spool: octets of buffers go with their rows, and come in once", async () => {
  const meter = await newMeter();
  await keep(blockLoad(meter, slots(0, 4), { buffers: [buffer(0)] }));
  await station.stopServer();
  await keep(blockLoad(meter, slots(4, 8), { buffers: [buffer(1), buffer(2)] }));
  // In the database and in the spool.
  await keep(blockLoad(meter, slots(0, 4), { buffers: [buffer(0)] }));
  await station.restart();
  await station.startServer();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([8, 8, 0]);
  expect(await keptOctets(meter)).toEqual(["010200", "010201", "010202"]);
});

test("spool: what comes later does not overtake what is spooled, so that the first value of a slot stays", async () => {
  const meter = await newMeter();
  await station.stopServer();
  await keep(voltage(meter, 0, 1n));
  await keep(voltage(meter, 0, 2n));
  await station.startServer();
  // Whether this one still goes behind the others or straight into the database, they are before it.
  await keep(voltage(meter, 0, 3n));
  await station.drained();
  const rows = "select voltage_l1 from dlms.block_load_profile_data where meter_key = $1";
  expect(await query(station.url, rows, [meter])).toEqual([[1]]);
  const revisions =
    "select arrived->'voltage_l1' from dlms.profile_revisions where meter_key = $1 order by revision_key";
  expect(await query(station.url, revisions, [meter])).toEqual([[2], [3]]);
});

test("spool: rows of one slot with different columns come in together, and none is lost", async () => {
  const meter = await newMeter();
  await station.stopServer();
  for (const column of ["voltage_l1", "voltage_l2", "voltage_l3"]) {
    await keep(blockLoad(meter, [0], { columns: [{ column, values: [5n] }] }));
  }
  await station.startServer();
  await station.drained();
  const rows = "select voltage_l1, voltage_l2, voltage_l3 from dlms.block_load_profile_data where meter_key = $1";
  expect(await query(station.url, rows, [meter])).toEqual([[5, 5, 5]]);
});

test("spool: what was spooled before a restart comes in after it, once", async () => {
  const meter = await newMeter();
  await station.stopServer();
  await keep(blockLoad(meter, slots(0, 10)));
  await keepPush(10);
  await station.restart();
  expect(station.intake.isSpooling).toBe(true);
  await keep(blockLoad(meter, slots(10, 20)));
  await keepPush(11);
  await station.startServer();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([20, 20, 0]);
  expect(await heldPushes(10, 12)).toEqual([2, 2, 2]);
});

test("spool: a table that somebody has locked holds nobody up; its rows come in when it is free", async () => {
  const [meter, other] = [await newMeter(), await newMeter()];
  await keep(blockLoad(other, [0]));
  const holder = await openDatabase({ url: station.url, connections: 1 });
  await holder.transaction(async (client) => {
    await client.query("lock table dlms.block_load_profile_data in access exclusive mode");
    await keep(blockLoad(meter, slots(0, 10)));
    await keepPush(20);
    expect(station.intake.isSpooling).toBe(true);
  });
  await holder.close();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([10, 10, 0]);
  expect(await heldPushes(20, 21)).toEqual([1, 1, 1]);
});

test("spool: a database that has become read-only is a database that is away", async () => {
  const meter = await newMeter();
  const name = new URL(station.url).pathname.slice(1);
  const endSessions =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()";
  await query(station.administratorUrl, `alter database ${name} set default_transaction_read_only = on`);
  await query(station.administratorUrl, endSessions, [name]);
  await keep(blockLoad(meter, slots(0, 10)));
  expect(station.intake.isSpooling).toBe(true);
  // Sessions that have been opened meanwhile stay read-only: they have to be given up.
  const reset = `begin read write; alter database ${name} reset default_transaction_read_only; commit`;
  await query(station.administratorUrl, reset);
  await station.drained();
  expect(await heldSlots(meter)).toEqual([10, 10, 0]);
});

test("spool: rows of a meter that is deleted before they come in are not lost, and hold nothing up", async () => {
  const [gone, stays] = [await newMeter(), await newMeter()];
  await station.stopServer();
  await keep(voltage(gone, 0, 1n), voltage(stays, 0, 1n));
  await station.startServer();
  // Before the spool has come so far, or after: the row is in one place or the other.
  await query(station.url, "delete from public.meters where meter_key = $1", [gone]);
  await station.drained();
  expect(await heldSlots(stays)).toEqual([1, 1, 0]);
  const places = await query(
    station.url,
    `select (select count(*)::int from dlms.block_load_profile_data where meter_key = $1)
       + (select count(*)::int from dlms.rejected_rows where meter_key = $1 and reason = 'meter_unknown')`,
    [gone],
  );
  expect(places).toEqual([[1]]);
});

test("spool: an impossible row is set aside with its reason when it comes in, and the rest goes in", async () => {
  const meter = await newMeter();
  await station.stopServer();
  await keep(
    blockLoad(meter, [0, 1], { instantsMs: [START_MS, Number.NaN] }),
    blockLoad(meter, [5], { columns: [{ column: "no_such", values: [1n] }] }),
    voltage(meter, 2, 2n ** 200n),
    voltage(meter, 3, 1n),
  );
  await station.startServer();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([2, 2, 0]);
  const reasons = "select reason from dlms.rejected_rows where meter_key = $1 order by reason";
  expect((await query(station.url, reasons, [meter])).flat()).toEqual([
    "column_unknown",
    "time_missing",
    "value_out_of_range",
  ]);
});

test("spool: a record that this version can't read is set aside with its octets, and the rest goes in", async () => {
  const meter = await newMeter();
  await station.stopServer();
  await keep(voltage(meter, 0, 1n));
  const run = "00000001-0123456789abcdef";
  const payload = PROFILE_ROWS.encode(voltage(meter, 1, 2n));
  const unreadable = [
    { kind: 99, version: 1, sequence: 0, payload },
    { kind: PROFILE_ROWS.code, version: 9, sequence: 1, payload },
    { kind: PROFILE_ROWS.code, version: 1, sequence: 2, payload: payload.subarray(1) },
    { kind: PROFILE_ROWS.code, version: 1, sequence: 3, payload },
  ];
  const octets = new Uint8Array(unreadable.reduce((sum, each) => sum + FRAME_HEADER_LENGTH + each.payload.length, 0));
  let at = 0;
  for (const record of unreadable) at = putFrame(octets, at, { record, seed: runSeed(run) });
  await writeFile(join(station.spoolDirectory, segmentName(run, 0)), octets);
  await station.restart();
  await station.startServer();
  await station.drained();
  expect(await heldSlots(meter)).toEqual([2, 2, 0]);
  expect(told("spoolSetAside")).toBe(3);
  expect(await readdir(join(station.spoolDirectory, "damaged"))).toHaveLength(3);
});

test("spool: a record for which the database takes too long every time is set aside, when others go in", async () => {
  await using slow = await startSpoolStation({ statementTimeoutMs: 1500 });
  const [late = 0, other = 0] = await makeMeters(slow.database, ["L1", "L2"]);
  await query(
    slow.url,
    `create function public.take_long() returns trigger language plpgsql as $$
       begin perform pg_sleep(60); return new; end $$;
     create trigger take_long before insert on dlms.block_load_profile_data
       for each row when (new.meter_key = ${late}) execute function public.take_long()`,
  );
  await (await slow.intake.rows.put(voltage(late, 0, 1n))).written;
  while (!slow.events.some(({ event }) => event === "spoolRetried")) await sleep(10);
  // Alone, it may be the database that is slow.
  await (await slow.intake.rows.put(voltage(other, 0, 1n))).written;
  await (await slow.intake.pushes.put(somePush(50))).written;
  await slow.drained();
  const held = `select (select array_agg(meter_key) from dlms.block_load_profile_data),
    (select count(*)::int from dlms.push_history)`;
  expect(await query(slow.url, held)).toEqual([[[other], 1]]);
  expect(slow.events.filter(({ event }) => event === "spoolSetAside")).toEqual([
    { event: "spoolSetAside", kind: "rows", reason: expect.stringContaining("statement timeout") },
  ]);
  expect(await readdir(join(slow.spoolDirectory, "damaged"))).toHaveLength(1);
});

test("spool: records that were brought in are not brought in again when their file is still there", async () => {
  await station.stopServer();
  await keepPush(30);
  const name = (await readdir(station.spoolDirectory)).find((each) => each.includes(".spool")) ?? "";
  const octets = await readFile(join(station.spoolDirectory, name));
  await station.startServer();
  await station.drained();
  await station.intake.stop(1000);
  await writeFile(join(station.spoolDirectory, name), octets);
  await station.restart();
  await station.drained();
  expect(await heldPushes(30, 31)).toEqual([1, 1, 1]);
});

test("spool: a push whose commit nobody heard of is one push when it is written again", async () => {
  const history = new PushHistory(station.database);
  const queued = queuedPush(somePush(40), undefined);
  await history.keep([queued]);
  const other = queuedPush(somePush(41), undefined);
  await history.keep([queued, other]);
  expect(await heldPushes(40, 42)).toEqual([2, 2, 2]);
});
