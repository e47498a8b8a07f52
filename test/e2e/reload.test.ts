/** The configuration is read again while the daemon works: what can be taken is, nothing that runs is dropped. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { type MeterInput, streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { query } from "../db/query.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { FaultSenders } from "./faults/fault-senders.ts";
import { type ConfigInput, LineWatch } from "./fleet-daemon.ts";
import { freePort } from "./free-port.ts";
import { PlayedSystemd } from "./played-systemd.ts";

const current = useTestDatabase();
const WAIT = { timeout: 60_000, interval: 20 };
/** Only pushes. */
const PUSHER: MeterInput = {
  name: "pusher",
  number: "1SYD0000000001",
  companion: "idis",
  connection: { callsIn: true },
};

interface Service {
  readonly systemd: PlayedSystemd;
  readonly street: Street;
  readonly directory: string;
  readonly meters: readonly MeterInput[];
  readonly watch: LineWatch;
  /** Puts the changes into the configuration, orders a reload, and waits until the daemon has told how it went. */
  readonly reload: (change: ConfigInput, told?: string) => Promise<Readonly<Record<string, unknown>>>;
}

/** A daemon over three houses, of which its configuration has the first two, and a meter that pushes. */
async function service(stack: AsyncDisposableStack, first: ConfigInput): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-reload-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const watch = new LineWatch();
  const street = stack.use(await startStreet({ count: 3, onConnection: watch.note }));
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
  process.env["DLMS_GATEWAY_RELOAD_TEST"] = current().url;
  let config: ConfigInput = {
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: "env:DLMS_GATEWAY_RELOAD_TEST" },
    plans: [{ profile: "instant", every: "2s" }],
    meters: [...meters.slice(0, 2), PUSHER],
    ...first,
  };
  const file = join(directory, "gateway.yaml");
  await writeFile(file, stringify(config));
  const systemd = stack.use(await PlayedSystemd.open());
  systemd.start(file);
  await systemd.until(/^READY=1$/);
  return {
    directory,
    systemd,
    street,
    meters,
    watch,
    reload: async (change, event = "configReloaded") => {
      const before = systemd.told(event).length;
      config = { ...config, ...change };
      await writeFile(file, stringify(config));
      systemd.notified = [];
      systemd.signal("SIGHUP");
      await systemd.until(/^RELOADING=1$/);
      await systemd.until(/^READY=1$/);
      return await vi.waitFor(() => {
        const line = systemd.told(event)[before];
        if (line === undefined) throw new Error(`not told: ${event}`);
        return line;
      }, WAIT);
    },
  };
}

function calls({ watch }: Service, meter: MeterInput | undefined): number {
  return watch.calls.get(meter?.name ?? "") ?? 0;
}

async function untilCalled(of: Service, meter: MeterInput | undefined): Promise<void> {
  const before = calls(of, meter);
  await vi.waitFor(() => expect(calls(of, meter)).toBeGreaterThan(before), WAIT);
}

let ports: number[] = [];
beforeAll(async () => {
  ports = [await freePort(), await freePort()];
});

function listenAt(port = 0): NonNullable<ConfigInput["push"]> {
  return { listen: [{ address: `127.0.0.1:${port}` }] };
}

test("reload: meters come, go and change; those that stay are not touched, and no session is cut", async () => {
  await using stack = new AsyncDisposableStack();
  const of = await service(stack, {});
  const [stays, goes, comes] = of.meters;
  if (stays === undefined || goes === undefined || comes === undefined) throw new Error("the street is too short");
  await untilCalled(of, goes);
  const changed = { ...PUSHER, timeZone: "Europe/Vienna" };
  const told = await of.reload({ meters: [stays, comes, changed] });
  expect(told["waiting"]).toEqual([]);
  expect(told["taken"]).toEqual([
    `meters[${goes.name}] removed`,
    'meters[pusher].timeZone: "UTC" -> "Europe/Vienna"',
    `meters[${comes.name}] added`,
  ]);
  const left = calls(of, goes);
  await untilCalled(of, comes);
  await untilCalled(of, stays);
  await untilCalled(of, comes);
  expect(calls(of, goes)).toBe(left);
  const zones = await query(current().url, "select time_zone from public.meters where name = 'pusher'");
  expect(zones).toEqual([["Europe/Vienna"]]);
  // Two names change places: the numbers keep their readings.
  await of.reload({ meters: [{ ...stays, name: comes.name }, { ...comes, name: stays.name }, changed] });
  await untilCalled(of, stays);
  const names = await query(current().url, "select name from public.meters where meter_number = $1", [stays.number]);
  expect(names).toEqual([[comes.name]]);
  await of.reload({ meters: [goes] });
  await untilCalled(of, goes);
  expect(of.systemd.told("meterFailed").filter(({ meter }) => meter !== "pusher")).toEqual([]);
  expect(of.watch.overlaps).toEqual([]);
}, 120_000);

