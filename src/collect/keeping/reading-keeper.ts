/** Keeps what was read of meters; what is durable counts as read, and nothing else. */
import type { EventSink } from "../../observe/events.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import type { RawBuffer } from "../../store/profiles/raw-buffers.ts";
import { type PolledMeter, settleBatch } from "../polled-meter.ts";
import type { PolledEvents } from "../read/event-poller.ts";
import type { PollResult } from "../read/meter-poller.ts";
import type { ReadResult } from "../read/meter-reader.ts";
import { watchRegisters } from "../read/register-watch.ts";
import type { CollectorStore, EventLogStore } from "./collector-store.ts";
import { readingsOf, rowsOfRead, withBuffers } from "./kept-reads.ts";

export interface ReadingKeeperOptions {
  readonly store: Omit<CollectorStore, "loadLedger" | "newestCaptures">;
  readonly eventStore?: EventLogStore;
  readonly events: EventSink;
}

export class ReadingKeeper {
  readonly #options: ReadingKeeperOptions;

  constructor(options: ReadingKeeperOptions) {
    this.#options = options;
  }

  /** How many rows were kept. Slots are settled only when all rows, rejected ones too, are durable: what failed to be written is read again. */
  async keepPoll(meter: PolledMeter, result: PollResult, buffers: readonly RawBuffer[]): Promise<number> {
    const { setAside, refused, learned } = result;
    const batches = withBuffers(result.batches, buffers);
    const { store, events } = this.#options;
    for (const { profile, error } of refused) {
      events({ event: "profileRefused", meter: meter.target.name, profile, evidence: error.message });
    }
    await this.#putRows(batches);
    for (const batch of batches) watchRegisters(meter, batch, events);
    if (setAside.length > 0) await store.addRejected(meter.meterKey, setAside);
    // Rows are worth more than how they are captured, which the next visit learns again.
    if (learned.length > 0) await store.keepMemories(meter.meterKey, learned);
    for (const memory of learned) meter.ledger?.learn(memory);
    for (const batch of batches) settleBatch(meter, batch);
    return batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  }

  /** Octets that nothing could be made of: somebody will want to look at them. */
  async keepBuffers(buffers: readonly RawBuffer[]): Promise<void> {
    await this.#putRows(withBuffers([], buffers));
  }

  /** What somebody read is kept as well, but not waited for: whoever asked has the answer. */
  async keepRead(meter: PolledMeter, read: ReadResult, readAt: Date): Promise<void> {
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

  /** A log counts as read only when its events are durable. */
  async keepEvents(meter: PolledMeter, logs: PolledEvents | undefined): Promise<number> {
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

  async #putRows(batches: readonly ProfileBatch[]): Promise<void> {
    const puts: { readonly written: Promise<void> }[] = [];
    for (const batch of batches) puts.push(await this.#options.store.putRows(batch));
    await Promise.all(puts.map((put) => put.written));
  }
}
