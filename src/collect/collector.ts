/** Polls meters and reads them on demand; tells what came of it, and keeps rows and attempts in the store it is given. */

import type { Clock } from "../../drivers/clock.ts";
import type { ReadAnswer, ReadRange } from "../api/read-answer.ts";
import { isReadOut } from "../config/connection-schema.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import type { ProfileBatch, ProfileKind, ReadingKind, ReadingSource } from "../profiles/batch.ts";
import type { SeenEvent } from "../profiles/seen-events.ts";
import { batchIntervalS } from "../store/coverage-journal.ts";
import type { MeterReading } from "../store/meter-records.ts";
import type { RawBuffer } from "../store/raw-buffers.ts";
import type { ReadAttempt } from "../store/read-attempts.ts";
import type { RejectedPollRow } from "../store/rejected-rows.ts";
import { type PolledEvents, pollEventLogs } from "./event-poller.ts";
import { causeOf, type FailureCause, type NamedFailure } from "./failure-cause.ts";
import { GatewayClockError } from "./gateway-clock-error.ts";
import { noteBuffer, readingsOf, rowsOfRead, withBuffers } from "./kept-reads.ts";
import type { MeterCalls } from "./meter-channel.ts";
import type { MeterConnection } from "./meter-connection.ts";
import { MeterLedger, type ProfileMemory, type StoredLedger } from "./meter-ledger.ts";
import { type PollResult, pollProfiles, type WantedRows } from "./meter-poller.ts";
import { type HeardRead, readForAnswer } from "./meter-reader.ts";
import { type VisitOptions, visitMeter } from "./meter-session.ts";
import type { MeterTarget } from "./meter-target.ts";
import { MOST_AHEAD_MS, requirePossibleClock } from "./possible-clock.ts";
import { type ChosenSlots, chooseSlots, firstLossMs, type ReadingOrder, slotIntervalS } from "./profile-slots.ts";
import { parseReadOrder } from "./read-order.ts";
import { pollReadout, type ReadoutVisit, readoutForAnswer } from "./readout-poller.ts";
import type { SerialLines } from "./serial-lines.ts";
import { SessionPushes, type Unasked } from "./session-pushes.ts";
import { SURROUNDINGS, type Surroundings } from "./surroundings.ts";

/** A meter of the fleet with what the collector knows of it. */
export interface PolledMeter {
  readonly target: MeterTarget;
  readonly meterId: string;
  readonly meterKey: number;
  /** Which slots are settled; read from the store at the first poll. */
  ledger?: MeterLedger | undefined;
  /** The store could not tell: the ledger holds what was read since, and is read from the store when that can be had. */
  ledgerIsProvisional?: boolean;
  /** Up to when its event logs have been read, ms since 1970; read from the store at the first poll. */
  eventsReadUpTo?: Map<string, number> | undefined;
}

/** How a profile of a meter is to be read. */
export interface ReadingRule {
  /** How far back a profile is read of which nothing is held. */
  readonly historyMs: number;
  readonly order: ReadingOrder;
}

/** What came of a poll. */
export interface PollOutcome {
  readonly answered: boolean;
  /** Why the meter was not read, or not all of it. */
  readonly cause?: FailureCause;
  /** Profiles of which open slots are left that the meter may still have. */
  readonly more: readonly ReadingKind[];
  /** When the meter overwrites the first slot that is open, as far as that is known. */
  readonly lostFromMs?: number | undefined;
}

export interface CollectorStore {
  /** Newest capture that is held of each profile of a meter, ms since 1970; undefined while nobody can tell. */
  newestCaptures(meterKey: number): Promise<Readonly<Record<ProfileKind, number | undefined>> | undefined>;
  /** What is known of a meter's slots from a moment on; undefined while nobody can tell. */
  loadLedger(meterKey: number): Promise<StoredLedger | undefined>;
  /** Keeps how a meter captures profiles. */
  keepMemories(meterKey: number, memories: readonly ProfileMemory[]): Promise<void>;
  /** Waits for room; `written` resolves when the rows are durable. */
  putRows(batch: ProfileBatch): Promise<{ readonly written: Promise<void> }>;
  addAttempt(attempt: ReadAttempt): void;
  /** Takes single values that somebody read. */
  addReadings(readings: readonly MeterReading[]): Promise<void>;
  addRejected(meterKey: number, rows: readonly RejectedPollRow[]): Promise<void>;
}