test("reload: plans, limits, groups and collections hold from then on", async () => {
  await using stack = new AsyncDisposableStack();
  const of = await service(stack, { plans: [{ profile: "instant", every: "1h" }] });
  const [first, second] = of.meters;
  await vi.waitFor(() => expect(Math.min(calls(of, first), calls(of, second))).toBeGreaterThan(0), WAIT);
  const told = await of.reload({
    collections: [{ name: "some", meters: [second?.name ?? ""] }],
    plans: [
      { profile: "instant", every: "1s", group: "some" },
      { profile: "instant", every: "1h" },
    ],
    limits: [{ network: "default", concurrency: 1 }],
    polling: { concurrency: 7, sessionTimeout: "1m" },
  });
  expect(told["waiting"]).toEqual([]);
  expect(told["taken"]).toEqual([
    "polling.concurrency: 200 -> 7",
    "polling.sessionTimeout: 300000 -> 60000",
    'limits: [] -> [{"network":"default","concurrency":1}]',
    "plans changed",
    "collections[some] added",
  ]);
  await untilCalled(of, second);
  const before = calls(of, first);
  await untilCalled(of, second);
  await untilCalled(of, second);
  expect(calls(of, first)).toBe(before);
}, 120_000);

test("reload: listeners open and close, connections that are held go on; one that can't be had leaves all as it was", async () => {
  await using stack = new AsyncDisposableStack();
  const [before, after] = ports;
  const of = await service(stack, { push: listenAt(before) });
  const old = new FaultSenders(before ?? 0, [PUSHER.number]);
  await vi.waitFor(() => expect(old.confirmed.size).toBeGreaterThan(0), WAIT);
  const secret = join(of.directory, "webhook-secret");
  await writeFile(secret, "s".repeat(32), { mode: 0o600 });
  const webhooks = [{ name: "ops", url: "http://127.0.0.1:9/", secret: `file:${secret}` }];
  const told = await of.reload({
    push: { ...listenAt(after), expect: [{ meters: ["pusher"], at: ["*:00"] }] },
    notifications: { webhooks },
  });
  expect(told["waiting"]).toEqual([]);
  expect(of.systemd.told("pushListenerLeft")).toMatchObject([{ address: `127.0.0.1:${before}` }]);
  const destinations = await query(current().url, "select name from dlms.notification_destinations");
  expect(destinations).toEqual([["ops"]]);
  const count = old.confirmed.size;
  await vi.waitFor(() => expect(old.confirmed.size).toBeGreaterThan(count), WAIT);
  expect(old.connections).toBe(1);
  const fresh = new FaultSenders(after ?? 0, [PUSHER.number]);
  await vi.waitFor(() => expect(fresh.confirmed.size).toBeGreaterThan(0), WAIT);
  await old.stop();
  // Nobody else may listen there, so this can't be had.
  const other = createServer().listen({ port: 0, host: "127.0.0.1" });
  stack.defer(() => void other.close());
  const taken = await vi.waitFor(() => {
    const address = other.address();
    if (address === null || typeof address === "string") throw new Error("no port yet");
    return address.port;
  }, WAIT);
  const refused = await of.reload(
    { push: listenAt(taken), notifications: { webhooks: [{ ...webhooks[0]!, secret: "env:NOT_THERE" }] } },
    "settingsRefused",
  );
  expect(refused).toMatchObject({ part: "notifications" });
  await vi.waitFor(() => expect(of.systemd.told("settingsRefused")).toHaveLength(2), WAIT);
  expect(of.systemd.told("settingsRefused")[1]).toMatchObject({ part: "push" });
  const last = new FaultSenders(after ?? 0, ["2"]);
  await vi.waitFor(() => expect(last.confirmed.size).toBeGreaterThan(0), WAIT);
  expect(await query(current().url, "select name from dlms.notification_destinations")).toEqual([["ops"]]);
  await Promise.all([fresh.stop(), last.stop()]);
}, 120_000);

test("reload: what waits for a start is told each time, and a bad configuration changes nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const of = await service(stack, {});
  const spool = { quota: "1GB" };
  expect(await of.reload({ spool, log: { level: "debug" } })).toMatchObject({
    taken: ['log.level: "info" -> "debug"'],
    waiting: ["spool.quota: 2000000000 -> 1000000000"],
  });
  const bad = { meters: [], polling: { concurrency: 0 } };
  const refused = await of.reload(bad, "configRefused");
  expect(refused["reason"]).toMatch(/gateway\.yaml:\d+:\d+: polling\.concurrency/);
  await untilCalled(of, of.meters[0]);
  const waiting = { taken: [], waiting: ["spool.quota: 2000000000 -> 1000000000"] };
  expect(await of.reload({ meters: [...of.meters.slice(0, 2), PUSHER], polling: {} })).toMatchObject(waiting);
}, 120_000);
