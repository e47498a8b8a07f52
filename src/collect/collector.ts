/** Polls meters and reads them on demand; tells what came of it, and keeps what was read in the store it is given. */
import type { Clock } from "../../drivers/clock.ts";
import type { ReadAnswer, ReadRange } from "../api/read-answer.ts";
import { isReadOut } from "../config/connection-schema.ts";
import type { EventSink } from "../observe/events.ts";
import { failSpan, inSpan } from "../observe/tracing.ts";
import type { ProfileKind, ReadingKind, ReadingSource } from "../profiles/batch.ts";
import type { RawBuffer } from "../store/profiles/raw-buffers.ts";
import { causeOf, type FailureCause } from "./causes/failure-cause.ts";
import { AttemptLog } from "./keeping/attempt-log.ts";
import type { CollectorStore, EventLogStore } from "./keeping/collector-store.ts";
import { noteBuffer } from "./keeping/kept-reads.ts";
import { requirePossibleClock } from "./keeping/possible-clock.ts";
import { ReadingKeeper } from "./keeping/reading-keeper.ts";
import type { PolledMeter } from "./polled-meter.ts";
import { type PolledEvents, pollEventLogs } from "./read/event-poller.ts";
import { pollProfiles } from "./read/meter-poller.ts";
import { type ReadResult, readForAnswer } from "./read/meter-reader.ts";
import { parseReadOrder } from "./read/read-order.ts";
import { pollReadout, readoutForAnswer } from "./read/readout-poller.ts";
import type { MeterConnection } from "./session/meter-connection.ts";
import { MeterVisits, type MeterVisitsOptions } from "./session/meter-visits.ts";
import type { SharedVisit } from "./session/shared-visit.ts";
import { SYSTEM_ENVIRONMENT } from "./session/visit-environment.ts";
import { type OpenRows, OpenSlots, type RuleOf } from "./slots/open-slots.ts";

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

export interface CollectorOptions extends MeterVisitsOptions {
  readonly store: CollectorStore;
  readonly events: EventSink;
  readonly ruleOf: RuleOf;
  /** Without it no events are read. */
  readonly eventStore?: EventLogStore;
  /** What else there is to do while a meter is on the line, after its profiles; what it throws harms no reading. */
  readonly duringVisit?: (meter: PolledMeter, connection: MeterConnection) => Promise<void>;
}

/** What to ask a meter for. */
interface PollOrder {
  readonly wanted: ReadonlyMap<ProfileKind, OpenRows>;
  readonly isOpen: readonly ProfileKind[];
  readonly wantsEvents: boolean;
  readonly source: ReadingSource;
  readonly shared: SharedVisit | undefined;
}

/** What somebody wants to read; of profiles that grow with time rows of the last day where no range is said. */
export interface ReadWish {
  readonly what: string;
  readonly range?: ReadRange | undefined;
}

const DAY_MS = 86_400_000;

export class Collector {
  readonly visits: MeterVisits;
  readonly #options: CollectorOptions;
  readonly #clock: Clock;
  readonly #open: OpenSlots;
  readonly #keeper: ReadingKeeper;
  readonly #attempts: AttemptLog;

  constructor(options: CollectorOptions) {
    const { clock } = options.environment ?? SYSTEM_ENVIRONMENT;
    this.#options = options;
    this.#clock = clock;
    this.visits = new MeterVisits(options);
    this.#open = new OpenSlots({ ...options, nowMs: () => clock.now() });
    this.#keeper = new ReadingKeeper(options);
    this.#attempts = new AttemptLog({ ...options, clock });
  }

  /** Reads what is open of profiles into the store. Never rejects: failures are told and recorded. */
  async poll(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    source: ReadingSource = "poll",
    shared?: SharedVisit,
  ): Promise<PollOutcome> {
    const attributes = { "dlms.meter": meter.target.name, "dlms.readings": readings.join(" "), "dlms.source": source };
    return await inSpan("poll", attributes, async (span) => {
      const outcome = isReadOut(meter.target.connection)
        ? await this.#pollReadout(meter, readings, source)
        : await this.#pollObjects(meter, readings, { source, shared });
      if (outcome.cause !== undefined) failSpan(span, outcome.cause);
      return outcome;
    });
  }

