/** The whole client stack over serial lines: an RS-485 bus with three meters, and optical heads in mode E. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { probeCommand } from "../../src/cli/commands/probe-command.ts";
import { causeOf } from "../../src/collect/causes/failure-cause.ts";
import { readForAnswer } from "../../src/collect/read/meter-reader.ts";
import { parseReadOrder } from "../../src/collect/read/read-order.ts";
import type { InvocationCounters } from "../../src/collect/session/meter-access.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import type { MeterTarget } from "../../src/collect/session/meter-target.ts";
import { SerialLines } from "../../src/collect/session/serial-lines.ts";
import { parseConfig } from "../../src/config/load.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { seededSecrets } from "../../src/simulator/meter-identity.ts";
import { SimulatedLine, type Station } from "./serial-line.ts";
import { CIPHERED_ASSOCIATION, meterNumber, virtualMeter } from "./serial-meter.ts";

const HOUR_MS = 3_600_000;

/** Counters that live as long as the test. */
function counters(): InvocationCounters {
  let counter = 1;
  return {
    next: () => counter++,
    get upcoming() {
      return counter;
    },
    ensure: async () => {},
    raise: async (least) => {
      counter = Math.max(counter, least);
    },
  };
}

function target(line: SimulatedLine, seed: number, connection: Record<string, unknown>): MeterTarget {
  const meter = meterSchema.parse({
    name: `meter-${seed}`,
    number: meterNumber(seed),
    companion: "is15959",
    timeZone: "Asia/Kolkata",
    connection: { serial: line.path, responseTimeout: "3s", ...connection },
    association: CIPHERED_ASSOCIATION,
  });
  const { highLevelSecret, blockCipherKey, authenticationKey } = seededSecrets(seed);
  const secrets = { secret: new SecretKey("hlsSecret", highLevelSecret), blockCipherKey, authenticationKey };
  const held = counters();
  const zone = namedZone(meter.timeZone);
  return {
    ...meter,
    zone,
    secrets,
    quirks: new Set(),
    ways: new Map(),
    layouts: new Map(),
    clock: undefined,
    openCounters: async () => held,
  };
}

function read(lines: SerialLines, from: MeterTarget, what: string) {
  const range = { fromMs: Date.now() - 6 * HOUR_MS, toMs: Date.now() };
  return visitMeter(from, { budgetMs: 30_000, lines }, (source) =>
    readForAnswer(parseReadOrder(what), { source, target: from, what, range }),
  );
}

async function causeOfRead(lines: SerialLines, from: MeterTarget): Promise<string> {
  return read(lines, from, "clock").then(
    () => "none",
    (error: unknown) => causeOf(error).cause,
  );
}

/** How many rows clock and block load of the last six hours have. */
async function rowCounts(lines: SerialLines, from: MeterTarget): Promise<readonly [number, number]> {
  const clock = await read(lines, from, "clock");
  const blockLoad = await read(lines, from, "block");
  return [clock.rows.length, blockLoad.rows.length];
}

const WHOLE = [1, expect.toSatisfy((rows: number) => rows >= 11)];

const ADDRESSES = [17, 18, 256];

function bus(): Station[] {
  return ADDRESSES.map((physicalDevice, seed) => ({ meter: virtualMeter(seed), physicalDevice }));
}

test.each([
  ["a clean line", {}],
  ["echo", { echo: true }],
  ["noise", { noise: true }],
  ["echo and noise", { echo: true, noise: true }],
])("serial bus with %s: three meters give clock and block load, all asked at once", async (_name, habits) => {
  using line = new SimulatedLine({ stations: bus(), ...habits });
  await using lines = new SerialLines();
  const connection = (physicalAddress: number) => ({ physicalAddress, ...("echo" in habits && { echo: true }) });
  const meters = ADDRESSES.map((address, seed) => target(line, seed, connection(address)));
  expect(await Promise.all(meters.map((meter) => rowCounts(lines, meter)))).toEqual([WHOLE, WHOLE, WHOLE]);
});