/** Where events of logs go, and up to when each log has been read. */
export interface EventLogStore {
  /** Undefined while the store can't tell: logs are read later then, for the meter keeps them. */
  readUpTo(meterId: string): Promise<ReadonlyMap<string, number> | undefined>;
  /** Keeps events and how far their logs have been read as one; how many are new, undefined when none could be kept. */
  keep(
    meterId: string,
    events: readonly SeenEvent[],
    readUpTo: ReadonlyMap<string, number>,
  ): Promise<number | undefined>;
}

export interface CollectorOptions {
  readonly store: CollectorStore;
  readonly events: EventSink;
  readonly sessionBudgetMs: number;
  readonly lines: SerialLines;
  readonly calls?: MeterCalls;
  readonly surroundings?: Surroundings;
  /** How a meter is visited; over its connection when left out. */
  readonly visitMeter?: VisitMeter;
  /** Keeps what a meter says unasked while it is visited; without it that is dropped. As in KeepUnasked. */
  readonly keepUnasked?: (meter: PolledMeter, said: Unasked) => Promise<boolean>;
  readonly ruleOf: (meter: PolledMeter, profile: ReadingKind) => ReadingRule | undefined;
  /** Without it no events are read. */
  readonly eventStore?: EventLogStore;
  /** What else there is to do while a meter is on the line, after its profiles; what it throws harms no reading. */
  readonly whileOnLine?: (meter: PolledMeter, connection: MeterConnection) => Promise<void>;
  /** What to put between a meter's channel and its session, when somebody looks on. */
  readonly tapOf?: (target: MeterTarget) => VisitOptions["wrap"];
}

type VisitMeter = <T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
) => Promise<T>;

