/**
 * One process of the gateway: planner, poll loop, collector, intake, spool and counters as the daemon wires them, over
 * time, network, disk and database of the simulation.
 */
import { toHex } from "../../../protocol/bytes/hex.ts";
import { keyFingerprint, type SecretKey } from "../../../protocol/security/secret-key.ts";
import type { SystemTitle } from "../../../protocol/security/system-title.ts";
import { Collector, type CollectorOptions } from "../../../src/collect/collector.ts";
import { drain } from "../../../src/collect/drain.ts";
import { pushedRows } from "../../../src/collect/keeping/pushed-rows.ts";
import { PollLoop } from "../../../src/collect/lanes/poll-loop.ts";
import { MeterPlans } from "../../../src/collect/plan/meter-plans.ts";
import { forgetProgress, type PolledMeter } from "../../../src/collect/polled-meter.ts";
import type { InvocationCounters } from "../../../src/collect/session/meter-access.ts";
import type { MeterConnection } from "../../../src/collect/session/meter-connection.ts";
import type { MeterTarget } from "../../../src/collect/session/meter-target.ts";
import { SerialLines } from "../../../src/collect/session/serial-lines.ts";
import type { SharedVisit } from "../../../src/collect/session/shared-visit.ts";
import type { PlanConfig } from "../../../src/config/schema.ts";
import { CounterTable } from "../../../src/keys/counter-table.ts";
import { leaseKeyCounters } from "../../../src/keys/key-counters.ts";
import type { ProfileBatch } from "../../../src/profiles/batch.ts";
import { Spool } from "../../../src/spool/spool.ts";
import { type Database, isTransient } from "../../../src/store/database/database.ts";
import { StoreIntake } from "../../../src/store/intake/store-intake.ts";
import { foldCoverage } from "../../../src/store/ledger/coverage.ts";
import { CoverageFolding } from "../../../src/store/ledger/coverage-folding.ts";
import { journalCoverage } from "../../../src/store/ledger/coverage-journal.ts";
import { loadLedger } from "../../../src/store/ledger/ledger-records.ts";
import { newestCaptures } from "../../../src/store/profiles/newest-held.ts";
import type { WriteOptions } from "../../../src/store/profiles/profile-writer.ts";
import type { Random } from "../../fuzz/random.ts";
import type { MemoryDisk } from "../../src/spool/memory-disk.ts";
import type { Defect } from "./defects.ts";
import { JobWatch } from "./job-watch.ts";
import type { ModelDatabase } from "./model-database.ts";
import type { Observer } from "./observer.ts";
import type { Absence } from "./scenario.ts";
import { slowDisk } from "./slow-disk.ts";
import type { VirtualScope } from "./virtual-time.ts";

/** A meter of the fleet: its target is made anew with each process. */
export interface FleetMeter {
  readonly meterKey: number;
  readonly target: (lease: LeaseCounters) => MeterTarget;
}

interface StationParts {
  readonly database: Database;
  readonly busy: () => number;
  readonly spool: Spool;
  /** Whether the database answered at the start. */
  readonly isThere: boolean;
}

export type LeaseCounters = (key: SecretKey, clientSystemTitle: SystemTitle) => Promise<InvocationCounters>;

export interface StationOptions {
  readonly process: VirtualScope;
  readonly random: Random;
  readonly model: ModelDatabase;
  readonly disk: MemoryDisk;
  readonly observer: Observer;
  readonly fleet: readonly FleetMeter[];
  readonly plans: PlanConfig[];
  readonly polling: {
    readonly concurrency: number;
    readonly connectsPerSecond: number;
    readonly sessionTimeoutMs: number;
  };
  readonly spool: { readonly quota: number; readonly patienceMs: number };
  readonly visits: Required<Pick<CollectorOptions, "environment">> & Pick<CollectorOptions, "visitMeter">;
  readonly defect: Defect | undefined;
}

const DIRECTORY = "/spool";
const SEGMENT_OCTETS = 20_000;
const GRACE_MS = 30_000;
const STOP_MS = 45_000;
const LOOK_MS = 5000;
/** From when a meter is given back until it calls. */
const CALL_MS = 1000;
const FULL_PART = 0.8;

export class Station {
  readonly meters: readonly PolledMeter[];
  readonly loop: PollLoop<PolledMeter>;
  readonly intake: StoreIntake;
  readonly busyConnections: () => number;
  readonly #collector: Collector;
  readonly #folding: CoverageFolding;
  readonly #putRows: (batch: ProfileBatch) => Promise<{ readonly written: Promise<void> }>;
  readonly #options: StationOptions;
  readonly #jobs: JobWatch;
  /** Meters to which there is no way. */
  readonly #unreachable = new Set<PolledMeter>();
  #hasLedgers: boolean;
  #isStopping = false;

