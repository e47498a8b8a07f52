/**
 * One street of simulated meters, one real database, several daemons: each meter is worked by one of them at a time,
 * whoever dies is relieved within seconds, and nothing is lost.
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { askForLines, askForRead } from "../../src/api/local-client.ts";
import { maintenanceLineSchema } from "../../src/api/maintenance-order.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { EXIT_CODES } from "../../src/cli/terminal/exit-code.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { query } from "../db/query.ts";
import { withDatabase } from "../db/test-database.ts";
import { CounterWatch } from "./counter-watch.ts";
import { type ConfigInput, CuttableWay, FleetDaemon, LineWatch, type LogLine, WAIT } from "./fleet-daemon.ts";
import { newerVersion } from "./newer-version.ts";

const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const METERS = 12;
const BLOCKS = 256;
const SILENCE_MS = 3000;
const LIMIT_MS = 180_000;

let stack: AsyncDisposableStack;
let directory = "";
let street: Street;
let watch: LineWatch;
let url = "";
let way: CuttableWay;
let meters: NonNullable<ConfigInput["meters"]>;
let runs = 0;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-fleet-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const server = inject("databaseServer");
  const name = `fleet_${process.pid}_${++runs}`;
  await query(server.url, `create database ${name}`);
  stack.defer(async () => void (await query(server.administratorUrl, `drop database if exists ${name} with (force)`)));
  url = withDatabase(server.url, name);
  watch = new LineWatch(inPool);
  street = stack.use(await startStreet({ count: METERS, latencyMs: 5, onConnection: watch.note }));
  meters = await streetConfiguration(street.meters, join(directory, "keys"));
  const { hostname, port } = new URL(url);
  way = stack.use(await CuttableWay.open({ host: hostname, port: Number(port) }));
});
afterEach(() => stack.disposeAsync());

/** The first half of the street. */
function inPool(meter: string): boolean {
  return Number(meter.slice(-2)) <= METERS / 2;
}

async function start(name: string, extra: Partial<ConfigInput> = {}, databaseUrl = url): Promise<FleetDaemon> {
  const daemon = await begin(name, extra, { databaseUrl });
  await daemon.untilTold("gatewayStarted");
  return daemon;
}

/** Of another version, where `root` says so. */
async function begin(
  name: string,
  extra: Partial<ConfigInput>,
  { databaseUrl = url, root }: { readonly databaseUrl?: string; readonly root?: string },
): Promise<FleetDaemon> {
  await writeFile(join(directory, `${name}-url`), databaseUrl, { mode: 0o600 });
  const daemon = await FleetDaemon.start(name, {
    directory,
    ...(root !== undefined && { root }),
    config: {
      database: { url: `file:${join(directory, `${name}-url`)}`, connections: 4 },
      spool: { patience: "500ms" },
      plans: [
        { profile: "instant", every: "1s" },
        { profile: "block_load", every: "15m", history: "1d" },
      ],
      meters,
      ...extra,
    },
  });
  return stack.use(daemon);
}

/** Hears the invocation counters that ciphered meters are sent. */
function watchCounters(): Promise<CounterWatch[]> {
  const ciphered = meters.filter(
    ({ association, connection }) => association?.security && connection.link === "wrapper",
  );
  return Promise.all(
    ciphered.map(async ({ connection }) => {
      const counters = stack.use(await CounterWatch.start(tcpAddress(connection.tcp ?? "").port));
      connection.tcp = `127.0.0.1:${counters.port}`;
      return counters;
    }),
  );
}

function viaWay(): string {
  const through = new URL(url);
  through.host = `127.0.0.1:${way.port}`;
  return through.href;
}

/** Meters that a daemon has polled since a moment of its log. */
function polled(daemon: FleetDaemon, from = 0): Set<string> {
  return new Set(
    daemon.lines.slice(from).flatMap((line) => (line.event === "meterPolled" ? [String(line["meter"])] : [])),
  );
}

/** Polls that a daemon began after it told that it has lost its blocks; it may still tell then of those before. */
function begunAfterLoss({ lines }: FleetDaemon): LogLine[] {
  const lost = lines.findIndex((line) => line.event === "blocksLost");
  const lostMs = Number(lines[lost]?.["time"]);
  return lines
    .slice(lost)
    .filter((line) => line.event === "meterPolled" && Number(line["time"]) - Number(line["durationMs"]) > lostMs);
}

