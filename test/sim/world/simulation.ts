/** Runs a scenario to its end and says what was not as it must be. */

import type { PolledMeter } from "../../../src/collect/polled-meter.ts";
import { meterTarget } from "../../../src/collect/session/meter-target.ts";
import type { PlanConfig } from "../../../src/config/schema.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import type { ProfileBatch } from "../../../src/profiles/batch.ts";
import { Random } from "../../fuzz/random.ts";
import { MemoryDisk } from "../../src/spool/memory-disk.ts";
import { DEFECTS, type Defect, type DefectName } from "./defects.ts";
import { HouseSite } from "./house-site.ts";
import { type Truth, violations } from "./invariants.ts";
import { ModelDatabase } from "./model-database.ts";
import { Network } from "./network.ts";
import { Observer } from "./observer.ts";
import { RowMeter } from "./row-meter.ts";
import { type RowSite, rowVisits } from "./row-site.ts";
import type { Ending, Scenario } from "./scenario.ts";
import { type FleetMeter, Station } from "./station.ts";
import { type VirtualScope, VirtualTime, withVirtualGlobals } from "./virtual-time.ts";

export interface SimulationReport {
  readonly seed: number;
  readonly level: Scenario["level"];
  readonly meters: number;
  readonly hours: number;
  readonly violations: readonly string[];
  readonly polls: number;
  readonly rows: number;
  readonly counters: number;
  readonly processes: number;
  readonly events: number;
  /** A number that is the same whenever the run is the same. */
  readonly digest: string;
  readonly causes: Readonly<Record<string, number>>;
  readonly told: Readonly<Record<string, number>>;
}

export interface SimulationOptions {
  readonly defect?: DefectName | undefined;
  readonly trace?: Observer["trace"];
}

const RESTART_MS = 5000;
const STOP_MS = 120_000;
/** As long as the station gives itself, and the end of what it waits for then. */
const LONGEST_STOP_MS = 50_000;
const MOMENT_MS = 50;
const LINGER_MS = 10_000;
const LONGEST_WAIT_MS = 400_000;
/** After the last slot that must have been read: the next visit, its retries, and a place in the queue. */
const SPARE_MS = 1_200_000;

export async function simulate(scenario: Scenario, options: SimulationOptions = {}): Promise<SimulationReport> {
  const time = new VirtualTime(scenario.startMs);
  const globals = withVirtualGlobals(time);
  try {
    return await new World(scenario, time, options).run();
  } finally {
    globals[Symbol.dispose]();
  }
}

class World {
  readonly #scenario: Scenario;
  readonly #time: VirtualTime;
  readonly #scope: VirtualScope;
  readonly #model: ModelDatabase;
  readonly #observer = new Observer();
  readonly #disk = new MemoryDisk();
  readonly #network: Network;
  readonly #rowSites = new Map<string, RowSite>();
  readonly #houseSites = new Map<string, HouseSite>();
  readonly #fleet: FleetMeter[] = [];
  readonly #truths: Truth[] = [];
  readonly #defect: Defect | undefined;
  #process: VirtualScope | undefined;
  #station: Station | undefined;
  #processes = 0;

  constructor(scenario: Scenario, time: VirtualTime, { defect, trace }: SimulationOptions) {
    this.#scenario = scenario;
    this.#time = time;
    this.#scope = time.scope();
    this.#defect = defect && DEFECTS[defect];
    this.#observer.trace = trace;
    this.#model = new ModelDatabase(this.#scope, this.#random(1));
    this.#network = new Network(this.#scope, this.#random(2));
    this.#settleIn();
  }

