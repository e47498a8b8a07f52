/** Folds the journal of the ledger now and then: slots of one meter and day that came meanwhile are folded together. */
import { foldCoverage } from "./coverage.ts";
import type { Database } from "./database.ts";

const PERIOD_MS = 1_800_000;

export class CoverageFolding {
  readonly #timer: NodeJS.Timeout;
  #folding: Promise<unknown> = Promise.resolve();

  /** `onFailure` hears why folding failed; it is tried again in the next period, and the ledger is whole without it. */
  constructor(database: Database, onFailure: (error: unknown) => void, periodMs = PERIOD_MS) {
    this.#timer = setInterval(() => {
      this.#folding = this.#folding.then(() => foldCoverage(database)).catch(onFailure);
    }, periodMs);
  }

  /** Ends when a running fold has. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#folding;
  }
}