async function shared(...daemons: FleetDaemon[]): Promise<void> {
  await vi.waitFor(() => {
    const held = daemons.map((daemon) => daemon.heldBlocks);
    expect(held.reduce((sum, each) => sum + each, 0)).toBe(BLOCKS);
    expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
  }, WAIT);
}

async function allPolledBy(...daemons: FleetDaemon[]): Promise<void> {
  const from = daemons.map((daemon) => daemon.lines.length);
  await vi.waitFor(() => {
    const seen = new Set<string>();
    for (const [index, daemon] of daemons.entries()) for (const meter of polled(daemon, from[index])) seen.add(meter);
    expect(seen.size).toBe(METERS);
  }, WAIT);
}

/** Every slot of the last day is held once, and the ledger says so. */
async function nothingLost(daemon: FleetDaemon): Promise<void> {
  const rows = await query(
    url,
    `select meter_number, count(*)::int, count(distinct captured_at)::int,
       (extract(epoch from max(captured_at) - min(captured_at)) / max(interval_s))::int + 1
     from dlms.block_load_profile group by meter_number`,
  );
  expect(rows.length).toBeGreaterThan(METERS / 2);
  for (const [, count, distinct, slots] of rows) {
    expect(count).toBe(distinct);
    expect(count).toBe(slots);
  }
  const order = { path: "/v1/maintenance", body: { task: "coverage-check" } };
  for await (const line of askForLines(daemon.socket, order, maintenanceLineSchema)) {
    expect(line).not.toMatchObject({ isFault: true });
  }
}

test(
  "shared fleet: two daemons work half each; a killed one is relieved in seconds, and nothing is lost or doubled",
  async () => {
    const [a, b] = await Promise.all([start("a"), start("b")]);
    await shared(a, b);
    await allPolledBy(a, b);
    const [from, before] = [b.lines.length, polled(a).size];
    expect(before).toBeGreaterThan(0);
    const killedMs = performance.now();
    a.signal("SIGKILL");
    await vi.waitFor(() => expect(b.heldBlocks).toBe(BLOCKS), WAIT);
    const relievedMs = performance.now() - killedMs;
    await vi.waitFor(() => expect(polled(b, from).size).toBe(METERS), WAIT);
    expect(relievedMs).toBeGreaterThan(SILENCE_MS / 2);
    expect(relievedMs).toBeLessThan(8 * SILENCE_MS);
    expect(watch.overlaps).toEqual([]);
    await nothingLost(b);
  },
  LIMIT_MS,
);

test(
  "shared fleet: whoever asks any daemon gets an answer, also while the one that holds the meter dies",
  async () => {
    const [a, b] = await Promise.all([start("a"), start("b")]);
    await shared(a, b);
    await allPolledBy(a, b);
    const names = street.meters.map((meter) => meter.name);
    for (const { socket } of [a, b]) {
      const answers = await Promise.all(names.map((name) => askForRead(socket, name, "clock")));
      expect(answers.map((answer) => answer.meter)).toEqual(names);
    }
    const ofA = names.filter((name) => polled(a).has(name));
    expect(ofA.length).toBeGreaterThan(0);
    const asked = Promise.all(ofA.map((name) => askForRead(b.socket, name, "clock")));
    a.signal("SIGKILL");
    expect((await asked).map((answer) => answer.meter)).toEqual(ofA);
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, "gateways", "--json", "--socket", b.socket]);
    const listed = JSON.parse(stdout) as { gateway: string; state: string; blocks: number }[];
    expect(listed.find((each) => each.gateway === "b")).toMatchObject({ state: "this one", blocks: BLOCKS });
    expect(listed.find((each) => each.gateway === "a")?.state).toMatch(/^silent for/);
    const lanes = await promisify(execFile)(process.execPath, [CLI, "lanes", "--json", "--socket", b.socket]);
    const onDemand = (JSON.parse(lanes.stdout) as { lane: string; jobs: number }[]).find((each) => {
      return each.lane === "on_demand";
    });
    expect(onDemand?.jobs).toBeGreaterThanOrEqual(METERS);
    expect(watch.overlaps).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "shared fleet: a third daemon needs only its configuration; one that stops gives its meters back at once",
  async () => {
    const [a, b] = await Promise.all([start("a"), start("b")]);
    await shared(a, b);
    const c = await start("c");
    await shared(a, b, c);
    await allPolledBy(a, b, c);
    a.signal("SIGTERM");
    await a.ended();
    await shared(b, c);
    await allPolledBy(b, c);
    expect(watch.overlaps).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "shared fleet: one that is cut off from the database stops before the others take over",
  async () => {
    const a = await start("a", {}, viaWay());
    const b = await start("b");
    await shared(a, b);
    await allPolledBy(a, b);
    const from = b.lines.length;
    way.cut();
    await a.untilTold("blocksLost");
    await vi.waitFor(() => expect(b.heldBlocks).toBe(BLOCKS), WAIT);
    await vi.waitFor(() => expect(polled(b, from).size).toBe(METERS), WAIT);
    expect(begunAfterLoss(a)).toEqual([]);
    way.mend();
    await shared(a, b);
    await allPolledBy(a, b);
    expect(watch.overlaps).toEqual([]);
    await nothingLost(b);
  },
  LIMIT_MS,
);

