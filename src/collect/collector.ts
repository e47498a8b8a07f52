/** Polls meters and reads them on demand; tells what came of it, and keeps rows and attempts in the store it is given. */
import type { ReadAnswer, ReadRange } from "../api/read-answer.ts";
import type { EventSink } from "../observe/events.ts";
import type { ProfileBatch, ProfileKind } from "../profiles/batch.ts";
import type { ReadAttempt } from "../store/read-attempts.ts";
import type { RejectedPollRow } from "../store/rejected-rows.ts";
import { causeOf, type NamedFailure } from "./failure-cause.ts";
import type { MeterConnection } from "./meter-connection.ts";
import { newestHeld, type PollResult, pollProfiles } from "./meter-poller.ts";
import { readForAnswer } from "./meter-reader.ts";
import { visitMeter } from "./meter-session.ts";
import type { MeterTarget } from "./meter-target.ts";
import { parseReadOrder } from "./read-order.ts";
import type { SerialLines } from "./serial-lines.ts";

/** A meter of the fleet with what the collector knows of it. */
export interface PolledMeter {
  readonly target: MeterTarget;
  readonly meterId: string;
  readonly meterKey: number;
  /** Newest capture that the store holds, by profile: later rows are asked for. Unknown before the first poll. */
  newestMs: Map<ProfileKind, number> | undefined;
}

export interface CollectorStore {
  /** Newest capture that is held of each profile of a meter, ms since 1970. */
  newestCaptures(meterKey: number): Promise<Readonly<Record<ProfileKind, number | undefined>>>;
  /** Waits for room; `written` resolves when the rows are durable. */
  putRows(batch: ProfileBatch): Promise<{ readonly written: Promise<void> }>;
  addAttempt(attempt: ReadAttempt): void;
  addRejected(meterKey: number, rows: readonly RejectedPollRow[]): Promise<void>;
}

export interface CollectorOptions {
  readonly store: CollectorStore;
  readonly events: EventSink;
  readonly sessionBudgetMs: number;
  readonly lines: SerialLines;
  /** How far back a profile is read of which nothing is held. */
  readonly historyMs: ReadonlyMap<ProfileKind, number>;
  /** What else there is to do while a meter is on the line, after its profiles; what it throws harms no reading. */
  readonly whileOnLine?: (meter: PolledMeter, connection: MeterConnection) => Promise<void>;
}

const DAY_MS = 86_400_000;
/** Read again with each poll: rows that came late, or that a clock that was set back wrote a second time. */
const OVERLAP_MS = 3_600_000;
const PROFILE_KINDS: readonly ProfileKind[] = ["instant", "block_load", "daily_load", "billing"];

export class Collector {
  readonly #options: CollectorOptions;
  readonly #abort = new AbortController();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Reads profiles into the store; true when the meter answered. Never rejects: failures are told and recorded. */
  async poll(meter: PolledMeter, profiles: readonly ProfileKind[]): Promise<boolean> {
    const { events } = this.#options;
    const startedAt = new Date();
    const what = profiles.join(" ");
    try {
      const newestMs = await this.#newestOf(meter);
      const result = await visitMeter(meter.target, this.#visit(), async (connection) => {
        const polled = await pollProfiles(connection, {
          target: meter.target,
          meterKey: meter.meterKey,
          profiles,
          wantedFromMs: (profile) => this.#wantedFromMs(newestMs, profile),
        });
        if (polled.failure === undefined) {
          await this.#options.whileOnLine?.(meter, connection).catch(() => undefined);
        }
        return polled;
      });
      const rowCount = await this.#keep(meter, newestMs, result);
      if (result.failure !== undefined) {
        this.#tellFailure(meter, { startedAt, what, rowCount }, causeOf(result.failure));
        return false;
      }
      const durationMs = Date.now() - startedAt.getTime();
      events({ event: "meterPolled", meter: meter.target.name, profiles, rows: rowCount, durationMs });
      this.#record(meter, { startedAt, what, rowCount, failure: undefined });
      return true;
    } catch (error) {
      this.#tellFailure(meter, { startedAt, what, rowCount: 0 }, causeOf(error));
      return false;
    }
  }

  /** Reads one thing now, rows of the last day where no range is said. Throws what the visit throws; `causeOf` names it. */
  async read(meter: PolledMeter, what: string, range: ReadRange = lastDay()): Promise<ReadAnswer> {
    const order = parseReadOrder(what);
    const startedAt = new Date();
    try {
      const { target } = meter;
      const answer = await visitMeter(target, this.#visit(), (source) =>
        readForAnswer(order, { source, target, what, range }),
      );
      this.#record(meter, { startedAt, what, rowCount: answer.rows.length, failure: undefined });
      return answer;
    } catch (error) {
      this.#record(meter, { startedAt, what, rowCount: 0, failure: causeOf(error) });
      throw error;
    }
  }

  /** Ends all sessions at once; for a stop that has waited long enough. */
  abort(): void {
    this.#abort.abort();
  }

  #visit() {
    const { sessionBudgetMs, lines } = this.#options;
    return { budgetMs: sessionBudgetMs, lines, signal: this.#abort.signal };
  }

  async #newestOf(meter: PolledMeter): Promise<Map<ProfileKind, number>> {
    if (meter.newestMs !== undefined) return meter.newestMs;
    const held = await this.#options.store.newestCaptures(meter.meterKey);
    meter.newestMs = new Map();
    for (const profile of PROFILE_KINDS) {
      const ms = held[profile];
      if (ms !== undefined) meter.newestMs.set(profile, ms);
    }
    return meter.newestMs;
  }

  #wantedFromMs(newestMs: ReadonlyMap<ProfileKind, number>, profile: ProfileKind): number {
    const held = newestMs.get(profile);
    return held === undefined ? Date.now() - (this.#options.historyMs.get(profile) ?? DAY_MS) : held - OVERLAP_MS;
  }

  /** What is newest moves on only when all rows, rejected ones too, are durable: what failed to be written is read again. */
  async #keep(meter: PolledMeter, newestMs: Map<ProfileKind, number>, result: PollResult): Promise<number> {
    const { batches, setAside, refused } = result;
    const { store, events } = this.#options;
    for (const { profile, error } of refused) {
      events({ event: "profileRefused", meter: meter.target.name, profile, evidence: error.message });
    }
    const puts: { readonly written: Promise<void> }[] = [];
    for (const batch of batches) puts.push(await store.putRows(batch));
    await Promise.all(puts.map((put) => put.written));
    if (setAside.length > 0) await store.addRejected(meter.meterKey, setAside);
    for (const { profile, instantsMs } of batches) {
      const newest = newestHeld(instantsMs, newestMs.get(profile), Date.now());
      if (newest !== undefined) newestMs.set(profile, newest);
    }
    return batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  }

  #tellFailure(
    meter: PolledMeter,
    attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount">,
    failure: NamedFailure,
  ): void {
    const { cause, evidence, nextStep } = failure;
    const durationMs = Date.now() - attempt.startedAt.getTime();
    this.#options.events({ event: "meterFailed", meter: meter.target.name, cause, evidence, nextStep, durationMs });
    this.#record(meter, { ...attempt, failure });
  }

  #record(meter: PolledMeter, attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount" | "failure">): void {
    this.#options.store.addAttempt({ ...attempt, meterId: meter.meterId, endedAt: new Date() });
  }
}

function lastDay(): ReadRange {
  const toMs = Date.now();
  return { fromMs: toMs - DAY_MS, toMs };
}
