/** What a start without the database leaves for the time when it is back. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Capabilities } from "../store/database/capabilities.ts";
import type { StoreIntake } from "../store/intake/store-intake.ts";
import { foldCoverage } from "../store/ledger/coverage.ts";
import { finishStart, type GatewayStore, type StoreOptions } from "./open-store.ts";
import { finishFleet, type StartedFleet } from "./start-fleet.ts";

const LOOK_MS = 5000;

export interface ReturnParts {
  readonly known: StartedFleet;
  readonly intake: Pick<StoreIntake, "drained">;
  readonly startUpkeep: () => Promise<void>;
}

export class DatabaseReturn implements AsyncDisposable {
  readonly #options: StoreOptions;
  readonly #store: GatewayStore;
  readonly #ready = Promise.withResolvers<void>();
  readonly #restart = Promise.withResolvers<string>();
  readonly #stopping = new AbortController();
  #finishing: Promise<void> = Promise.resolve();
  #hasLedgers: boolean;

  constructor(options: StoreOptions, store: GatewayStore) {
    this.#options = options;
    this.#store = store;
    this.#hasLedgers = store.record === undefined;
  }

  /** Resolves when the database is ready to be written; undefined when it was from the start. */
  get ready(): Promise<void> | undefined {
    return this.#store.record === undefined ? undefined : this.#ready.promise;
  }

  /** Whether the database knows the meters' slots: what was read without it has come in. */
  get hasLedgers(): boolean {
    return this.#hasLedgers;
  }

  /** Resolves, with the reason, when the gateway has to be started anew to work with what the database says. */
  get restartWanted(): Promise<string> {
    return this.#restart.promise;
  }

  /** Begins to look for the database, unless it is there. */
  await(parts: ReturnParts): void {
    if (this.#store.record === undefined) return;
    const options = { ...this.#options, stopping: this.#stopping.signal };
    this.#finishing = finishStart(options, this.#store.url, (capabilities) => this.#finish(parts, capabilities));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#finishing;
  }

  async #finish({ known, intake, startUpkeep }: ReturnParts, capabilities: Capabilities): Promise<boolean> {
    const { database } = this.#store;
    const finished = await finishFleet(this.#options, { database, capabilities }, known);
    if (finished === "foreign") return false;
    await startUpkeep();
    this.#ready.resolve();
    if (finished === "restart") this.#restart.resolve("the database is back, and has more than the record");
    void this.#learnLedgers(intake);
    return true;
  }

  /** Pages of the ledger hold what came in only when they are folded. */
  async #learnLedgers(intake: ReturnParts["intake"]): Promise<void> {
    while (!this.#hasLedgers && !this.#stopping.signal.aborted) {
      await intake.drained();
      try {
        await foldCoverage(this.#store.database);
        this.#hasLedgers = true;
      } catch {
        // The database has gone again: without its ledgers every visit would ask for all that the plan goes back.
        await sleep(LOOK_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }
}
