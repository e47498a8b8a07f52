/** Daemons that share one fleet: how much more two get done than one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import type { StreetMeter } from "../../src/simulator/street.ts";
import type { Database } from "../../src/store/database/database.ts";
import type { Bench } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";
import { treeCpuUs } from "./load/process-cpu.ts";
import { Spawned } from "./load/spawned.ts";
import type { StreetMetersOrder } from "./load/street-meters.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const METERS = 64;
const FULL_MS = 1000;
/** Meters answer so late that the places of a gateway bound it: more is due than two can do. */
const WAITING: Load = { latencyMs: 1_000, places: 16, measureMs: 60_000 };
/** Little enough that one gateway does all that is due, every meter each second: what a poll costs is compared. */
const WORKING: Load = { latencyMs: 10, places: 64, measureMs: 30_000 };
const QUICK_MS = 2_000;
/** The first visits read layouts, and learn what the meters can do. */
const VISITS_BEFORE = 2;
const GOAL = 1.9;
const BLOCKS = 256;
const START_MS = 60_000;
const VISITED_MS = 600_000;

interface Load {
  readonly latencyMs: number;
  readonly places: number;
  readonly measureMs: number;
}

interface Setting extends Load {
  readonly directory: string;
  readonly database: Database;
  readonly meters: readonly object[];
}

export const bench: Bench = {
  compares: `two daemons against one, on one database, over ${METERS} simulated meters. Waiting: polls per second where meters take ${WAITING.latencyMs} ms for each answer, each daemon has ${WAITING.places} places, and more is due than both can do. Working: processor time of the daemons for a poll where all is done that is due, from which follows what two would do where the processor alone bounds them`,
  unfair:
    "two daemons that use up a processor each can't be shown here: simulated meters and the database need more processors than both, and share this machine's; so what two cost more is measured, and caches and memory that two busy processors share are not in it. One, two and one again: of the single runs the better counts for the rate, and their mean for the cost",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { url, database } = await embeddedDatabase(stack, 1);
    const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-bench-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o711);
    await writeFile(join(directory, "url"), url, { mode: 0o600 });
    const isQuick = timeMs < FULL_MS;
    const waiting = await measured(WAITING, { directory, database, isQuick });
    const working = await measured(WORKING, { directory, database, isQuick });
    const rate = waiting.two.perSecond / Math.max(...waiting.one.map(({ perSecond }) => perSecond));
    const cost = working.one.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / working.one.length;
    const capacity = (2 * cost) / working.two.cpuUs;
    return {
      facts: [
        `waiting: two against one ${rate.toFixed(2)} (goal: ${GOAL})`,
        `working: a poll costs one gateway ${cost.toFixed(0)} µs, two ${working.two.cpuUs.toFixed(0)} µs, at ${working.two.perSecond.toFixed(0)} polls/s; two against one, as far as the processor bounds them, ${capacity.toFixed(2)}`,
      ],
      rows: [
        ...waiting.one.map(({ perSecond }) => ({ task: "waiting, one gateway", perSecond, unit: "polls" })),
        { task: "waiting, two gateways", perSecond: waiting.two.perSecond, unit: "polls" },
      ],
      ratios: { "gateways-two-to-one": rate, "gateways-two-to-one-by-cost": capacity },
    };
  },
};

interface Measured {
  readonly perSecond: number;
  /** Processor time of all daemons for one poll. */
  readonly cpuUs: number;
}

async function measured(
  load: Load,
  { isQuick, ...base }: Pick<Setting, "directory" | "database"> & { readonly isQuick: boolean },
): Promise<{ readonly one: readonly Measured[]; readonly two: Measured }> {
  const order: StreetMetersOrder = { count: METERS, latencyMs: load.latencyMs };
  await using street = await Spawned.start<{ meters: readonly StreetMeter[] }>("street-meters.ts", order);
  const meters = await streetConfiguration(street.told.meters, join(base.directory, "keys"));
  const setting = { ...base, ...load, meters, ...(isQuick && { measureMs: QUICK_MS }) };
  const before = await polls(setting, ["a"]);
  const two = await polls(setting, ["a", "b"]);
  return { one: [before, await polls(setting, ["a"])], two };
}

/** Successful polls of daemons of these names, once all of them have their part. */
async function polls(setting: Setting, names: readonly string[]): Promise<Measured> {
  const { database, measureMs } = setting;
  await using stack = new AsyncDisposableStack();
  const daemons: ChildProcess[] = [];
  for (const name of names) daemons.push(stack.adopt(await startDaemon(name, setting), stopDaemon));
  await settled(database, names.length);
  await visited(database, (await count(database)) + VISITS_BEFORE * METERS);
  const [startedMs, from, usedUs] = [performance.now(), await count(database), await cpuUsOf(daemons)];
  await sleep(measureMs);
  const done = (await count(database)) - from;
  const seconds = (performance.now() - startedMs) / 1000;
  return { perSecond: done / seconds, cpuUs: ((await cpuUsOf(daemons)) - usedUs) / done };
}

async function cpuUsOf(daemons: readonly ChildProcess[]): Promise<number> {
  const used = await Promise.all(daemons.map(({ pid = 0 }) => treeCpuUs(pid)));
  return used.reduce((sum, each) => sum + each, 0);
}

async function startDaemon(name: string, { directory, meters, places }: Setting): Promise<ChildProcess> {
  const state = join(directory, name);
  await mkdir(state, { recursive: true });
  const config = {
    stateDirectory: state,
    socket: join(state, "control.sock"),
    sharing: { name },
    database: { url: `file:${join(directory, "url")}` },
    log: { level: "error" },
    plans: [{ profile: "instant", every: "1s" }],
    polling: { concurrency: places, connectsPerSecond: 1000 },
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