  async #pollObjects(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    how: Pick<PollOrder, "source" | "shared">,
  ): Promise<PollOutcome> {
    const startedAt = new Date(this.#clock.now());
    const what = readings.join(" ");
    const profiles = readings.filter((each) => each !== "events");
    const buffers: RawBuffer[] = [];
    try {
      const wanted = await this.#open.rowsOf(meter, profiles);
      requirePossibleClock(meter, startedAt.getTime());
      const isOpen = profiles.filter((profile) => wanted.get(profile)?.type !== "nothing");
      const wantsEvents = readings.length > profiles.length && this.#options.eventStore !== undefined;
      // A meter whose slots are all held, from pushes perhaps, need not be called.
      if (isOpen.length === 0 && !wantsEvents) return { answered: true, more: [] };
      const { polled, logs } = await this.#pollOpen(meter, { wanted, isOpen, wantsEvents, ...how }, buffers);
      const profileRows = await inSpan("store", {}, () => this.#keeper.keepPoll(meter, polled, buffers.splice(0)));
      const rowCount = profileRows + (await this.#keeper.keepEvents(meter, logs));
      const ended = polled.failure ?? logs?.failure;
      if (ended !== undefined) return this.#failed(meter, { startedAt, what, rowCount }, ended);
      this.#attempts.polled(meter, readings, { startedAt, rowCount });
      const more = this.#open.moreOf(meter, wanted);
      return { answered: true, more, ...(more.length > 0 && { lostFromMs: this.#open.firstLossMs(meter) }) };
    } catch (error) {
      await this.#keeper.keepBuffers(buffers).catch(() => undefined);
      return this.#failed(meter, { startedAt, what, rowCount: 0 }, error);
    }
  }

  async #pollOpen(meter: PolledMeter, order: PollOrder, buffers: RawBuffer[]) {
    const { wanted, isOpen, wantsEvents, source, shared } = order;
    const poll = async (connection: MeterConnection) => {
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
        await this.#options.duringVisit?.(meter, connection).catch(() => undefined);
      }
      return { polled, logs };
    };
    return await this.visits.visit(meter, poll, shared);
  }

  async #pollReadout(
    meter: PolledMeter,
    readings: readonly ReadingKind[],
    source: ReadingSource,
  ): Promise<PollOutcome> {
    const startedAt = new Date(this.#clock.now());
    const buffers: RawBuffer[] = [];
    try {
      requirePossibleClock(meter, startedAt.getTime());
      const polled = await pollReadout(this.visits.ofReadout(meter), {
        meterKey: meter.meterKey,
        source,
        profiles: readings,
        keepBuffer: (buffer) => noteBuffer(buffers, { meter, source }, buffer),
      });
      const rowCount = await this.#keeper.keepPoll(meter, polled, buffers.splice(0));
      this.#attempts.polled(meter, readings, { startedAt, rowCount });
      return { answered: true, more: [] };
    } catch (error) {
      await this.#keeper.keepBuffers(buffers).catch(() => undefined);
      return this.#failed(meter, { startedAt, what: readings.join(" "), rowCount: 0 }, error);
    }
  }

  /** Reads one thing now. Throws what the visit throws; `causeOf` names it. */
  async read(meter: PolledMeter, wish: ReadWish, shared?: SharedVisit): Promise<ReadAnswer> {
    return await this.#read(meter, wish, (work) => this.visits.visit(meter, work, shared));
  }

  /** The same on an association that is there. */
  async readOn(connection: MeterConnection, meter: PolledMeter, wish: ReadWish): Promise<ReadAnswer> {
    return await this.#read(meter, wish, (work) => work(connection));
  }

  async #read(
    meter: PolledMeter,
    { what, range = this.#lastDay() }: ReadWish,
    visit: (work: (connection: MeterConnection) => Promise<ReadAnswer>) => Promise<ReadAnswer>,
  ): Promise<ReadAnswer> {
    const order = parseReadOrder(what);
    const startedAt = new Date(this.#clock.now());
    try {
      const { target } = meter;
      const results: ReadResult[] = [];
      const onRead = (result: ReadResult) => results.push(result);
      const answer = isReadOut(target.connection)
        ? await readoutForAnswer(order, this.visits.ofReadout(meter), { what, onRead })
        : await visit((source) =>
            readForAnswer(order, { source, target, what, range, onRead, nowMs: () => this.#clock.now() }),
          );
      for (const result of results) await this.#keeper.keepRead(meter, result, startedAt);
      this.#attempts.record(meter, { startedAt, what, rowCount: answer.rows.length, failure: undefined });
      return answer;
    } catch (error) {
      this.#attempts.record(meter, { startedAt, what, rowCount: 0, failure: causeOf(error) });
      throw error;
    }
  }

  #lastDay(): ReadRange {
    const toMs = this.#clock.now();
    return { fromMs: toMs - DAY_MS, toMs };
  }

  #failed(meter: PolledMeter, attempt: Parameters<AttemptLog["failed"]>[1], error: unknown): PollOutcome {
    const { cause } = this.#attempts.failed(meter, attempt, error);
    return { answered: false, cause, more: [], lostFromMs: this.#open.firstLossMs(meter) };
  }

  async #pollEvents(meter: PolledMeter, connection: MeterConnection): Promise<PolledEvents | undefined> {
    const stored = meter.eventsReadUpTo ?? (await this.#options.eventStore?.readUpTo(meter.meterId));
    if (stored === undefined) return undefined;
    meter.eventsReadUpTo ??= new Map(stored);
    return await pollEventLogs(connection, {
      target: meter.target,
      historyMs: this.#open.ruleOf(meter, "events").historyMs,
      readUpTo: meter.eventsReadUpTo,
      nowMs: () => this.#clock.now(),
    });
  }
}
