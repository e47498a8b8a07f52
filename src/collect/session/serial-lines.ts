import { SerialBus } from "../../../drivers/serial/bus.ts";

/** For how long an answer of one meter speaks for the line that it came over. */
const ANSWER_COUNTS_MS = 3_600_000;

/** One serial line and what is known of it. */
export class SerialLine {
  readonly bus: SerialBus;
  /** When each meter answered last, on a clock that never jumps. */
  readonly #answeredMs = new Map<string, number>();

  constructor(path: string) {
    this.bus = new SerialBus({ path });
  }

  noteAnswer(meter: string): void {
    this.#answeredMs.set(meter, performance.now());
  }

  /** Whether others have answered of late, and this meter never: then it is not the line that is to blame. */
  onlyOthersAnswer(meter: string): boolean {
    const sinceMs = performance.now() - ANSWER_COUNTS_MS;
    return !this.#answeredMs.has(meter) && this.#answeredMs.values().some((atMs) => atMs >= sinceMs);
  }
}

/** The serial lines of this process: each is one, however many meters are on it. */
export class SerialLines implements AsyncDisposable {
  readonly #lines = new Map<string, SerialLine>();

  line(path: string): SerialLine {
    const line = this.#lines.get(path) ?? new SerialLine(path);
    this.#lines.set(path, line);
    return line;
  }

  /** Cuts whoever talks and gives all ports back. */
  async close(): Promise<void> {
    await Promise.all(this.#lines.values().map((line) => line.bus.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
