import type { ByteChannel, ChannelSink } from "../../../drivers/channel.ts";

const SILENCE_MS = 2000;

/** A client over datagrams. It says nothing when it has gone: silence ends it. */
export class DatagramClient implements ByteChannel {
  readonly name = "datagrams";
  readonly #send: (octets: Uint8Array) => void;
  readonly #early: Uint8Array[] = [];
  #sink: ChannelSink | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(send: (octets: Uint8Array) => void) {
    this.#send = send;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    for (const octets of this.#early) sink.bytes(octets);
  }

  take(octets: Uint8Array): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.close(), SILENCE_MS);
    if (this.#sink === undefined) this.#early.push(octets);
    else this.#sink.bytes(octets);
  }

  write(octets: Uint8Array): void {
    this.#send(octets);
  }

  close(): void {
    this.#sink?.closed();
  }
}
