/** Folds the journal of the ledger now and then: slots of one meter and day that came meanwhile are folded together. */

import type { Database } from "../database/database.ts";
import { notedUpkeep, UPKEEP_TASKS } from "../upkeep/upkeep-runs.ts";
import { foldCoverage } from "./coverage.ts";

const TASK = "ledger of slots";

export class CoverageFolding {
  readonly #timer: NodeJS.Timeout;
  #folding: Promise<unknown> = Promise.resolve();

  /** `onFailure` hears why folding failed; it is tried again in the next period, and the ledger is whole without it. */
  constructor(database: Database, onFailure: (error: unknown) => void, periodMs = UPKEEP_TASKS[TASK].everyMs) {
    this.#timer = setInterval(() => {
      this.#folding = this.#folding
        .then(() => notedUpkeep(database, TASK, () => foldCoverage(database)))
        .catch(onFailure);
    }, periodMs);
  }

  /** Ends when a running fold has. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#folding;
  }
}
