/**
 * The daemon as its users start it, a real database, meters that push to be confirmed, and faults: processes killed with
 * signal 9 at any moment, sessions ended, tables locked. At the end every push that was confirmed is in the database
 * once, with its row.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { freePort } from "../../src/store/postmaster.ts";
import { query } from "../db/query.ts";
import { captureSecond, FaultSenders, NUMBERED_OBJECT } from "./fault-senders.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const METERS = 6;
const LONGEST_WAIT_MS = 300_000;
const DRAIN_EVERY = 5;

export const FAULTS = ["daemon", "postgres", "both", "terminate", "lock", "read-only"] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultReport {
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
  readonly revisions: number;
  /** How often the daemon took to its spool, and how many records came in from there. */
  readonly spoolBegun: number;
  readonly spooledRecords: number;
  readonly durationS: number;
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
    const event = JSON.parse(line) as { event?: string; records?: number };
    if (event.event === "gatewayStarted") this.#isReady = true;
    if (event.event === "spoolBegun") this.spoolBegun += 1;
    if (event.event === "spoolSetAside") this.setAside += 1;
    if (event.event === "pushRejected") this.rejected += 1;
    if (event.event === "spoolBegun") this.spooling = true;
    if (event.event === "spoolDrained") this.spooling = false;
    if (event.event === "spoolDrained") this.spooledRecords += event.records ?? 0;
  }
}

interface Stage {
  readonly daemon: Daemon;
  readonly server: EmbeddedPostgres;
}

export async function runFaultLoop(fault: Fault, rounds: number): Promise<FaultReport> {
  const startedMs = Date.now();
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-faults-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres({ directory: join(directory, "postgres") });
  stack.defer(() => server.stop());
  const port = await freePort();
  const meters = Array.from({ length: METERS }, (_, index) => `1FLT${String(index).padStart(9, "0")}`);
  await writeFile(join(directory, "database-url"), server.url, { mode: 0o600 });
  await writeFile(join(directory, "gateway.yaml"), configuration(directory, port, meters));
  const daemon = new Daemon(join(directory, "gateway.yaml"));
  stack.defer(() => daemon.stop());
  await daemon.untilReady();
  const senders = new FaultSenders(port, meters);
  for (let round = 0; round < rounds; round++) await DO[fault]({ daemon, server }, round);
  await daemon.untilReady();
  await senders.stop();
  await drainedAndStopped(daemon, join(directory, "spool"));
  const { spoolBegun, spooledRecords, setAside, rejected } = daemon;
  const counts = await countHeld(server.url, senders.confirmed);
  const durationS = Math.round((Date.now() - startedMs) / 1000);
  return {
    fault,
    rounds,
    sent: senders.sent,
    confirmed: senders.confirmed.size,
    ...counts,
    setAside,
    rejected,
    spoolBegun,
    spooledRecords,
    durationS,
  };
}

function configuration(directory: string, port: number, meters: readonly string[]): string {
  return `stateDirectory: ${directory}
socket: ${directory}/control.sock
database: { url: "file:${directory}/database-url" }
spool: { patience: 100ms }
plans: []
push: { listen: [{ address: "127.0.0.1:${port}" }] }
meters:
${meters.map((number) => `  - { name: m${number}, number: "${number}", companion: idis, connection: { tcp: "192.0.2.1:4059" } }`).join("\n")}
`;
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

/** What is in the spool when the daemon stops comes in after its next start. */
async function drainedAndStopped(daemon: Daemon, spool: string): Promise<void> {
  for (;;) {
    await drained(daemon);
    await daemon.stop();
    const left = (await readdir(spool)).filter((name) => name.endsWith(".spool1"));
    if (left.length === 0) return;
    daemon.start();
    await daemon.untilReady();
  }
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
  const rows = await query(url, "select extract(epoch from captured_at)::int from dlms.instant_profile_data");
  const [[histories, revisions] = []] = await query(
    url,
    "select (select count(*)::int from dlms.push_history), (select count(*)::int from dlms.profile_revisions)",
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
