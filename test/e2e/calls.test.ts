/** Meters that call in: recognised, worked on the connections that they open, held where nobody knows them. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { type ApduOf, encodeApdu } from "../../protocol/apdu/apdu.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { decodeWrapper, encodeWrapper } from "../../protocol/link/wrapper.ts";
import { askDaemon, askForLines, askForRead } from "../../src/api/local-client.ts";
import { ReadRefusedError } from "../../src/api/read-answer.ts";
import type { MeterInput } from "../../src/cli/demo/demo-street.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { PUSHES } from "../../src/simulator/models/is15959.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import { query } from "../db/query.ts";
import { withDatabase } from "../db/test-database.ts";
import { type ConfigInput, FleetDaemon } from "./fleet-daemon.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const COUNT = 6;
const WAIT = { timeout: 60_000, interval: 20 };
const LIMIT_MS = 60_000;
/** The listeners: without a greeting, with one, and for HDLC. */
const [PLAIN, GREETED, HDLC] = [0, 1, 2];
/** Whose number the configuration has wrong, so that nobody knows it. */
const UNKNOWN = 3;
/** Told apart by its modem. */
const BEHIND_MODEM = 1;
const MODEM = "867322041234567";

const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const SIMULATED = {
  meter: { serial: "SIM00001", systemTitle: "53494d0000000001", timeZone: "UTC" },
  objects: [
    { class: 8, logicalName: "0.0.1.0.0.255" },
    { class: 1, logicalName: "0.0.96.1.0.255", attributes: { 2: { t: "visible-string", v: "SIM00001" } } },
    { class: 3, logicalName: "1.0.1.8.0.255", attributes: { 2: { t: "double-long-unsigned", v: 123_456 } } },
  ],
};

const ACCEPTED: ApduOf<"aare">["body"] = {
  applicationContextName: "logical-name",
  result: "accepted",
  resultSourceDiagnostic: { type: "acse-service-user", diagnostic: "null" },
  userInformation: fromHex("0800065f1f040000501f01f40007"),
};
const OBJECT_UNDEFINED = fromHex("c401c10104");

let over: GatewayOverStreet;
beforeEach(async () => {
  over = await gatewayOverStreet(
    { count: COUNT },
    {
      configure: (config) => {
        config.calls = {
          listen: [
            { address: "127.0.0.1:0" },
            { address: "127.0.0.1:0", greeting: String.raw`^ID=(\w+)` },
            { address: "127.0.0.1:0", link: "hdlc" },
          ],
        };
        config.plans = [
          { profile: "block_load", every: "15m", history: "2h" },
          { profile: "instant", every: "1d" },
        ];
        config.push = {
          setups: [{ name: "instant", meters: ["d1-01"], logicalName: PUSHES.instant, retries: 2, test: false }],
        };
        for (const [index, meter] of (config.meters ?? []).entries()) {
          callsIn(meter);
          // Those but the first have to be known by their names.
          if (index > 0) delete meter.association?.security?.serverSystemTitle;
          if (index === UNKNOWN) meter.number = "not-its-number";
          if (index === BEHIND_MODEM) meter.connection.caller = MODEM;
        }
      },
    },
  );
  over.gateway.run();
}, LIMIT_MS);
afterEach(() => over[Symbol.asyncDispose]());

function callsIn(meter: MeterInput): void {
  const { link, physicalAddress } = meter.connection;
  meter.connection = { callsIn: true, link, physicalAddress };
}

function told<E extends GatewayEvent["event"]>(event: E): Extract<GatewayEvent, { event: E }>[] {
  return over.events.filter((each): each is Extract<GatewayEvent, { event: E }> => each.event === event);
}

function listener(index = PLAIN) {
  return tcpAddress(told("callsAwaited")[index]?.address ?? "");
}

function house(index: number): StreetMeter {
  const found = over.street.meters[index];
  if (found === undefined) throw new RangeError(`the street has no house ${index}`);
  return found;
}

function polled(index: number, count = 1): Promise<void> {
  const { name } = house(index);
  return vi.waitFor(() => {
    expect(told("meterPolled").filter(({ meter }) => meter === name).length).toBeGreaterThanOrEqual(count);
  }, WAIT);
}

