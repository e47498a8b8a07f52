/** The daemon as a service: what it tells systemd, and sockets that systemd holds for it over a restart. */
import { appendFile, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { query } from "../db/query.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { FaultSenders } from "./faults/fault-senders.ts";
import type { ConfigInput } from "./fleet-daemon.ts";
import { freePort } from "./free-port.ts";
import { PlayedSystemd } from "./played-systemd.ts";
import { sendUdp } from "./push/push-station.ts";

const current = useTestDatabase();
const METER = "1SYD0000000001";
const WAIT = { timeout: 60_000, interval: 20 };

async function service(stack: AsyncDisposableStack, config: ConfigInput) {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-service-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  process.env["DLMS_GATEWAY_SYSTEMD_TEST"] = current().url;
  const file = join(directory, "gateway.yaml");
  const whole: ConfigInput = {
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: "env:DLMS_GATEWAY_SYSTEMD_TEST" },
    plans: [],
    meters: [{ name: "m", number: METER, companion: "idis", connection: { tcp: "192.0.2.1:4059" } }],
    ...config,
  };
  await writeFile(file, stringify(whole));
  return file;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}

test("systemd: ready is told when pushes are listened for, then a status and signs of life, and the stop", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const systemd = stack.use(await PlayedSystemd.open());
  systemd.start(await service(stack, { push: { listen: [{ address: `127.0.0.1:${port}` }] } }), { watchdogMs: 600 });
  await systemd.until(/^READY=1$/);
  expect(await canConnect(port)).toBe(true);
  await systemd.until(/^STATUS=1 meter; in the last minute 0 read, 0 failed, 0 pushes; due work 0 s late$/);
  const lives = () => systemd.notified.filter((line) => line === "WATCHDOG=1").length;
  const before = lives();
  await vi.waitFor(() => expect(lives()).toBeGreaterThan(before + 3), WAIT);
  systemd.signal("SIGTERM");
  expect(await systemd.ended()).toBe(0);
  await systemd.until(/^STOPPING=1$/);
  expect(systemd.notified.filter((line) => line === "READY=1")).toHaveLength(1);
});

test("systemd: a process that does not run gives no sign of life", async () => {
  await using stack = new AsyncDisposableStack();
  const systemd = stack.use(await PlayedSystemd.open());
  systemd.start(await service(stack, {}), { watchdogMs: 300 });
  await systemd.until(/^READY=1$/);
  systemd.signal("SIGSTOP");
  await vi.waitFor(() => {
    const before = systemd.notified.length;
    return new Promise<void>((resolve) => setTimeout(resolve, 1000)).then(() =>
      expect(systemd.notified.length).toBe(before),
    );
  }, WAIT);
  systemd.signal("SIGCONT");
  systemd.notified = [];
  await systemd.until(/^WATCHDOG=1$/);
});

test.each([
  ["has no server", async () => `127.0.0.1:${await freePort()}`],
  ["has no address", async () => "database.invalid:5432"],
])("systemd: a start that waits for a database whose host %s says so, and is not ready", async (_, host) => {
  await using stack = new AsyncDisposableStack();
  const systemd = stack.use(await PlayedSystemd.open());
  process.env["DLMS_GATEWAY_SYSTEMD_AWAY"] = `postgresql://nobody@${await host()}/none`;
  systemd.start(await service(stack, { database: { url: "env:DLMS_GATEWAY_SYSTEMD_AWAY" } }), { watchdogMs: 600 });
  await systemd.until(/^STATUS=waits for the database: /);
  expect(systemd.notified).not.toContain("READY=1");
  systemd.signal("SIGTERM");
  expect(await systemd.ended()).toBe(0);
});

