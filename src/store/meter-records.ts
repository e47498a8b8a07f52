/** Single values and events of meters on their way into the database; natural keys make each idempotent. */
import type { OtherValue, ReadingSource } from "../profiles/batch.ts";
import type { Database } from "./database.ts";

/** One value of one object. */
export interface MeterReading {
  readonly meterId: string;
  /** When the meter held the value. */
  readonly readAt: Date;
  /** `class:logical name:attribute` */
  readonly captureObject: string;
  /** An exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly value: OtherValue;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
  readonly source: ReadingSource;
}

const DECIMAL = /^-?\d{1,1000}(?:\.\d{1,1000})?$/;

/** Keeps readings; one that is held already stays as it is. Returns how many were new. */
export async function keepReadings(
  database: Pick<Database, "query">,
  readings: readonly MeterReading[],
): Promise<number> {
  if (readings.length === 0) return 0;
  const rows = await database.query(
    `insert into public.meter_readings (meter_id, read_at, capture_object, value, value_text, unit, source)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::numeric[], $5::text[], $6::text[], $7::text[])
     on conflict do nothing returning true`,
    [
      readings.map((each) => each.meterId),
      readings.map((each) => each.readAt),
      readings.map((each) => each.captureObject),
      readings.map((each) => (isDecimal(each.value) ? each.value : null)),
      readings.map((each) => (isDecimal(each.value) ? null : valueText(each.value))),
      readings.map((each) => each.unit ?? null),
      readings.map((each) => each.source),
    ],
  );
  return rows.length;
}

function isDecimal(value: OtherValue): value is string {
  return typeof value === "string" && DECIMAL.test(value);
}

/** Text that PostgreSQL can hold; it refuses NUL, so such text becomes its octets in hex. */
export function valueText(value: OtherValue): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.includes("\0") ? `0x${Buffer.from(text, "utf8").toString("hex")}` : text.toWellFormed();
}

export type EventSeverity = "info" | "warning" | "alarm";

export interface MeterEvent {
  readonly meterId: string;
  readonly occurredAt: Date;
  /** The event log that held it; `gateway` for what the gateway noticed. */
  readonly log: string;
  /** Code within the log. */
  readonly code: number;
  readonly name: string | undefined;
  readonly severity: EventSeverity;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly source: ReadingSource;
}

/** Keeps events; one that is held already stays as it is. Returns how many were new. */
export async function keepEvents(database: Pick<Database, "query">, events: readonly MeterEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  const rows = await database.query(
    `insert into public.meter_events (meter_id, occurred_at, log, code, name, severity, details, source)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
     on conflict do nothing returning true`,
    [
      events.map((each) => each.meterId),
      events.map((each) => each.occurredAt),
      events.map((each) => each.log),
      events.map((each) => each.code),
      events.map((each) => each.name ?? null),
      events.map((each) => each.severity),
      events.map((each) => (each.details === undefined ? null : JSON.stringify(each.details))),
      events.map((each) => each.source),
    ],
  );
  return rows.length;
}
