/** A collector over a simulated street: real sockets and sessions, a store in memory, and a calendar that can be put on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../drivers/clock.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { Collector, type CollectorOptions } from "../../src/collect/collector.ts";
import type { CollectorStore } from "../../src/collect/keeping/collector-store.ts";
import type { PolledMeter } from "../../src/collect/polled-meter.ts";
import type { InvocationCounters } from "../../src/collect/session/meter-access.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { SerialLines } from "../../src/collect/session/serial-lines.ts";
import { SYSTEM_ENVIRONMENT } from "../../src/collect/session/visit-environment.ts";
import type { ProfileMemory, StoredLedger } from "../../src/collect/slots/meter-ledger.ts";
import { meterSchema } from "../../src/config/schema.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import type { ProfileBatch, ProfileKind } from "../../src/profiles/batch.ts";
import { type Street, type StreetOptions, startStreet } from "../../src/simulator/street.ts";
import type { RejectedPollRow } from "../../src/store/profiles/rejected-rows.ts";
import type { MeterReading } from "../../src/store/records/meter-records.ts";
import type { ReadAttempt } from "../../src/store/records/read-attempts.ts";

/** Keeps everything, as a database would. */
export class MemoryStore implements CollectorStore {
  readonly batches: ProfileBatch[] = [];
  readonly attempts: ReadAttempt[] = [];
  readonly rejected: RejectedPollRow[] = [];
  readonly memories: ProfileMemory[] = [];
  readonly readings: MeterReading[] = [];

  async newestCaptures(): Promise<Readonly<Record<ProfileKind, number | undefined>>> {
    return { instant: undefined, block_load: undefined, daily_load: undefined, billing: undefined };
  }

  async loadLedger(): Promise<StoredLedger> {
    return { memories: this.memories, pages: [] };
  }

  async keepMemories(_meterKey: number, memories: readonly ProfileMemory[]): Promise<void> {
    this.memories.push(...memories);
  }

  async putRows(batch: ProfileBatch): Promise<{ written: Promise<void> }> {
    this.batches.push(batch);
    return { written: Promise.resolve() };
  }

  addAttempt(attempt: ReadAttempt): void {
    this.attempts.push(attempt);
  }

  async addReadings(readings: readonly MeterReading[]): Promise<void> {
    this.readings.push(...readings);
  }

  async addRejected(_meterKey: number, rows: readonly RejectedPollRow[]): Promise<void> {
    this.rejected.push(...rows);
  }

  /** Stamps of the rows that are held of a profile, the oldest first. */
  stampsOf(profile: ProfileKind): number[] {
    const stamps = this.batches.filter((batch) => batch.profile === profile).flatMap((batch) => batch.instantsMs);
    return [...new Set(stamps)].toSorted((a, b) => a - b);
  }

  absentOf(profile: ProfileKind): number[] {
    return this.batches.filter((batch) => batch.profile === profile).flatMap((batch) => batch.absentMs ?? []);
  }
}

/** Counters that need no lease. */
class Counters implements InvocationCounters {
  upcoming = 1;
  next(): number {
    return this.upcoming++;
  }
  async raise(lowest: number): Promise<void> {
    this.upcoming = Math.max(this.upcoming, lowest);
  }
  async ensure(): Promise<void> {}
}

export interface PolledStreet extends AsyncDisposable {
  readonly street: Street;
  readonly collector: Collector;
  readonly store: MemoryStore;
  readonly meters: readonly PolledMeter[];
  readonly events: readonly GatewayEvent[];
  /** Puts the clocks of street and collector on. */
  readonly pass: (ms: number) => void;
  readonly nowMs: () => number;
}

/** A street whose clocks start at `startMs`, and a collector that polls it. */
export async function polledStreet(
  options: StreetOptions & { readonly startMs: number },
  more: Partial<CollectorOptions> & { readonly store?: MemoryStore } = {},
): Promise<PolledStreet> {
  await using stack = new AsyncDisposableStack();
  let aheadMs = options.startMs - Date.now();
  const nowMs = () => Date.now() + aheadMs;
  const street = stack.use(await startStreet({ ...options, clock: nowMs }));
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-test-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const configs = await streetConfiguration(street.meters, directory);
  const meters = configs.map((input, index): PolledMeter => {
    const target = meterTarget(meterSchema.parse(input), {
      leaseCounters: async () => new Counters(),
      openStoredKey: () => Promise.reject(new Error("no key is stored")),
    });
    return { target, meterId: `00000000-0000-4000-8000-00000000000${index}`, meterKey: index + 1 };
  });
  const store = more.store ?? new MemoryStore();
  const events: GatewayEvent[] = [];
  const collector = new Collector({
    store,
    events: (event) => events.push(event),
    sessionBudgetMs: () => 60_000,
    lines: stack.use(new SerialLines()),
    environment: { ...SYSTEM_ENVIRONMENT, clock: { ...systemClock, now: nowMs } },
    ruleOf: () => ({ historyMs: 86_400_000, order: "oldest-first" }),
    ...more,
  });
  const held = stack.move();
  return {
    street,
    collector,
    store,
    meters,
    events,
    nowMs,
    pass: (ms) => {
      aheadMs += ms;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
