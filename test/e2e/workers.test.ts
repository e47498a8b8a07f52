/** One daemon with worker processes: they share the meters, and one that dies is started again. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { askForRead } from "../../src/api/local-client.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { EXIT_CODES } from "../../src/cli/terminal/exit-code.ts";
import { startStreet } from "../../src/simulator/street.ts";
import { type ConfigInput, FleetDaemon, LineWatch, type LogLine, WAIT } from "./fleet-daemon.ts";
import { freePort } from "./free-port.ts";
import { PlayedSystemd } from "./played-systemd.ts";

/** As many as that by chance each worker has some. */
const METERS = 24;
const BLOCKS = 256;
const CLI = join(import.meta.dirname, "../../src/cli/main.ts");

interface Listed {
  readonly gateway: string;
  readonly state: string;
  readonly blocks: number;
}

async function listed(socket: string): Promise<Listed[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, "gateways", "--json", "--socket", socket]);
  return JSON.parse(stdout) as Listed[];
}

/** A directory, and meters to be worked from it. */
async function place(stack: AsyncDisposableStack) {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-workers-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const watch = new LineWatch();
  const street = stack.use(await startStreet({ count: METERS, latencyMs: 5, onConnection: watch.note }));
  return { directory, watch, street, meters: await streetConfiguration(street.meters, join(directory, "keys")) };
}