const DAY_MS = 86_400_000;
const SLOTTED = ["block_load", "daily_load", "billing"] as const satisfies readonly ProfileKind[];
type Wanted = WantedRows & Partial<Pick<ChosenSlots, "open" | "left">>;
const DEFAULT_RULE: ReadingRule = { historyMs: DAY_MS, order: "oldest-first" };
const HOUR_MS = 3_600_000;
/** Of a profile without slots: read again with each poll, for rows that came late. */
const OVERLAP_MS = HOUR_MS;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #clock: Clock;
  readonly #visitMeter: VisitMeter;
  #abort = new AbortController();
  #isOver = false;
  #clockToldMs = Number.NEGATIVE_INFINITY;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#clock = (options.surroundings ?? SURROUNDINGS).clock;
    this.#visitMeter = options.visitMeter ?? visitMeter;
  }

  /** Reads what is open of profiles into the store. Never rejects: failures are told and recorded. */
  async poll(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    source: ReadingSource = "poll",
  ): Promise<PollOutcome> {
    if (isReadOut(meter.target.connection)) return await this.#pollReadout(meter, readings, source);
    const startedAt = new Date(this.#clock.now());
    const what = readings.join(" ");
    const profiles = readings.filter((each) => each !== "events");
    const buffers: RawBuffer[] = [];
    try {
      const wanted = await this.#wantedOf(meter, profiles);
      requirePossibleClock(meter, startedAt.getTime());
      const isOpen = profiles.filter((profile) => wanted.get(profile)?.type !== "nothing");
      const wantsEvents = readings.length > profiles.length && this.#options.eventStore !== undefined;
      // A meter whose slots are all held, from pushes perhaps, need not be called.
      if (isOpen.length === 0 && !wantsEvents) return { answered: true, more: [] };
      const { polled, logs } = await this.visit(meter, async (connection) => {
        const polled = await pollProfiles(connection, {
          target: meter.target,
          meterKey: meter.meterKey,
          profiles: isOpen,
          source,
          nowMs: () => this.#clock.now(),
          wanted: (profile) => wanted.get(profile) ?? { type: "nothing" },
          keepBuffer: (buffer) => noteBuffer(buffers, { meter, source }, buffer),
        });
        const goesOn = polled.failure === undefined;
        const logs = goesOn && wantsEvents ? await this.#pollEvents(meter, connection) : undefined;
        if (goesOn && logs?.failure === undefined) {
          await this.#options.whileOnLine?.(meter, connection).catch(() => undefined);
        }
        return { polled, logs };
      });
      const rowCount = (await this.#keep(meter, polled, buffers.splice(0))) + (await this.#keepEvents(meter, logs));
      const ended = polled.failure ?? logs?.failure;
      if (ended !== undefined) {
        const failure = causeOf(ended);
        this.#tellFailure(meter, { startedAt, what, rowCount }, failure);
        return this.#failed(meter, failure.cause);
      }
      this.#tellPolled(meter, readings, { startedAt, rowCount });
      const more = this.#moreOf(meter, wanted);
      return { answered: true, more, ...(more.length > 0 && { lostFromMs: this.#firstLossMs(meter) }) };
    } catch (error) {
      // Octets that nothing could be made of are those that somebody will want to look at.
      await this.#putRows(withBuffers([], buffers)).catch(() => undefined);
      const failure = causeOf(error);
      if (error instanceof GatewayClockError) this.#tellClock(error, failure);
      this.#tellFailure(meter, { startedAt, what, rowCount: 0 }, failure);
      return this.#failed(meter, failure.cause);
    }
  }

  async #pollReadout(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    source: ReadingSource,
  ): Promise<PollOutcome> {
    const startedAt = new Date(this.#clock.now());
    try {
      requirePossibleClock(meter, startedAt.getTime());
      const order = { meterKey: meter.meterKey, source, profiles: readings };
      const rowCount = await this.#keep(meter, await pollReadout(this.#readoutVisit(meter), order), []);
      this.#tellPolled(meter, readings, { startedAt, rowCount });
      return { answered: true, more: [] };
    } catch (error) {
      const failure = causeOf(error);
      this.#tellFailure(meter, { startedAt, what: readings.join(" "), rowCount: 0 }, failure);
      return { answered: false, cause: failure.cause, more: [] };
    }
  }

  #readoutVisit({ target }: PolledMeter): ReadoutVisit {
    const { sessionBudgetMs: budgetMs, lines } = this.#options;
    return { target, lines, budgetMs, nowMs: () => this.#clock.now(), signal: this.#abort.signal };
  }

  /** Reads one thing now, rows of the last day where no range is said. Throws what the visit throws; `causeOf` names it. */
  async read(meter: PolledMeter, what: string, range: ReadRange = this.#lastDay()): Promise<ReadAnswer> {
    const order = parseReadOrder(what);
    const startedAt = new Date(this.#clock.now());
    try {
      const { target } = meter;
      const heard: HeardRead[] = [];
      const hear = (read: HeardRead) => heard.push(read);
      const answer = isReadOut(target.connection)
        ? await readoutForAnswer(order, this.#readoutVisit(meter), { what, hear })
        : await this.visit(meter, (source) =>
            readForAnswer(order, { source, target, what, range, hear, nowMs: () => this.#clock.now() }),
          );
      for (const read of heard) await this.#keepRead(meter, read, startedAt);
      this.#record(meter, { startedAt, what, rowCount: answer.rows.length, failure: undefined });
      return answer;
    } catch (error) {
      this.#record(meter, { startedAt, what, rowCount: 0, failure: causeOf(error) });
      throw error;
    }
  }

  /** Does something on an association with the meter. Throws what the visit throws; `causeOf` names it. */
  visit<T>(meter: PolledMeter, work: (connection: MeterConnection) => Promise<T>): Promise<T> {
    const { keepUnasked } = this.#options;
    if (keepUnasked === undefined) return this.#visitMeter(meter.target, this.#visit(meter), work);
    const pushes = new SessionPushes((said) => keepUnasked(meter, said), this.#clock);
    const options = { ...this.#visit(meter), onTold: pushes.onTold };
    return this.#visitMeter(meter.target, options, (connection) => pushes.during(connection, work));
  }

  /** Ends all sessions at once; for a stop that has waited long enough. */
  abort(): void {
    this.#isOver = true;
    this.#abort.abort();
  }

  /** Ends the sessions that run; others may follow. */
  cut(): void {
    this.#abort.abort();
    if (!this.#isOver) this.#abort = new AbortController();
  }

  /** Another gateway works the meter from now on: what is known of its slots and counters will not hold. */
  forget(meter: PolledMeter): void {
    meter.ledger = undefined;
    meter.target.forgetCounters?.();
  }

  #visit({ target }: PolledMeter): VisitOptions {
    const { sessionBudgetMs: budgetMs, lines, calls, surroundings, tapOf } = this.#options;
    const wrap = tapOf?.(target);
    return {
      budgetMs,
      lines,
      ...(calls && { calls }),
      ...(surroundings && { surroundings }),
      ...(wrap && { wrap }),
      signal: this.#abort.signal,
    };
  }

  #lastDay(): ReadRange {
    const toMs = this.#clock.now();
    return { fromMs: toMs - DAY_MS, toMs };
  }

  #failed(meter: PolledMeter, cause: FailureCause): PollOutcome {
    return { answered: false, cause, more: [], lostFromMs: this.#firstLossMs(meter) };
  }

  #firstLossMs({ ledger }: PolledMeter): number | undefined {
    const nowMs = this.#clock.now();
    const losses = SLOTTED.flatMap((profile) => {
      const known = ledger?.of(profile);
      return (known && firstLossMs(known, nowMs)) ?? [];
    });
    return losses.length === 0 ? undefined : Math.min(...losses);
  }

  /** Profiles that another visit should go on with: slots are left, and this visit has settled some. */
  #moreOf(meter: PolledMeter, wanted: ReadonlyMap<ProfileKind, Wanted>): ProfileKind[] {
    return Array.from(wanted)
      .filter(([profile, { left = 0, open = 0 }]) => {
        const ledger = meter.ledger?.of(profile);
        if (left === 0 || ledger === undefined) return false;
        return chooseSlots(ledger, { nowMs: this.#clock.now(), order: "oldest-first" }).open < open;
      })
      .map(([profile]) => profile);
  }

  /** Which rows the ledger says to ask for. */
  async #wantedOf(meter: PolledMeter, profiles: readonly ProfileKind[]): Promise<Map<ProfileKind, Wanted>> {
    const { ruleOf } = this.#options;
    const meterLedger = await this.#ledgerOf(meter);
    const nowMs = this.#clock.now();
    const wanted = new Map<ProfileKind, Wanted>();
    for (const profile of profiles) {
      const { historyMs, order } = ruleOf(meter, profile) ?? DEFAULT_RULE;
      meterLedger.forgetOverwritten(profile);
      const ledger = meterLedger.of(profile);
      if (ledger === undefined) {
        wanted.set(profile, { type: "since", fromMs: await this.#sinceMs(meter, profile, nowMs - historyMs) });
        continue;
      }
      const chosen = chooseSlots(ledger, { nowMs, order });
      wanted.set(profile, chosen.open === 0 ? { type: "nothing" } : { type: "slots", ledger, ...chosen });
    }
    return wanted;
  }

  async #ledgerOf(meter: PolledMeter): Promise<MeterLedger> {
    if (meter.ledger !== undefined && meter.ledgerIsProvisional !== true) return meter.ledger;
    const { zone, billingDay } = meter.target;
    const calendar = { zone, ...(billingDay !== undefined && { billingDay }) };
    const stored = await this.#options.store.loadLedger(meter.meterKey);
    if (stored !== undefined) meter.ledger = new MeterLedger(calendar, stored);
    meter.ledgerIsProvisional = stored === undefined;
    // What was read meanwhile may be asked for once more then: it does not become two rows.
    meter.ledger ??= new MeterLedger(calendar, { memories: [], pages: [] });
    return meter.ledger;
  }

  /**
   * For a profile whose slots are not known: as far back as the plan says, for what is held may have come by itself or on
   * demand; for one that has none, from the newest held row on.
   */
  async #sinceMs(meter: PolledMeter, profile: ProfileKind, historyFromMs: number): Promise<number> {
    const layout = meter.target.layouts.get(profile);
    const hasNoSlots = layout !== undefined && slotIntervalS(profile, layout) === undefined;
    if (profile === "instant" || !hasNoSlots) return historyFromMs;
    const held = (await this.#options.store.newestCaptures(meter.meterKey))?.[profile];
    return held === undefined ? historyFromMs : held - OVERLAP_MS;
  }

  /** Slots are settled only when all rows, rejected ones too, are durable: what failed to be written is read again. */
  async #keep(meter: PolledMeter, result: PollResult, buffers: readonly RawBuffer[]): Promise<number> {
    const { setAside, refused, learned } = result;
    const batches = withBuffers(result.batches, buffers);
    const { store, events } = this.#options;
    for (const { profile, error } of refused) {
      events({ event: "profileRefused", meter: meter.target.name, profile, evidence: error.message });
    }
    await this.#putRows(batches);
    if (setAside.length > 0) await store.addRejected(meter.meterKey, setAside);
    // Rows are worth more than how they are captured, which the next visit learns again.
    if (learned.length > 0) await store.keepMemories(meter.meterKey, learned);
    for (const memory of learned) meter.ledger?.learn(memory);
    for (const batch of batches) settleBatch(meter, batch);
    return batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  }

  /** What somebody read is kept as well, but not waited for: whoever asked has the answer. */
  async #keepRead(meter: PolledMeter, read: HeardRead, readAt: Date): Promise<void> {
    const { store } = this.#options;
    try {
      if (read.type === "value") {
        await store.addReadings(readingsOf(meter, read, readAt));
        return;
      }
      const { batches, setAside } = rowsOfRead(meter, read, readAt);
      for (const batch of batches) {
        const { written } = await store.putRows(batch);
        written.then(
          () => settleBatch(meter, batch),
          () => undefined,
        );
      }
      if (setAside.length > 0) await store.addRejected(meter.meterKey, setAside);
    } catch (error) {
      const reason = messageOf(error);
      this.#options.events({ event: "readUnkept", meter: meter.target.name, reason });
    }
  }

  async #putRows(batches: readonly ProfileBatch[]): Promise<void> {
    const puts: { readonly written: Promise<void> }[] = [];
    for (const batch of batches) puts.push(await this.#options.store.putRows(batch));
    await Promise.all(puts.map((put) => put.written));
  }

  async #pollEvents(meter: PolledMeter, connection: MeterConnection): Promise<PolledEvents | undefined> {
    const stored = meter.eventsReadUpTo ?? (await this.#options.eventStore?.readUpTo(meter.meterId));
    if (stored === undefined) return undefined;
    meter.eventsReadUpTo ??= new Map(stored);
    return await pollEventLogs(connection, {
      target: meter.target,
      historyMs: (this.#options.ruleOf(meter, "events") ?? DEFAULT_RULE).historyMs,
      readUpTo: meter.eventsReadUpTo,
      nowMs: () => this.#clock.now(),
    });
  }

  /** A log counts as read only when its events are durable. */
  async #keepEvents(meter: PolledMeter, logs: PolledEvents | undefined): Promise<number> {
    if (logs === undefined) return 0;
    const { store, events, eventStore } = this.#options;
    for (const { log, error } of logs.refused) {
      events({ event: "profileRefused", meter: meter.target.name, profile: log, evidence: error.message });
    }
    const kept = await eventStore?.keep(meter.meterId, logs.events, logs.readUpTo);
    if (kept === undefined) return 0;
    const setAside = logs.setAside.map((row) => ({ ...row, profile: "events" as const }));
    if (setAside.length > 0) await store.addRejected(meter.meterKey, setAside);
    for (const [log, upToMs] of logs.readUpTo) meter.eventsReadUpTo?.set(log, upToMs);
    return kept;
  }

  /** Once an hour, however many meters wait. */
  #tellClock({ knownMs }: GatewayClockError, { nextStep }: NamedFailure): void {
    const elapsedMs = this.#clock.elapsed();
    if (elapsedMs < this.#clockToldMs + HOUR_MS) return;
    this.#clockToldMs = elapsedMs;
    const [now, known] = [this.#clock.now(), knownMs].map((ms) => new Date(ms).toISOString());
    this.#options.events({ event: "gatewayClockWrong", now: now ?? "", known: known ?? "", nextStep });
  }

  #tellPolled(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    { startedAt, rowCount }: Pick<ReadAttempt, "startedAt" | "rowCount">,
  ): void {
    const durationMs = this.#clock.now() - startedAt.getTime();
    const told = { meter: meter.target.name, profiles: readings, rows: rowCount, durationMs };
    this.#options.events({ event: "meterPolled", ...told });
    this.#record(meter, { startedAt, what: readings.join(" "), rowCount, failure: undefined });
  }

  #tellFailure(
    meter: PolledMeter,
    attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount">,
    failure: NamedFailure,
  ): void {
    const { cause, evidence, nextStep } = failure;
    const durationMs = this.#clock.now() - attempt.startedAt.getTime();
    this.#options.events({ event: "meterFailed", meter: meter.target.name, cause, evidence, nextStep, durationMs });
    this.#record(meter, { ...attempt, failure });
  }

  #record(meter: PolledMeter, attempt: Pick<ReadAttempt, "startedAt" | "what" | "rowCount" | "failure">): void {
    this.#options.store.addAttempt({ ...attempt, meterId: meter.meterId, endedAt: new Date(this.#clock.now()) });
  }
}

/** Notes in memory what has become durable of a meter's rows, however they came. */
export function settleBatch({ ledger }: PolledMeter, batch: ProfileBatch): void {
  const intervalS = batchIntervalS(batch);
  if (intervalS === undefined) return;
  const { absentMs = [], offMs = [], asideMs = [] } = batch;
  // The store sets a row of the future aside: it is read again when its time has come.
  const rows = batch.instantsMs.filter((instantMs) => instantMs <= batch.readAt.getTime() + MOST_AHEAD_MS);
  ledger?.settle(batch.profile, intervalS, [...rows, ...absentMs, ...offMs, ...asideMs]);
}
