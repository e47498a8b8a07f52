/**
 * One push of our own in everything that may carry it: whole it becomes the same rows, damaged it leaves a record and
 * nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { LLC_RESPONSE, withLlc } from "../../../protocol/link/hdlc/llc.ts";
import { unnumberedFrames } from "../../../protocol/link/hdlc/unnumbered.ts";
import { encodeMbusFrame } from "../../../protocol/link/mbus.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { Pty } from "../../drivers/serial/pty.ts";
import { rowCounts } from "./push-rows.ts";
import { type PushStation, sendTcp, sendUdp, startPushStation } from "./push-station.ts";

const current = useTestDatabase();
const NUMBER = "CARRIED1";
const INFO_LENGTH = 32;
const SLICE = 40;
const LAST_SLICE = 0x10;
const line = new Pty(() => undefined);
const mbusLine = new Pty(() => undefined);
let station: PushStation;

beforeAll(async () => {
  station = await startPushStation({
    database: current().database,
    meters: [{ number: NUMBER, timeZone: "Europe/Vienna" }],
    serial: [line, mbusLine].map(({ path }) => ({ serial: path, speed: 2400, parity: "even" })),
  });
});
afterAll(async () => {
  await station[Symbol.asyncDispose]();
  line[Symbol.dispose]();
  mbusLine[Symbol.dispose]();
});

function named(logicalName: string, value: Data, unit?: number): Data {
  const name: Data = { type: "octet-string", value: logicalNameToOctets(logicalName) };
  const scaler: Data = {
    type: "structure",
    value: [
      { type: "integer", value: 0 },
      { type: "enum", value: unit ?? 0 },
    ],
  };
  return { type: "structure", value: unit === undefined ? [name, value] : [name, value, scaler] };
}

/** Number, clock, energy, power and voltage; the second tells one push from the other. */
function push(second: number): Uint8Array {
  const clock = Uint8Array.from([0x07, 0xea, 11, 2, 255, 3, 0, second, 0, 0xff, 0xc4, 0]);
  const body: Data = {
    type: "structure",
    value: [
      named("0.0.96.1.0.255", { type: "octet-string", value: Buffer.from(NUMBER) }),
      named("0.0.1.0.0.255", { type: "octet-string", value: clock }),
      named("1.0.1.8.0.255", { type: "double-long-unsigned", value: 1000 + second }, 30),
      named("1.0.1.7.0.255", { type: "double-long-unsigned", value: 250 }, 27),
      named("1.0.32.7.0.255", { type: "long-unsigned", value: 231 }, 35),
    ],
  };
  return encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: second, body } });
}

function inWrapper(apdu: Uint8Array): Uint8Array[] {
  return [encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu })];
}

function inHdlc(apdu: Uint8Array): Uint8Array[] {
  const route = { source: hdlcAddress(1, 17), destination: hdlcAddress(103) };
  return unnumberedFrames(route, withLlc(LLC_RESPONSE, apdu), INFO_LENGTH).map(encodeHdlcFrame);
}

function inMbus(apdu: Uint8Array): Uint8Array[] {
  const count = Math.ceil(apdu.length / SLICE);
  return Array.from({ length: count }, (_, index) => {
    const controlInformation = index === count - 1 ? LAST_SLICE + index : index;
    const payload = Uint8Array.of(1, 103, ...apdu.subarray(index * SLICE, (index + 1) * SLICE));
    return encodeMbusFrame({ control: 0x53, address: 0xff, controlInformation, payload });
  });
}

/** As one datagram holds them. */
function together(frames: readonly Uint8Array[]): Uint8Array[] {
  return [Buffer.concat(frames)];
}

async function sendSerial(to: Pty, frames: readonly Uint8Array[]): Promise<void> {
  for (const frame of frames) to.say(frame);
}

const CARRIERS = [
  ["wrapper over TCP", inWrapper, (frames: Uint8Array[]) => sendTcp(station.tcp, frames)],
  ["wrapper over UDP", inWrapper, (frames: Uint8Array[]) => sendUdp(station.udp, frames)],
  ["HDLC UI frames over TCP", inHdlc, (frames: Uint8Array[]) => sendTcp(station.tcp, frames)],
  ["HDLC UI frames over UDP", inHdlc, (frames: Uint8Array[]) => sendUdp(station.udp, together(frames))],
  ["HDLC UI frames over serial", inHdlc, (frames: Uint8Array[]) => sendSerial(line, frames)],
  ["M-Bus over TCP", inMbus, (frames: Uint8Array[]) => sendTcp(station.tcp, frames)],
  ["M-Bus over serial", inMbus, (frames: Uint8Array[]) => sendSerial(mbusLine, frames)],
  ["M-Bus over UDP", inMbus, (frames: Uint8Array[]) => sendUdp(station.udp, together(frames))],
] as const;

function outcomes(): Promise<unknown[][]> {
  return query(current().url, "select outcome, reason from dlms.push_history order by push_key");
}

async function untilMore(than: number): Promise<unknown[][]> {
  for (;;) {
    const rows = await outcomes();
    if (rows.length > than && station.listeners.waiting === 0) return rows.slice(than);
    await sleep(10);
  }
}

test.each(CARRIERS.map((each, index) => [...each, index + 1] as const))(
  "carriers: %s brings the push into rows",
  async (_, frame, send, second) => {
    const before = (await outcomes()).length;
    await send(frame(push(second)));
    expect(await untilMore(before)).toEqual([["stored", null]]);
    const rows = await query(
      current().url,
      `select active_import_total_wh::int, active_power_import_w::int, voltage_l1_v::float from dlms.instant_profile
       where meter_number = $1 and extract(second from captured_at)::int = $2`,
      [NUMBER, second],
    );
    expect(rows).toEqual([[1000 + second, 250, 231]]);
  },
);

test.each(CARRIERS)("carriers: %s: a damaged push leaves a record and nothing else", async (_, frame, send) => {
  const frames = frame(push(59)).map((each) => Uint8Array.from(each));
  const last = frames.at(-1);
  if (last === undefined) throw new Error("no frame");
  // Of what has a check, an octet of the content; of the wrapper, which has none, the end of the list.
  if (frame === inWrapper) last.fill(0xff, last.length - 4);
  else last[last.length >> 1] = (last[last.length >> 1] ?? 0) ^ 0x20;
  const [before, held] = [await rowCounts(current().url), (await outcomes()).length];
  await send(frames);
  const rows = await untilMore(held);
  expect(rows.map(([outcome]) => outcome)).toEqual(rows.map(() => "rejected"));
  for (const [, reason] of rows) expect(reason).toMatch(/^[A-Z_]+: /);
  expect(await rowCounts(current().url)).toEqual(before);
});