  /** Where the database is away, what needs it is done when it has come back. */
  static async start(options: StationOptions): Promise<Station> {
    const { process, random, model, disk } = options;
    const { database, busy } = model.openFor(process);
    const isThere = await foldCoverage(database).then(
      () => true,
      () => false,
    );
    const spool = await Spool.open({
      directory: DIRECTORY,
      quota: options.spool.quota,
      segmentOctets: SEGMENT_OCTETS,
      disk: slowDisk(disk, process, random),
      randomOctets: (length) => Uint8Array.from({ length }, () => random.below(256)),
      onDamage: (damage) => options.observer.hear({ event: "spoolDamaged", ...damage }),
    });
    return new Station(options, { database, busy, spool, isThere });
  }

  private constructor(options: StationOptions, { database, busy, spool, isThere }: StationParts) {
    this.#options = options;
    this.#jobs = new JobWatch(options.polling, options.process, options.observer);
    this.#hasLedgers = isThere;
    this.busyConnections = busy;
    const { process, model, observer, plans, polling, visits } = options;
    const counters = new CounterTable(database);
    const lease: LeaseCounters = async (key, title) =>
      this.#watched(
        await leaseKeyCounters(counters, { key, clientSystemTitle: title }, { now: () => process.elapsed() }),
        `${toHex(keyFingerprint(key, "invocation counter"))} ${toHex(title)}`,
      );
    this.meters = options.fleet.map(({ meterKey, target }) => ({
      meterKey,
      meterId: `meter-${meterKey}`,
      target: target(lease),
    }));
    const events = observer.hear;
    const writer = {
      write: (batches: readonly ProfileBatch[], { alsoHere }: WriteOptions = {}) =>
        model.write(database, batches, [
          ...(options.defect?.skipsLedger?.(batches) === true ? [] : [journalCoverage]),
          ...(alsoHere === undefined ? [] : [alsoHere]),
        ]),
    };
    this.intake = new StoreIntake(
      {
        database,
        writer,
        writers: 3,
        spool: { directory: DIRECTORY, ...options.spool },
        events,
        clock: process,
        ...(!isThere && { ready: this.#databaseReturn(database) }),
      },
      spool,
      () => Promise.resolve(),
    );
    const onFailed = (error: unknown) => events({ event: "coverageUnfolded", reason: String(error) });
    this.#folding = new CoverageFolding(database, onFailed);
    // While the spool holds rows, the database does not know of all slots that are held.
    const whileThere = async <Result>(ask: () => Promise<Result>): Promise<Result | undefined> => {
      if (this.intake.isSpooling || !this.#hasLedgers) return undefined;
      try {
        return await ask();
      } catch (error) {
        if (!isTransient(error)) throw error;
        return undefined;
      }
    };
    const meterPlans = new MeterPlans(() => plans);
    const putRows = (batch: ProfileBatch) => this.#put(batch);
    this.#collector = new Collector({
      events,
      lines: new SerialLines(),
      sessionBudgetMs: () => polling.sessionTimeoutMs,
      ruleOf: (meter, profile) => meterPlans.ruleOf(meter, profile),
      ...visits,
      store: {
        newestCaptures: (meterKey) => whileThere(() => newestCaptures(database, meterKey)),
        loadLedger: (meterKey) => whileThere(() => loadLedger(database, meterKey)),
        keepMemories: (meterKey, memories) => this.intake.keepMemories(meterKey, memories),
        putRows,
        addAttempt: (attempt) => this.intake.addAttempt(attempt),
        addReadings: (readings) => this.intake.addReadings(readings),
        addRejected: (meterKey, rows) => this.intake.addRejected(meterKey, rows),
      },
    });
    this.loop = new PollLoop({
      meters: this.meters,
      nameOf: (meter) => meter.target.name,
      zoneOf: (meter) => meter.target.zone,
      plansOf: (meter) => meterPlans.of(meter),
      onQuarantine: (meter, isQuarantined) =>
        events({ event: isQuarantined ? "meterQuarantined" : "meterReturned", meter: meter.target.name }),
      concurrency: polling.concurrency * (options.defect?.widens ?? 1),
      startsPerSecond: polling.connectsPerSecond,
      isReachable: (meter) => !this.#unreachable.has(meter),
      poll: (meter, profiles, _lane, visit) =>
        options.defect?.neglects?.(meter.meterKey) === true
          ? Promise.resolve({ answered: true, more: [] })
          : this.#jobs.poll(meter.meterId, () => this.#collector.poll(meter, profiles, "poll", visit)),
      clock: process,
    });
    const byKey = new Map(this.meters.map((meter) => [meter.meterKey, meter]));
    this.#putRows = pushedRows(putRows, {
      meterOf: (meterKey) => byKey.get(meterKey),
      seen: (meter) => {
        this.#jobs.seen(meter.meterId);
        this.loop.seen(meter);
      },
    });
  }

  /** As the daemon does what a start without the database has to leave out. */
  async #databaseReturn(database: Database): Promise<void> {
    const { process } = this.#options;
    for (;;) {
      await process.wait(LOOK_MS);
      if (this.#isStopping) return;
      const isThere = await foldCoverage(database).then(
        () => true,
        () => false,
      );
      if (!isThere) continue;
      void this.#learnLedgers(database);
      return;
    }
  }

  async #learnLedgers(database: Database): Promise<void> {
    while (!this.#isStopping && !this.#hasLedgers) {
      await this.intake.drained();
      await foldCoverage(database).then(
        () => (this.#hasLedgers = true),
        () => this.#options.process.wait(LOOK_MS),
      );
    }
  }

  /** A meter has sent rows by itself; resolves when it may be told that they are safe. */
  async push(batch: ProfileBatch): Promise<void> {
    const { written } = await this.#putRows(batch);
    await written;
  }

  /** As the daemon gives a meter to another gateway, or loses the way to it. */
  async leave(meter: PolledMeter, how: Absence["how"]): Promise<void> {
    if (how !== "given") {
      this.#unreachable.add(meter);
      this.loop.setReachable(meter, false);
    }
    if (how === "unreachable") return;
    await this.loop.release([meter]);
    if (!this.loop.holds(meter)) forgetProgress(meter);
  }

  /** The meter is this gateway's again, and then there is a way to it. */
  async comeBack(meter: PolledMeter): Promise<void> {
    this.#jobs.seen(meter.meterId);
    if (!this.loop.holds(meter)) this.loop.hold([meter]);
    await this.#options.process.wait(CALL_MS);
    this.#jobs.seen(meter.meterId);
    this.#unreachable.delete(meter);
    this.loop.setReachable(meter, true);
  }

  /** Somebody asks for something of a meter now. */
  async ask(meter: PolledMeter, what: string): Promise<void> {
    const askedMs = this.#options.process.now();
    const { octets, quota } = this.intake.spool;
    // Where neither the database nor the spool takes what was read, meters wait with it.
    const isStuck = octets > FULL_PART * quota;
    const noteWait = () => {
      if (!isStuck) this.#options.observer.waits.push(this.#options.process.now() - askedMs);
    };
    const own = (visit: SharedVisit) => {
      noteWait();
      return this.#jobs.during(meter.meterId, () => this.#collector.read(meter, { what }, visit));
    };
    const onVisit = (connection: MeterConnection) => {
      noteWait();
      return this.#collector.readOn(connection, meter, { what });
    };
    await this.loop.readNow(meter, own, { lane: "on_demand", what, onVisit }).catch(() => undefined);
  }

  /** As the daemon stops at a signal. */
  async stop(): Promise<void> {
    const { process } = this.#options;
    this.#isStopping = true;
    const endMs = process.elapsed() + STOP_MS;
    const leftMs = () => Math.max(1000, endMs - process.elapsed());
    await drain({ loop: this.loop, sessions: this.#collector.visits, rows: this.intake.rows }, GRACE_MS, leftMs);
    await this.intake.stop(leftMs());
    await this.#folding.stop();
  }

  async #put(batch: ProfileBatch): Promise<{ readonly written: Promise<void> }> {
    const { observer, defect } = this.#options;
    if (defect?.acknowledgesEarly?.(batch) === true) {
      observer.acknowledge(batch);
      return { written: Promise.resolve() };
    }
    const { written } = await this.intake.rows.put(defect?.spoilsRows?.(batch) ?? batch);
    return { written: written.then(() => observer.acknowledge(batch)) };
  }

  /** Each counter that is taken is noted with the key that it is used with. */
  #watched(lease: InvocationCounters, key: string): InvocationCounters {
    const { observer, defect } = this.#options;
    return {
      get upcoming() {
        return lease.upcoming;
      },
      next: () => {
        const counter = defect?.bendsCounter?.(lease.next()) ?? lease.next();
        observer.useCounter(key, counter);
        return counter;
      },
      raise: (floor) => lease.raise(floor),
      ensure: (count) => lease.ensure(count),
    };
  }
}