test.each([
  ["HDLC at once", false, { opening: "hdlc" }],
  ["HDLC after mode E", true, { opening: "mode-e" }],
] as const)(
  "probe of a serial line with %s: link, association and companion are found",
  async (_name, signsOn, connection) => {
    const modeE = { deviceAddress: "", returns: true };
    using line = new SimulatedLine({
      stations: [{ meter: virtualMeter(0), physicalDevice: 17, ...(signsOn && { modeE }) }],
    });
    const out: string[] = [];
    const output = { out: (text: string) => void out.push(text), err: () => undefined, width: 80 };
    const options = {
      serial: line.path,
      timeout: "500ms",
      timeZone: "Asia/Kolkata",
      counters: join(line.path, "../counters"),
    };
    expect(await probeCommand(undefined, { socket: "", ...options }, output)).toBe("success");
    const { meters } = parseConfig(out.join("\n"), "probe");
    expect(meters).toMatchObject([{ number: expect.stringContaining(meterNumber(0)), connection }]);
  },
  120_000,
);

test("serial bus: what collisions damage is sent again, and nothing is missing", async () => {
  using line = new SimulatedLine({ stations: bus(), collisionEvery: 7 });
  await using lines = new SerialLines();
  const meter = target(line, 0, { physicalAddress: 17, speed: 9600, responseTimeout: "1s" });
  const clean = await read(lines, meter, "block");
  expect(line.collisions).toBeGreaterThan(0);
  expect(clean.rows.length).toBeGreaterThanOrEqual(11);
});

test("serial bus: silence is no answer; where others answer it is the address", async () => {
  using line = new SimulatedLine({ stations: bus(), baud: 19_200 });
  await using lines = new SerialLines();
  const absent = target(line, 7, { physicalAddress: 99, responseTimeout: "50ms", speed: 19_200 });
  expect(await causeOfRead(lines, absent)).toBe("no answer");
  expect(await causeOfRead(lines, target(line, 0, { physicalAddress: 17, speed: 19_200 }))).toBe("none");
  expect(await causeOfRead(lines, absent)).toBe("wrong address");
  expect(await causeOfRead(lines, target(line, 0, { physicalAddress: 17, speed: 19_200 }))).toBe("none");
});

test("serial bus: an adapter that is pulled out and plugged in again serves the next read, without a restart", async () => {
  using line = new SimulatedLine({ stations: bus() });
  await using lines = new SerialLines();
  const meter = target(line, 1, { physicalAddress: 18 });
  expect(await rowCounts(lines, meter)).toEqual(WHOLE);
  line.unplugAfter(3);
  expect(await causeOfRead(lines, meter)).toBe("connection lost");
  expect(await causeOfRead(lines, meter)).toBe("serial port missing");
  line.plug();
  expect(await rowCounts(lines, meter)).toEqual(WHOLE);
});

test("serial bus: a port that another program has is named", async () => {
  using line = new SimulatedLine({ stations: bus() });
  await using lines = new SerialLines();
  await using others = new SerialLines();
  const meter = target(line, 1, { physicalAddress: 18 });
  expect(await rowCounts(others, meter)).toEqual(WHOLE);
  expect(await causeOfRead(lines, meter)).toBe("serial port taken");
});

test.each([
  ["waits for a sign-on after each link", { returns: true, echo: false, reads: ["clock", "block"] }],
  ["waits for a sign-on after each link, with echo", { returns: true, echo: true, reads: ["clock", "block"] }],
  // Its second visit would have to wait until the meter has left HDLC by itself.
  ["stays with HDLC", { returns: false, echo: false, reads: ["block"] }],
])("optical head, mode E: a meter that %s is read", async (_name, { returns, echo, reads }) => {
  const modeE = { deviceAddress: "", returns };
  using line = new SimulatedLine({ stations: [{ meter: virtualMeter(0), physicalDevice: 17, modeE }], echo });
  await using lines = new SerialLines();
  const meter = target(line, 0, { physicalAddress: 17, opening: "mode-e", responseTimeout: "2s", echo });
  for (const what of reads) expect((await read(lines, meter, what)).rows.length).toBeGreaterThan(0);
  expect(line.parityFaults).toBe(0);
});

test("optical head, mode E: of several meters the one is signed on to whose device address is asked for", async () => {
  const stations = [0, 1].map((seed) => ({
    meter: virtualMeter(seed),
    physicalDevice: 17,
    modeE: { deviceAddress: `000${seed}`, returns: true },
  }));
  using line = new SimulatedLine({ stations });
  await using lines = new SerialLines();
  const serials: unknown[] = [];
  for (const seed of [0, 1]) {
    const meter = target(line, seed, { physicalAddress: 17, opening: "mode-e", deviceAddress: `000${seed}` });
    const answer = await read(lines, meter, "1:0.0.96.1.0.255:2");
    serials.push(answer.rows[0]?.at(-1));
  }
  expect(new Set(serials).size).toBe(2);
});
