/**
 * The daemon as its users start it, a real database, meters that push to be confirmed and others that are polled, and
 * faults: processes killed with signal 9 at any moment, sessions ended, tables locked, a server that stands still, a full
 * disk. At the end every push that was confirmed is in the database once, with its row; every slot that the polled meters
 * hold is there once, with its octets, as the ledger says; and no invocation counter was used twice.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "../../src/store/embedded-postgres.ts";
import { freePort } from "../../src/store/postmaster.ts";
import { query } from "../db/query.ts";
import { captureSecond, FaultSenders, NUMBERED_OBJECT } from "./fault-senders.ts";
import { FaultStreet, type PolledReport, type SnapshotVisit } from "./fault-street.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const METERS = 6;
/** Meters that are polled: their memories are to be read for as long as the faults go on. */
const FEW_POLLED = 4;
const MANY_POLLED = 16;
const MANY_ROUNDS = 20;
/** A server on it has little room left, once something else has filled it. */
const DISK_MEGABYTES = 700;
const SPARE_OCTETS = 256 * 1024;
const LONGEST_WAIT_MS = 300_000;
const DRAIN_EVERY = 5;

export const FAULTS = ["daemon", "postgres", "both", "terminate", "lock", "freeze", "read-only", "disk-full"] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultLoop {
  readonly fault: Fault;
  readonly rounds: number;
  /** PostgreSQL of another edition, in place of the embedded one. */
  readonly server?: Pick<EmbeddedPostgresOptions, "binaries" | "settings">;
}

export interface FaultReport extends PolledReport {
  readonly fault: Fault;
  readonly rounds: number;
  readonly sent: number;
  readonly confirmed: number;
  /** Confirmed pushes that are in the history once, with their row. */
  readonly once: number;
  readonly lost: number;
  /** Of the lost, how many have no push in the history, or no row. */
  readonly withoutPush: number;
  readonly withoutRow: number;
  /** Records of the spool, and pushes, that were refused. */
  readonly setAside: number;
  readonly rejected: number;
  readonly doubled: number;
  /** Pushes that were not confirmed and are held all the same. */
  readonly unconfirmedHeld: number;
  /** Of what was pushed, and of polled slots; two snapshots of one second may differ. */
  readonly revisions: number;
  /** How often the daemon took to its spool, and how many records came in from there. */
  readonly spoolBegun: number;
  readonly spooledRecords: number;
  readonly durationS: number;
}

/** What has to be true whatever happened. */
export function isWhole(report: FaultReport): boolean {
  const { confirmed, once, doubled, revisions, missingSlots, ledgerFaults, rowsWithoutOctets } = report;
  const wrong = [doubled, revisions, missingSlots, ledgerFaults, rowsWithoutOctets];
  return once === confirmed && [...wrong, report.snapshotsLost, report.countersReused].every((count) => count === 0);
}

/** A line of the daemon's log, with the fields of the events that count here. */
interface LogLine {
  readonly event?: string;
  /** In milliseconds. */
  readonly time: number;
  readonly records?: number;
  readonly meter?: string;
  readonly profiles?: readonly string[];
  readonly durationMs?: number;
}

/** The daemon, started again whenever it ends, as a service manager would. */
class Daemon {
  readonly #configFile: string;
  #child: ChildProcess | undefined;
  #ended = false;
  starts = 0;
  #isReady = false;
  spoolBegun = 0;
  spooledRecords = 0;
  spooling = false;
  setAside = 0;
  rejected = 0;
  polls = 0;
  readonly snapshots: SnapshotVisit[] = [];
  readonly lastLines: string[] = [];

  constructor(configFile: string) {
    this.#configFile = configFile;
    this.start();
  }

  untilReady(): Promise<void> {
    return until(
      () => this.#isReady,
      () => `the daemon is not ready: ${this.lastLines.join("\n")}`,
    );
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#ended = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await exit;
  }

  start(): void {
    this.#ended = false;
    this.starts += 1;
    const child = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "run", "--config", this.#configFile], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#take(line));
    }
    child.once("exit", () => {
      this.#isReady = false;
      this.spooling = false;
      if (!this.#ended) setTimeout(() => this.start(), 100);
    });
  }

