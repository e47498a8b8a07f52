/**
 * One run of a PostgreSQL server process: start it, wait until it is ready, end it. The server's own file
 * `postmaster.pid` says which process serves a data directory, also when the process that started it is gone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../database/store-error.ts";
import type { ServerUser } from "./server-user.ts";

const POLL_MS = 5;
const START_TIMEOUT_MS = 60_000;
const FAST_STOP_TIMEOUT_MS = 30_000;
const IMMEDIATE_STOP_TIMEOUT_MS = 10_000;

export interface PostmasterOptions {
  readonly postgres: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly port: number;
  readonly user: ServerUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that is ready for connections. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** Starts a server and waits until it takes connections. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(options.logFile, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(options.postgres, ["-D", options.dataDirectory, "-p", String(options.port), ...settings], {
      ...options.user?.credentials,
      cwd: "/",
      // A group of its own: Ctrl-C in a terminal is for the gateway, which stops the server last.
      detached: true,
      env: { LANG: "C", TZ: "UTC", PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
  const run: { over: boolean; failure?: unknown } = { over: false };
  const ended = new Promise<void>((resolve) => {
    const end = (failure?: unknown) => {
      Object.assign(run, { over: true, failure });
      resolve();
    };
    child.once("exit", () => end());
    child.once("error", end);
  });
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && !run.over) {
    const state = await readPostmasterFile(options.dataDirectory);
    if (state?.pid === child.pid && state?.status === "ready") return { pid: state.pid, ended };
    await sleep(POLL_MS);
  }
  if (child.pid !== undefined && !run.over) signalled(child.pid, "SIGQUIT");
  throw new StoreError("SERVER_START_FAILED", { port: options.port, log: options.logFile }, { cause: run.failure });
}

interface PostmasterFile {
  readonly pid: number;
  readonly status: string;
}

async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? { pid, status: (lines[7] ?? "").trim() } : undefined;
}

/**
 * Ends whatever processes of a server still use this data directory and clears its pid file, so that a process that got
 * the same number later can't keep a new server from starting. Call only with the lock of the directory. Returns the
 * processes that were there.
 */
export async function endOrphans(dataDirectory: string): Promise<number[]> {
  const orphans = await processesIn(dataDirectory);
  const postmaster = (await readPostmasterFile(dataDirectory))?.pid;
  if (postmaster !== undefined && orphans.includes(postmaster)) await stopPostmaster(postmaster);
  for (const pid of orphans) {
    // Sessions without their postmaster end by themselves, but only when they next look.
    if (!(await endsBy(pid, "SIGQUIT", IMMEDIATE_STOP_TIMEOUT_MS))) throw new StoreError("SERVER_STOP_FAILED", { pid });
  }
  await rm(join(dataDirectory, "postmaster.pid"), { force: true });
  return orphans;
}

/** A server's processes all have the data directory as their working directory. */
async function processesIn(dataDirectory: string): Promise<number[]> {
  const directory = await realpath(dataDirectory).catch(() => undefined);
  if (directory === undefined) return [];
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => undefined);
    if (cwd !== directory) continue;
    const command = await readFile(`/proc/${name}/comm`, "utf8").catch(() => "");
    if (command.trim() === "postgres") found.push(Number(name));
  }
  return found.sort((a, b) => a - b);
}

/** Ends a server: ends its sessions and writes its checkpoint first; without it if that takes too long. */
export async function stopPostmaster(pid: number): Promise<void> {
  if (await endsBy(pid, "SIGINT", FAST_STOP_TIMEOUT_MS)) return;
  if (await endsBy(pid, "SIGQUIT", IMMEDIATE_STOP_TIMEOUT_MS)) return;
  throw new StoreError("SERVER_STOP_FAILED", { pid });
}

async function endsBy(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  if (!signalled(pid, signal)) return true;
  while (Date.now() < deadline) {
    if (!(await isAlive(pid))) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Sends a signal; false when the process is gone. */
export function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** A zombie counts as ended: it waits only for its parent to notice. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return state !== "" && state !== "Z";
}

/** A port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** True when nothing listens on that port of the loopback interface. */
export async function isPortFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
