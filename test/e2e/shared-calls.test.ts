/** Meters that call in, and two daemons that they may call: each meter is worked by the one that it has called. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { askForRead } from "../../src/api/local-client.ts";
import { ReadRefusedError } from "../../src/api/read-answer.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import type { MeterCall } from "../../src/simulator/meter-call.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { query } from "../db/query.ts";
import { scratchDirectory } from "../db/scratch.ts";
import { withDatabase } from "../db/test-database.ts";
import { type ConfigInput, FleetDaemon, WAIT } from "./fleet-daemon.ts";

const HOUSES = 12;
const BLOCKS = 256;
const LIMIT_MS = 120_000;

let stack: AsyncDisposableStack;
let directory = "";
let street: Street;
let url = "";
let meters: NonNullable<ConfigInput["meters"]>;
let runs = 0;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-shared-calls-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const server = inject("databaseServer");
  const name = `shared_calls_${process.pid}_${++runs}`;
  await query(server.url, `create database ${name}`);
  stack.defer(async () => void (await query(server.administratorUrl, `drop database if exists ${name} with (force)`)));
  url = withDatabase(server.url, name);
  street = stack.use(await startStreet({ count: HOUSES, latencyMs: 5 }));
  const wrapped = street.meters.filter(({ link }) => link.type === "wrapper");
  meters = await streetConfiguration(wrapped, join(directory, "keys"));
  for (const meter of meters) meter.connection = { callsIn: true };
});
afterEach(() => stack.disposeAsync());

async function start(name: string): Promise<FleetDaemon> {
  await writeFile(join(directory, `${name}-url`), url, { mode: 0o600 });
  const daemon = await FleetDaemon.start(name, {
    directory,
    config: {
      database: { url: `file:${join(directory, `${name}-url`)}`, connections: 4 },
      calls: { listen: [{ address: "127.0.0.1:0" }] },
      plans: [{ profile: "instant", every: "1s" }],
      meters,
    },
  });
  stack.use(daemon);
  await daemon.untilTold("gatewayStarted");
  return daemon;
}

async function startBoth(): Promise<[FleetDaemon, FleetDaemon]> {
  const [a, b] = [await start("a"), await start("b")];
  await vi.waitFor(() => expect([a.heldBlocks, b.heldBlocks]).toEqual([BLOCKS / 2, BLOCKS / 2]), WAIT);
  return [a, b];
}

/** All meters call a daemon. */
function callAll(daemon: FleetDaemon): Promise<MeterCall[]> {
  const to = tcpAddress(String(daemon.told("callsAwaited")[0]?.["address"]));
  return Promise.all(meters.map(({ name }) => street.call(name, to)));
}

/** Each meter is polled by a daemon, from now on. */
async function allPolledBy(daemon: FleetDaemon): Promise<void> {
  const from = daemon.lines.length;
  const wanted = meters.map(({ name }) => name).sort();
  await vi.waitFor(() => {
    const polled = daemon.lines.slice(from).filter(({ event }) => event === "meterPolled");
    expect([...new Set(polled.map((line) => String(line["meter"])))].sort()).toEqual(wanted);
  }, WAIT);
}

const lent = () => query(url, "select meter_name from dlms.lent_meters order by 1");

test(
  "shared calls: a meter is worked by the one that it has called, and orders at the other one reach it",
  async () => {
    const [a, b] = await startBoth();
    const calls = await callAll(a);
    await allPolledBy(a);
    expect(b.told("meterPolled")).toEqual([]);
    // About half of the meters are in blocks of the other one.
    const borrowed = await lent();
    expect(borrowed.length).toBeGreaterThan(0);
    expect(borrowed.length).toBeLessThan(meters.length);
    for (const { name } of meters) {
      expect((await askForRead(b.socket, name, "clock")).rows).toHaveLength(1);
    }
    for (const call of calls) call.hangUp();
    await vi.waitFor(async () => expect(await lent()).toEqual([]), WAIT);
    const read = askForRead(a.socket, String(meters[0]?.name), "clock");
    const refused = await read.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ReadRefusedError);
    expect((refused as ReadRefusedError).refusal.cause).toBe("not connected");
    await callAll(b);
    await allPolledBy(b);
    // A poll may have been under way when its call ended.
    expect(a.told("meterFailed").filter(({ cause }) => cause !== "connection lost")).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "shared calls: the newer of two calls counts, also where the former was to another daemon",
  async () => {
    const [a, b] = await startBoth();
    const former = await callAll(a);
    await allPolledBy(a);
    await callAll(b);
    await allPolledBy(b);
    await Promise.all(former.map((call) => call.ended));
    const from = a.lines.length;
    await allPolledBy(b);
    expect(a.lines.slice(from).filter(({ event }) => event === "meterPolled")).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "shared calls: one that is killed with its calls is relieved by the one that the meters call then",
  async () => {
    const [a, b] = await startBoth();
    const calls = await callAll(a);
    await allPolledBy(a);
    a.signal("SIGKILL");
    await Promise.all(calls.map((call) => call.ended));
    await callAll(b);
    await allPolledBy(b);
    await vi.waitFor(async () => expect(await lent()).toEqual([]), WAIT);
  },
  LIMIT_MS,
);

test(
  "shared calls: one that comes while the database is away is held, and worked by whom it has called when it is back",
  async () => {
    const serverDirectory = scratchDirectory("calls-away");
    let server = await startEmbeddedPostgres({ directory: serverDirectory });
    stack.defer(async () => {
      await server.stop();
      await rm(serverDirectory, { recursive: true, force: true });
    });
    url = server.url;
    const [a, b] = await startBoth();
    const former = await callAll(a);
    await allPolledBy(a);
    const ofOther = (await lent()).map(([name]) => String(name));
    for (const call of former) call.hangUp();
    await vi.waitFor(async () => expect(await lent()).toEqual([]), WAIT);
    await server.stop();
    await Promise.all([a.untilTold("sharingLost"), b.untilTold("sharingLost")]);
    const from = a.lines.length;
    const worked = () =>
      new Set(a.lines.slice(from).flatMap((line) => (line.event === "meterPolled" ? [line["meter"]] : [])));
    const calls = await callAll(a);
    await vi.waitFor(() => expect(worked().size).toBe(meters.length - ofOther.length), WAIT);
    expect(ofOther.filter((name) => worked().has(name))).toEqual([]);
    server = await startEmbeddedPostgres({ directory: serverDirectory, port: Number(new URL(url).port) });
    await allPolledBy(a);
    expect((await lent()).map(([name]) => String(name))).toEqual(ofOther);
    expect(b.told("meterPolled")).toEqual([]);
    for (const call of calls) call.hangUp();
  },
  LIMIT_MS,
);
