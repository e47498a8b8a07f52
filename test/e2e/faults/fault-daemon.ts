/** The daemon as its users start it, and what its log tells. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotVisit } from "./fault-street.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const LONGEST_WAIT_MS = 300_000;

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
export class FaultDaemon {
  readonly #configFile: string;
  #child: ChildProcess | undefined;
  #ended = false;
  starts = 0;
  #isReady = false;
  spoolBegun = 0;
  spooledRecords = 0;
  #isSpooling = false;
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

  /** All that went to the spool is in the database. */
  untilDrained(): Promise<void> {
    return until(
      () => !this.#isSpooling,
      () => `the spool is not drained: ${this.lastLines.join("\n")}`,
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
      this.#isSpooling = false;
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
    if (event.event === "spoolBegun") this.#isSpooling = true;
    if (event.event === "spoolDrained") this.#isSpooling = false;
    if (event.event === "spoolDrained") this.spooledRecords += event.records ?? 0;
  }

  #takePolled({ time, meter = "", profiles = [], durationMs = 0 }: LogLine): void {
    this.polls += 1;
    if (profiles.includes("instant")) this.snapshots.push({ meter, startedMs: time - durationMs, endedMs: time });
  }
}

export async function until(condition: () => boolean, what: () => string): Promise<void> {
  const endMs = Date.now() + LONGEST_WAIT_MS;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(what());
    await sleep(10);
  }
}