test(
  "shared fleet: one that stood still is relieved; when it goes on it works nothing of that, and no counter comes twice",
  async () => {
    const watches = await watchCounters();
    const daemons = await Promise.all([start("a"), start("b")]);
    for (const [frozen, other] of [daemons, daemons.toReversed()] as const) {
      if (frozen === undefined || other === undefined) throw new Error("two daemons");
      await shared(...daemons);
      await allPolledBy(...daemons);
      const from = other.lines.length;
      frozen.signal("SIGSTOP");
      await vi.waitFor(() => expect(other.heldBlocks).toBe(BLOCKS), WAIT);
      await vi.waitFor(() => expect(polled(other, from).size).toBe(METERS), WAIT);
      const still = frozen.lines.length;
      frozen.signal("SIGCONT");
      await vi.waitFor(() => expect(frozen.lines.slice(still).map(({ event }) => event)).toContain("blocksHeld"), WAIT);
      const since = frozen.lines.slice(still);
      const before = since.slice(
        0,
        since.findIndex(({ event }) => event === "blocksHeld"),
      );
      expect(before.map(({ event }) => event)).toContain("blocksLost");
      // Rows of a session that was over before it stood still may be kept now.
      const begunSince = before.filter(
        (line) => line.event === "meterPolled" && Number(line["durationMs"]) < SILENCE_MS / 2,
      );
      expect(begunSince).toEqual([]);
    }
    await shared(...daemons);
    await allPolledBy(...daemons);
    expect(watches.length).toBeGreaterThan(2);
    expect(watches.flatMap(({ reused }) => reused)).toEqual([]);
    expect(Math.min(...watches.map(({ count }) => count))).toBeGreaterThan(10);
    const [last] = daemons;
    if (last !== undefined) await nothingLost(last);
  },
  2 * LIMIT_MS,
);

test(
  "shared fleet: upgraded one after the other, the older works on beside the newer as long as the schema lets it",
  async () => {
    const watches = await watchCounters();
    const compatible = "-- compatible\nalter table dlms.event_logs add column of_newer_version integer;\n";
    const breaking = "alter table dlms.keys rename column sealed to sealed_otherwise;\n";
    const next = await newerVersion(join(directory, "next"), "98.0.0", [compatible]);
    const last = await newerVersion(join(directory, "last"), "99.0.0", [compatible, breaking]);
    const a = await start("a");
    await allPolledBy(a);
    const b = await begin("b", {}, { root: next });
    await b.untilTold("gatewayStarted");
    expect(b.told("databaseReady")).toMatchObject([{ migrated: 1 }]);
    await shared(a, b);
    await allPolledBy(a, b);
    a.signal("SIGTERM");
    expect(await a.ended()).toBe(0);
    const again = await start("a");
    await shared(again, b);
    const c = await begin("c", {}, { root: last });
    await c.untilTold("gatewayStarted");
    expect(c.told("databaseReady")).toMatchObject([{ migrated: 1 }]);
    await shared(again, b, c);
    await allPolledBy(again, b, c);
    for (const older of [again, b]) {
      older.signal("SIGTERM");
      expect(await older.ended()).toBe(0);
      const refused = await begin(older.name, {}, older === b ? { root: next } : {});
      expect(await refused.ended()).toBe(EXIT_CODES.otherVersion.code);
      expect(refused.errors).toMatch(/SCHEMA_NEWER.*_of_a_newer_version/);
    }
    await allPolledBy(c);
    expect(watch.overlaps).toEqual([]);
    expect(watches.flatMap(({ reused }) => reused)).toEqual([]);
    expect(Math.min(...watches.map(({ count }) => count))).toBeGreaterThan(10);
    await nothingLost(c);
  },
  2 * LIMIT_MS,
);

