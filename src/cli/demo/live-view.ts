import type { WriteStream } from "node:tty";

const CURSOR_UP = (lines: number) => `\u001B[${lines}A`;
const CLEAR_BELOW = "\u001B[0J";

/** A block of lines at the end of the terminal that is painted again in place; elsewhere only its last form is written. */
export class LiveView {
  readonly #stream: NodeJS.WriteStream | WriteStream;
  readonly #isTerminal: boolean;
  #painted = 0;
  #latest: readonly string[] = [];

  constructor(stream: NodeJS.WriteStream | WriteStream) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY;
  }

  get width(): number | undefined {
    return this.#isTerminal ? this.#stream.columns : undefined;
  }

  /** Shows these lines in place of the ones before. */
  update(lines: readonly string[]): void {
    this.#latest = lines;
    if (!this.#isTerminal) return;
    const rows = Math.max(1, this.#stream.rows - 1);
    const shown = lines.slice(0, rows);
    this.#stream.write(`${this.#clear()}${shown.join("\n")}\n`);
    this.#painted = shown.length;
  }

  /** Writes lines that stay, above what is painted. */
  print(lines: readonly string[]): void {
    this.#stream.write(`${this.#clear()}${lines.join("\n")}\n`);
    this.#painted = 0;
    if (this.#isTerminal && this.#latest.length > 0) this.update(this.#latest);
  }

  /** Leaves the latest lines on the screen for good. */
  end(): void {
    if (!this.#isTerminal && this.#latest.length > 0) this.#stream.write(`${this.#latest.join("\n")}\n`);
    this.#painted = 0;
    this.#latest = [];
  }

  #clear(): string {
    return this.#painted > 0 ? CURSOR_UP(this.#painted) + CLEAR_BELOW : "";
  }
}
