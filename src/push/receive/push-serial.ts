/** A serial port on which a meter pushes: listened to for good, and opened again after it was unplugged. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelSink } from "../../../drivers/channel.ts";
import { SerialChannel, type SerialChannelOptions } from "../../../drivers/serial/channel.ts";
import type { PushChannel } from "./push-connection.ts";

export interface PushSerialOptions {
  readonly port: SerialChannelOptions;
  /** Takes the port as a line of its own; `ended` has to be called when it has ended. */
  readonly accept: (channel: PushChannel, ended: () => void) => void;
  /** The port can't be had now; it is tried again. Told once for each time that it is away. */
  readonly onAway: (error: Error) => void;
}

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;

export class PushSerial {
  readonly #options: PushSerialOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #channel: SerialChannel | undefined;

  constructor(options: PushSerialOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#channel?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { port, accept } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const channel = await this.#open(port);
      if (channel === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#channel = channel;
      accept(new SerialPushChannel(channel), resolve);
      if (signal.aborted) channel.close();
      await promise;
      await sleep(FIRST_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #open(port: SerialChannelOptions): Promise<SerialChannel | undefined> {
    const { signal } = this.#stop;
    for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      try {
        return await SerialChannel.open(port);
      } catch (error) {
        if (retryMs === FIRST_RETRY_MS) this.#options.onAway(error instanceof Error ? error : new Error(String(error)));
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}

/** Nobody can let the sender on a serial line wait, and it is slow enough. */
class SerialPushChannel implements PushChannel {
  readonly name: string;
  readonly #channel: SerialChannel;

  constructor(channel: SerialChannel) {
    this.name = channel.name;
    this.#channel = channel;
  }

  start(sink: ChannelSink): void {
    this.#channel.start(sink);
  }

  write(bytes: Uint8Array): void {
    this.#channel.write(bytes);
  }

  pause(): void {
    // See the class.
  }

  resume(): void {
    // See the class.
  }

  finish(): void {
    this.#channel.close();
  }

  close(): void {
    this.#channel.close();
  }
}