  async run(): Promise<SimulationReport> {
    const { endMs, database, endings, asks, absences, rowPlaces, startMs } = this.#scenario;
    const at = (instantMs: number, call: () => void) => this.#scope.after(instantMs - startMs, call);
    for (const { fromMs, toMs, state } of database) {
      at(fromMs, () => this.#model.become(state));
      at(toMs, () => this.#model.become("up"));
    }
    for (const ending of endings) at(ending.atMs, () => this.#end(ending));
    for (const { fromMs, toMs, meter: number, how } of absences) {
      at(fromMs, () => this.#withMeter(number, (station, meter) => station.leave(meter, how)));
      at(toMs, () => this.#withMeter(number, (station, meter) => station.comeBack(meter)));
    }
    for (const { atMs, meter, people } of asks) {
      for (let person = 0; person < people; person++) {
        at(atMs, () => this.#withMeter(meter, (station, each) => station.ask(each, "block")));
      }
    }
    for (const { meter, pushesAtMs } of rowPlaces) {
      for (const atMs of pushesAtMs) at(atMs, () => this.#push(meter.number));
    }
    this.#begin();
    await this.#time.run(endMs);
    await this.#settle();
    return this.#report();
  }

  #random(stream: number): Random {
    return new Random((this.#scenario.seed + 1) * 1013 + stream * 7_777_777);
  }

  #settleIn(): void {
    for (const { meter: options, weather, latencyMs } of this.#scenario.rowPlaces) {
      const meter = new RowMeter(options);
      const name = `m-${options.number}`;
      const config = meterSchema.parse(rowMeterConfig(name));
      this.#rowSites.set(name, { meter, weather, latencyMs });
      this.#model.ledger.calendars.set(options.number, { zone: options.zone });
      this.#truths.push({ meterKey: options.number, name, rowMeter: meter });
      const target = () => ({ ...meterTarget(config, NO_SERVICES), zone: options.zone, unlock: undefined });
      this.#fleet.push({ meterKey: options.number, target });
    }
    for (const [at, place] of this.#scenario.housePlaces.entries()) {
      const site = new HouseSite({ ...place, world: this.#scope, random: this.#random(100 + at) });
      this.#houseSites.set(site.name, site);
      const { zone, billingDay } = site.target(() => Promise.reject(new Error("not here")));
      this.#model.ledger.calendars.set(place.number, { zone, ...(billingDay !== undefined && { billingDay }) });
      this.#truths.push({ meterKey: place.number, name: site.name, rowMeter: undefined });
      this.#fleet.push({ meterKey: place.number, target: (lease) => site.target(lease) });
    }
  }

  /** A process begins; where the database is away it is started again until it is there. */
  #begin(): void {
    const process = this.#time.scope();
    this.#process = process;
    this.#processes += 1;
    const random = this.#random(10_000 + this.#processes);
    const environment = {
      clock: process,
      randomOctets: (length: number) => Uint8Array.from({ length }, () => random.below(256)),
      connectTcp: (
        { host }: { host: string },
        call: { connectTimeoutMs?: number; signal?: AbortSignal | undefined },
      ) => {
        const site = this.#houseSites.get(host);
        if (site === undefined) throw new RangeError(`nobody lives at ${host}`);
        const { connectTimeoutMs = 15_000, signal } = call;
        return this.#network.call(site, process, { connectTimeoutMs, signal });
      },
    };
    const { plans, polling, spool, level } = this.#scenario;
    process.after(0, () => {
      Station.start({
        process,
        random,
        model: this.#model,
        disk: this.#disk,
        observer: this.#observer,
        fleet: this.#fleet,
        plans: plans.map((plan): PlanConfig => plan),
        polling,
        spool,
        visits: {
          environment,
          ...(level !== "octets" && { visitMeter: rowVisits(this.#rowSites, process, random) }),
        },
        defect: this.#defect,
      }).then(
        (station) => {
          this.#station = station;
          station.loop.start();
        },
        () => this.#restart(process, RESTART_MS),
      );
    });
  }

  #restart(process: VirtualScope, downMs: number): void {
    process.end();
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#station = undefined;
    this.#scope.after(downMs, () => this.#begin());
  }

  #end({ how, downMs }: Ending): void {
    const [process, station] = [this.#process, this.#station];
    if (process === undefined) return;
    if (how === "stop" && station !== undefined) {
      this.#station = undefined;
      void this.#stop(station, process).then(() => this.#restart(process, downMs));
      return;
    }
    if (how === "power") this.#disk.cutPower(this.#model.random.pick(["nothing", "torn", "zeros"]));
    this.#restart(process, downMs);
  }

  async #stop(station: Station, process: VirtualScope): Promise<void> {
    const beganMs = process.elapsed();
    await station.stop();
    const tookMs = process.elapsed() - beganMs;
    if (tookMs > LONGEST_STOP_MS) this.#observer.fault(`a stop took ${tookMs} ms`);
  }

  #withMeter(number: number, work: (station: Station, meter: PolledMeter) => Promise<void>): void {
    const station = this.#station;
    const meter = station?.meters[number % station.meters.length];
    if (station !== undefined && meter !== undefined) void work(station, meter);
  }

  /** A meter sends its newest row; whether it hears that the row is safe is all the same to it. */
  #push(number: number): void {
    const meter = this.#rowSites.get(`m-${number}`)?.meter;
    const nowMs = this.#scope.now();
    const newest = meter?.held("block_load", nowMs).at(-1);
    if (meter === undefined || newest === undefined || meter.isOff(nowMs)) return;
    this.#station?.push(pushedRow(meter, newest, nowMs)).catch(() => undefined);
  }

  /** The last process stops in peace, and the next finds nothing to do. */
  async #settle(): Promise<void> {
    const station = this.#station;
    if (station === undefined) {
      this.#observer.fault("no process runs at the end");
      return;
    }
    const meters = station.meters;
    const process = this.#process;
    // It stops in the middle of work.
    for (const meter of meters) void station.ask(meter, "block");
    await this.#time.run(this.#time.nowMs + MOMENT_MS);
    if (process !== undefined) await this.#time.until(this.#stop(station, process), STOP_MS);
    // What the system does for sockets that were closed goes on for a moment.
    await this.#time.run(this.#time.nowMs + LINGER_MS);
    if (process !== undefined && this.#time.waiting(process) > 0) {
      this.#observer.fault(`${this.#time.waiting(process)} timers are left after the stop`);
    }
    if (this.#network.openCount > 0) this.#observer.fault(`${this.#network.openCount} calls go on after the stop`);
    if (station.busyConnections() > 0)
      this.#observer.fault(`${station.busyConnections()} connections are lent after the stop`);
    if (station.intake.isSpooling) this.#observer.fault("the spool is not empty at the end");
    const { database } = this.#model.openFor(this.#scope);
    const folded = database.query("select dlms.fold_coverage($1::int) as folded", [1e9]);
    await this.#time.until(folded, STOP_MS);
    const everyMs = Math.max(...this.#scenario.plans.map((plan) => plan.every).filter((ms) => ms <= 3_600_000));
    this.#violations = violations({
      model: this.#model,
      observer: this.#observer,
      truths: this.#truths,
      meters,
      endMs: this.#scenario.endMs,
      settledToMs: this.#scenario.endMs - everyMs - SPARE_MS,
    });
    const longest = Math.max(0, ...this.#observer.waits);
    if (longest > LONGEST_WAIT_MS) this.#violations.push(`somebody waited ${longest} ms for a place`);
  }

  #violations: string[] = [];

  #report(): SimulationReport {
    const { seed, level, startMs, endMs } = this.#scenario;
    const rows = [...this.#model.rows.values()].reduce((sum, each) => sum + each.size, 0);
    return {
      seed,
      level,
      meters: this.#fleet.length,
      hours: (endMs - startMs) / 3_600_000,
      violations: [...this.#violations, ...this.#observer.faults.filter((each) => !this.#violations.includes(each))],
      polls: this.#observer.polls,
      rows,
      counters: this.#observer.counters,
      processes: this.#processes,
      events: this.#time.events,
      digest: this.#digest(rows),
      causes: Object.fromEntries(this.#observer.causes),
      told: Object.fromEntries(this.#observer.events),
    };
  }

  #digest(rows: number): string {
    let digest = this.#time.events;
    for (const [key, held] of this.#model.rows) {
      for (const { instantMs, value } of held.values()) {
        const text = `${key} ${instantMs} ${value}`;
        for (let at = 0; at < text.length; at++) digest = (Math.imul(digest, 31) + text.charCodeAt(at)) >>> 0;
      }
    }
    return `${rows}-${digest.toString(16)}`;
  }
}

const NO_SERVICES = {
  leaseCounters: () => Promise.reject(new Error("no counters here")),
  openStoredKey: () => Promise.reject(new Error("nothing is stored")),
};

function rowMeterConfig(name: string) {
  return {
    name,
    number: name,
    companion: "idis",
    timeZone: "UTC",
    connection: { tcp: `${name}:4059`, link: "wrapper" },
    association: { clientSap: 1, serverSap: 1 },
  };
}

/** As a poll of the same row would bring it. */
function pushedRow(meter: RowMeter, slotMs: number, nowMs: number): ProfileBatch {
  const { number, intervalS } = meter.options;
  const { columns, others } = meter.mapped(slotMs);
  return {
    meterKey: number,
    profile: "block_load",
    source: "push",
    layoutFingerprint: "pushed",
    readAt: new Date(nowMs),
    rowCount: 1,
    instantsMs: [slotMs],
    timeRules: ["deviation"],
    meterTimes: undefined,
    intervalS,
    columns,
    others,
  };
}
