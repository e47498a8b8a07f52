/**
 * All that comes in on its way to the database: rows, pushes, attempts, rejected rows. What the database does not take
 * goes to the spool and is brought in later; either way it is durable when whoever brought it is told so.
 */
import { type Clock, systemClock } from "../../../drivers/clock.ts";
import type { ProfileMemory } from "../../collect/slots/meter-ledger.ts";
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import { withoutValues } from "../../push/receive/push-record.ts";
import { nodeDisk } from "../../spool/disk.ts";
import type { SegmentDamage } from "../../spool/segment.ts";
import { Spool } from "../../spool/spool.ts";
import type { Database } from "../database/database.ts";
import { keepMemories, type MeterMemory } from "../ledger/ledger-records.ts";
import type { ProfileWriter, WriteOptions, WriteOutcome } from "../profiles/profile-writer.ts";
import {
  keepRejectedRows,
  type RejectedPollRow,
  type RejectedRow,
  rejectedPollRows,
} from "../profiles/rejected-rows.ts";
import { PushHistory, PushQueue } from "../push/push-history.ts";
import { queuedPush } from "../push/received-push.ts";
import { BEFORE_READINGS, keepReadings, type MeterReading } from "../records/meter-records.ts";
import { keepAttempts, type ReadAttempt, ReadAttempts } from "../records/read-attempts.ts";
import { lockDirectory } from "../server/directory-lock.ts";
import { BatchQueue } from "./batch-queue.ts";
import { KeptKind, outletOf } from "./kept-kind.ts";
import { SpoolGate, type SpoolGateEvents } from "./spool-gate.ts";
import { ATTEMPTS, MEMORIES, PROFILE_ROWS, PUSHES, READINGS, REJECTED_ROWS } from "./spool-kinds.ts";

export interface StoreIntakeOptions {
  readonly database: Database;
  readonly writer: Pick<ProfileWriter, "write">;
  /** Called when rows are in the database, however they came there; does not throw. */
  readonly afterRows?: (batches: readonly ProfileBatch[]) => Promise<unknown>;
  /** Most groups of rows that are written at the same time. */
  readonly writers: number;
  readonly spool: {
    readonly directory: string;
    /** Octets that it may take. */
    readonly quota: number;
    /** How long the database may take before rows and pushes are spooled. */
    readonly patienceMs: number;
  };
  readonly events: EventSink;
  readonly clock?: Clock;
  /** Until then all goes to the spool, and nothing is brought in: the database has to be made ready first. */
  readonly ready?: Promise<void>;
}

/** Shares of the quota that may be filled: a meter keeps its rows and can be asked again, a push comes once. */
const POLL_SHARE = 0.8;
const PUSH_SHARE = 0.95;

export class StoreIntake {
  readonly rows: BatchQueue;
  readonly pushes: PushQueue;
  readonly spool: Pick<Spool, "octets" | "quota">;
  readonly #gate: SpoolGate;
  readonly #attempts: ReadAttempts;
  readonly #rejected: KeptKind<RejectedRow>;
  readonly #memories: KeptKind<MeterMemory>;
  readonly #readings: KeptKind<MeterReading>;
  readonly #unlock: () => Promise<void>;
  readonly #clock: Clock;

