/**
 * Push setups of the configuration on their meters: compared, carried out, checked for drift. Meters are begun at a
 * bounded rate, a few at a time; a stop lets those that run come to a named state and begins no other.
 */
import { PassThrough } from "node:stream";
import { z } from "zod";
import { sleep, systemClock } from "../../../drivers/clock.ts";
import type { Config } from "../../config/schema.ts";
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { SetupRecord } from "../../store/push/push-setup-history.ts";
import { choiceOf } from "./meter-choice.ts";
import type { PushArrivals } from "./push-arrivals.ts";
import type { SetupDrift } from "./setup-drift.ts";
import {
  changeOf,
  type Difference,
  type Execution,
  executeSetup,
  orderPush,
  type SetupConnection,
  type SetupManner,
  setupVersion,
  undo,
} from "./setup-execution.ts";
import type { SetupRepairs } from "./setup-repairs.ts";
import { DRIFT_CHECK, type SetupState, type TestPush } from "./setup-state.ts";
import { nameOfWish, type PushSetupConfig, wishesOf } from "./setup-wishes.ts";

/** A meter that push setups may be carried out on. */
export interface CampaignMeter<Connection extends SetupConnection> {
  readonly meterId: string;
  readonly name: string;
  readonly companion: string;
  /** Of a meter that calls in and is not connected: resolves when it may be; undefined where it can be visited. */
  readonly nextCall?: () => Promise<void> | undefined;
  /** Associates and works; rejects with what went wrong on the road. */
  readonly visit: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Asks the meter what its setups send, after they were written. */
  readonly relearn: (connection: Connection) => Promise<void>;
}

export interface SetupCampaignOptions<Connection extends SetupConnection> {
  /** As it is now; a reload may change it. */
  readonly config: () => {
    readonly setups: readonly PushSetupConfig[];
    readonly execution: Config["push"]["execution"];
  };
  /** Those that there are now, or the one of that name. */
  readonly meters: (name?: string) => Iterable<CampaignMeter<Connection>>;
  readonly arrivals: Pick<PushArrivals, "wait">;
  /** Has it done by the gateway that works the meter; undefined where that is this one. */
  readonly elsewhere?: (meter: string, order: CampaignOrder) => Promise<CampaignResult> | undefined;
  /** Whether this gateway works the meter: the drift check is each one's own. */
  readonly isHere?: (meter: string) => boolean;
  /** Keeps what was done; what it is given the key of takes the place of that record. */
  readonly keep: (record: SetupRecord, recordKey?: bigint) => Promise<bigint>;
  readonly drift: Pick<SetupDrift, "note">;
  readonly repairs: Pick<SetupRepairs<Connection>, "note">;
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

/** How an order goes on. */
export type CampaignLine =
  /** So many executions there will be. */
  | { readonly line: "begun"; readonly executions: number }
  | ({ readonly line: "result" } & CampaignResult)
  /** So many were not begun because of a stop. */
  | { readonly line: "ended"; readonly left: number };

interface Follower {
  readonly tell: (line: CampaignLine) => void;
  /** Nobody listens any more. */
  readonly signal: AbortSignal;
}

interface Job<Connection extends SetupConnection> {
  readonly meter: CampaignMeter<Connection>;
  readonly setup: PushSetupConfig;
}

type VisitManner = Pick<SetupManner, "dryRun" | "beforeWrite">;

/** A visit that was cut is made once more: what was written is found there, and the rest goes on from it. */
const VISITS = 2;
const MINUTE_MS = 60_000;
const BEGUN = "begun, and not known to have ended";

const NOT_CONNECTED = {
  state: "unreached",
  evidence: "the meter calls in and is not connected: this is carried out when it calls",
  testPush: "not-ordered",
} as const;

export class SetupCampaigns<Connection extends SetupConnection> implements AsyncDisposable {
  readonly #options: SetupCampaignOptions<Connection>;
  readonly #closing = new AbortController();
  #stop = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  /** What is carried out when its meter calls, by setup and meter. */
  readonly #postponed = new Map<string, CampaignOrder>();

  constructor(options: SetupCampaignOptions<Connection>) {
    this.#options = options;
    void this.#keepChecking();
  }

  /** Which meters each setup is for. */
  get setups(): { readonly setup: PushSetupConfig; readonly meters: readonly string[] }[] {
    return this.#options.config().setups.map((setup) => {
      return { setup, meters: this.#metersOf(setup).map(({ name }) => name) };
    });
  }

