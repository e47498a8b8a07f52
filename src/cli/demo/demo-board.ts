/** What the demo shows while it reads: a bar, and one line a meter with its newest values. */
import type { GatewayEvent } from "../../observe/events.ts";
import type { StreetMeter } from "../../simulator/street.ts";
import type { Database } from "../../store/database/database.ts";
import { progressBar } from "../terminal/progress-bar.ts";
import { tableLines } from "../terminal/table.ts";

interface MeterLine {
  readonly meter: StreetMeter;
  tries: number;
  rows: number;
  tookMs: number | undefined;
  failure: Extract<GatewayEvent, { event: "meterFailed" }> | undefined;
  newest: NewestValues | undefined;
}

interface NewestValues {
  readonly meter_number: string;
  readonly captured_at: Date | null;
  readonly active_import_wh: string | null;
  readonly total_kwh: string | null;
  readonly voltage_l1_v: string | null;
}

const COLUMNS = [
  { title: "meter" },
  { title: "type", isProse: true },
  { title: "link", isProse: true },
  { title: "security", isProse: true },
  { title: "rows", align: "right" },
  { title: "newest interval" },
  { title: "Wh", align: "right" },
  { title: "register kWh", align: "right" },
  { title: "V", align: "right" },
  { title: "ms", align: "right" },
] as const;

const NEWEST = `select m.meter_number, b.captured_at, b.active_import_wh, i.voltage_l1_v,
    round(coalesce(i.active_import_total_wh, d.active_import_total_wh) / 1000, 1)::text as total_kwh
  from public.meters m
  left join lateral (select captured_at, trim_scale(coalesce(active_import_wh,
      active_import_total_wh - lead(active_import_total_wh) over (order by captured_at desc)))::text as active_import_wh
    from dlms.block_load_profile p where p.meter_id = m.id order by captured_at desc limit 1) b on true
  left join lateral (select trim_scale(voltage_l1_v)::text as voltage_l1_v, active_import_total_wh
    from dlms.instant_profile p where p.meter_id = m.id order by captured_at desc limit 1) i on true
  left join lateral (select active_import_total_wh
    from dlms.daily_load_captures p where p.meter_id = m.id order by captured_at desc limit 1) d on true
  where m.meter_number = any($1::text[])`;

export class DemoBoard {
  readonly #lines: ReadonlyMap<string, MeterLine>;
  readonly #startedMs = performance.now();
  readonly #allTried = Promise.withResolvers<void>();
  readonly #stale = new Set<MeterLine>();
  #tried = 0;
  #rows = 0;
  #firstRowMs: number | undefined;
  #endedMs: number | undefined;

  constructor(meters: readonly StreetMeter[]) {
    this.#lines = new Map(
      meters.map((meter) => [
        meter.name,
        { meter, tries: 0, rows: 0, tookMs: undefined, failure: undefined, newest: undefined },
      ]),
    );
  }

  /** Resolves when every meter has been tried once. */
  get allTried(): Promise<void> {
    return this.#allTried.promise;
  }

  get changed(): boolean {
    return this.#stale.size > 0;
  }

  /** Whether there are meters that have not been tried yet. */
  get running(): boolean {
    return this.#endedMs === undefined;
  }

  get failures(): number {
    return Array.from(this.#lines.values()).filter((line) => line.failure !== undefined).length;
  }

  get firstMeter(): string {
    return this.#lines.keys().next().value ?? "";
  }

  hear(event: GatewayEvent): void {
    if (event.event !== "meterPolled" && event.event !== "meterFailed") return;
    const line = this.#lines.get(event.meter);
    if (line === undefined) return;
    if (line.tries++ === 0) this.#tried++;
    line.tookMs = event.durationMs;
    line.failure = event.event === "meterFailed" ? event : undefined;
    if (event.event === "meterPolled") {
      line.rows += event.rows;
      this.#rows += event.rows;
      this.#firstRowMs ??= performance.now() - this.#startedMs;
    }
    this.#stale.add(line);
    if (this.#tried < this.#lines.size || this.#endedMs !== undefined) return;
    this.#endedMs = performance.now();
    this.#allTried.resolve();
  }

  /** Lets the next refresh fetch the newest values of all meters. */
  lookAgain(): void {
    for (const line of this.#lines.values()) this.#stale.add(line);
  }

  /** Fetches the newest values of the meters that have been read since the last time. */
  async refresh(database: Database): Promise<void> {
    if (this.#stale.size === 0) return;
    const lines = [...this.#stale];
    this.#stale.clear();
    const numbers = lines.map((line) => line.meter.serial);
    const rows = await database.query<NewestValues>(NEWEST, [numbers]);
    const byNumber = new Map(rows.map((row) => [row.meter_number, row]));
    for (const line of lines) line.newest = byNumber.get(line.meter.serial);
  }

  lines(width: number | undefined): string[] {
    const elapsedMs = (this.#endedMs ?? performance.now()) - this.#startedMs;
    const bar = progressBar({ done: this.#tried, total: this.#lines.size, elapsedMs }, "meters");
    const rows = Array.from(this.#lines.values(), lineCells);
    return ["", `${bar}  ${this.#rows.toLocaleString("en")} rows`, "", ...tableLines(COLUMNS, rows, width), ""];
  }

  failureLines(): string[] {
    return Array.from(this.#lines.values()).flatMap(({ meter, failure }) =>
      failure === undefined
        ? []
        : [`${meter.name}: ${failure.cause}`, `  seen  ${failure.evidence}`, `  next  ${failure.nextStep}`],
    );
  }

  summary(): string {
    const seconds = (((this.#endedMs ?? performance.now()) - this.#startedMs) / 1000).toFixed(1);
    const first = this.#firstRowMs === undefined ? "none" : `${(this.#firstRowMs / 1000).toFixed(1)} s`;
    const read = this.#lines.size - this.failures;
    return `${read} of ${this.#lines.size} meters read in ${seconds} s: ${this.#rows.toLocaleString("en")} rows, the first after ${first}`;
  }
}

function lineCells({ meter, rows, tookMs, failure, newest, tries }: MeterLine): string[] {
  const head = [meter.name, meter.type, meter.link.type, securityText(meter)];
  if (failure !== undefined) return [...head, String(rows), failure.cause, "", "", "", String(tookMs ?? "")];
  if (tries === 0) return [...head, "", "…", "", "", "", ""];
  return [
    ...head,
    String(rows),
    newest?.captured_at?.toISOString().slice(0, 16).replace("T", " ") ?? "–",
    newest?.active_import_wh ?? "–",
    newest?.total_kwh ?? "–",
    newest?.voltage_l1_v ?? "–",
    String(tookMs ?? ""),
  ];
}

function securityText({ mechanism, security }: StreetMeter): string {
  return security === undefined ? mechanism : `${mechanism}, ${security.protection}`;
}
