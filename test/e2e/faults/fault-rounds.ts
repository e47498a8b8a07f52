/** What each fault does to the daemon and its server. */
import { execFile } from "node:child_process";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import type { EmbeddedPostgres } from "../../../src/store/server/embedded-postgres.ts";
import { query } from "../../db/query.ts";
import { type FaultDaemon, until } from "./fault-daemon.ts";

/** A server on a small disk has little room left, once something else has filled it. */
const SPARE_OCTETS = 256 * 1024;
const DRAIN_EVERY = 5;

export const FAULTS = ["daemon", "postgres", "both", "terminate", "lock", "freeze", "read-only", "disk-full"] as const;
export type Fault = (typeof FAULTS)[number];

export interface Stage {
  readonly daemon: FaultDaemon;
  readonly server: EmbeddedPostgres;
  /** Where the server's data lie. */
  readonly disk: string;
}

/** What each fault does in a round; ends when the next one may begin. */
export const ROUNDS: Readonly<Record<Fault, (stage: Stage, round: number) => Promise<void>>> = {
  daemon: async ({ daemon }, round) => {
    await sleep(moment(round, 700));
    await restarted(daemon);
  },
  postgres: async (stage, round) => {
    await sleep(moment(round, 700));
    await serverKilled(stage);
    // A server that is killed before it can take anything only fills the spool.
    if (round % DRAIN_EVERY === 0) await stage.daemon.untilDrained();
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
    if (round % DRAIN_EVERY === 0) await daemon.untilDrained();
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

async function restarted(daemon: FaultDaemon): Promise<void> {
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
