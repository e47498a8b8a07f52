import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";

/** Octets of lines that may wait for the disk; further lines are dropped and counted. */
const QUEUE_LIMIT = 16 * 1024 * 1024;

/** A file of JSON lines that only its owner may read. A disk that fails loses lines, never a session. */
export class RecordingFile implements AsyncDisposable {
  readonly #stream: WriteStream;
  #error: Error | undefined;
  #droppedLines = 0;

  /** The file must not exist yet. */
  constructor(path: string) {
    this.#stream = createWriteStream(path, { flags: "wx", mode: 0o600 });
    this.#stream.on("error", (error) => {
      this.#error = error;
    });
  }

  /** What the disk said, if it failed. */
  get error(): Error | undefined {
    return this.#error;
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  readonly writeLine = (line: string): void => {
    if (this.#error !== undefined || this.#stream.writableLength > QUEUE_LIMIT) this.#droppedLines++;
    else this.#stream.write(`${line}\n`);
  };

  /** Resolves when everything is in the file, or the disk has failed: see `error`. */
  async close(): Promise<void> {
    this.#stream.end();
    try {
      await finished(this.#stream);
    } catch (error) {
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
