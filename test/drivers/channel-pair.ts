import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";

/** Two ends of one channel in memory; what is written at one end is heard at the other a little later. */
export function channelPair(): readonly [PairedChannel, PairedChannel] {
  const a = new PairedChannel("near end");
  const b = new PairedChannel("far end");
  a.connect(b);
  b.connect(a);
  return [a, b];
}

export class PairedChannel implements ByteChannel {
  readonly name: string;
  #other: PairedChannel | undefined;
  #sink: ChannelSink | undefined;
  #held: Uint8Array[] = [];
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  connect(other: PairedChannel): void {
    this.#other = other;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) sink.bytes(bytes);
  }

  write(bytes: Uint8Array): void {
    const sent = Uint8Array.from(bytes);
    if (!this.#closed) setImmediate(() => this.#other?.hear(sent));
  }

  close(): void {
    this.end();
    setImmediate(() => this.#other?.end());
  }

  /** The system reports the end of this end. */
  end(cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.#sink?.closed(cause));
  }

  hear(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#sink === undefined) this.#held.push(bytes);
    else this.#sink.bytes(bytes);
  }
}
