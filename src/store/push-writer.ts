/**
 * Writes what meters pushed: each push with its octets, its values under their logical names, and numbers of known
 * meters among the readings. Pushes that come together go in one transaction; `add` resolves when it is durable.
 */
import type { PoolClient } from "pg";
import type { Database } from "./database.ts";

export interface PushRecordValue {
  /** `class:logical name:attribute`, or the name that the sender's layout gives. */
  readonly captureObject: string;
  /** Exact decimal, text, octets as 0x…, or JSON of these. */
  readonly value: string;
  readonly isNumber: boolean;
  /** UCUM unit. */
  readonly unit: string | undefined;
}

export interface PushRecord {
  readonly receivedAt: Date;
  readonly peer: string;
  readonly transport: "tcp" | "udp";
  /** The meter's uuid; undefined while nobody knows the sender. */
  readonly meterId: string | undefined;
  readonly systemTitle: Uint8Array | undefined;
  readonly outcome: "stored" | "partial" | "rejected";
  readonly reason: string | undefined;
  readonly octets: Uint8Array;
  /** When the meter held the values; the time of reception where it said nothing. */
  readonly readAt: Date;
  readonly values: readonly PushRecordValue[];
}

interface Waiting {
  readonly record: PushRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const BATCH_LIMIT = 500;

export class PushWriter {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves when the push is durable; rejects with StoreError when it can't be written. */
  add(record: PushRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** Ends when everything that was added is written or refused. */
  async drain(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_LIMIT);
      try {
        const records = batch.map((each) => each.record);
        await this.#database.transaction((client) => insertPushes(client, records));
        for (const each of batch) each.resolve();
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
  }
}

async function insertPushes(client: PoolClient, records: readonly PushRecord[]): Promise<void> {
  const keys = await nextKeys(client, records.length);
  const column = <T>(of: (record: PushRecord) => T) => records.map(of);
  await client.query(
    `insert into dlms.push_history
       (push_key, received_at, peer, transport, meter_id, system_title, outcome, reason, octets)
     overriding system value
     select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::bytea[],
       $7::text[], $8::text[], $9::bytea[])`,
    [
      keys,
      column((each) => each.receivedAt),
      column((each) => each.peer),
      column((each) => each.transport),
      column((each) => each.meterId ?? null),
      column((each) => bytea(each.systemTitle)),
      column((each) => each.outcome),
      column((each) => each.reason ?? null),
      column((each) => bytea(each.octets)),
    ],
  );
  await insertValues(client, records, keys);
  await insertReadings(client, records);
}

async function nextKeys(client: PoolClient, count: number): Promise<string[]> {
  const { rows } = await client.query<{ key: string }>(
    `select nextval(pg_get_serial_sequence('dlms.push_history', 'push_key'))::text as key
     from generate_series(1, $1::integer)`,
    [count],
  );
  return rows.map((row) => row.key);
}

async function insertValues(
  client: PoolClient,
  records: readonly PushRecord[],
  keys: readonly string[],
): Promise<void> {
  const rows = records.flatMap(({ receivedAt, values }, index) =>
    values.map((value, position) => ({ ...value, key: keys[index], receivedAt, position })),
  );
  if (rows.length === 0) return;
  await client.query(
    `insert into dlms.push_values (push_key, received_at, position, capture_object, value, unit)
     select * from unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[])`,
    [
      rows.map((row) => row.key),
      rows.map((row) => row.receivedAt),
      rows.map((row) => row.position),
      rows.map((row) => row.captureObject),
      rows.map((row) => row.value),
      rows.map((row) => row.unit ?? null),
    ],
  );
}

/** The same value pushed twice is one reading. */
async function insertReadings(client: PoolClient, records: readonly PushRecord[]): Promise<void> {
  const rows = records.flatMap(({ meterId, readAt, receivedAt, values }) =>
    meterId === undefined ? [] : values.map((value) => ({ ...value, meterId, readAt, receivedAt })),
  );
  if (rows.length === 0) return;
  await client.query(
    `insert into public.meter_readings
       (meter_id, read_at, capture_object, value, value_text, unit, source, received_at)
     select meter_id, read_at, capture_object, case when is_number then value::numeric end,
       case when not is_number then value end, unit, 'push', received_at
     from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::timestamptz[])
       as pushed (meter_id, read_at, capture_object, value, is_number, unit, received_at)
     order by meter_id, capture_object, read_at
     on conflict (meter_id, capture_object, read_at) do nothing`,
    [
      rows.map((row) => row.meterId),
      rows.map((row) => row.readAt),
      rows.map((row) => row.captureObject),
      rows.map((row) => row.value),
      rows.map((row) => row.isNumber),
      rows.map((row) => row.unit ?? null),
      rows.map((row) => row.receivedAt),
    ],
  );
}

/** PostgreSQL's text form of octets: the driver would send a list of typed arrays as something else. */
function bytea(octets: Uint8Array | undefined): string | null {
  return octets === undefined ? null : `\\x${Buffer.from(octets).toString("hex")}`;
}