  #take(line: string): void {
    this.lastLines.push(line.slice(0, 300));
    if (this.lastLines.length > 20) this.lastLines.shift();
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as LogLine;
    if (event.event === "meterPolled") this.#takePolled(event);
    if (event.event === "gatewayStarted") this.#isReady = true;
    if (event.event === "spoolBegun") this.spoolBegun += 1;
    if (event.event === "spoolSetAside") this.setAside += 1;
    if (event.event === "pushRejected") this.rejected += 1;
    if (event.event === "spoolBegun") this.spooling = true;
    if (event.event === "spoolDrained") this.spooling = false;
    if (event.event === "spoolDrained") this.spooledRecords += event.records ?? 0;
  }

  #takePolled({ time, meter = "", profiles = [], durationMs = 0 }: LogLine): void {
    this.polls += 1;
    if (profiles.includes("instant")) this.snapshots.push({ meter, startedMs: time - durationMs, endedMs: time });
  }
}

interface Stage {
  readonly daemon: Daemon;
  readonly server: EmbeddedPostgres;
  /** Where the server's data lie. */
  readonly disk: string;
}

/** Throws where the machine does not allow the fault: a small disk has to be mounted. */
export async function runFaultLoop({ fault, rounds, server: how }: FaultLoop): Promise<FaultReport> {
  const startedMs = Date.now();
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-faults-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const disk = join(directory, "disk");
  await mkdir(disk);
  if (fault === "disk-full") await mountSmall(disk, stack);
  const server = await startEmbeddedPostgres({ directory: join(disk, "postgres"), ...how });
  stack.defer(() => server.stop());
  const street = stack.use(await FaultStreet.start(rounds < MANY_ROUNDS ? FEW_POLLED : MANY_POLLED));
  const port = await freePort();
  const meters = Array.from({ length: METERS }, (_, index) => `1FLT${String(index).padStart(9, "0")}`);
  await writeFile(join(directory, "database-url"), server.url, { mode: 0o600 });
  await writeFile(join(directory, "gateway.yaml"), await configuration(directory, { port, meters, street }));
  const daemon = new Daemon(join(directory, "gateway.yaml"));
  stack.defer(() => daemon.stop());
  await daemon.untilReady();
  const senders = new FaultSenders(port, meters);
  await until(
    () => daemon.polls > 0,
    () => `no meter is polled: ${daemon.lastLines.join("\n")}`,
  );
  for (let round = 0; round < rounds; round++) await DO[fault]({ daemon, server, disk }, round);
  await daemon.untilReady();
  await senders.stop();
  await street.untilRead(server.url);
  const visits = [...daemon.snapshots];
  // All that was confirmed or told is in the database once the spool has been empty; polls go on.
  await drained(daemon);
  const polled = await street.report(server.url, visits);
  await daemon.stop();
  const { spoolBegun, spooledRecords, setAside, rejected } = daemon;
  const counts = await countHeld(server.url, senders.confirmed);
  const durationS = Math.round((Date.now() - startedMs) / 1000);
  return {
    fault,
    rounds,
    sent: senders.sent,
    confirmed: senders.confirmed.size,
    ...counts,
    ...polled,
    setAside,
    rejected,
    spoolBegun,
    spooledRecords,
    durationS,
  };
}

async function configuration(
  directory: string,
  { port, meters, street }: { readonly port: number; readonly meters: readonly string[]; readonly street: FaultStreet },
): Promise<string> {
  const pushing = meters.map((number) => {
    return { name: `m${number}`, number, companion: "idis", connection: { tcp: "127.0.0.1:1" }, type: "pushes" };
  });
  const polled = await street.configuration(directory);
  // JSON is YAML too.
  return JSON.stringify({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    log: { level: "debug" },
    database: { url: `file:${directory}/database-url` },
    spool: { patience: "100ms" },
    polling: { concurrency: 3 },
    groups: [{ name: "polled", meters: ["*-*"] }],
    plans: [
      { profile: "block_load", every: "15m", history: "40d", group: "polled" },
      { profile: "instant", every: "2s", group: "polled" },
    ],
    push: { listen: [{ address: `127.0.0.1:${port}` }] },
    meters: [...pushing, ...polled],
  });
}

