/** What Prometheus scrapes: counts of what happened, and how the gateway is at that moment. No label names a meter. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { EventSink } from "./events.ts";
import type { Vitals } from "./vitals.ts";

/** Of a visit, in seconds: a meter on a good network answers within one, one on a modem within minutes. */
const VISIT_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Gauges of the vitals, by name: what each says, and its value. */
const GAUGES: Readonly<Record<string, readonly [help: string, value: (vitals: Vitals) => number]>> = {
  meters: ["Meters that this gateway works.", ({ meters }) => meters],
  quarantined_meters: ["Meters that keep failing and are tried seldom.", ({ quarantined }) => quarantined],
  due_work_delay_seconds: ["How late the work is that is due next.", ({ overdueMs }) => overdueMs / 1000],
  waiting_rows: ["Rows in memory that are not durable yet.", ({ waitingRows }) => waitingRows],
  waiting_pushes: ["Pushes in memory that are not durable yet.", ({ waitingPushes }) => waitingPushes],
  push_connections: ["Open connections of meters that push.", ({ pushConnections }) => pushConnections],
  spool_bytes: ["What the spool takes on the disk.", ({ spool }) => spool.octets],
  spool_quota_bytes: ["What the spool may take.", ({ spool }) => spool.quota],
  spooling: ["1 while what comes goes to the spool and not to the database.", ({ spool }) => (spool.engaged ? 1 : 0)],
};

/** Which one of several processes this is. */
export interface WorkerPlace {
  readonly worker: number;
  readonly count: number;
  /** Those that this one answers for too. */
  readonly others: readonly OtherWorker[];
}

export interface OtherWorker {
  readonly worker: number;
  readonly socket: string;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #happened = this.#counter("events_total", "What happened, by event of the log.", ["event"]);
  readonly #visits = this.#counter("visits_total", "Visits to meters.", ["outcome"]);
  readonly #failures = this.#counter("visit_failures_total", "Visits that failed, by cause.", ["cause"]);
  readonly #rows = this.#counter("rows_total", "Rows of profiles that were written.", ["outcome"]);
  readonly #pushes = this.#counter("pushes_total", "What meters sent by themselves.", ["outcome"]);
  readonly #visitTime = new Histogram({
    name: "dlms_gateway_visit_duration_seconds",
    help: "How long visits to meters took.",
    buckets: VISIT_BUCKETS_S,
    registers: [this.#registry],
  });

  constructor(version: string, vitals: () => Vitals, place?: WorkerPlace) {
    if (place !== undefined) this.#registry.setDefaultLabels({ worker: place.worker });
    this.#gauge("info", "Always 1.", { labelNames: ["version"] }).set({ version }, 1);
    this.#gauge("workers", "Processes that share the meters here; each that answers has its own series.", {}).set(
      place?.count ?? 1,
    );
    for (const [name, [help, value]] of Object.entries(GAUGES)) {
      const gauge = this.#gauge(name, help, { collect: () => gauge.set(value(vitals())) });
    }
    const stalled = this.#gauge(
      "stalled_seconds",
      "For how long a part has had something to do and has tried nothing.",
      {
        labelNames: ["part"],
        collect: () => {
          for (const [part, ms] of Object.entries(vitals().stalledMs)) stalled.set({ part }, ms / 1000);
        },
      },
    );
    collectDefaultMetrics({ register: this.#registry });
  }

  readonly sink: EventSink = (event) => {
    this.#happened.inc({ event: event.event });
    if (event.event === "meterPolled" || event.event === "meterFailed") {
      this.#visits.inc({ outcome: event.event === "meterPolled" ? "read" : "failed" });
      this.#visitTime.observe(event.durationMs / 1000);
    }
    if (event.event === "meterFailed") this.#failures.inc({ cause: event.cause });
    if (event.event === "rowsStored") {
      this.#rows.inc({ outcome: "inserted" }, event.inserted);
      this.#rows.inc({ outcome: "revised" }, event.revised);
      this.#rows.inc({ outcome: "set aside" }, event.setAside);
    }
    if (event.event === "pushReceived") this.#pushes.inc({ outcome: "understood" });
    if (event.event === "pushRejected") this.#pushes.inc({ outcome: "kept without being understood" });
    if (event.event === "pushesDropped") this.#pushes.inc({ outcome: "turned away" }, event.count);
  };

  /** In Prometheus' text format, and how that is called in HTTP. */
  async text(): Promise<{ readonly text: string; readonly contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `dlms_gateway_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, how: { labelNames?: string[]; collect?: () => void }): Gauge {
    return new Gauge({ name: `dlms_gateway_${name}`, help, registers: [this.#registry], ...how });
  }
}
