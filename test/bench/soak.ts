/**
 * `npm run soak -- [--minutes N] [--meters N]`: the whole daemon with an embedded server's database, which is away for a
 * tenth of the time in the middle, while simulated meters are polled and push. Says how memory, handles and the delay of
 * the event loop change by the hour, how large the spool became, and whether what was pushed is there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { query } from "../db/query.ts";
import { CuttableWay } from "../e2e/fleet-daemon.ts";
import { freePort } from "../e2e/free-port.ts";
import { kernelDrops } from "./load/kernel-drops.ts";
import { PROBE_FILE, type ProbeSample } from "./soak-probe.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    meters: { type: "string", default: "2000" },
    pushes: { type: "string", default: "100" },
  },
});
const wholeMs = Number(values.minutes) * 60_000;
const pushesPerSecond = Number(values.pushes);
const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const PROBE = join(import.meta.dirname, "soak-probe.ts");
const DATABASE = "DLMS_GATEWAY_SOAK_DATABASE";
const READY_MS = 300_000;
const FIRST_VISITS_MS = 900_000;
const DRAIN_MS = 300_000;
const LOOK_MS = 1000;
const MEGABYTE = 1e6;
const HOUR_MS = 3_600_000;
/** When the database is away, and for how long what has waited is brought in, as shares of the whole time. */
const AWAY = { from: 0.45, to: 0.55 };
const CATCHING_UP = 0.1;

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-soak-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
await chmod(directory, 0o711);
const server = stack.adopt(await startEmbeddedPostgres({ directory: join(directory, "server") }), (each) =>
  each.stop(),
);
const street = stack.use(await startStreet({ count: Number(values.meters), latencyMs: 20 }));
const target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
const way = stack.use(await CuttableWay.open(target));
const url = new URL(server.url);
url.port = `${way.port}`;
const port = await freePort();
const file = join(directory, "gateway.yaml");
const config = {
  stateDirectory: directory,
  socket: join(directory, "control.sock"),
  database: { url: `env:${DATABASE}` },
  log: { level: "warn" },
  spool: { quota: "200MB" },
  push: { listen: [{ address: `127.0.0.1:${port}` }, { address: `127.0.0.1:${port}`, transport: "udp" }] },
  plans: [
    { profile: "instant", every: "1m" },
    { profile: "block_load", every: "5m" },
  ],
  meters: await streetConfiguration(street.meters, join(directory, "keys")),
};
await writeFile(file, stringify(config));
const samplesFile = join(directory, "samples");
const log = stack.adopt(await open(join(directory, "log"), "w"), (each) => each.close());
const env = { ...process.env, [DATABASE]: url.href, [PROBE_FILE]: samplesFile };
const daemon = spawn(process.execPath, ["--expose-gc", "--import", PROBE, CLI, "run", "--config", file], {
  env,
  stdio: ["ignore", log.fd, "inherit"],
});
const ended = once(daemon, "exit");
stack.defer(async () => {
  daemon.kill("SIGTERM");
  await ended;
});
const sent = { tcp: 0, udp: 0, failed: 0 };
const [firstSetup = { name: "", setup: "" }] = setupsOf(street);
await until(() => pushOne(firstSetup, "tcp"), READY_MS);

const bornMs = Date.now();
// What is asked of a new meter once only, and its whole history, belong to the first day and not to the years after it.
await until(everyMeterOnce, FIRST_VISITS_MS).catch(() => console.log("soak: not every meter was read once before it"));

const startedMs = Date.now();
const awayFromMs = startedMs + AWAY.from * wholeMs;
const awayToMs = startedMs + AWAY.to * wholeMs;
const going = new AbortController();
const pushing = push(going.signal);
let mostSpooled = 0;
await watchSpool(awayFromMs);
way.cut();
await watchSpool(awayToMs);
way.mend();
await watchSpool(startedMs + wholeMs);
going.abort();
await pushing;
const isDrained = await until(async () => {
  if ((await spooled()) > 0) throw new Error("the spool is not empty");
  if ((await pushFates()).some(({ lost }) => lost > 0)) throw new Error("not every push is in the database");
}, DRAIN_MS).then(
  () => true,
  () => false,
);
if (!isDrained) process.exitCode = 1;
await report();

async function everyMeterOnce(): Promise<void> {
  const [[read] = []] = await query(
    server.url,
    "select count(distinct meter_id)::int from dlms.read_attempts where succeeded",
  );
  if (Number(read) < street.meters.length) throw new Error(`${String(read)} meters have been read`);
}

function setupsOf({ meters }: Street) {
  return meters.flatMap(({ name, pushSetups }) => pushSetups.map((setup) => ({ name, setup })));
}

async function pushOne({ name, setup }: { name: string; setup: string }, transport: "tcp" | "udp"): Promise<void> {
  await street.push(name, setup, { host: "127.0.0.1", port, transport });
  sent[transport] += 1;
}

