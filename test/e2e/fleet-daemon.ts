/** Daemons as their users start them, several on one database, over one simulated street whose lines are watched. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer, connect as netConnect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { vi } from "vitest";
import { stringify } from "yaml";
import type { z } from "zod";
import type { configSchema } from "../../src/config/schema.ts";

const ROOT = join(import.meta.dirname, "..", "..");
export const WAIT = { timeout: 60_000, interval: 50 };

export type ConfigInput = z.input<typeof configSchema>;

/** A line of a daemon's log. */
export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export class FleetDaemon implements AsyncDisposable {
  readonly name: string;
  readonly socket: string;
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  #stderr = "";

  /** Writes the configuration into a directory of the daemon's own and starts it. */
  static async start(
    name: string,
    options: {
      readonly directory: string;
      readonly config: ConfigInput;
      readonly args?: readonly string[];
      /** The tree of another version. */
      readonly root?: string;
    },
  ): Promise<FleetDaemon> {
    const state = join(options.directory, name);
    await mkdir(state, { recursive: true });
    await chmod(state, 0o711);
    const socket = join(state, "control.sock");
    const file = join(state, "gateway.yaml");
    const config = { ...options.config, stateDirectory: state, socket, log: { level: "debug" } };
    await writeFile(file, stringify({ ...config, sharing: { name, ...config.sharing } }));
    const command = [join(options.root ?? ROOT, "src/cli/main.ts"), "run", "--config", file];
    return new FleetDaemon(name, socket, [...command, ...(options.args ?? [])]);
  }

  private constructor(name: string, socket: string, args: readonly string[]) {
    this.name = name;
    this.socket = socket;
    this.#child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stderr?.on("data", (text) => {
      this.#stderr += String(text);
    });
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        if (line.startsWith("{")) this.lines.push(JSON.parse(line) as LogLine);
      });
    }
  }

  /** What it has written for people. */
  get errors(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  told(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** How many blocks it holds, as it told last. */
  get heldBlocks(): number {
    const last = this.lines.findLast((line) => /^blocks(Held|Given|Lost)$/.test(line.event ?? ""));
    return last?.event === "blocksLost" ? 0 : Number(last?.["held"] ?? 0);
  }

  untilTold(event: string, count = 1): Promise<void> {
    return vi.waitFor(() => {
      if (this.told(event).length >= count) return;
      throw new Error(
        `${this.name} has not told ${event}: ${this.#stderr}${this.lines
          .slice(-5)
          .map((line) => JSON.stringify(line))
          .join("\n")}`,
      );
    }, WAIT);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code; null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise((resolve) => this.#child.once("exit", resolve));
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    await this.ended();
  }
}

/** Counts the connections that each meter has at a time, and notes those that overlap. */
export class LineWatch {
  readonly overlaps: string[] = [];
  readonly #open = new Map<string, number>();
  /** How often each meter was called. */
  readonly calls = new Map<string, number>();
  /** When meters were called, on a clock that never jumps. */
  readonly callsMs: number[] = [];
  /** Most of these that were called at the same time. */
  most = 0;
  readonly #isCounted: (meter: string) => boolean;

  /** `most` counts meters that this says. */
  constructor(isCounted: (meter: string) => boolean = () => true) {
    this.#isCounted = isCounted;
  }

  readonly note = (meter: string, isOpen: boolean): void => {
    const now = (this.#open.get(meter) ?? 0) + (isOpen ? 1 : -1);
    this.#open.set(meter, now);
    if (isOpen) {
      this.calls.set(meter, (this.calls.get(meter) ?? 0) + 1);
      this.callsMs.push(performance.now());
    }
    const counted = this.#open.entries().filter(([name]) => this.#isCounted(name));
    this.most = Math.max(
      this.most,
      counted.reduce((sum, [, open]) => sum + open, 0),
    );
    if (now > 1) this.overlaps.push(meter);
  };

  get openCount(): number {
    return this.#open.values().reduce((sum, count) => sum + count, 0);
  }

  get callCount(): number {
    return this.calls.values().reduce((sum, count) => sum + count, 0);
  }
}

/** The way to a database, which can be cut. */
export class CuttableWay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;
  #isCut = false;

  static async open(target: { readonly host: string; readonly port: number }): Promise<CuttableWay> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address !== "object") throw new Error("no port");
    return new CuttableWay(server, target, address.port);
  }

  private constructor(server: Server, target: { readonly host: string; readonly port: number }, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = netConnect(target);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** What is open stays open, but nothing goes through it any more, and neither end is told. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
