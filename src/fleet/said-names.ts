/** What meters call themselves in pushes, on its way into the database. Nobody waits for it. */
import { KeptLater } from "../store/intake/kept-later.ts";
import type { Fleet, NamedMeter } from "./fleet.ts";

const MOST_KEPT = 10_000;

export class SaidNames {
  /** Each once, however often it is said until it is written. */
  readonly #waiting = new Set<string>();
  readonly #kept: KeptLater<NamedMeter>;

  constructor(fleet: Pick<Fleet, "learnNames">) {
    this.#kept = new KeptLater({
      write: async (named) => {
        await fleet.learnNames(named);
        for (const { name } of named) this.#waiting.delete(name);
      },
      mostKept: MOST_KEPT,
      // What could not be kept is said again with the next push.
      onLost: (_, { name }) => this.#waiting.delete(name),
    });
  }

  get isFull(): boolean {
    return this.#kept.isFull;
  }

  add(named: NamedMeter): void {
    if (this.#waiting.has(named.name)) return;
    this.#waiting.add(named.name);
    this.#kept.add(named);
  }

  /** Writes what is kept, as far as that can be done in time. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#kept.stop(timeoutMs);
  }
}