async function mountSmall(directory: string, stack: AsyncDisposableStack): Promise<void> {
  const run = promisify(execFile);
  await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m,mode=0755`, "none", directory]);
  stack.defer(async () => void (await run("umount", ["-l", directory])));
}

/** What each fault does in a round; ends when the next one may begin. */
const DO: Readonly<Record<Fault, (stage: Stage, round: number) => Promise<void>>> = {
  daemon: async ({ daemon }, round) => {
    await sleep(moment(round, 700));
    await restarted(daemon);
  },
  postgres: async (stage, round) => {
    await sleep(moment(round, 700));
    await serverKilled(stage);
    // A server that is killed before it can take anything only fills the spool.
    if (round % DRAIN_EVERY === 0) await drained(stage.daemon);
  },
  both: async (stage, round) => {
    await sleep(moment(round, 400));
    const killed = serverKilled(stage);
    await sleep(moment(round, 300));
    await restarted(stage.daemon);
    await killed;
  },
  terminate: async ({ server }) => {
    await sleep(50);
    await query(
      server.administratorUrl,
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dlms' and backend_type = 'client backend' and pid <> pg_backend_pid()",
    ).catch(() => undefined);
  },
  lock: async ({ server }, round) => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query("begin; lock table dlms.push_history, dlms.instant_profile_data in access exclusive mode");
    await sleep(moment(round, 500));
    await client.end();
    await sleep(moment(round, 300));
  },
  freeze: async ({ server }, round) => {
    // Sessions and workers stand still, connections stay open: nothing is refused and nothing is answered.
    const processes = await childrenOf(server.pid);
    signalAll(processes, "SIGSTOP");
    await sleep(moment(round, 900));
    signalAll(processes, "SIGCONT");
    await sleep(moment(round, 300));
  },
  "disk-full": async ({ disk, daemon }, round) => {
    const filler = join(disk, "filler");
    const { bavail, bsize } = await statfs(disk);
    // The server may take the rest first: then the disk is full all the same.
    await writeFile(filler, new Uint8Array(Math.max(0, bavail * bsize - SPARE_OCTETS))).catch(() => undefined);
    await sleep(moment(round, 1200));
    await rm(filler);
    if (round % DRAIN_EVERY === 0) await drained(daemon);
    else await sleep(moment(round, 400));
  },
  "read-only": async ({ server }, round) => {
    const set = (what: string) =>
      query(server.administratorUrl, `begin read write; alter database dlms ${what}; commit`);
    const end =
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dlms' and backend_type = 'client backend' and pid <> pg_backend_pid()";
    await set("set default_transaction_read_only = on");
    await query(server.administratorUrl, end);
    await sleep(moment(round, 500));
    await set("reset default_transaction_read_only");
    await sleep(moment(round, 500));
  },
};

async function childrenOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=", "--ppid", String(pid)]);
  return stdout
    .split("\n")
    .map(Number)
    .filter((each) => each > 0);
}

function signalAll(processes: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // A session that has ended meanwhile.
    }
  }
}

/** Spread over `mostMs`, the same in each run. */
function moment(round: number, mostMs: number): number {
  return 20 + ((round * 7919) % mostMs);
}

function drained(daemon: Daemon): Promise<void> {
  return until(
    () => !daemon.spooling,
    () => `the spool is not drained: ${daemon.lastLines.join("\n")}`,
  );
}

async function restarted(daemon: Daemon): Promise<void> {
  const { starts } = daemon;
  daemon.kill();
  await until(
    () => daemon.starts > starts,
    () => "the daemon did not start again",
  );
  await daemon.untilReady();
}

async function serverKilled({ server }: Stage): Promise<void> {
  const { pid } = server;
  process.kill(pid, "SIGKILL");
  await until(
    () => server.pid !== pid,
    () => "the server did not start again",
  );
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const endMs = Date.now() + LONGEST_WAIT_MS;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(what());
    await sleep(10);
  }
}

async function countHeld(url: string, confirmed: ReadonlySet<number>) {
  const held = await query(
    url,
    `select v.value::int, count(*)::int from dlms.push_values v join dlms.push_history h using (push_key, received_at)
     where v.capture_object = $1 group by 1`,
    [NUMBERED_OBJECT],
  );
  const rows = await query(
    url,
    "select extract(epoch from captured_at)::int from dlms.instant_profile_data where source = 2",
  );
  const [[histories, revisions] = []] = await query(
    url,
    `select (select count(*)::int from dlms.push_history),
       (select count(*)::int from dlms.profile_revisions r join public.meters m using (meter_key)
        where not (r.profile = 'instant' and m.meter_number not like '1FLT%'))`,
  );
  const times = new Map(held.map(([number, count]) => [Number(number), Number(count)]));
  const seconds = new Set(rows.map(([second]) => Number(second)));
  const isOnce = (number: number) => times.get(number) === 1 && seconds.has(captureSecond(number));
  const once = [...confirmed].filter(isOnce).length;
  const lost = [...confirmed].filter((number) => !times.has(number) || !seconds.has(captureSecond(number))).length;
  const withoutPush = [...confirmed].filter((number) => !times.has(number)).length;
  const withoutRow = [...confirmed].filter((number) => !seconds.has(captureSecond(number))).length;
  const doubled = [...times.values()].filter((count) => count > 1).length + Number(histories) - held.length;
  const unconfirmedHeld = [...times.keys()].filter((number) => !confirmed.has(number)).length;
  return { once, lost, withoutPush, withoutRow, doubled, unconfirmedHeld, revisions: Number(revisions) };
}
