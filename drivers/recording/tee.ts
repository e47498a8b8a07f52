import type { ByteChannel, ChannelSink } from "../channel.ts";
import { formatEntry, formatHeader, type RecordingEntry, type RecordingHeader } from "./recording.ts";
import { SecretTrace } from "./secret-trace.ts";

export interface TeeOptions {
  readonly header: RecordingHeader;
  /** Takes one line without its newline; what it throws is dropped: a session doesn't end because a disk is full. */
  readonly writeLine?: (line: string) => void;
  /** Takes what is written, secrets blanked, piece by piece; what it throws is dropped too. */
  readonly onEntry?: (entry: RecordingEntry) => void;
  /** Passwords and keys whose octets are blanked wherever they stand in clear, also in parts. */
  readonly secrets?: readonly Uint8Array[];
  /** Milliseconds on a clock that never jumps. */
  readonly clock?: () => number;
}

interface HeldEntry {
  readonly tMs: number;
  readonly dir: "tx" | "rx";
  readonly octets: Uint8Array;
  /** Octets of this direction before it. */
  readonly start: number;
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
  readonly #traces: { readonly tx: SecretTrace; readonly rx: SecretTrace };
  /** Pieces that wait until it is known whether they hold a part of a secret. */
  readonly #held: HeldEntry[] = [];
  #closing = false;

  constructor(channel: ByteChannel, options: TeeOptions) {
    this.name = channel.name;
    this.#channel = channel;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#startMs = this.#clock();
    const secrets = options.secrets ?? [];
    const received = secrets.filter(({ length }) => length >= SHORTEST_RECEIVED_SECRET);
    this.#traces = { tx: new SecretTrace(secrets), rx: new SecretTrace(received) };
    this.#writeLine(formatHeader(options.header));
  }

  start(sink: ChannelSink): void {
    this.#channel.start({
      bytes: (bytes) => {
        this.#record("rx", bytes);
        sink.bytes(bytes);
      },
      closed: (cause) => {
        this.#writeAll();
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

  #record(dir: "tx" | "rx", octets: Uint8Array): void {
    const trace = this.#traces[dir];
    const start = trace.length;
    // The owner of the octets may use them again before they are written.
    const kept = Uint8Array.from(octets);
    trace.push(kept);
    this.#held.push({ tMs: this.#elapsedMs(), dir, octets: kept, start });
    this.#writeSettled();
  }

  /** Writes in order what can hold no part of a secret that is yet to be completed. */
  #writeSettled(): void {
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) {
      const { dir, octets, start } = first;
      if (this.#traces[dir].settledTo < start + octets.length) return;
      this.#held.shift();
      this.#writeHeld(first);
    }
  }

  #writeHeld({ tMs, dir, octets, start }: HeldEntry): void {
    const found = this.#traces[dir].within(start, start + octets.length);
    const framed = found.length > 0 && octets[0] === FLAG && octets.at(-1) === FLAG;
    const blanked = framed ? [...found, [octets.length - 3, 2] as const] : found;
    for (const [from, length] of blanked) octets.fill(BLANK, from, from + length);
    this.#write({ tMs, dir, octets, blanked });
  }

  #writeAll(): void {
    for (const trace of Object.values(this.#traces)) trace.finish();
    for (const entry of this.#held.splice(0)) this.#writeHeld(entry);
  }

  #write(entry: RecordingEntry): void {
    if (this.#options.writeLine !== undefined) this.#writeLine(formatEntry(entry));
    try {
      this.#options.onEntry?.(entry);
    } catch {
      // Whoever looks on is no party either.
    }
  }

  #writeLine(line: string): void {
    try {
      this.#options.writeLine?.(line);
    } catch {
      // Recording is a witness, not a party.
    }
  }

  #elapsedMs(): number {
    return this.#clock() - this.#startMs;
  }
}
