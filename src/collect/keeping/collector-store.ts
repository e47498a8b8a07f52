/** Where what was read goes, and what of it is asked for before the next read. */
import type { ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import type { SeenEvent } from "../../profiles/seen-events.ts";
import type { RejectedPollRow } from "../../store/profiles/rejected-rows.ts";
import type { MeterReading } from "../../store/records/meter-records.ts";
import type { ReadAttempt } from "../../store/records/read-attempts.ts";
import type { ProfileMemory, StoredLedger } from "../slots/meter-ledger.ts";

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
