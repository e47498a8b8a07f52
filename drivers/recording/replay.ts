import { toHex } from "../../protocol/bytes/hex.ts";
import type { ByteChannel, ChannelSink } from "../channel.ts";
import { ChannelError } from "../channel-error.ts";
import type { Recording, RecordingEntry } from "./recording.ts";

/**
 * A recording that plays the peer: it waits for the octets that were sent then and answers with those that came then,
 * at once. Pieces may be cut differently; other octets end the channel with RECORDING_DEVIATION, which names the line
 * and the first octet that differs. Blanked octets fit anything.
 */
export class ReplayChannel implements ByteChannel {
  readonly name: string;
  readonly #entries: readonly RecordingEntry[];
  #sink: ChannelSink | undefined;
  #index = 0;
  /** Octets of the present tx entry that have been matched. */
  #matched = 0;
  #ended = false;

  constructor(recording: Recording) {
    this.name = `replay ${recording.header.peer}`;
    this.#entries = recording.entries;
  }

  /** Whether everything recorded has passed. */
  get complete(): boolean {
    return this.#entries.slice(this.#index).every((entry) => entry.dir === "end");
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
    queueMicrotask(() => this.#answer());
  }

  write(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length && !this.#ended; index++) this.#match(bytes, index);
    if (!this.#ended) queueMicrotask(() => this.#answer());
  }

  close(): void {
    this.#end();
  }

  #match(bytes: Uint8Array, index: number): void {
    while (this.#present()?.dir === "rx") this.#step();
    const entry = this.#present();
    if (entry?.dir !== "tx") {
      this.#deviate(bytes, index, "");
      return;
    }
    const offset = this.#matched;
    const blanked = entry.blanked.some(([start, length]) => offset >= start && offset < start + length);
    if (!blanked && entry.octets[offset] !== bytes[index]) {
      this.#deviate(bytes, index, toHex(entry.octets.subarray(offset, offset + 1)));
      return;
    }
    this.#matched++;
    if (this.#matched < entry.octets.length) return;
    this.#matched = 0;
    this.#index++;
  }

  /** Delivers what was received before the next piece was sent. */
  #answer(): void {
    while (!this.#ended && this.#matched === 0) {
      const entry = this.#present();
      if (entry === undefined || entry.dir === "tx") return;
      if (entry.dir === "end") {
        if (entry.by === "peer") this.#end();
        return;
      }
      this.#step();
    }
  }

  #step(): void {
    const entry = this.#present();
    this.#index++;
    if (entry?.dir === "rx") this.#sink?.bytes(Uint8Array.from(entry.octets));
  }

  #present(): RecordingEntry | undefined {
    return this.#entries[this.#index];
  }

  #deviate(bytes: Uint8Array, index: number, recorded: string): void {
    this.#end(
      new ChannelError("RECORDING_DEVIATION", {
        // The header is line 1.
        line: this.#index + 2,
        offset: this.#matched,
        recorded,
        // One octet: what follows may be a password.
        sent: toHex(bytes.subarray(index, index + 1)),
      }),
    );
  }

  #end(cause?: ChannelError): void {
    if (this.#ended) return;
    this.#ended = true;
    queueMicrotask(() => this.#sink?.closed(cause));
  }
}
