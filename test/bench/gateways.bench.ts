/** Daemons that share one fleet: how much more two get done than one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { streetConfiguration } from "../../src/cli/demo-street.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrations.ts";
import { startTestServer } from "../db/test-server.ts";
import type { Bench } from "./bench.ts";
import { Spawned } from "./load/spawned.ts";
import type { StreetMetersOrder } from "./load/street-meters.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const METERS = 64;
const FULL_MS = 1000;
/** Meters answer so late that the places of a gateway bound it, not the processor that all share here. */
const LATENCY_MS = 1_000;
const PLACES = 16;
/** The first visits read layouts, and learn what the meters can do. */
const VISITS_BEFORE = 2;
const GOAL = 1.9;
const BLOCKS = 256;
const START_MS = 60_000;
const VISITED_MS = 600_000;

interface Setting {
  readonly directory: string;
  readonly database: Database;
  readonly meters: readonly object[];
  readonly measureMs: number;
}

export const bench: Bench = {
  compares: `polls per second of two daemons against one, on one database, over ${METERS} simulated meters that take ${LATENCY_MS} ms for each answer; each daemon has ${PLACES} places, and more is due than both can do; one, two and one again, the better of the single runs counts`,
  unfair:
    "daemons, database and meters share the cores of one machine, so the load is bounded by places and waiting, as that of a gateway over a cellular network, and not by the processor; what two processes cost more than one in processor time shows elsewhere",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const server = await startTestServer("embedded", { durable: true });
    if (typeof server === "string") throw new Error(server);
    stack.defer(() => server.stop());
    await migrate(server.url);
    const database = stack.use(await openDatabase({ url: server.url, connections: 1 }));
    const order: StreetMetersOrder = { count: METERS, latencyMs: LATENCY_MS };
    const street = stack.use(await Spawned.start<{ meters: readonly StreetMeter[] }>("street-meters.ts", order));
    const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-bench-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o711);
    await writeFile(join(directory, "url"), server.url, { mode: 0o600 });
    const meters = await streetConfiguration(street.told.meters, join(directory, "keys"));
    const setting = { directory, database, meters, measureMs: timeMs < FULL_MS ? 2_000 : 60_000 };
    const before = await polls(setting, ["a"]);
    const two = await polls(setting, ["a", "b"]);
    const after = await polls(setting, ["a"]);
    const one = Math.max(before, after);
    return {
      facts: [`two against one: ${(two / one).toFixed(2)} (goal: ${GOAL})`],
      rows: [
        { task: "one gateway", perSecond: before, unit: "polls" },
        { task: "two gateways", perSecond: two, unit: "polls" },
        { task: "one gateway, again", perSecond: after, unit: "polls" },
      ],
      ratios: { "gateways-two-to-one": two / one },
    };
  },
};

/** Successful polls per second of daemons of these names, once all of them have their part. */
async function polls(setting: Setting, names: readonly string[]): Promise<number> {
  const { database, measureMs } = setting;
  await using stack = new AsyncDisposableStack();
  for (const name of names) stack.adopt(await startDaemon(name, setting), stopDaemon);
  await settled(database, names.length);
  await visited(database, (await count(database)) + VISITS_BEFORE * METERS);
  const startedMs = performance.now();
  const from = await count(database);
  await sleep(measureMs);
  return ((await count(database)) - from) / ((performance.now() - startedMs) / 1000);
}

async function startDaemon(name: string, { directory, meters }: Setting): Promise<ChildProcess> {
  const state = join(directory, name);
  await mkdir(state, { recursive: true });
  const config = {
    stateDirectory: state,
    socket: join(state, "control.sock"),
    sharing: { name },
    database: { url: `file:${join(directory, "url")}` },
    log: { level: "error" },
    plans: [{ profile: "instant", every: "1s" }],
    polling: { concurrency: PLACES, connectsPerSecond: 1000 },
    meters,
  };
  await writeFile(join(state, "gateway.yaml"), stringify(config));
  const args = [join(ROOT, "src/cli/main.ts"), "run", "--config", join(state, "gateway.yaml")];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

async function stopDaemon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Waits until so many gateways hold all blocks in equal parts. */
async function settled(database: Database, gateways: number): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    const rows = await database.query<{ held: bigint }>(
      "select count(*) as held from dlms.meter_blocks where holder is not null group by holder",
    );
    const held = rows.map((row) => Number(row.held));
    if (held.length === gateways && held.every((each) => each === BLOCKS / gateways)) return;
    if (performance.now() > until) throw new Error("the gateways did not share the meters");
    await sleep(100);
  }
}

async function visited(database: Database, polls: number): Promise<void> {
  const until = performance.now() + VISITED_MS;
  while ((await count(database)) < polls) {
    if (performance.now() > until) throw new Error("the meters were not visited in time");
    await sleep(100);
  }
}

async function count(database: Database): Promise<number> {
  const [row] = await database.query<{ count: bigint }>(
    "select coalesce(sum(reads), 0) as count from dlms.read_successes",
  );
  return Number(row?.count ?? 0);
}