  /** One order after the other, told as it goes on. When nobody listens any more, no other meter of it is begun. */
  async *follow(order: CampaignOrder): AsyncGenerator<CampaignLine> {
    const unheard = new AbortController();
    const lines = new PassThrough({ objectMode: true });
    const tell = (line: CampaignLine) => {
      if (!lines.destroyed) lines.write(line);
    };
    void this.#inTurn(() => this.#run(order, { tell, signal: unheard.signal })).then(
      () => lines.end(),
      (error: unknown) => lines.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    try {
      yield* lines as AsyncIterable<CampaignLine>;
    } finally {
      unheard.abort();
    }
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
    this.#closing.abort();
    await this.#turn.catch(() => undefined);
  }

  #metersOf(setup: PushSetupConfig, name?: string): CampaignMeter<Connection>[] {
    return Array.from(this.#options.meters(name)).filter(choiceOf(setup));
  }

  async #run(order: CampaignOrder, follower?: Follower): Promise<CampaignResult[]> {
    const jobs = this.#jobsOf(order);
    follower?.tell({ line: "begun", executions: jobs.length });
    const results = await this.#work(jobs, order, follower);
    follower?.tell({ line: "ended", left: jobs.length - results.length });
    return results;
  }

  /** Results in the order of the jobs; what a stop kept from being begun is left out. */
  async #work(jobs: readonly Job<Connection>[], order: CampaignOrder, follower?: Follower): Promise<CampaignResult[]> {
    const signal = AbortSignal.any([this.#stop.signal, this.#closing.signal, ...(follower ? [follower.signal] : [])]);
    const { concurrency, perMinute } = this.#options.config().execution;
    const results: CampaignResult[] = [];
    let next = 0;
    const begun = performance.now();
    const work = async () => {
      for (let index = next++; index < jobs.length; index = next++) {
        const dueMs = begun + (index * MINUTE_MS) / perMinute - performance.now();
        if (dueMs > 0) await sleep(systemClock, dueMs, signal).catch(() => undefined);
        const job = jobs[index];
        if (signal.aborted || job === undefined) return;
        const result = await this.#carryOut(job, order);
        results[index] = result;
        follower?.tell({ line: "result", ...result });
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work));
    return results.filter((result) => result !== undefined);
  }

  #jobsOf({ setup: wanted, meter: only }: CampaignOrder): Job<Connection>[] {
    const setups = this.#options.config().setups.filter(({ name }) => (wanted ?? name) === name);
    return setups.flatMap((setup) => this.#metersOf(setup, only).map((meter) => ({ meter, setup })));
  }

  async #carryOut(job: Job<Connection>, { dryRun, who, why }: CampaignOrder): Promise<CampaignResult> {
    const { meter, setup } = job;
    const order = { setup: setup.name, meter: meter.name, dryRun, who, why };
    const elsewhere = this.#options.elsewhere?.(meter.name, order);
    if (elsewhere !== undefined) return elsewhere.catch((error: unknown) => unreached(order, messageOf(error)));
    const { drift, repairs, events } = this.#options;
    const { meterId, name } = meter;
    const base = { meterId, setup: setup.name, logicalName: setup.logicalName, startedAt: new Date(), who, why };
    let recordKey: bigint | undefined;
    const keep = async (done: Execution & { readonly testPush: TestPush }) => {
      const { state, testPush, evidence } = done;
      const record = { ...base, state, testPush, evidence, changes: done.differences.map(changeOf) };
      try {
        recordKey = await this.#options.keep({ ...record, endedAt: new Date() }, recordKey);
      } catch (error) {
        events({ event: "setupUnrecorded", meter: name, setup: setup.name, reason: messageOf(error) });
      }
    };
    const execution = await this.#visitsOrLater(job, order, {
      dryRun,
      // Should this process end in the middle, the record says so, and the next visit goes on from there.
      beforeWrite: (differences) => keep({ state: "mixed", differences, evidence: BEGUN, testPush: "not-ordered" }),
    });
    await keep(execution);
    const { state, testPush, evidence, differences } = execution;
    repairs.note({ meterId, setup: setup.name, state, testPush, differences });
    const finding = { meterId, meter: name, setup: setup.name, state, startedAt: base.startedAt };
    drift.note({ ...finding, changes: differences.length, isCheck: why === DRIFT_CHECK });
    events({ event: "setupCarriedOut", meter: name, setup: setup.name, state, testPush, evidence });
    return { meter: name, setup: setup.name, state, changes: differences.map(changeOf), testPush, evidence };
  }

  /** A meter that calls in and is not connected is visited when it calls. */
  async #visitsOrLater(job: Job<Connection>, order: CampaignOrder, how: VisitManner) {
    const call = job.meter.nextCall?.();
    if (call === undefined) return await this.#visits(job, how);
    this.#postpone(job, order, call);
    return { ...NOT_CONNECTED, differences: [] };
  }

  /** The last order counts, but a check takes the place of nothing, and a look not of what is to be written. */
  #postpone(job: Job<Connection>, order: CampaignOrder, call: Promise<void>): void {
    const key = `${job.setup.name}\n${job.meter.name}`;
    const waiting = this.#postponed.get(key);
    const counts = waiting === undefined || (order.why !== DRIFT_CHECK && (waiting.dryRun || !order.dryRun));
    if (counts) this.#postponed.set(key, order);
    if (waiting !== undefined) return;
    void call.then(async () => {
      const last = this.#postponed.get(key) ?? order;
      this.#postponed.delete(key);
      if (!this.#closing.signal.aborted) await this.#carryOut(job, last);
    });
  }

  async #visits(job: Job<Connection>, how: VisitManner): Promise<Execution & { readonly testPush: TestPush }> {
    const earlier: Difference[] = [];
    let evidence = "";
    for (let visit = 1; visit <= VISITS; visit++) {
      const differences: Difference[] = [];
      try {
        const beforeWrite = (found: readonly Difference[]) => how.beforeWrite?.(originals(earlier, found)) ?? NOTHING;
        return await this.#visit(job, { ...how, beforeWrite, differences }, earlier);
      } catch (error) {
        evidence = messageOf(error);
        replaceSame(earlier, differences);
      }
    }
    const written = earlier.filter(({ held }) => held !== false);
    const state = written.length === 0 ? "unreached" : "mixed";
    return { state, differences: earlier, evidence, testPush: "not-ordered" };
  }

  async #visit(
    { meter, setup }: Job<Connection>,
    how: SetupManner,
    earlier: readonly Difference[],
  ): Promise<Execution & { readonly testPush: TestPush }> {
    const given = new AbortController();
    const timeoutMs = this.#options.config().execution.arrival + (setup.randomisation ?? 0);
    let arrival: Promise<boolean> | undefined;
    const { execution, ordered } = await meter.visit(async (connection) => {
      const wishes = wishesOf(setup, await setupVersion(connection, setup.logicalName));
      const done = await executeSetup(connection, wishes, how);
      const execution = { ...done, ...joined(earlier, done) };
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
    const state = await this.#takeBack(meter, execution.differences);
    const evidence = `the push that was ordered did not arrive within ${timeoutMs / 1000} s`;
    return { ...execution, state, evidence, testPush: "silent" };
  }

  /** A meter that can't be reached any more holds what it must not: its next visit takes that back. */
  async #takeBack(meter: CampaignMeter<Connection>, differences: readonly Difference[]): Promise<SetupState> {
    for (let visit = 1; visit <= VISITS; visit++) {
      const undone = meter.visit(async (connection) => {
        const state = await undo(connection, differences);
        await meter.relearn(connection);
        return state;
      });
      const state = await undone.catch(() => undefined);
      if (state !== undefined) return state;
    }
    return "mixed";
  }

  /** A check begins only when the one before has ended, so that checks are never waiting before what people order. */
  async #keepChecking(): Promise<void> {
    const { signal } = this.#closing;
    let checkedMs = systemClock.elapsed();
    while (!signal.aborted) {
      const { checkEvery = Infinity } = this.#options.config().execution;
      const leftMs = checkedMs + checkEvery - systemClock.elapsed();
      if (leftMs > 0) await sleep(systemClock, Math.min(leftMs, MINUTE_MS), signal).catch(() => undefined);
      else {
        await this.#check();
        checkedMs = systemClock.elapsed();
      }
    }
  }

  async #check(): Promise<void> {
    const { config, isHere = () => true } = this.#options;
    for (const setup of config().setups) {
      const order = { setup: setup.name, dryRun: setup.drift === "show", who: "gateway", why: DRIFT_CHECK };
      const jobs = this.#jobsOf(order).filter(({ meter }) => isHere(meter.name));
      await this.#inTurn(() => this.#work(jobs, order)).catch(() => undefined);
    }
  }
}

const NOTHING = Promise.resolve();

/** What the meter had before the first visit, as far as that is known. */
function originals(earlier: readonly Difference[], found: readonly Difference[]): Difference[] {
  const known = new Set(earlier.map(({ wish }) => nameOfWish(wish)));
  return [...earlier, ...found.filter(({ wish }) => !known.has(nameOfWish(wish)))];
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
