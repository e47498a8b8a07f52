/** How far a command is, on the terminal's last line: after its first second, and nowhere else than on a terminal. */

import type { Output } from "./output.ts";
import { progressBar } from "./progress-bar.ts";

const PATIENCE_MS = 1000;
const REPAINT_MS = 200;

export class Progress implements Disposable {
  readonly #output: Pick<Output, "status">;
  readonly #total: number;
  readonly #noun: string;
  readonly #startedMs = performance.now();
  #paintedMs: number | undefined;

  /** Of a total of 0 only the rate is shown. */
  constructor(output: Pick<Output, "status">, total: number, noun: string) {
    this.#output = output;
    this.#total = total;
    this.#noun = noun;
  }

  /** So much is done. */
  at(done: number): void {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#startedMs;
    if (elapsedMs < PATIENCE_MS || nowMs - (this.#paintedMs ?? 0) < REPAINT_MS) return;
    this.#paintedMs = nowMs;
    const rate = ((done / elapsedMs) * 1000).toFixed(1);
    const line =
      this.#total === 0
        ? `${done} ${this.#noun}  ${rate}/s`
        : progressBar({ done, total: this.#total, elapsedMs }, this.#noun);
    this.#output.status?.(line);
  }

  /** What the command has to say comes in the place of the line. */
  wipe(): void {
    if (this.#paintedMs !== undefined) this.#output.status?.("");
  }

  [Symbol.dispose](): void {
    this.wipe();
  }
}
