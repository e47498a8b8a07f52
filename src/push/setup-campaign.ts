/**
 * Push setups of the configuration on their meters: compared, carried out, checked for drift. Meters are begun at a
 * bounded rate, a few at a time; a stop lets those that run come to a named state and begins no other.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import type { SetupRecord, TestPush } from "../store/push-setup-history.ts";
import { choiceOf } from "./meter-choice.ts";
import type { PushArrivals } from "./push-arrivals.ts";
import {
  changeOf,
  type Difference,
  type Execution,
  executeSetup,
  orderPush,
  type SetupConnection,
  undo,
} from "./setup-execution.ts";
import { nameOfWish, type PushSetupConfig, wishesOf } from "./setup-wishes.ts";

/** A meter that push setups may be carried out on. */
export interface CampaignMeter<Connection extends SetupConnection> {
  readonly meterId: string;
  readonly name: string;
  readonly companion: string;
  /** Associates and works; rejects with what went wrong on the road. */
  readonly visit: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Asks the meter what its setups send, after they were written. */
  readonly relearn: (connection: Connection) => Promise<void>;
}

export interface SetupCampaignOptions<Connection extends SetupConnection> {
  readonly setups: readonly PushSetupConfig[];
  readonly execution: Config["push"]["execution"];
  readonly meters: readonly CampaignMeter<Connection>[];
  readonly arrivals: Pick<PushArrivals, "wait">;
  /** Has it done by the gateway that works the meter; undefined where that is this one. */
  readonly elsewhere?: (meter: string, order: CampaignOrder) => Promise<CampaignResult> | undefined;
  /** Whether this gateway works the meter: the drift check is each one's own. */
  readonly isHere?: (meter: string) => boolean;
  readonly keep: (record: SetupRecord) => Promise<void>;
  readonly events: EventSink;
}

export const campaignOrderSchema = z.strictObject({
  /** Name of a setup; all of them when left out. */
  setup: z.string().exactOptional(),
  /** Name of a meter; all that the setup is for when left out. */
  meter: z.string().exactOptional(),
  dryRun: z.boolean(),
  who: z.string(),
  why: z.string(),
});
export type CampaignOrder = z.output<typeof campaignOrderSchema>;

export interface CampaignResult extends Pick<SetupRecord, "setup" | "state" | "changes" | "testPush" | "evidence"> {
  readonly meter: string;
}

interface Job<Connection extends SetupConnection> {
  readonly meter: CampaignMeter<Connection>;
  readonly setup: PushSetupConfig;
}

/** A visit that was cut is made once more: what was written is found there, and the rest goes on from it. */
const VISITS = 2;
const MINUTE_MS = 60_000;

