/** Single values of meters on their way into the database; natural keys make each idempotent. */
import type { PoolClient } from "pg";
import type { OtherValue, ReadingSource } from "../../profiles/batch.ts";
import { type CopyRows, copyInto, copyRowsOf, isDecimal } from "../database/binary-copy.ts";
import { failureCode, failureKind } from "../database/failure.ts";
import { storableText } from "../database/storable-text.ts";

/** One value of one object. */
export interface MeterReading {
  readonly meterId: string;
  /** When the meter held the value. */
  readonly readAt: Date;
  /** `class:logical name:attribute` */
  readonly captureObject: string;
  /** An exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly value: OtherValue;
  /** Whether the value is a decimal: a meter's number is text, though it may look like one. */
  readonly isNumber: boolean;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
  readonly source: ReadingSource;
  readonly receivedAt: Date;
}

/** Foreign-key violation: the meter was deleted meanwhile, and its readings with it. */
const METER_UNKNOWN = "23503";

const READING_COLUMNS = [
  "meter_id",
  "read_at",
  "capture_object",
  "value",
  "value_text",
  "unit",
  "source",
  "received_at",
];

/** Goes before `keepReadings`: what the transaction did before it stays when some are held already. */
export const BEFORE_READINGS = "savepoint readings";

/**
 * Keeps readings, as the first thing behind BEFORE_READINGS in a transaction of the caller's; one that is held already
 * stays as it is. All go in at once; only when some are held are they put in one by one.
 */
export async function keepReadings(client: PoolClient, readings: readonly MeterReading[]): Promise<void> {
  const distinct = withoutRepetitions(readings);
  if (distinct.length === 0) return;
  try {
    await copyInto(
      client,
      { table: "public.meter_readings", columns: READING_COLUMNS },
      await copyRowsOf(distinct, addReading),
    );
  } catch (error) {
    if (failureKind(error) !== "conflict" && failureCode(error) !== METER_UNKNOWN) throw error;
    await client.query("rollback to savepoint readings");
    await insertReadings(client, distinct);
  }
}

/** In the order of the key, so that no two writers wait for each other; of two for one key the first. */
function withoutRepetitions(readings: readonly MeterReading[]): MeterReading[] {
  const keyed = readings.map((reading, order) => {
    const { meterId, captureObject, readAt } = reading;
    return { key: `${meterId} ${captureObject} ${readAt.getTime()}`, order, reading };
  });
  keyed.sort((a, b) => (a.key === b.key ? a.order - b.order : a.key < b.key ? -1 : 1));
  return keyed.filter(({ key }, at) => key !== keyed[at - 1]?.key).map(({ reading }) => reading);
}

function addReading(rows: CopyRows, reading: MeterReading): void {
  const number = numberOf(reading);
  rows.beginRow(READING_COLUMNS.length);
  rows.uuid(reading.meterId);
  rows.distantTimestamptz(BigInt(reading.readAt.getTime()));
  rows.text(reading.captureObject);
  if (number === undefined) rows.absent();
  else rows.numeric(number);
  if (number === undefined) rows.text(valueText(reading.value));
  else rows.absent();
  if (reading.unit === undefined) rows.absent();
  else rows.text(reading.unit);
  rows.text(reading.source);
  rows.timestamptz(reading.receivedAt.getTime());
}

async function insertReadings(client: PoolClient, readings: readonly MeterReading[]): Promise<void> {
  await client.query(
    `insert into public.meter_readings (${READING_COLUMNS.join(", ")})
     select ${READING_COLUMNS.join(", ")}
     from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::numeric[], $5::text[], $6::text[], $7::text[],
       $8::timestamptz[]) with ordinality as r (${READING_COLUMNS.join(", ")}, place)
     where exists (select from public.meters m where m.id = r.meter_id)
     order by place
     on conflict do nothing`,
    [
      readings.map((each) => each.meterId),
      readings.map((each) => each.readAt),
      readings.map((each) => each.captureObject),
      readings.map((each) => numberOf(each) ?? null),
      readings.map((each) => (numberOf(each) === undefined ? valueText(each.value) : null)),
      readings.map((each) => each.unit ?? null),
      readings.map((each) => each.source),
      readings.map((each) => each.receivedAt),
    ],
  );
}

/** The decimal that a reading is; undefined for what is text. */
function numberOf({ isNumber, value }: MeterReading): string | undefined {
  return isNumber && typeof value === "string" && isDecimal(value) ? value : undefined;
}

/** A value as text that PostgreSQL can hold. */
export function valueText(value: OtherValue): string {
  return storableText(typeof value === "string" ? value : JSON.stringify(value));
}
