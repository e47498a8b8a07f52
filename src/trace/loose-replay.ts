/** A recording that plays the meter for whoever asks: each frame that comes is answered as the one in its place was. */
import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";
import type { Recording, RecordingEntry } from "../../drivers/recording/recording.ts";
import { FrameSplitter } from "./frame-splitter.ts";

export class LooseReplayChannel implements ByteChannel {
  readonly name: string;
  readonly #entries: readonly RecordingEntry[];
  readonly #asked = new FrameSplitter();
  #sink: ChannelSink | undefined;
  #index = 0;

  constructor(recording: Recording) {
    this.name = `replay ${recording.header.peer}`;
    this.#entries = recording.entries;
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    queueMicrotask(() => this.#answer());
  }

  write(bytes: Uint8Array): void {
    for (const _ of this.#asked.push(bytes)) {
      const recorded = new FrameSplitter();
      for (let entry = this.#present(); entry?.dir === "tx"; entry = this.#present()) {
        this.#index++;
        if (recorded.push(entry.octets).length > 0) break;
      }
      queueMicrotask(() => this.#answer());
    }
  }

  close(): void {
    queueMicrotask(() => this.#sink?.closed());
  }

  #answer(): void {
    for (let entry = this.#present(); entry?.dir === "rx"; entry = this.#present()) {
      this.#index++;
      this.#sink?.bytes(Uint8Array.from(entry.octets));
    }
    const entry = this.#present();
    if (entry?.dir === "end" && entry.by === "peer") this.close();
  }

  #present(): RecordingEntry | undefined {
    return this.#entries[this.#index];
  }
}