  /** Opens the spool and begins to bring in what an earlier run left. Throws SpoolError and StoreError. */
  static async open(options: StoreIntakeOptions): Promise<StoreIntake> {
    const { directory, quota } = options.spool;
    await nodeDisk.makeDirectory(directory);
    const unlock = await lockDirectory(directory, "SPOOL_IN_USE");
    try {
      const onDamage = (damage: SegmentDamage) => options.events({ event: "spoolDamaged", ...damage });
      return new StoreIntake(options, await Spool.open({ directory, quota, onDamage }), unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** Over a spool that is open already and that nobody else uses; `unlock` is called when the intake has stopped. */
  constructor(options: StoreIntakeOptions, spool: Spool, unlock: () => Promise<void>) {
    const { database, writer, events, ready, clock = systemClock } = options;
    const { patienceMs } = options.spool;
    this.#clock = clock;
    this.#unlock = unlock;
    this.spool = spool;
    const gateOptions = { spool, database, patienceMs, events: gateEvents(events), clock };
    this.#gate = new SpoolGate({ ...gateOptions, ...(ready && { ready }) });
    const onRetry = (error: Error, retryMs: number) => events({ event: "storeFailed", reason: error.message, retryMs });
    const onWritten = ({ rows, inserted, revised, setAside }: WriteOutcome) =>
      events({ event: "rowsStored", rows, inserted, revised, setAside: setAside.length });
    const writeRows = async (batches: readonly ProfileBatch[], writing: WriteOptions) => {
      const outcome = await writer.write(batches, writing);
      await options.afterRows?.(batches);
      return outcome;
    };
    this.rows = new BatchQueue({
      write: writeRows,
      writers: options.writers,
      onWritten,
      onRetry,
      clock,
      spool: this.#gate.add({
        kind: PROFILE_ROWS,
        write: async (batches, alsoHere) => onWritten(await writeRows(batches, { alsoHere, isRepeat: true })),
        share: ({ source }) => (source === "push" ? PUSH_SHARE : POLL_SHARE),
        ...queueOf(() => this.rows),
      }),
    });
    const history = new PushHistory(database);
    const pushes = this.#gate.add({
      kind: PUSHES,
      write: (pushes, alsoHere) => history.keep(pushes, alsoHere),
      reduced: ({ push, key }, reason) => queuedPush(withoutValues(push, reason), key),
      ...queueOf(() => this.pushes),
    });
    this.pushes = new PushQueue((group) => history.keep(group), { onRetry, spool: pushes, clock });
    const attempts = this.#gate.add({
      ...outletOf(database, { kind: ATTEMPTS, keep: keepAttempts }),
      settled: () => this.#attempts.settled(),
    });
    this.#attempts = new ReadAttempts(
      database,
      (error, count) => {
        const reason = messageOf(error);
        events({ event: "attemptsLost", reason, count });
      },
      attempts,
      clock,
    );
    const rejected = outletOf(database, { kind: REJECTED_ROWS, keep: keepRejectedRows });
    this.#rejected = new KeptKind(this.#gate, rejected);
    const memories = outletOf(database, { kind: MEMORIES, keep: keepMemories });
    this.#memories = new KeptKind(this.#gate, memories);
    const readings = outletOf(database, { kind: READINGS, keep: keepReadings, opening: BEFORE_READINGS });
    this.#readings = new KeptKind(this.#gate, readings);
    this.#gate.start();
  }

  /** Whether what comes goes to the spool now. */
  get isSpooling(): boolean {
    return this.#gate.engaged;
  }

  /** Ends when the spool has been brought in, or when the intake stops. */
  drained(): Promise<void> {
    return this.#gate.drained();
  }

  addAttempt(attempt: ReadAttempt): void {
    this.#attempts.add(attempt);
  }

  /** Keeps rows that were read but could not be mapped. Throws StoreError and SpoolError. */
  addRejected(meterKey: number, rows: readonly RejectedPollRow[]): Promise<void> {
    return this.#rejected.put(rejectedPollRows(meterKey, rows, new Date(this.#clock.now())));
  }

  /** Keeps single values. Throws StoreError and SpoolError. */
  addReadings(readings: readonly MeterReading[]): Promise<void> {
    return this.#readings.put(readings);
  }

  /** Keeps how a meter captures profiles. Throws StoreError and SpoolError. */
  keepMemories(meterKey: number, learned: readonly ProfileMemory[]): Promise<void> {
    return this.#memories.put(
      learned.map(({ profile, validFromMs, intervalS, entries }) => {
        return { meterKey, profile, validFromMs, intervalS, entries };
      }),
    );
  }

  /**
   * Makes all that is kept durable, in the spool where the database takes too long, and ends within `timeoutMs`. Nothing
   * may be brought any more.
   */
  async stop(timeoutMs: number): Promise<void> {
    const endMs = this.#clock.elapsed() + timeoutMs;
    const leftMs = () => Math.max(0, endMs - this.#clock.elapsed());
    const impatience = this.#clock.after(timeoutMs / 2, () => this.#gate.engage("the gateway stops"));
    await Promise.all([this.rows.stop(timeoutMs), this.pushes.stop(timeoutMs), this.#attempts.flush()]);
    impatience.close();
    await this.#gate.stop(leftMs());
    await this.#unlock();
  }
}

function queueOf(queue: () => Pick<BatchQueue, "divert" | "resume" | "settled">) {
  return {
    divert: () => queue().divert(),
    resume: () => queue().resume(),
    settled: () => queue().settled(),
  };
}

function gateEvents(events: EventSink): SpoolGateEvents {
  return {
    onEngaged: (reason) => events({ event: "spoolBegun", reason }),
    onRetry: (reason, retryMs) => events({ event: "spoolRetried", reason, retryMs }),
    onDrained: (records, durationMs) => events({ event: "spoolDrained", records, durationMs }),
    onSetAside: (kind, reason) => events({ event: "spoolSetAside", kind, reason }),
    onFilling: (octets, quota) => events({ event: "spoolFilling", octets, quota }),
  };
}