test("workers: they share the meters of one machine, one that is killed comes back, and a stop ends all", async () => {
  await using stack = new AsyncDisposableStack();
  const { directory, watch, street, meters } = await place(stack);
  const daemon = stack.use(
    await FleetDaemon.start("w", {
      directory,
      config: {
        plans: [{ profile: "instant", every: "1s" }],
        meters,
        api: { listen: { port: 0 } },
      },
      args: ["--workers", "2"],
    }),
  );
  const shared = () =>
    vi.waitFor(async () => {
      const held = await listed(daemon.socket);
      expect(held.map(({ gateway, blocks }) => [gateway, blocks])).toEqual([
        ["w-1", BLOCKS / 2],
        ["w-2", BLOCKS / 2],
      ]);
      expect(held.every(({ state }) => !state.startsWith("silent"))).toBe(true);
    }, WAIT);
  await daemon.untilTold("gatewayStarted", 2);
  await shared();
  const names = street.meters.map((meter) => meter.name);
  const answers = await Promise.all(names.map((name) => askForRead(daemon.socket, name, "clock")));
  expect(answers.map((answer) => answer.meter)).toEqual(names);
  const pids = () => new Set(daemon.told("meterPolled").map((line) => Number(line["pid"])));
  await vi.waitFor(() => expect(pids().size).toBe(2), WAIT);
  // Whichever it is.
  const [first] = daemon.told("gatewayStarted");
  process.kill(otherThan(first, pids()), "SIGKILL");
  await daemon.untilTold("workerEnded");
  expect(daemon.told("workerEnded")[0]).toMatchObject({
    worker: expect.any(Number),
    code: null,
    signal: "SIGKILL",
    retryMs: 1000,
  });
  await daemon.untilTold("gatewayStarted", 3);
  await shared();
  const from = daemon.lines.length;
  await vi.waitFor(() => {
    const polled = daemon.lines.slice(from).filter((line) => line.event === "meterPolled");
    expect(new Set(polled.map((line) => line["meter"])).size).toBe(METERS);
  }, WAIT);
  expect(watch.overlaps).toEqual([]);
  const listening = daemon.told("apiListening").at(-1);
  const page = await (await fetch(`${String(listening?.["address"])}/metrics`)).text();
  expect(page.match(/^# TYPE dlms_gateway_visits_total counter$/gm)).toHaveLength(1);
  expect([...page.matchAll(/^dlms_gateway_meters\{worker="(\d+)"\} (\d+)$/gm)].map(([, ...each]) => each)).toEqual([
    ["1", expect.stringMatching(/^\d+$/)],
    ["2", expect.stringMatching(/^\d+$/)],
  ]);
  const counted = [...page.matchAll(/^dlms_gateway_visits_total\{outcome="read",worker="\d"\} (\d+)$/gm)];
  expect(counted.every(([, visits]) => Number(visits) > 0) && counted.length).toBe(2);
  daemon.signal("SIGTERM");
  await daemon.ended();
  expect(daemon.told("gatewayStopped")).toHaveLength(2);
}, 120_000);

/** The process that did not tell a line. */
function otherThan(line: LogLine | undefined, pids: Iterable<number>): number {
  const other = Iterator.from(pids).find((pid) => pid !== line?.["pid"]);
  if (other === undefined) throw new Error("there is no other process");
  return other;
}

interface Health {
  readonly ok: boolean;
  readonly dependencies: readonly { readonly name: string; readonly ok: boolean; readonly says: string }[];
}

async function healthAt(
  address: string,
): Promise<{ status: number; worker: Health["dependencies"][number] | undefined }> {
  const response = await fetch(`${address}/v1/health`);
  const { dependencies } = (await response.json()) as Health;
  return { status: response.status, worker: dependencies.find(({ name }) => name === "worker 2") };
}

/** It fails where something is bad. */
async function doctor(configFile: string): Promise<unknown> {
  const run = promisify(execFile)(process.execPath, [CLI, "doctor", "--json", "--config", configFile]);
  const { stdout } = await run.catch((error: unknown) => error as { stdout: string });
  return JSON.parse(stdout);
}

test("workers: one that hangs is shown as ill, ended and started again, while the service lives on", async () => {
  await using stack = new AsyncDisposableStack();
  const { directory, meters } = await place(stack);
  const config: ConfigInput = {
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    plans: [],
    meters,
    calls: { listen: [{ address: `127.0.0.1:${await freePort()}` }] },
    api: { listen: { port: 0 } },
  };
  const file = join(directory, "gateway.yaml");
  await writeFile(file, stringify(config));
  const systemd = stack.use(await PlayedSystemd.open());
  systemd.start(file, { args: ["--workers", "2"], watchdogMs: 15_000 });
  await systemd.until(/^READY=1$/);
  const [api] = systemd.told("apiListening");
  const address = String(api?.["address"]);
  const well = { status: 200, worker: { ok: true, says: expect.stringMatching(/^database: .+; polling: \d+ meters/) } };
  expect(await healthAt(address)).toMatchObject(well);
  expect(systemd.told("callsAwaited").map(({ pid }) => pid)).toEqual([api?.["pid"]]);
  const started = systemd.told("gatewayStarted").map(({ pid }) => Number(pid));
  process.kill(otherThan(api, started), "SIGSTOP");
  systemd.notified = [];
  const ill = await healthAt(address);
  expect(ill).toMatchObject({ status: 503, worker: { ok: false, says: "it does not answer; the log says why" } });
  const says = expect.stringContaining("is ill: worker 2: it does not answer");
  expect(await doctor(file)).toContainEqual(expect.objectContaining({ check: "daemon", verdict: "bad", says }));
  await systemd.until(/^STATUS=worker 1: .+ \| worker 2: has ended: SIGKILL$/);
  expect(systemd.told("workerSilent")).toMatchObject([{ worker: 2 }]);
  await vi.waitFor(() => expect(systemd.told("gatewayStarted")).toHaveLength(3), WAIT);
  await vi.waitFor(async () => expect(await healthAt(address)).toMatchObject(well), WAIT);
  expect(systemd.notified).toContain("WATCHDOG=1");
  const metrics = await (await fetch(`${address}/metrics`)).text();
  expect(metrics).toContain('dlms_gateway_workers{worker="1"} 2\n');
  systemd.signal("SIGTERM");
  expect(await systemd.ended()).toBe(0);
}, 120_000);

test("workers: a configuration that can't be used ends all, with the exit code that says so", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-workers-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  // The first process reads it too, but secrets are fetched by who needs them.
  const database = { url: "env:DLMS_GATEWAY_WORKERS_TEST_UNSET" };
  const config = { database, plans: [], meters: [] };
  const daemon = stack.use(await FleetDaemon.start("w", { directory, config, args: ["--workers", "2"] }));
  expect(await daemon.ended()).toBe(EXIT_CODES.configuration.code);
  expect(daemon.told("workerEnded")).toEqual([]);
});
