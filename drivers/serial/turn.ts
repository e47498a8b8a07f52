import type { ByteChannel, ChannelSink } from "../channel.ts";
import type { SerialChannel } from "./channel.ts";

const LINGER_MS = 5000;

/** The line of a serial bus for as long as one meter is talked to. Closing it leaves the port open for the next. */
export class SerialTurn implements ByteChannel {
  readonly name: string;
  readonly #channel: SerialChannel;
  readonly #pass: () => void;
  #sink: ChannelSink | undefined;
  #ended = false;
  #cause: Error | undefined;
  #told = false;

  /** `pass` is called once, when the line is free again. */
  constructor(channel: SerialChannel, pass: () => void) {
    this.name = channel.name;
    this.#channel = channel;
    this.#pass = pass;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    if (this.#told) queueMicrotask(() => sink.closed(this.#cause));
  }

  write(bytes: Uint8Array): void {
    if (!this.#ended) this.#channel.write(bytes);
  }

  /** Changes the speed when everything written so far is out on the wire. */
  setBaud(baud: number): void {
    if (!this.#ended) this.#channel.setBaud(baud);
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    // A line that takes no octets any more must not hold up those that wait.
    const timer = setTimeout(() => this.#channel.close(), LINGER_MS);
    void this.#channel.drain().then(() => {
      clearTimeout(timer);
      this.#tell();
    });
  }

  /** Octets of the line; before somebody listens they are another meter's. */
  hear(bytes: Uint8Array): void {
    if (!this.#ended) this.#sink?.bytes(bytes);
  }

  /** The port is gone. */
  lose(cause: Error | undefined): void {
    if (this.#told) return;
    if (!this.#ended) this.#cause = cause;
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#sink?.closed(this.#cause);
    this.#pass();
  }
}