export class SetupCampaigns<Connection extends SetupConnection> implements AsyncDisposable {
  readonly #options: SetupCampaignOptions<Connection>;
  readonly #closing = new AbortController();
  #stop = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: SetupCampaignOptions<Connection>) {
    this.#options = options;
    const { checkEvery } = options.execution;
    if (checkEvery !== undefined) this.#timer = setInterval(() => void this.#check(), checkEvery).unref();
  }

  /** Which meters each setup is for. */
  get setups(): { readonly setup: PushSetupConfig; readonly meters: readonly string[] }[] {
    return this.#options.setups.map((setup) => {
      return { setup, meters: this.#metersOf(setup).map(({ name }) => name) };
    });
  }

  /** One order after the other; results in the order of setups and meters. What a stop kept from being begun is left out. */
  run(order: CampaignOrder): Promise<CampaignResult[]> {
    return this.#inTurn(() => this.#run(order));
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run, run);
    this.#turn = turn;
    return turn;
  }

  /** Does what another gateway asks, beside the orders of this one: they may be waiting for each other. */
  async runFor(order: CampaignOrder & { readonly meter: string }): Promise<CampaignResult | undefined> {
    const [result] = await this.#run(order);
    return result;
  }

  /** Begins no other meter of the order that runs. */
  stop(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#turn.catch(() => undefined);
  }

  #metersOf(setup: PushSetupConfig): CampaignMeter<Connection>[] {
    return this.#options.meters.filter(choiceOf(setup));
  }

  async #run(order: CampaignOrder, isMeant: (meter: string) => boolean = () => true): Promise<CampaignResult[]> {
    const signal = AbortSignal.any([this.#stop.signal, this.#closing.signal]);
    const { concurrency, perMinute } = this.#options.execution;
    const jobs = this.#jobsOf(order).filter(({ meter }) => isMeant(meter.name));
    const results: CampaignResult[] = [];
    let next = 0;
    const begun = performance.now();
    const work = async () => {
      for (let index = next++; index < jobs.length; index = next++) {
        const dueMs = begun + (index * MINUTE_MS) / perMinute - performance.now();
        if (dueMs > 0) await sleep(dueMs, undefined, { signal }).catch(() => undefined);
        const job = jobs[index];
        if (signal.aborted || job === undefined) return;
        results[index] = await this.#carryOut(job, order);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work));
    return results.filter((result) => result !== undefined);
  }

  #jobsOf({ setup: wanted, meter: only }: CampaignOrder): Job<Connection>[] {
    const setups = this.#options.setups.filter(({ name }) => (wanted ?? name) === name);
    return setups.flatMap((setup) => {
      const meters = this.#metersOf(setup).filter(({ name }) => (only ?? name) === name);
      return meters.map((meter) => ({ meter, setup }));
    });
  }

  async #carryOut({ meter, setup }: Job<Connection>, { dryRun, who, why }: CampaignOrder): Promise<CampaignResult> {
    const startedAt = new Date();
    const order = { setup: setup.name, meter: meter.name, dryRun, who, why };
    const elsewhere = this.#options.elsewhere?.(meter.name, order);
    if (elsewhere !== undefined) return elsewhere.catch((error: unknown) => unreached(order, wordsOf(error)));
    const { state, differences, evidence, testPush } = await this.#visits({ meter, setup }, dryRun);
    const changes = differences.map(changeOf);
    const result = { setup: setup.name, state, changes, testPush, evidence };
    const { meterId, name } = meter;
    const { logicalName } = setup;
    const record = { ...result, meterId, logicalName, startedAt, endedAt: new Date(), who, why };
    await this.#options.keep(record).catch((error: unknown) => {
      this.#options.events({ event: "setupUnrecorded", meter: name, setup: setup.name, reason: wordsOf(error) });
    });
    this.#options.events({ event: "setupCarriedOut", meter: name, setup: setup.name, state, testPush, evidence });
    return { ...result, meter: name };
  }

  async #visits(job: Job<Connection>, dryRun: boolean): Promise<Execution & { readonly testPush: TestPush }> {
    const earlier: Difference[] = [];
    let evidence = "";
    for (let visit = 1; visit <= VISITS; visit++) {
      const differences: Difference[] = [];
      try {
        const done = await this.#visit(job, dryRun, differences);
        return { ...done, ...joined(earlier, done) };
      } catch (error) {
        evidence = wordsOf(error);
        replaceSame(earlier, differences);
      }
    }
    const written = earlier.filter(({ held }) => held !== false);
    const state = written.length === 0 ? "unreached" : "mixed";
    return { state, differences: earlier, evidence, testPush: "not-ordered" };
  }

  async #visit(
    { meter, setup }: Job<Connection>,
    dryRun: boolean,
    differences: Difference[],
  ): Promise<Execution & { readonly testPush: TestPush }> {
    const given = new AbortController();
    const timeoutMs = this.#options.execution.arrival + (setup.randomisation ?? 0);
    let arrival: Promise<boolean> | undefined;
    const { execution, ordered } = await meter.visit(async (connection) => {
      const execution = await executeSetup(connection, wishesOf(setup), { dryRun, differences });
      if (execution.state !== "applied") return { execution, ordered: "not-ordered" as const };
      await meter.relearn(connection);
      if (!setup.test) return { execution, ordered: "not-ordered" as const };
      // Listened for from before the order on: the push may be quicker than the answer to the order.
      arrival = this.#options.arrivals.wait(meter.meterId, setup.logicalName, { timeoutMs, signal: given.signal });
      return { execution, ordered: await orderPush(connection, setup.logicalName) };
    });
    if (ordered !== "ordered") {
      given.abort();
      return { ...execution, testPush: ordered };
    }
    if (await arrival) return { ...execution, testPush: "arrived" };
    const state = await meter.visit(async (connection) => {
      const state = await undo(connection, execution.differences);
      await meter.relearn(connection);
      return state;
    });
    const evidence = `the push that was ordered did not arrive within ${timeoutMs / 1000} s`;
    return { ...execution, state, evidence, testPush: "silent" };
  }

  async #check(): Promise<void> {
    for (const setup of this.#options.setups) {
      const order = { setup: setup.name, dryRun: setup.drift === "show", who: "gateway", why: "drift check" };
      await this.#inTurn(() => this.#run(order, this.#options.isHere)).catch(() => undefined);
    }
  }
}

/** What a later visit found is what is known. */
function replaceSame(known: Difference[], found: readonly Difference[]): void {
  for (const difference of found) {
    const place = known.findIndex(({ wish }) => nameOfWish(wish) === nameOfWish(difference.wish));
    known.splice(place < 0 ? known.length : place, 1, difference);
  }
}

/** What an earlier visit wrote is no difference any more, but it was one. */
function joined(earlier: readonly Difference[], done: Execution): Pick<Execution, "state" | "differences"> {
  const found = new Set(done.differences.map(({ wish }) => nameOfWish(wish)));
  const written = earlier.filter(({ wish, held }) => held !== false && !found.has(nameOfWish(wish)));
  for (const difference of written) difference.held = true;
  const differences = [...written, ...done.differences];
  if (written.length === 0) return { state: done.state, differences };
  return { state: done.state === "in-order" || done.state === "applied" ? "applied" : "mixed", differences };
}

function unreached({ setup, meter }: { setup: string; meter: string }, evidence: string): CampaignResult {
  return { setup, meter, state: "unreached", changes: [], testPush: "not-ordered", evidence };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
