/**
 * Meters that were left between two states: whenever one is on the line for something else, it goes forward to what is
 * wanted, and where that is refused back to what it had before.
 */
import type { EventSink } from "../observe/events.ts";
import type { SetupHistoryRow, SetupRecord, SetupState } from "../store/push-setup-history.ts";
import {
  changeOf,
  type Difference,
  differenceOf,
  type Execution,
  executeSetup,
  type SetupConnection,
  setupVersion,
  undo,
} from "./setup-execution.ts";
import { type PushSetupConfig, wishesOf } from "./setup-wishes.ts";

export interface SetupRepairsOptions<Connection extends SetupConnection> {
  readonly setups: readonly PushSetupConfig[];
  readonly keep: (record: SetupRecord) => Promise<unknown>;
  /** Asks the meter what its setups send, after they were written. */
  readonly relearn: (meterId: string, connection: Connection) => Promise<void>;
  readonly events: EventSink;
}

export interface LeftMixed {
  readonly meterId: string;
  readonly setup: string;
  readonly state: SetupState;
  /** From what it had before, the first write first. */
  readonly differences: readonly Difference[];
}

/** A meter that lets nobody write is not asked at every visit. */
const AGAIN_MS = 3_600_000;

export class SetupRepairs<Connection extends SetupConnection> {
  readonly #options: SetupRepairsOptions<Connection>;
  readonly #triedMs = new Map<string, number>();
  /** By meter and setup. */
  readonly #mixed = new Map<string, Map<string, readonly Difference[]>>();

  /** `before` is how each meter stands by the history. */
  constructor(
    options: SetupRepairsOptions<Connection>,
    before: Iterable<Omit<LeftMixed, "differences"> & Pick<SetupHistoryRow, "changes">>,
  ) {
    this.#options = options;
    for (const { changes, ...left } of before) {
      this.note({ ...left, differences: changes.flatMap((change) => differenceOf(change) ?? []) });
    }
  }

  /** Hears how a meter was left. A visit that did not reach it left it as it was. */
  note({ meterId, setup, state, differences }: LeftMixed): void {
    const ofMeter = this.#mixed.get(meterId) ?? new Map<string, readonly Difference[]>();
    if (state === "mixed") ofMeter.set(setup, ofMeter.get(setup) ?? differences);
    else if (state !== "unreached") ofMeter.delete(setup);
    if (ofMeter.size > 0) this.#mixed.set(meterId, ofMeter);
    else this.#mixed.delete(meterId);
  }

  /** The meter is on the line. Throws what the connection throws; the next visit goes on then. */
  async repair(meter: { readonly meterId: string; readonly name: string }, connection: Connection): Promise<void> {
    const { setups, relearn } = this.#options;
    const triedMs = this.#triedMs.get(meter.meterId);
    if (triedMs !== undefined && performance.now() - triedMs < AGAIN_MS) return;
    for (const [name, differences] of this.#mixed.get(meter.meterId) ?? []) {
      const setup = setups.find((each) => each.name === name);
      const startedAt = new Date();
      const found: Difference[] = [];
      const forward = setup && (await carryOn(connection, setup, found));
      const isForward = forward?.state === "applied" || forward?.state === "in-order";
      const state = isForward ? "applied" : await undo(connection, differences);
      await relearn(meter.meterId, connection);
      if (state === "mixed") this.#triedMs.set(meter.meterId, performance.now());
      this.note({ meterId: meter.meterId, setup: name, state, differences });
      await this.#tell({ ...meter, setup: name, state, startedAt }, isForward ? found : differences, forward?.evidence);
    }
  }

  async #tell(
    {
      meterId,
      name,
      setup,
      state,
      startedAt,
    }: { meterId: string; name: string; setup: string; state: SetupState; startedAt: Date },
    differences: readonly Difference[],
    evidence: string | undefined,
  ): Promise<void> {
    const { setups, keep, events } = this.#options;
    const logicalName = setups.find((each) => each.name === setup)?.logicalName ?? "";
    const changes = differences.map(changeOf);
    const done = { state, testPush: "not-ordered", evidence } as const;
    const record = { ...done, meterId, setup, logicalName, startedAt, endedAt: new Date(), changes };
    events({ event: "setupCarriedOut", meter: name, setup, ...done });
    await keep({ ...record, who: "gateway", why: "it was left between two states" });
  }
}

async function carryOn(
  connection: SetupConnection,
  setup: PushSetupConfig,
  differences: Difference[],
): Promise<Execution> {
  const wishes = wishesOf(setup, await setupVersion(connection, setup.logicalName));
  return await executeSetup(connection, wishes, { dryRun: false, differences });
}
