/** A value of one slot that is polled and pushed: one row when they agree, both kept and told when they do not. */
import { expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";
import type { ProfileBatch } from "../../../src/profiles/batch.ts";
import { PROFILE_COLUMNS } from "../../../src/profiles/columns.ts";
import { ProfileWriter } from "../../../src/store/profiles/profile-writer.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { sendTcp, startPushStation } from "./push-station.ts";
import { structure } from "./pushed-values.ts";

const current = useTestDatabase();
/** The place of `push` among the sources. */
const PUSH = 2;
const SLOT = Date.UTC(2026, 0, 2, 3, 15);

function octets(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

/** IS 15959 block load: device, setup, clock, energy of the interval, in the companion's list. */
function blockLoadPush(number: string, energyWh: number): Uint8Array {
  const stamp = Uint8Array.from([0x07, 0xea, 1, 2, 255, 3, 15, 0, 0, 0, 0, 0]);
  const body = structure(octets(Buffer.from(number)), octets(logicalNameToOctets("0.5.25.9.0.255")), octets(stamp), {
    type: "double-long-unsigned",
    value: energyWh,
  });
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: 1, body } });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

const LIST = [
  { classId: 1, logicalName: "0.0.96.1.2.255", attributeId: 2, dataIndex: 0 },
  { classId: 40, logicalName: "0.5.25.9.0.255", attributeId: 1, dataIndex: 0 },
  { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
  { classId: 3, logicalName: "1.0.1.29.0.255", attributeId: 2, dataIndex: 0 },
];
const LAYOUT = profileLayout({
  captureObjects: LIST.slice(2),
  scalers: [{ classId: 3, logicalName: "1.0.1.29.0.255", scalerUnit: { scaler: 0, unit: 30 } }],
});

function polled(meterKey: number, energyMwh: bigint): ProfileBatch {
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "polled",
    readAt: new Date(SLOT + 60_000),
    rowCount: 1,
    instantsMs: [SLOT],
    timeRules: ["deviation"],
    meterTimes: undefined,
    intervalS: undefined,
    columns: [{ column: "active_import", values: [energyMwh] }],
    others: [],
  };
}

async function keyOf(number: string): Promise<number> {
  const rows = await query(current().url, "select meter_key from public.meters where meter_number = $1", [number]);
  return Number(rows[0]?.[0]);
}

async function stationWith(number: string) {
  const station = await startPushStation({
    database: current().database,
    meters: [{ number, companion: "is15959", known: { layouts: new Map([["block_load", LAYOUT]]) } }],
  });
  station.learnLayouts(number, { lists: new Map([["0.5.25.9.0.255", LIST]]) });
  return station;
}

function rowsOf(number: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select captured_at = to_timestamp($2::double precision / 1000), active_import_wh::int, source
     from dlms.block_load_profile where meter_number = $1`,
    [number, SLOT],
  );
}

function revisionsOf(number: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select r.source, r.held, r.arrived from dlms.profile_revisions r join public.meters m using (meter_key)
     where m.meter_number = $1`,
    [number],
  );
}

test.each([
  ["poll first", "MEET1", "poll"],
  ["push first", "MEET2", "push"],
])("poll and push: the same value of a slot is one row, %s", async (_, number, first) => {
  await using station = await stationWith(number);
  const writer = new ProfileWriter(current().database, PROFILE_COLUMNS);
  const poll = async () => writer.write([polled(await keyOf(number), 120_000n)]);
  const push = async () => {
    await sendTcp(station.tcp, [blockLoadPush(number, 120)]);
    await station.settled();
  };
  if (first === "poll") await poll();
  await push();
  if (first === "push") await poll();
  expect(await rowsOf(number)).toEqual([[true, 120, first]]);
  expect(await revisionsOf(number)).toEqual([]);
});

test("poll and push: differing values of a slot are both kept with their sources, and an event tells", async () => {
  const number = "MEET3";
  await using station = await stationWith(number);
  await new ProfileWriter(current().database, PROFILE_COLUMNS).write([polled(await keyOf(number), 120_000n)]);
  await sendTcp(station.tcp, [blockLoadPush(number, 125)]);
  await station.settled();
  expect(await rowsOf(number)).toEqual([[true, 120, "poll"]]);
  expect(await revisionsOf(number)).toEqual([[PUSH, { active_import: 120_000 }, { active_import: 125_000 }]]);
  const events = await query(
    current().url,
    `select e.log, e.name from public.meter_events e join public.meters m on m.id = e.meter_id where m.meter_number = $1`,
    [number],
  );
  expect(events).toEqual([["gateway", "readings_revised"]]);
});