test(
  "calls: what is due for a meter is done on the connection that it opens, over wrapper and HDLC",
  async () => {
    expect(told("meterFailed")).toEqual([]);
    const hdlc = over.street.meters.findIndex(({ link }) => link.type === "hdlc" && link.physicalDevice === undefined);
    const calls = [
      await over.street.call(house(0).name, listener()),
      await over.street.call(house(hdlc).name, listener(HDLC)),
    ];
    await Promise.all([polled(0), polled(hdlc)]);
    const rows = await query(
      over.gateway.databaseUrl,
      "select meter_number, count(*)::int from dlms.block_load_profile group by 1 order by 1",
    );
    expect(rows.map(([number]) => number)).toEqual([house(0).serial, house(hdlc).serial].sort());
    for (const [, count] of rows) expect(count).toBeGreaterThan(2);
    // The call goes on, and what is asked is asked on it.
    const answer = await over.gateway.read(house(0).name, "clock");
    expect(answer.rows).toHaveLength(1);
    expect(told("meterCalled")).toHaveLength(2);
    expect(over.street.connectionCount).toBe(0);
    for (const call of calls) call.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: a modem is known by its greeting, which harms nothing later",
  async () => {
    const modem = over.street.call(house(BEHIND_MODEM).name, listener(GREETED), { greeting: `ID=${MODEM}\r\n` });
    const call = await modem;
    await polled(BEHIND_MODEM);
    const socket = connect(listener(GREETED));
    socket.write(`ID=${house(0).serial}`);
    await vi.waitFor(() => expect(told("meterCalled").map(({ meter }) => meter)).toContain(house(0).name), WAIT);
    expect((await over.gateway.read(house(BEHIND_MODEM).name, "clock")).rows).toHaveLength(1);
    expect(told("pushRejected")).toEqual([]);
    socket.destroy();
    call.hangUp();
  },
  LIMIT_MS,
);

/** A meter whose public association tells its system title, and shows nothing else. */
function callWithTitleOnly(title: string) {
  const socket = connect(listener());
  const answers = new Map([
    [0x60, encodeApdu({ apdu: "aare", body: { ...ACCEPTED, respondingApTitle: fromHex(title) } })],
    [0xc0, OBJECT_UNDEFINED],
    [0x62, encodeApdu({ apdu: "rlre", body: { reason: "normal" } })],
  ]);
  socket.on("data", (octets) => {
    const { apdu, sourceWPort, destinationWPort } = decodeWrapper(octets);
    const answer = answers.get(apdu[0] ?? 0);
    if (answer === undefined) return;
    socket.write(encodeWrapper({ sourceWPort: destinationWPort, destinationWPort: sourceWPort, apdu: answer }));
  });
  return socket;
}

test(
  "calls: a meter that shows nothing of itself is known by the system title of its public association",
  async () => {
    const title = over.config.meters?.[0]?.association?.security?.serverSystemTitle;
    const socket = callWithTitleOnly(title ?? "");
    await vi.waitFor(() => expect(told("meterCalled").map(({ meter }) => meter)).toEqual([house(0).name]), WAIT);
    expect(told("callerUnknown")).toEqual([]);
    socket.destroy();
    const other = callWithTitleOnly("58585800000000ff");
    await vi.waitFor(() => expect(told("callerUnknown")).toHaveLength(1), WAIT);
    other.destroy();
  },
  LIMIT_MS,
);

test(
  "calls: heartbeats of a modem in the middle of sessions harm none of them",
  async () => {
    const { name } = house(BEHIND_MODEM);
    const call = await over.street.call(name, listener(GREETED), { greeting: `ID=${MODEM}\r\n` });
    const heartbeats = setInterval(() => call.say(`ID=${MODEM}\r\n`), 2);
    try {
      await polled(BEHIND_MODEM);
      expect((await over.gateway.read(name, "objects")).rows.length).toBeGreaterThan(10);
    } finally {
      clearInterval(heartbeats);
    }
    expect(told("meterFailed")).toEqual([]);
    expect(told("pushRejected")).toEqual([]);
    expect(told("meterCalled")).toHaveLength(1);
    call.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: a push that comes first says whose call it is, and is kept",
  async () => {
    const call = await over.street.call(house(0).name, listener(), { push: PUSHES.instant });
    await polled(0);
    await vi.waitFor(() => expect(told("pushReceived").map(({ meter }) => meter)).toEqual([house(0).name]), WAIT);
    call.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: who is unknown is held and listed, and read on the same call when somebody says who it is",
  async () => {
    const { name } = house(UNKNOWN);
    const call = await over.street.call(name, listener());
    const { socket } = over.config;
    const sender = z.looseObject({ sender: z.string(), names: z.array(z.string()), reason: z.string() });
    const answer = z.object({ items: z.array(sender) });
    const listed = async () => (await askDaemon(socket, { path: "/v1/pushes/unknown", answer })).items;
    await vi.waitFor(async () => expect(await listed()).toHaveLength(1), WAIT);
    const [unknown] = await listed();
    expect(unknown?.reason).toContain("called in");
    expect(unknown?.names).toContain(house(UNKNOWN).serial);
    const adoption = { sender: house(UNKNOWN).serial, name };
    await askDaemon(socket, { path: "/v1/pushes/adopt", body: adoption, answer: z.unknown() });
    await polled(UNKNOWN);
    expect(await listed()).toEqual([]);
    expect(told("meterCalled").map(({ meter }) => meter)).toEqual([name]);
    call.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: a read of a meter that is not connected says so, and waits for its call if asked to",
  async () => {
    const { name } = house(0);
    const refused = await over.gateway.read(name, "clock").catch((error: unknown) => error);
    if (!(refused instanceof ReadRefusedError)) throw refused;
    expect(refused.refusal.cause).toBe("not connected");
    expect(refused.refusal.nextStep).toContain("--wait");
    const waiting = askForRead(over.config.socket, name, "clock", { waitMs: 30_000 });
    const call = await over.street.call(name, listener());
    expect((await waiting).rows).toHaveLength(1);
    await expect(over.gateway.read(house(1).name, "clock", { waitMs: 10 })).rejects.toThrow("not connected");
    call.hangUp();
    await call.ended;
    await vi.waitFor(async () => {
      await expect(over.gateway.read(name, "clock")).rejects.toThrow("not connected");
    }, WAIT);
  },
  LIMIT_MS,
);

test(
  "calls: a push setup that is ordered is carried out when the meter calls",
  async () => {
    const results: unknown[] = [];
    const lines = askForLines(
      over.config.socket,
      { path: "/v1/push-setups/apply", body: { setup: "instant", why: "test" } },
      z.looseObject({ line: z.string(), state: z.string().optional(), evidence: z.string().nullish() }),
    );
    for await (const line of lines) if (line.line === "result") results.push(line);
    expect(results).toMatchObject([
      { state: "unreached", evidence: expect.stringContaining("when it calls") as unknown },
    ]);
    const call = await over.street.call(house(0).name, listener());
    await vi.waitFor(() => {
      expect(told("setupCarriedOut").map(({ state }) => state)).toEqual(["unreached", "applied"]);
    }, WAIT);
    call.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: the newer of two calls of a meter is the one that counts, and nothing is lost by it",
  async () => {
    const { name } = house(0);
    const first = await over.street.call(name, listener());
    await polled(0);
    const second = await over.street.call(name, listener());
    await first.ended;
    expect((await over.gateway.read(name, "clock")).rows).toHaveLength(1);
    const [reading, third] = await Promise.all([
      over.gateway.read(name, "objects"),
      over.street.call(name, listener()),
    ]);
    expect(reading.rows.length).toBeGreaterThan(10);
    await second.ended;
    expect((await over.gateway.read(name, "clock")).rows).toHaveLength(1);
    third.hangUp();
  },
  LIMIT_MS,
);

test(
  "calls: a caller that says nothing of itself is hung up on; what is due is not counted as failed",
  async () => {
    const mute = connect(listener());
    mute.resume().write("hello");
    await new Promise((resolve) => mute.once("close", resolve));
    await vi.waitFor(() => expect(told("callFailed")).toHaveLength(1), WAIT);
    expect(told("meterFailed")).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "calls: a daemon reads a meter that calls it, and the command line waits for the call",
  async () => {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-calls-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const server = inject("databaseServer");
    const name = `calls_${process.pid}`;
    await query(server.url, `create database ${name}`);
    stack.defer(
      async () => void (await query(server.administratorUrl, `drop database if exists ${name} with (force)`)),
    );
    await writeFile(join(directory, "url"), withDatabase(server.url, name), { mode: 0o600 });
    const config: ConfigInput = {
      database: { url: `file:${join(directory, "url")}` },
      calls: { listen: [{ address: "127.0.0.1:0" }] },
      plans: [],
      meters: [{ name: "caller-1", number: "SIM00001", connection: { callsIn: true } }],
    };
    const daemon = stack.use(await FleetDaemon.start("c", { directory, config }));
    await daemon.untilTold("gatewayStarted");
    const run = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args, "--socket", daemon.socket]);
    await expect(run("read", "caller-1", "clock")).rejects.toMatchObject({
      stderr: expect.stringContaining("not connected") as unknown,
    });
    const waiting = run("read", "caller-1", "1.0.1.8.0.255", "--wait", "1m", "--csv");
    const meter = join(directory, "meter.yaml");
    await writeFile(meter, stringify(SIMULATED));
    const to = String(daemon.told("callsAwaited")[0]?.["address"]);
    const simulated = spawn(process.execPath, [CLI, "simulate", meter, "--call", to], { stdio: "ignore" });
    stack.defer(() => void simulated.kill());
    expect((await waiting).stdout).toContain("123456");
  },
  2 * LIMIT_MS,
);
