/** One daemon with worker processes: they share the meters, and one that dies is started again. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { askForRead } from "../../src/api/local-client.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { EXIT_CODES } from "../../src/cli/terminal/exit-code.ts";
import { startStreet } from "../../src/simulator/street.ts";
import { FleetDaemon, LineWatch, WAIT } from "./fleet-daemon.ts";

const METERS = 8;
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

test("workers: they share the meters of one machine, one that is killed comes back, and a stop ends all", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-workers-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const watch = new LineWatch();
  const street = stack.use(await startStreet({ count: METERS, latencyMs: 5, onConnection: watch.note }));
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
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
  const pids = new Set(daemon.told("meterPolled").map((line) => Number(line["pid"])));
  expect(pids.size).toBe(2);
  // Whichever it is.
  const [first] = daemon.told("gatewayStarted");
  const killed = [...pids].find((pid) => pid !== first?.["pid"]) ?? -1;
  process.kill(killed, "SIGKILL");
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
    ["1", expect.stringMatching(/^\d$/)],
    ["2", expect.stringMatching(/^\d$/)],
  ]);
  const counted = [...page.matchAll(/^dlms_gateway_visits_total\{outcome="read",worker="\d"\} (\d+)$/gm)];
  expect(counted.every(([, visits]) => Number(visits) > 0) && counted.length).toBe(2);
  daemon.signal("SIGTERM");
  await daemon.ended();
  expect(daemon.told("gatewayStopped")).toHaveLength(2);
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
