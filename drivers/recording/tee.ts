import type { ByteChannel, ChannelSink } from "../channel.ts";
import {
  type BlankedRange,
  formatEntry,
  formatHeader,
  type RecordingEntry,
  type RecordingHeader,
} from "./recording.ts";

export interface TeeOptions {
  readonly header: RecordingHeader;
  /** Takes one line without its newline; what it throws is dropped: a session doesn't end because a disk is full. */
  readonly writeLine: (line: string) => void;
  /** Passwords and keys whose octets are blanked wherever they stand in clear. */
  readonly secrets?: readonly Uint8Array[];
  /** Milliseconds on a clock that never jumps. */
  readonly clock?: () => number;
}

const FLAG = 0x7e;
const BLANK = 0x2a;
/** A shorter one would blank half of what a meter says. */
const SHORTEST_RECEIVED_SECRET = 4;

/** A channel that behaves as `channel` does and writes down what passes. */
export class RecordingTee implements ByteChannel {
  readonly name: string;
  readonly #channel: ByteChannel;
  readonly #options: TeeOptions;
  readonly #clock: () => number;
  readonly #startMs: number;
  #closing = false;

  constructor(channel: ByteChannel, options: TeeOptions) {
    this.name = channel.name;
    this.#channel = channel;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#startMs = this.#clock();
    this.#writeLine(formatHeader(options.header));
  }

  start(sink: ChannelSink): void {
    this.#channel.start({
      bytes: (bytes) => {
        this.#record("rx", bytes);
        sink.bytes(bytes);
      },
      closed: (cause) => {
        this.#write({ tMs: this.#elapsedMs(), dir: "end", by: this.#closing ? "local" : "peer" });
        sink.closed(cause);
      },
    });
  }

  write(bytes: Uint8Array): void {
    this.#record("tx", bytes);
    this.#channel.write(bytes);
  }

  close(): void {
    this.#closing = true;
    this.#channel.close();
  }

  #record(dir: "tx" | "rx", bytes: Uint8Array): void {
    const secrets = (this.#options.secrets ?? []).filter(
      (secret) => secret.length >= (dir === "rx" ? SHORTEST_RECEIVED_SECRET : 1),
    );
    const blanked = blankedRanges(bytes, secrets);
    const octets = blanked.length === 0 ? bytes : Uint8Array.from(bytes);
    for (const [start, length] of blanked) octets.fill(BLANK, start, start + length);
    this.#write({ tMs: this.#elapsedMs(), dir, octets, blanked });
  }

  #write(entry: RecordingEntry): void {
    this.#writeLine(formatEntry(entry));
  }

  #writeLine(line: string): void {
    try {
      this.#options.writeLine(line);
    } catch {
      // Recording is a witness, not a party.
    }
  }

  #elapsedMs(): number {
    return this.#clock() - this.#startMs;
  }
}

/** Where the secrets stand; in an HDLC frame also the check sequence, because it follows from what was blanked. */
function blankedRanges(bytes: Uint8Array, secrets: readonly Uint8Array[]): BlankedRange[] {
  const ranges: BlankedRange[] = [];
  for (const secret of secrets) {
    let at = indexOf(bytes, secret, 0);
    while (at >= 0) {
      ranges.push([at, secret.length]);
      at = indexOf(bytes, secret, at + secret.length);
    }
  }
  if (ranges.length > 0 && bytes[0] === FLAG && bytes.at(-1) === FLAG) ranges.push([bytes.length - 3, 2]);
  return ranges;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let start = from; start + wanted.length <= bytes.length; start++) {
    if (wanted.every((octet, index) => bytes[start + index] === octet)) return start;
  }
  return -1;
}
