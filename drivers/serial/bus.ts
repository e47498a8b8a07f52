/**
 * A serial line that several meters share: one of them is talked to at a time, whoever asks first is served first, and
 * the line is quiet for a moment in between. The port is opened when it is needed and again after it was unplugged;
 * nobody has to be restarted for that.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ChannelError } from "../channel-error.ts";
import { SerialChannel, type SerialChannelOptions } from "./channel.ts";
import { SerialTurn } from "./turn.ts";

export interface SerialBusOptions {
  /** `/dev/serial/by-id/…` stays the same device after it was unplugged. */
  readonly path: string;
  /** How long a port that is missing or taken is waited for; its error after that. */
  readonly openTimeoutMs?: number;
  /** Quiet time after which the port is given back to the system, for other programs. */
  readonly idleCloseMs?: number;
}

export interface SerialTurnOptions {
  /** Speed at the begin of the turn. */
  readonly baud: number;
  /** Silence on the line before it begins. */
  readonly turnaroundMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: ChannelError) => void;
}

const TURNAROUND_MS = 20;
const OPEN_TIMEOUT_MS = 3000;
const IDLE_CLOSE_MS = 30_000;
/** A line that never falls quiet is used all the same after this. */
const LONGEST_QUIET_WAIT_MS = 2000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;
/** A port that comes back: its name first, then the right to open it, while udev is still at work. */
const RETRIED: ReadonlySet<string> = new Set([
  "CHANNEL_PORT_MISSING",
  "CHANNEL_PORT_LOCKED",
  "CHANNEL_PORT_FORBIDDEN",
  "CHANNEL_FAILED",
]);

export class SerialBus implements AsyncDisposable {
  readonly path: string;
  readonly #options: Required<SerialBusOptions>;
  readonly #closing = new AbortController();
  readonly #waiting: Waiting[] = [];
  /** Someone has the line, or is about to. */
  #taken = false;
  #turn: SerialTurn | undefined;
  #channel: SerialChannel | undefined;
  #channelEnd: Promise<void> = Promise.resolve();
  #lastOctetMs = Number.NEGATIVE_INFINITY;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: SerialBusOptions) {
    this.path = options.path;
    this.#options = {
      path: options.path,
      openTimeoutMs: options.openTimeoutMs ?? OPEN_TIMEOUT_MS,
      idleCloseMs: options.idleCloseMs ?? IDLE_CLOSE_MS,
    };
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The line for one visit, as a channel; closing it gives the line to the next. Rejects with a ChannelError. */
  async turn(options: SerialTurnOptions): Promise<SerialTurn> {
    const { baud, turnaroundMs = TURNAROUND_MS, signal: given } = options;
    const signal = given === undefined ? this.#closing.signal : AbortSignal.any([given, this.#closing.signal]);
    await this.#place(signal);
    let turn: SerialTurn | undefined;
    try {
      const channel = await this.#openedChannel(baud, signal);
      channel.setBaud(baud);
      turn = new SerialTurn(channel, () => this.#pass());
      // From now on it hears when the port goes away.
      this.#turn = turn;
      await this.#quiet(turnaroundMs);
      signal.throwIfAborted();
      return turn;
    } catch (error) {
      if (turn === undefined) this.#pass();
      else turn.lose(undefined);
      throw signal.aborted ? this.#aborted(signal.reason) : error;
    }
  }

  /** Cuts the present turn, refuses those that wait, gives the port back. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the serial line is closed"));
    clearTimeout(this.#idleTimer);
    this.#turn?.lose(this.#aborted(this.#closing.signal.reason));
    this.#channel?.close();
    await this.#channelEnd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves when the line is ours. */
  async #place(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw this.#aborted(signal.reason);
    clearTimeout(this.#idleTimer);
    if (!this.#taken) {
      this.#taken = true;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const place: Waiting = { resolve, reject };
    this.#waiting.push(place);
    const abort = () => {
      const index = this.#waiting.indexOf(place);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(this.#aborted(signal.reason));
    };
    signal.addEventListener("abort", abort, { once: true });
    await promise.finally(() => signal.removeEventListener("abort", abort));
  }

  #pass(): void {
    this.#turn = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve();
      return;
    }
    this.#taken = false;
    if (this.#closing.signal.aborted) this.#channel?.close();
    else if (this.#channel !== undefined)
      this.#idleTimer = setTimeout(() => this.#channel?.close(), this.#options.idleCloseMs);
  }

  async #openedChannel(baud: number, signal: AbortSignal): Promise<SerialChannel> {
    if (this.#channel?.open === true) return this.#channel;
    // The lock of a port that is being closed would stand in our own way.
    await this.#channelEnd;
    const { path, openTimeoutMs } = this.#options;
    const channel = await openPatiently({ path, baud }, openTimeoutMs, signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#channel = channel;
    this.#channelEnd = promise;
    channel.start({
      bytes: (bytes) => {
        this.#lastOctetMs = performance.now();
        this.#turn?.hear(bytes);
      },
      closed: (cause) => {
        this.#channel = undefined;
        resolve();
        this.#turn?.lose(cause);
      },
    });
    return channel;
  }

  /** What the last talker still says is not for the next one. */
  async #quiet(turnaroundMs: number): Promise<void> {
    const endMs = performance.now() + LONGEST_QUIET_WAIT_MS;
    for (;;) {
      const nowMs = performance.now();
      const restMs = this.#lastOctetMs + turnaroundMs - nowMs;
      if (restMs <= 0 || nowMs >= endMs) return;
      await sleep(Math.ceil(restMs));
    }
  }

  #aborted(reason: unknown): ChannelError {
    return new ChannelError("CHANNEL_ABORTED", { path: this.path }, { cause: reason });
  }
}

/** Opens a port that may be about to come back. */
async function openPatiently(
  options: SerialChannelOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SerialChannel> {
  const endMs = performance.now() + timeoutMs;
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(2 * delayMs, LONGEST_RETRY_MS)) {
    try {
      return await SerialChannel.open(options);
    } catch (error) {
      const retried = error instanceof ChannelError && RETRIED.has(error.code);
      const restMs = endMs - performance.now();
      if (!retried || restMs <= 0) throw error;
      // Several gateways at one port must not try in step.
      await sleep(Math.min(restMs, delayMs * (0.75 + Math.random() / 2)), undefined, { signal });
    }
  }
}
