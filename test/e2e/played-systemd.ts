/** Plays systemd for a daemon: hears what it notifies, and holds sockets for it, which live on when it has ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import koffi from "koffi";
import { vi } from "vitest";
import type { LogLine } from "./fleet-daemon.ts";

const libc = koffi.load("libc.so.6");
const openSocket: (domain: number, type: number, protocol: number) => number = libc.func("int socket(int, int, int)");
const bindTo: (fd: number, address: Uint8Array, length: number) => number = libc.func(
  "int bind(int, const uint8_t *, uint32_t)",
);
const listenOn: (fd: number, backlog: number) => number = libc.func("int listen(int, int)");
const nameOf: (fd: number, address: Uint8Array, length: [number]) => number = libc.func(
  "int getsockname(int, _Out_ uint8_t *, _Inout_ uint32_t *)",
);
const receive: (fd: number, octets: Uint8Array, length: number, flags: number) => number = libc.func(
  "intptr_t recv(int, _Out_ uint8_t *, size_t, int)",
);

const AF_UNIX = 1;
const AF_INET = 2;
const STREAM = 1;
const DATAGRAM = 2;
const CLOEXEC = 0x8_0000;
const DONT_WAIT = 0x40;
const BACKLOG = 4096;
const LONGEST = 4096;
const LOOK_MS = 10;
const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const WAIT = { timeout: 60_000, interval: 20 };

export interface StartOptions {
  readonly watchdogMs?: number;
  readonly args?: readonly string[];
  /** The command line, where it is not the one of these sources. */
  readonly program?: readonly string[];
}

export class PlayedSystemd implements AsyncDisposable {
  readonly #directory: string;
  readonly #notifySocket: number;
  readonly #timer: NodeJS.Timeout;
  readonly #held: number[] = [];
  #child: ChildProcess | undefined;
  /** Lines that were notified since the last start. */
  notified: string[] = [];
  lines: LogLine[] = [];

  static async open(): Promise<PlayedSystemd> {
    return new PlayedSystemd(await mkdtemp(join(tmpdir(), "dlms-gateway-systemd-")));
  }

  private constructor(directory: string) {
    this.#directory = directory;
    this.#notifySocket = openSocket(AF_UNIX, DATAGRAM | CLOEXEC, 0);
    const path = new TextEncoder().encode(this.#path);
    bindTo(this.#notifySocket, Uint8Array.of(AF_UNIX, 0, ...path, 0), path.length + 3);
    this.#timer = setInterval(() => this.#hear(), LOOK_MS);
  }

  get #path(): string {
    return join(this.#directory, "notify");
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** A socket on a free port of the loopback, as a socket unit holds it. */
  hold(transport: "tcp" | "udp"): number {
    const fd = openSocket(AF_INET, (transport === "tcp" ? STREAM : DATAGRAM) | CLOEXEC, 0);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
    if (bindTo(fd, address, address.length) !== 0) throw new Error("no port is to be had");
    if (transport === "tcp") listenOn(fd, BACKLOG);
    nameOf(fd, address, [address.length]);
    this.#held.push(fd);
    return new DataView(address.buffer).getUint16(2);
  }

  /** Starts the daemon as a service with the sockets that are held. */
  start(configFile: string, options: StartOptions = {}): void {
    this.notified = [];
    this.lines = [];
    const { watchdogMs, args = [], program = [process.execPath, CLI] } = options;
    const env: NodeJS.ProcessEnv = { ...process.env, NOTIFY_SOCKET: this.#path, LISTEN_FDS: `${this.#held.length}` };
    if (watchdogMs !== undefined) env["WATCHDOG_USEC"] = `${1000 * watchdogMs}`;
    // The process has to know that it is the one that is meant.
    const command = ["-c", 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$0" "$@"', ...program, "run"];
    const child = spawn("/bin/sh", [...command, "--config", configFile, ...args], {
      env,
      stdio: ["ignore", "pipe", "inherit", ...this.#held],
    });
    this.#child = child;
    const output = child.stdout;
    if (output === null) throw new Error("the daemon has no output");
    createInterface({ input: output }).on("line", (line) => this.lines.push(JSON.parse(line) as LogLine));
  }

  /** Waits until a line was notified that `matches`. */
  async until(matches: RegExp): Promise<string> {
    return await vi.waitFor(() => {
      const found = this.notified.findLast((line) => matches.test(line));
      if (found === undefined) throw new Error(`not notified: ${matches}; but ${this.notified.slice(-5).join(" | ")}`);
      return found;
    }, WAIT);
  }

  told(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with the exit code, or the name of the signal that ended it. */
  async ended(): Promise<number | string | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("exit", resolve));
    }
    return child.exitCode ?? child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGCONT");
    this.#child?.kill("SIGTERM");
    await this.ended();
    clearInterval(this.#timer);
    for (const fd of [this.#notifySocket, ...this.#held]) closeSync(fd);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #hear(): void {
    const octets = new Uint8Array(LONGEST);
    for (;;) {
      const length = receive(this.#notifySocket, octets, LONGEST, DONT_WAIT);
      if (length <= 0) return;
      this.notified.push(...new TextDecoder().decode(octets.subarray(0, length)).split("\n"));
    }
  }
}
