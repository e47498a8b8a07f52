/**
 * A serial port as a channel: eight bits, no flow control, locked against other programs. Octets and changes
 * of speed keep their order. The port is always read, because only a port that is read notices that it was unplugged.
 */
import { access, constants } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SerialPortStream } from "@serialport/stream";
import { SerialPort } from "serialport";
import type { ByteChannel, ChannelSink } from "../channel.ts";
import { ChannelError, type ChannelErrorCode, channelErrorOf, systemCodeOf } from "../channel-error.ts";

export interface SerialChannelOptions {
  /** `/dev/serial/by-id/…` stays the same device after it was unplugged. */
  readonly path: string;
  readonly baud: number;
  /** None when left out. */
  readonly parity?: "none" | "even";
  /** Octets that may wait for the line before a further write ends the channel with CHANNEL_WRITE_OVERFLOW. */
  readonly writeQueueLimit?: number;
}

type Port = SerialPortStream<typeof SerialPort.binding>;

const WRITE_QUEUE_LIMIT = 64 * 1024;
/** Octets kept for a sink that has not come yet. */
const HELD_LIMIT = 4096;
/** How long a closed channel may take to send what is queued. */
const LINGER_MS = 5000;
const OPEN_CODES: Readonly<Record<string, ChannelErrorCode>> = {
  ENOENT: "CHANNEL_PORT_MISSING",
  ENXIO: "CHANNEL_PORT_MISSING",
  ENODEV: "CHANNEL_PORT_MISSING",
  EACCES: "CHANNEL_PORT_FORBIDDEN",
  EPERM: "CHANNEL_PORT_FORBIDDEN",
};
/** Start bit, eight bits, stop bit; not one more, for a meter may answer 20 ms later, at the new speed. */
const BITS_PER_OCTET = 10;
/** A read that is under way while the port goes away is repeated for ever by the binding: it takes the end for nothing. */
const PLUGGED_MS = 1000;
/** The binding gives no codes for these. */
const HUNG_UP = /input\/output error/i;
const LOCKED = /cannot lock port/i;

export class SerialChannel implements ByteChannel {
  readonly name: string;
  readonly #port: Port;
  readonly #path: string;
  readonly #writeQueueLimit: number;
  readonly #plugged: NodeJS.Timeout;
  readonly #bitsPerOctet: number;
  #baud: number;
  #sink: ChannelSink | undefined;
  #held: Uint8Array[] = [];
  #orders: Promise<unknown> = Promise.resolve();
  #queuedOctets = 0;
  /** When the line has had the time that everything written to the port takes. */
  #sentAtMs = 0;
  readonly #over = new AbortController();
  #cause: ChannelError | undefined;
  #closing = false;
  #ended = false;

