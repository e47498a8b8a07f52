/** Alarms that are pushed, and events that logs tell: each once, with its end, whoever tells it first. */
import { expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { eventsAmong, loggedEvent, type SeenEvents } from "../../../src/profiles/seen-events.ts";
import { openDatabase } from "../../../src/store/database/database.ts";
import { keepSeenEvents } from "../../../src/store/records/meter-events.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { sendTcp, startPushStation } from "./push-station.ts";

const current = useTestDatabase();
const ALERT = "0.4.25.9.0.255";
const WORD_OCTETS = 16;

/** Bits of the event status word of IS 15959. */
const MAGNET = 81;
const LAST_GASP = 85;

function octets(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

/** An alert of IS 15959: device, setup, clock, event status word with these bits. */
function alert(number: string, minute: number, bits: readonly number[]): Uint8Array {
  const word = new Uint8Array(WORD_OCTETS);
  for (const bit of bits) word[bit >> 3] = (word[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  const body: Data = {
    type: "structure",
    value: [
      octets(Buffer.from(number)),
      octets(logicalNameToOctets(ALERT)),
      octets(Uint8Array.from([0x07, 0xea, 1, 2, 255, 3, minute, 0, 0, 0, 0, 0])),
      { type: "bit-string", bitCount: 8 * WORD_OCTETS, value: word },
    ],
  };
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: minute, body } });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

async function afterAlerts(number: string, alerts: readonly (readonly [minute: number, bits: readonly number[]])[]) {
  await using station = await startPushStation({
    database: current().database,
    meters: [{ number, companion: "is15959" }],
  });
  for (const [minute, bits] of alerts) {
    await sendTcp(station.tcp, [alert(number, minute, bits)]);
    await station.settled();
  }
}

function at(minute: number): Date {
  return new Date(Date.UTC(2026, 0, 2, 3, minute));
}

/** What a log told that was polled: codes with the minutes at which they happened. */
async function logTold(number: string, log: string, events: readonly (readonly [minute: number, code: number])[]) {
  const [[meterId] = []] = await query(current().url, "select id from public.meters where meter_number = $1", [number]);
  const seen = {
    meterId: String(meterId),
    source: "poll",
    words: [],
    events: events.map(([minute, code]) => {
      return loggedEvent("is15959", { log, code, at: at(minute) });
    }),
  } as const;
  return current().database.transaction((client) => keepSeenEvents(client, [seen]));
}

function eventsOf(number: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select extract(minute from e.occurred_at)::int, e.kind, e.condition, e.severity, e.source,
       extract(minute from coalesce(e.restored_at, e.began_at))::int, jsonb_array_length(e.told_by)
     from public.meter_events e join public.meters m on m.id = e.meter_id
     where m.meter_number = $1 order by e.occurred_at, e.condition, e.kind`,
    [number],
  );
}

test("events: an alarm is one occurrence while its bit is set, and its end is known when it is not", async () => {
  await afterAlerts("EVT1", [
    [1, [MAGNET]],
    [2, [MAGNET]],
    [5, []],
    [30, [MAGNET]],
  ]);
  const [first, ended, again, ...more] = await eventsOf("EVT1");
  const condition = first?.[2];
  expect(first).toEqual([1, "occurrence", condition, "alarm", "push", 5, 0]);
  expect(ended).toEqual([5, "restoration", condition, "info", "push", 1, 0]);
  expect(again).toEqual([30, "occurrence", condition, "alarm", "push", null, 0]);
  expect(more).toEqual([]);
});

test("events: two bits of one push are two events; a last gasp is among them", async () => {
  await afterAlerts("EVT2", [[1, [MAGNET, LAST_GASP]]]);
  const rows = await eventsOf("EVT2");
  expect(rows.map(([minute, kind]) => [minute, kind])).toEqual([
    [1, "occurrence"],
    [1, "occurrence"],
  ]);
});

const OTHERS_LOG = "0.0.99.98.4.255";
/** Influence of a magnet: it begins with 201 and ends with 202. */
const MAGNET_CODES = [201, 202] as const;

test("events: what the log says of an alarm that was pushed is the same event, told by both", async () => {
  await afterAlerts("EVT3", [
    [1, [MAGNET]],
    [5, []],
  ]);
  const [began, ended] = MAGNET_CODES;
  expect(
    await logTold("EVT3", OTHERS_LOG, [
      [1, began],
      [5, ended],
    ]),
  ).toBe(0);
  expect(
    await logTold("EVT3", OTHERS_LOG, [
      [1, began],
      [5, ended],
    ]),
  ).toBe(0);
  expect((await eventsOf("EVT3")).map(([minute, kind, , , , other, told]) => [minute, kind, other, told])).toEqual([
    [1, "occurrence", 5, 1],
    [5, "restoration", 1, 1],
  ]);
});

test("events: a log that was read first makes the later alert the same event", async () => {
  await afterAlerts("EVT4", []);
  const [began] = MAGNET_CODES;
  expect(await logTold("EVT4", OTHERS_LOG, [[1, began]])).toBe(1);
  await afterAlerts("EVT4", [[2, [MAGNET]]]);
  expect((await eventsOf("EVT4")).map(([minute, kind, , , source]) => [minute, kind, source])).toEqual([
    [1, "occurrence", "poll"],
  ]);
});

test("events: a log that comes in the wrong order pairs all the same; codes that no table knows are kept", async () => {
  await afterAlerts("EVT5", []);
  const [began, ended] = MAGNET_CODES;
  await logTold("EVT5", OTHERS_LOG, [
    [40, ended],
    [20, began],
  ]);
  await logTold("EVT5", OTHERS_LOG, [[15, ended]]);
  await logTold("EVT5", OTHERS_LOG, [
    [10, began],
    [50, 60_001],
  ]);
  expect((await eventsOf("EVT5")).map(([minute, kind, , , , other]) => [minute, kind, other])).toEqual([
    [10, "occurrence", 15],
    [15, "restoration", 10],
    [20, "occurrence", 40],
    [40, "restoration", 20],
    [50, null, null],
  ]);
});

test("events: what happened twice within minutes is two rows where a log has two stamps of it, whoever told the first", async () => {
  await afterAlerts("EVT6", []);
  const [began, ended] = MAGNET_CODES;
  const another = "0.0.99.98.5.255";
  const first = [
    [1, began],
    [2, ended],
  ] as const;
  const both = [...first, [6, began], [7, ended]] as const;
  expect(await logTold("EVT6", OTHERS_LOG, first)).toBe(2);
  expect(await logTold("EVT6", another, both)).toBe(2);
  const rows = await eventsOf("EVT6");
  expect(rows.map(([minute, kind, , , , other, told]) => [minute, kind, other, told])).toEqual([
    [1, "occurrence", 2, 1],
    [2, "restoration", 1, 1],
    [6, "occurrence", 7, 0],
    [7, "restoration", 6, 0],
  ]);
  // The first log goes on: its second pair is that of the other one, each with the nearest.
  expect(await logTold("EVT6", OTHERS_LOG, both)).toBe(0);
  expect(await logTold("EVT6", another, both)).toBe(0);
  expect((await eventsOf("EVT6")).map(([minute, , , , , , told]) => [minute, told])).toEqual([
    [1, 1],
    [2, 1],
    [6, 1],
    [7, 1],
  ]);
});

test("events: an alarm that comes and goes in pushes of one lot has its end; what stays set tells nothing again", async () => {
  await using station = await startPushStation({
    database: current().database,
    meters: [{ number: "EVT7", companion: "is15959" }],
  });
  const minutes = [
    [1, [MAGNET]],
    [3, []],
    [5, [MAGNET]],
    [6, [MAGNET]],
  ] as const;
  await sendTcp(
    station.tcp,
    minutes.map(([minute, bits]) => alert("EVT7", minute, bits)),
  );
  await station.settled();
  expect((await eventsOf("EVT7")).map(([minute, kind, , , , other]) => [minute, kind, other])).toEqual([
    [1, "occurrence", 3],
    [3, "restoration", 1],
    [5, "occurrence", null],
  ]);
});

test("events: the bit for any fraud attempt is the event that the log names, whichever comes first", async () => {
  await afterAlerts("EVT9", []);
  const [[meterId] = []] = await query(current().url, "select id from public.meters where meter_number = 'EVT9'");
  const keep = (source: "push" | "poll", seen: SeenEvents) =>
    current().database.transaction((client) => keepSeenEvents(client, [{ meterId: String(meterId), source, ...seen }]));
  const REGISTER = { classId: 1, logicalName: "0.0.97.98.0.255", attributeId: 2, dataIndex: 0 };
  const pushed = (minute: number, value: number) =>
    keep(
      "push",
      eventsAmong([{ object: REGISTER, data: { type: "double-long-unsigned", value } }], "dsmr", at(minute)),
    );
  const polled = (minute: number, code: number) =>
    keep("poll", { words: [], events: [loggedEvent("dsmr", { log: "0.0.99.98.1.255", code, at: at(minute) })] });
  const FRAUD = 0x2000;
  await pushed(2, FRAUD);
  expect(await eventsOf("EVT9")).toEqual([[2, "occurrence", "fraud attempt", "alarm", "push", null, 0]]);
  await polled(1, 40);
  const cover = [1, "occurrence", "terminal cover open", "alarm", "poll", null, 1];
  expect(await eventsOf("EVT9")).toEqual([cover]);
  // What clears the register does not close the cover.
  await pushed(3, 0);
  expect(await eventsOf("EVT9")).toEqual([cover]);
  await polled(20, 44);
  await pushed(21, FRAUD);
  await polled(25, 41);
  expect(await eventsOf("EVT9")).toEqual([
    [1, "occurrence", "terminal cover open", "alarm", "poll", 25, 1],
    [20, "occurrence", "meter cover open", "alarm", "poll", null, 1],
    [25, "restoration", "terminal cover open", "info", "poll", 1, 0],
  ]);
  await pushed(30, 0);
  await pushed(50, FRAUD);
  expect((await eventsOf("EVT9")).at(-1)).toEqual([50, "occurrence", "fraud attempt", "alarm", "push", null, 0]);
});

test("events: keeping them never reads all that are kept, also with plans that a session made while there were few", async () => {
  await afterAlerts("EVT8", []);
  const [[meterId] = []] = await query(current().url, "select id from public.meters where meter_number = 'EVT8'");
  await using database = await openDatabase({ url: current().url, connections: 1 });
  const scans: bigint[] = [];
  for (let minute = 0; minute < 12; minute++) {
    const at = new Date(Date.UTC(2026, 0, 3, 3, minute));
    const events = [loggedEvent("is15959", { log: OTHERS_LOG, code: MAGNET_CODES[minute % 2] ?? 0, at })];
    const seen = { meterId: String(meterId), source: "push", words: [], events } as const;
    await database.transaction(async (client) => {
      await keepSeenEvents(client, [seen]);
      const { rows } = await client.query<{ seq_scan: bigint }>(
        "select seq_scan from pg_stat_xact_user_tables where relid = 'public.meter_events'::regclass",
      );
      scans.push(...rows.map(({ seq_scan: count }) => count));
    });
  }
  expect(scans).toEqual(Array.from({ length: 12 }, () => 0n));
});
