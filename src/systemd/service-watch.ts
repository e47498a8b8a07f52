/**
 * Tells the service manager how the gateway is: a line of status, and a sign of life only while every part that has
 * something to do does it. A loop that hangs gives none either; systemd starts the process anew then.
 */
import { counted } from "../observe/counted.ts";
import type { EventCounts } from "../observe/event-counts.ts";
import type { EventSink } from "../observe/events.ts";
import { type Part, stalledParts, stalledTexts, type Vitals } from "../observe/vitals.ts";

export interface ServiceWatchOptions {
  readonly notify: (state: string) => void;
  readonly watchdogMs: number | undefined;
  /** Undefined while no gateway runs: at the start, and while it is started anew. */
  readonly vitals: () => Vitals | undefined;
  readonly counts: EventCounts;
  readonly events: EventSink;
}

const MINUTE_MS = 60_000;
const STATUS_MS = 10_000;

interface Sample {
  readonly atMs: number;
  readonly read: number;
  readonly failed: number;
  readonly pushed: number;
}

export class ServiceWatch implements Disposable {
  readonly #options: ServiceWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Of the last minute, the oldest first. */
  #samples: Sample[] = [];
  #stalled: readonly Part[] = [];
  #starting = "starts";

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
    this.#look();
    const { watchdogMs } = options;
    const everyMs = Math.min(STATUS_MS, watchdogMs === undefined ? STATUS_MS : watchdogMs / 3);
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** A start may wait for the database. */
  readonly sink: EventSink = (event) => {
    if (event.event !== "databaseAway" || event.goesOn) return;
    this.#starting = `waits for the database: ${event.reason}`;
    this.#look();
  };

  /** The gateway does what it is there for. */
  ready(): void {
    this.#look("READY=1\n");
  }

  #look(first = ""): void {
    const vitals = this.#options.vitals();
    if (vitals !== undefined) this.#lookForStalled(vitals);
    const isAlive = vitals === undefined || this.#stalled.length === 0;
    const status = vitals === undefined ? this.#starting : statusLine(vitals, this.#lastMinute());
    this.#options.notify(`${first}${isAlive ? "WATCHDOG=1\n" : ""}STATUS=${status}`);
  }

  #lookForStalled(vitals: Vitals): void {
    const stalled = stalledParts(vitals);
    for (const part of stalled.filter((each) => !this.#stalled.includes(each))) {
      this.#options.events({ event: "partStalled", part, forMs: vitals.stalledMs[part] });
    }
    this.#stalled = stalled;
  }

  #lastMinute(): Omit<Sample, "atMs"> {
    const { counts } = this.#options;
    const now = {
      atMs: performance.now(),
      read: counts.of("meterPolled"),
      failed: counts.of("meterFailed"),
      pushed: counts.of("pushReceived"),
    };
    this.#samples = [...this.#samples.filter((each) => each.atMs > now.atMs - MINUTE_MS), now];
    const first = this.#samples[0] ?? now;
    return { read: now.read - first.read, failed: now.failed - first.failed, pushed: now.pushed - first.pushed };
  }
}

/** What `systemctl status` shows. */
function statusLine(vitals: Vitals, minute: { read: number; failed: number; pushed: number }): string {
  const { meters, overdueMs, spool } = vitals;
  const said = [
    counted(meters, "meter"),
    `in the last minute ${minute.read} read, ${minute.failed} failed, ${minute.pushed} pushes`,
    `due work ${Math.round(overdueMs / 1000)} s late`,
    ...stalledTexts(vitals),
  ];
  if (spool.engaged) said.push(`the database is away or slow, spool ${Math.round(spool.octets / 1e6)} MB`);
  return said.join("; ");
}