  private constructor(port: Port, { path, baud, parity, writeQueueLimit }: SerialChannelOptions) {
    this.name = `serial ${path}`;
    this.#port = port;
    this.#path = path;
    this.#baud = baud;
    this.#bitsPerOctet = BITS_PER_OCTET + (parity === "even" ? 1 : 0);
    this.#writeQueueLimit = writeQueueLimit ?? WRITE_QUEUE_LIMIT;
    port.on("data", (octets: Buffer) => this.#hear(new Uint8Array(octets.buffer, octets.byteOffset, octets.length)));
    port.on("error", (error) => this.#fail(portError(error, path)));
    port.once("end", () => this.#fail(new ChannelError("CHANNEL_UNPLUGGED", { path })));
    port.once("close", (error: Error | null | undefined) => this.#end(error ?? undefined));
    this.#plugged = setInterval(() => this.#lookWhetherPlugged(), PLUGGED_MS).unref();
  }

  /** Rejects with a ChannelError that tells a missing, a locked and a forbidden port apart. */
  static async open(options: SerialChannelOptions): Promise<SerialChannel> {
    const { path, baud, parity = "none" } = options;
    try {
      await access(path, constants.R_OK | constants.W_OK);
      const port = new SerialPortStream({ binding: SerialPort.binding, path, baudRate: baud, parity, autoOpen: false });
      await settled((done) => port.open(done));
      const channel = new SerialChannel(port, options);
      // Optical heads draw their power from these lines; a pseudo-terminal has none, and that is no fault.
      await settled((done) => port.set({ dtr: true, rts: true }, done)).catch(() => undefined);
      return channel;
    } catch (error) {
      throw openError(error, path);
    }
  }

  /** The speed that holds when everything ordered so far is done. */
  get baud(): number {
    return this.#baud;
  }

  get open(): boolean {
    return !this.#closing && !this.#ended;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    for (const octets of held) sink.bytes(octets);
    if (this.#ended) queueMicrotask(() => sink.closed(this.#cause));
  }

  write(bytes: Uint8Array): void {
    if (!this.open) return;
    const queued = this.#queuedOctets;
    if (queued > this.#writeQueueLimit) {
      this.#fail(new ChannelError("CHANNEL_WRITE_OVERFLOW", { path: this.#path, queued }));
      return;
    }
    this.#queuedOctets += bytes.length;
    this.#order(async () => {
      const sendingMs = (bytes.length * this.#bitsPerOctet * 1000) / this.#port.baudRate;
      this.#sentAtMs = Math.max(this.#sentAtMs, performance.now()) + sendingMs;
      await settled((done) => this.#port.write(bytes, done));
      this.#queuedOctets -= bytes.length;
    });
  }

  /** Changes the speed when everything written so far is out on the wire. */
  setBaud(baud: number): void {
    if (!this.open || baud === this.#baud) return;
    this.#baud = baud;
    this.#order(async () => {
      await this.#sent();
      await settled((done) => this.#port.update({ baudRate: baud }, done));
    });
  }

  /** Resolves when everything written so far is out on the wire, or when the channel has ended. */
  async drain(): Promise<void> {
    if (this.#ended) return;
    this.#order(() => this.#sent());
    await this.#orders;
  }

  close(): void {
    if (!this.open) return;
    this.#closing = true;
    const timer = setTimeout(() => this.#shut(), LINGER_MS);
    this.#order(() => settled((done) => this.#port.drain(done)));
    void this.#orders.then(() => {
      clearTimeout(timer);
      this.#shut();
    });
  }

  /** The system's drain ends where the driver's octets end; what an adapter still holds has to go out, too. */
  async #sent(): Promise<void> {
    await settled((done) => this.#port.drain(done));
    const leftMs = this.#sentAtMs - performance.now();
    if (leftMs > 0) await sleep(leftMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }

  /** Orders go one after the other; one that fails ends the channel. */
  #order(order: () => Promise<void>): void {
    this.#orders = this.#orders.then(async () => {
      if (this.#ended) return;
      try {
        await order();
      } catch (error) {
        this.#fail(portError(error, this.#path));
      }
    });
  }

  #hear(octets: Uint8Array): void {
    if (this.#closing) return;
    if (this.#sink !== undefined) this.#sink.bytes(octets);
    else if (this.#held.reduce((sum, each) => sum + each.length, 0) < HELD_LIMIT) this.#held.push(octets);
  }

  #lookWhetherPlugged(): void {
    if (!this.#port.isOpen) return;
    this.#port.get((error) => {
      if (isHungUp(error)) this.#fail(unplugged(error, this.#path));
    });
  }

  #fail(cause: ChannelError): void {
    this.#cause ??= cause;
    this.#shut();
  }

  #shut(): void {
    // A port that is just going away reports its end by itself.
    if (this.#port.isOpen) this.#port.close(() => undefined);
    else if (!this.#port.closing) this.#end(undefined);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over.abort();
    clearInterval(this.#plugged);
    if (error !== undefined) this.#cause ??= unplugged(error, this.#path);
    const cause = this.#closing ? undefined : this.#cause;
    this.#closing = true;
    this.#sink?.closed(cause);
  }
}

function isHungUp(error: unknown): error is Error {
  return error instanceof Error && HUNG_UP.test(error.message);
}

/** What went wrong with a port that was open. */
function portError(error: unknown, path: string): ChannelError {
  return isHungUp(error) ? unplugged(error, path) : channelErrorOf(error, { path });
}

function unplugged(error: Error, path: string): ChannelError {
  return new ChannelError("CHANNEL_UNPLUGGED", { path }, { cause: error });
}

function openError(error: unknown, path: string): ChannelError {
  const isLocked = error instanceof Error && LOCKED.test(error.message);
  const code = isLocked ? "CHANNEL_PORT_LOCKED" : OPEN_CODES[systemCodeOf(error)];
  return code === undefined ? channelErrorOf(error, { path }) : new ChannelError(code, { path }, { cause: error });
}

/** A function with a callback as a promise. */
function settled(run: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });
}