/** By turns over TCP and UDP; ends when all that was begun has been sent. */
async function push(signal: AbortSignal): Promise<void> {
  const setups = setupsOf(street);
  const begun = new Set<Promise<void>>();
  for (let at = 0; !signal.aborted; at++) {
    const one = pushOne(setups[at % setups.length] ?? firstSetup, at % 2 === 0 ? "tcp" : "udp")
      .catch(() => void sent.failed++)
      .finally(() => begun.delete(one));
    begun.add(one);
    await sleep(1000 / pushesPerSecond, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(begun);
}

/** What has become of the pushes. A datagram for which the kernel had no room never reached the daemon. */
async function pushFates() {
  const rows = await query(
    server.url,
    "select transport, (count(*) + sum(repeats))::int from dlms.push_history group by transport",
  );
  const kept = new Map(rows.map(([transport, count]) => [transport, Number(count)]));
  const dropped = { tcp: 0, udp: await kernelDrops(port) };
  return (["tcp", "udp"] as const).map((transport) => {
    const [all, there, drops] = [sent[transport], kept.get(transport) ?? 0, dropped[transport]];
    return { transport, all, there, drops, lost: all - there - drops };
  });
}

async function spooled(): Promise<number> {
  const names = await readdir(join(directory, "spool")).catch(() => []);
  const sizes = await Promise.all(
    names
      .filter((name) => name.includes(".spool"))
      .map((name) => stat(join(directory, "spool", name)).catch(() => undefined)),
  );
  return sizes.reduce((sum, each) => sum + (each?.size ?? 0), 0);
}

async function watchSpool(untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    mostSpooled = Math.max(mostSpooled, await spooled());
    await sleep(Math.min(LOOK_MS, Math.max(1, untilMs - Date.now())));
  }
}

async function until(attempt: () => Promise<unknown>, timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await sleep(LOOK_MS);
    }
  }
}

async function report(): Promise<void> {
  const lines = (await readFile(samplesFile, "utf8")).trim().split("\n");
  const all = lines.map((line): ProbeSample => JSON.parse(line));
  const minutes = (from: number, to: number) =>
    all.filter(({ atMs }) => atMs > startedMs + from * wholeMs && atMs < startedMs + to * wholeMs);
  // Caches fill and code is compiled at first; while the database is away, and comes back, other things are measured.
  const settled = [...minutes(1 / 6, AWAY.from), ...minutes(AWAY.to + CATCHING_UP, 1)];
  const [[polls] = []] = await query(
    server.url,
    "select sum(reads) filter (where succeeded)::int from dlms.read_attempts",
  ).catch(() => [["?"]]);
  console.log(`soak: ${values.minutes} min, ${values.meters} meters, node ${process.version}, ${cpus().length} cores`);
  console.log(`the first visits to all took ${Math.round((startedMs - bornMs) / 1000)} s`);
  console.log(`polls that succeeded ${String(polls)}; pushes that could not be sent ${sent.failed}`);
  for (const { transport, all, there, drops, lost } of await pushFates()) {
    console.log(`${transport}: sent ${all}, in the database ${there}, dropped by the kernel ${drops}, lost ${lost}`);
  }
  console.log(`spool at most ${(mostSpooled / MEGABYTE).toFixed(1)} MB of 200, at the end ${await spooled()} octets`);
  console.log(`${isDrained ? "" : "NOT ALL WAS BROUGHT IN; "}warned of: ${await warnings()}`);
  for (const [what, field, samples] of [
    ["resident memory, MB", "residentMb", settled],
    ["heap, MB", "heapMb", settled],
    ["heap that lives, MB", "livingMb", settled.filter(({ livingMb }) => livingMb !== undefined)],
    ["handles", "handles", settled],
    ["loop delay p99, ms", "delayP99Ms", settled],
    ["loop delay most, ms", "delayMaxMs", settled],
  ] as const) {
    const figures = samples.map((each) => each[field] ?? 0);
    const slope = slopeOf(
      samples.map(({ atMs }) => atMs / HOUR_MS),
      figures,
    );
    const sorted = figures.toSorted((a, b) => a - b);
    const [low, median, high] = [0, 0.5, 0.99].map((part) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
    const text = [low, median, high].map((each) => each?.toFixed(1)).join(" / ");
    console.log(`${what}: least / median / p99 ${text}; slope ${slope.toFixed(2)} an hour`);
  }
}

/** How often the daemon told what, at level warn and above. */
async function warnings(): Promise<string> {
  const text = await readFile(join(directory, "log"), "utf8");
  const names = [...text.matchAll(/"event":"(\w+)"/g)].map(([, name]) => name ?? "");
  const counts = Map.groupBy(names, (name) => name);
  return [...counts].map(([name, { length }]) => `${name} ${length}`).join(", ") || "nothing";
}

/** Of the straight line with the least squares. */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [mean(x), mean(y)];
  const products = x.map((each, at) => (each - meanX) * ((y[at] ?? 0) - meanY));
  const squares = x.map((each) => (each - meanX) ** 2);
  return mean(products) / mean(squares);
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}