test("systemd: nothing is lost over a restart of what comes to the sockets that it holds", async () => {
  await using stack = new AsyncDisposableStack();
  const systemd = stack.use(await PlayedSystemd.open());
  const tcp = systemd.hold("tcp");
  const udp = systemd.hold("udp");
  const unwanted = systemd.hold("tcp");
  const listen: NonNullable<ConfigInput["push"]>["listen"] = [
    { address: `127.0.0.1:${tcp}` },
    { address: `127.0.0.1:${udp}`, transport: "udp" },
  ];
  const file = await service(stack, { push: { listen } });
  systemd.start(file);
  await systemd.until(/^READY=1$/);
  const untaken = [{ address: `127.0.0.1:${unwanted}`, transport: "tcp" }];
  await vi.waitFor(() => expect(systemd.told("socketUntaken")).toMatchObject(untaken), WAIT);
  await sendUdp(`127.0.0.1:${udp}`, [datagram(1)]);
  await vi.waitFor(async () => expect(await pushesOf("udp")).toBe(1), WAIT);
  systemd.signal("SIGTERM");
  expect(await systemd.ended()).toBe(0);
  // Nobody runs; systemd has the sockets.
  const senders = new FaultSenders(tcp, [METER]);
  await vi.waitFor(() => expect(senders.sent).toBeGreaterThan(0), WAIT);
  expect(await canConnect(tcp)).toBe(true);
  await sendUdp(`127.0.0.1:${udp}`, [datagram(2), datagram(3)]);
  systemd.start(file);
  await vi.waitFor(() => expect(senders.confirmed.size).toBeGreaterThan(5), WAIT);
  await senders.stop();
  await vi.waitFor(async () => expect(await pushesOf("udp")).toBe(3), WAIT);
  await vi.waitFor(async () => expect(await pushesOf("tcp")).toBeGreaterThanOrEqual(senders.confirmed.size), WAIT);
});

test("systemd: a reload takes what can change, tells the rest, and keeps the old configuration where the new is bad", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const systemd = stack.use(await PlayedSystemd.open());
  const push = { listen: [{ address: `127.0.0.1:${port}` }] };
  const file = await service(stack, { push });
  systemd.start(file);
  await systemd.until(/^READY=1$/);
  const senders = new FaultSenders(port, [METER]);
  await vi.waitFor(() => expect(senders.confirmed.size).toBeGreaterThan(0), WAIT);
  const order = async (text: string, event: string) => {
    systemd.notified = [];
    await appendFile(file, text);
    systemd.signal("SIGHUP");
    await systemd.until(/^RELOADING=1$/);
    await systemd.until(/^READY=1$/);
    return await vi.waitFor(() => {
      const [told] = systemd.told(event);
      if (told === undefined) throw new Error(`not told: ${event}`);
      return told;
    }, WAIT);
  };
  const reloaded = await order("log: { level: debug }\npolling: { concurrency: 7 }\n", "configReloaded");
  expect(reloaded).toMatchObject({
    taken: ['log.level: "info" -> "debug"', "polling.concurrency: 200 -> 7"],
    waiting: [],
  });
  // What is logged at debug only.
  await vi.waitFor(() => expect(systemd.told("pushReceived").length).toBeGreaterThan(0), WAIT);
  const refused = await order("poling: {}\n", "configRefused");
  expect(refused["reason"]).toMatch(/gateway\.yaml:\d+:\d+: poling: unknown key; did you mean polling\?/);
  const before = senders.confirmed.size;
  await vi.waitFor(() => expect(senders.confirmed.size).toBeGreaterThan(before), WAIT);
  expect(senders.connections).toBe(1);
  await senders.stop();
  expect(systemd.told("gatewayStarted")).toHaveLength(1);
});

test("systemd: workers are ready, alive and stopped as one, and the first has the sockets", async () => {
  await using stack = new AsyncDisposableStack();
  const systemd = stack.use(await PlayedSystemd.open());
  const tcp = systemd.hold("tcp");
  const file = await service(stack, { push: { listen: [{ address: `127.0.0.1:${tcp}` }] } });
  systemd.start(file, { watchdogMs: 6000, args: ["--workers", "2"] });
  await systemd.until(/^READY=1$/);
  await vi.waitFor(() => expect(systemd.told("gatewayStarted")).toHaveLength(2), WAIT);
  await systemd.until(/^WATCHDOG=1$/);
  await systemd.until(/^STATUS=worker 1: \d+ meters; .* \| worker 2: \d+ meters; /);
  expect(systemd.told("socketUntaken")).toEqual([]);
  const senders = new FaultSenders(tcp, [METER]);
  await vi.waitFor(() => expect(senders.confirmed.size).toBeGreaterThan(0), WAIT);
  await senders.stop();
});

async function pushesOf(transport: string): Promise<number> {
  const text = "select count(*)::int from dlms.push_history where transport = $1::text";
  const [[count] = []] = await query(current().url, text, [transport]);
  return Number(count);
}

/** Understood by nobody, and kept all the same. */
function datagram(number: number): Uint8Array {
  return Uint8Array.of(0x7e, 0xa0, 0x07, number, number, number, number);
}
