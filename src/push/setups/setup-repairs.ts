/**
 * Meters that were left between two states: whenever one is on the line for something else, it goes forward to what is
 * wanted, and where that is refused, or has been shown not to work, back to what it had before.
 */
import type { EventSink } from "../../observe/events.ts";
import type { SetupHistoryRow, SetupRecord } from "../../store/push/push-setup-history.ts";
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
import { AS_WANTED, REPAIR, type SetupState, type TestPush } from "./setup-state.ts";
import { type PushSetupConfig, wishesOf } from "./setup-wishes.ts";

export interface SetupRepairsOptions<Connection extends SetupConnection> {
  readonly setups: () => readonly PushSetupConfig[];
  readonly keep: (record: SetupRecord) => Promise<unknown>;
  /** Asks the meter what its setups send, after they were written. */
  readonly relearn: (meterId: string, connection: Connection) => Promise<void>;
  readonly events: EventSink;
}

export interface LeftMixed {
  readonly meterId: string;
  readonly setup: string;
  readonly state: SetupState;
  readonly testPush: TestPush;
  /** From what it had before, the first write first. */
  readonly differences: readonly Difference[];
}

type Left = Pick<LeftMixed, "testPush" | "differences">;

/** A meter that lets nobody write is not asked at every visit. */
const AGAIN_MS = 3_600_000;

export class SetupRepairs<Connection extends SetupConnection> {
  readonly #options: SetupRepairsOptions<Connection>;
  readonly #triedMs = new Map<string, number>();
  /** By meter and setup. */
  readonly #mixed = new Map<string, Map<string, Left>>();

  /** `before` is what the history has of meters that were left between two states, the oldest first. */
  constructor(
    options: SetupRepairsOptions<Connection>,
    before: Iterable<Omit<LeftMixed, "differences"> & Pick<SetupHistoryRow, "changes">>,
  ) {
    this.#options = options;
    for (const { changes, ...left } of before) {
      this.note({ ...left, differences: changes.flatMap((change) => differenceOf(change) ?? []) });
    }
  }

  /** Hears how a meter was left. What has not brought it forward left it, or put it back, as it was: between two states. */
  note({ meterId, setup, state, testPush, differences }: LeftMixed): void {
    if (AS_WANTED.has(state)) this.#forget(meterId, setup);
    if (state !== "mixed") return;
    const ofMeter = this.#mixed.get(meterId) ?? new Map<string, Left>();
    const known = ofMeter.get(setup)?.differences;
    this.#mixed.set(meterId, ofMeter.set(setup, { testPush, differences: known ?? differences }));
  }

  #forget(meterId: string, setup: string): void {
    const ofMeter = this.#mixed.get(meterId);
    ofMeter?.delete(setup);
    if (ofMeter?.size !== 0) return;
    this.#mixed.delete(meterId);
    this.#triedMs.delete(meterId);
  }

  /** The meter is on the line. Throws what the connection throws; the next visit goes on then. */
  async repair(meter: { readonly meterId: string; readonly name: string }, connection: Connection): Promise<void> {
    const { setups, relearn } = this.#options;
    const triedMs = this.#triedMs.get(meter.meterId);
    if (triedMs !== undefined && performance.now() - triedMs < AGAIN_MS) return;
    for (const [name, { testPush, differences }] of this.#mixed.get(meter.meterId) ?? []) {
      const setup = testPush === "silent" ? undefined : setups().find((each) => each.name === name);
      const startedAt = new Date();
      const found: Difference[] = [];
      const forward = setup && (await carryOn(connection, setup, found));
      const isForward = forward?.state === "applied" || forward?.state === "in-order";
      const state = isForward ? "applied" : await undo(connection, differences);
      await relearn(meter.meterId, connection);
      if (state === "mixed") this.#triedMs.set(meter.meterId, performance.now());
      else this.#forget(meter.meterId, name);
      const left = { meterId: meter.meterId, setup: name, state, testPush };
      const done = { ...left, differences: isForward ? found : differences, evidence: forward?.evidence };
      await this.#tell(meter.name, done, startedAt);
    }
  }

  async #tell(
    meter: string,
    { differences, ...done }: LeftMixed & { readonly evidence: string | undefined },
    startedAt: Date,
  ): Promise<void> {
    const { setups, keep, events } = this.#options;
    const { setup, state, testPush, evidence } = done;
    const logicalName = setups().find((each) => each.name === setup)?.logicalName ?? "";
    events({ event: "setupCarriedOut", meter, setup, state, testPush, evidence });
    const record = { ...done, logicalName, startedAt, endedAt: new Date(), changes: differences.map(changeOf) };
    await keep({ ...record, who: "gateway", why: REPAIR });
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