test(
  "shared fleet: a pool and a network get no more talks and connections than they take",
  async () => {
    for (const meter of meters) if (inPool(meter.name)) meter.connection.pool = "modems";
    const connectsPerSecond = 6;
    const a = await start("a", {
      limits: [
        { pool: "modems", concurrency: 2 },
        { network: "default", connectsPerSecond },
      ],
    });
    await allPolledBy(a);
    await allPolledBy(a);
    expect(watch.most).toBe(2);
    // Each is polled every second where nothing bounds it.
    const spanS = ((watch.callsMs.at(-1) ?? 0) - (watch.callsMs[0] ?? 0)) / 1000;
    expect(watch.callsMs.length).toBeGreaterThan(2 * METERS);
    expect(watch.callsMs.length).toBeLessThanOrEqual(connectsPerSecond * spanS + 2);
  },
  LIMIT_MS,
);

test(
  "shared fleet: one that is alone goes on without the database, into the spool, and brings all in",
  async () => {
    const a = await start("a", { sharing: { silence: "1s" } }, viaWay());
    await allPolledBy(a);
    way.cut();
    await a.untilTold("spoolBegun");
    const from = a.lines.length;
    await vi.waitFor(() => expect(watch.callCount).toBeGreaterThan(0), WAIT);
    await vi.waitFor(() => expect(polled(a, from).size).toBe(METERS), WAIT);
    expect(a.told("blocksLost")).toEqual([]);
    way.mend();
    await a.untilTold("spoolDrained");
    await nothingLost(a);
  },
  LIMIT_MS,
);

test(
  "shared fleet: without the database for longer than `away` nothing more is read, and afterwards all is brought in",
  async () => {
    const a = await start("a", { sharing: { silence: "1s", away: "8s" } }, viaWay());
    await allPolledBy(a);
    way.cut();
    await a.untilTold("spoolBegun");
    await allPolledBy(a);
    await a.untilTold("blocksLost");
    await vi.waitFor(() => expect(watch.openCount).toBe(0), WAIT);
    const calls = watch.callCount;
    await sleep(3 * SILENCE_MS);
    expect(watch.callCount).toBe(calls);
    expect(begunAfterLoss(a)).toEqual([]);
    way.mend();
    await a.untilTold("spoolDrained");
    await vi.waitFor(() => expect(a.heldBlocks).toBe(BLOCKS), WAIT);
    await allPolledBy(a);
    await nothingLost(a);
  },
  LIMIT_MS,
);

test(
  "shared fleet: what only one of two daemons has in its configuration is worked by that one",
  async () => {
    const few = meters.slice(0, -3);
    const b = await start("b", { meters: few });
    await vi.waitFor(() => expect(b.heldBlocks).toBe(BLOCKS), WAIT);
    const a = await start("a");
    await allPolledBy(a, b);
    await allPolledBy(a, b);
    for (const { name } of meters.slice(-3)) expect([...polled(a)]).toContain(name);
    await a.untilTold("fleetsDiffer");
    expect(b.heldBlocks).toBeGreaterThan(0);
    expect(watch.overlaps).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "shared fleet: a plan that is added at one daemon holds at all, and no more when it is removed",
  async () => {
    const plans: ConfigInput["plans"] = [{ profile: "instant", every: "1d" }];
    const collections = [{ name: "first", meters: street.meters.slice(0, 2).map((meter) => meter.name) }];
    const [a, b] = await Promise.all([start("a", { plans, collections }), start("b", { plans, collections })]);
    await shared(a, b);
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [CLI, "plans", ...args, "--socket", a.socket]);
    const from = [a, b].map((daemon) => daemon.lines.length);
    await run("add", "instant", "--every", "1s");
    const often = (daemon: FleetDaemon, index: number) =>
      daemon.lines.slice(from[index]).filter((line) => line.event === "meterPolled").length;
    await vi.waitFor(() => {
      expect(often(a, 0)).toBeGreaterThan(METERS);
      expect(often(b, 1)).toBeGreaterThan(METERS);
    }, WAIT);
    await run("add", "instant", "--every", "1h", "--group", "first");
    const shown = await run("show", street.meters[0]?.name ?? "", "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject([
      { profile: "instant", group: "first", every: "1h", from: "added" },
    ]);
    await expect(run("add", "instant", "--every", "1h", "--group", "nobody")).rejects.toThrow("no group or collection");
    await run("remove", "instant");
    const left = await run("remove", "instant", "--group", "first");
    expect(left.stdout).toContain("configuration");
    await expect(run("remove", "instant")).rejects.toThrow("no such plan was added");
    const listed = await run("list", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject([{ profile: "instant", every: "1d", from: "configuration" }]);
  },
  LIMIT_MS,
);
