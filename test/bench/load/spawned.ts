/** A process that stands for meters, so that its work is not counted as ours. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export class Spawned<Told> implements AsyncDisposable {
  readonly told: Told;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, told: Told) {
    this.#child = child;
    this.told = told;
  }

  /** Starts a file of this folder, sends it the order, and waits for what it says first. */
  static async start<Told>(file: string, order: object): Promise<Spawned<Told>> {
    const child = fork(join(import.meta.dirname, file), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.send(order);
    const exit = once(child, "exit").then(([code]) => {
      throw new Error(`${file} ended with code ${String(code)} before it was ready`);
    });
    const [told] = (await Promise.race([once(child, "message"), exit])) as [Told];
    exit.catch(() => undefined);
    return new Spawned(child, told);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}
