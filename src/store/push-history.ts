/**
 * Every push that came in: its octets, what became of it, its values under their logical names, and those of known
 * meters among the readings. Pushes that come together go in one transaction.
 */
import type { PoolClient } from "pg";
import type { OtherValue } from "../profiles/batch.ts";
import { BatchQueue } from "./batch-queue.ts";
import { CopyRows, copyInto } from "./binary-copy.ts";
import type { Database } from "./database.ts";
import { BEFORE_READINGS, keepReadings, type MeterReading, valueText } from "./meter-records.ts";
import type { StoreError } from "./store-error.ts";

/** `stored`: all values have a place; `partial`: some were set aside; `rejected`: none was taken. */
export type PushOutcomeName = "stored" | "partial" | "rejected";

export interface ReceivedPush {
  readonly receivedAt: Date;
  /** Address of whoever sent it. */
  readonly peer: string;
  readonly transport: "tcp" | "udp" | "serial";
  /** The meter's uuid; undefined while nobody knows the sender. */
  readonly meterId: string | undefined;
  readonly systemTitle: Uint8Array | undefined;
  /** Dotted logical name. */
  readonly pushSetup: string | undefined;
  /** When the meter held the values; undefined for what could not be read. */
  readonly readAt: Date | undefined;
  /** Undefined for what could not be read. */
  readonly protection: "none" | "authenticated" | "encrypted" | "authenticated-encrypted" | undefined;
  /** Whether an authentication tag vouches for sender and content; undefined for what could not be read. */
  readonly verified: boolean | undefined;
  /** What was let pass. */
  readonly marks: readonly string[];
  readonly outcome: PushOutcomeName;
  /** Why it was not stored whole. */
  readonly reason: string | undefined;
  /** As they came off the wire. */
  readonly octets: Uint8Array;
  readonly values: readonly PushedValue[];
  /** Rows that it makes at most: what a queue counts. */
  readonly rowCount: number;
}

export interface PushedValue {
  /** `class:logical name:attribute`, or the place in the body for what has no name. */
  readonly captureObject: string;
  /** An exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly value: OtherValue;
  readonly isNumber: boolean;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
}

export interface PushQueueOptions {
  readonly keptRows?: number;
  /** Pushes could not be written and are tried again after `retryMs`. */
  readonly onRetry?: (error: StoreError, retryMs: number) => void;
}

/** How long the first push of a group waits for others: its sender may be waiting for a confirmation. */
const GROUP_DELAY_MS = 5;
/** Where pushes are rare, keys should not run far ahead of them; where they are not, groups are as large as this. */
const KEYS_AHEAD = 200;

export type PushQueue = BatchQueue<ReceivedPush, void>;

/** Takes pushes and tells when each is durable. */
export function openPushQueue(database: Database, options: PushQueueOptions = {}): PushQueue {
  const keys = new PushKeys();
  return new BatchQueue<ReceivedPush, void>({
    ...options,
    write: (pushes) => database.transaction((client) => keepPushes(client, pushes, keys), BEFORE_READINGS),
    // While one transaction waits for the disk, the next is on its way.
    writers: 2,
    groupDelayMs: GROUP_DELAY_MS,
  });
}

async function keepPushes(client: PoolClient, pushes: readonly ReceivedPush[], source: PushKeys): Promise<void> {
  await keepReadings(client, pushes.flatMap(readingsOf));
  const keys = await source.take(client, pushes.length);
  await copyInto(client, { table: "dlms.push_history", columns: HISTORY_COLUMNS }, historyRows(pushes, keys));
  if (pushes.some((push) => push.values.length > 0)) {
    await copyInto(client, { table: "dlms.push_values", columns: VALUE_COLUMNS }, valueRows(pushes, keys));
  }
}

/** Keys are taken from their sequence many at a time. What is not used is lost, as a sequence's keys are. */
class PushKeys {
  readonly #spare: bigint[] = [];

  async take(client: PoolClient, count: number): Promise<bigint[]> {
    const taken = this.#spare.splice(0, count);
    const missing = count - taken.length;
    if (missing === 0) return taken;
    const { rows } = await client.query<{ key: bigint }>(
      `with sequence as materialized (select pg_get_serial_sequence('dlms.push_history', 'push_key')::regclass as name)
       select nextval(sequence.name) as key from sequence, generate_series(1, $1::integer)`,
      [missing + KEYS_AHEAD],
    );
    const keys = rows.map((row) => row.key);
    this.#spare.push(...keys.slice(missing));
    return [...taken, ...keys.slice(0, missing)];
  }
}

const HISTORY_COLUMNS = [
  "push_key",
  "received_at",
  "peer",
  "transport",
  "meter_id",
  "system_title",
  "push_setup",
  "read_at",
  "protection",
  "verified",
  "marks",
  "outcome",
  "reason",
  "octets",
];

function historyRows(pushes: readonly ReceivedPush[], keys: readonly bigint[]): Uint8Array {
  const rows = new CopyRows();
  for (const [index, push] of pushes.entries()) {
    rows.beginRow(HISTORY_COLUMNS.length);
    rows.int8(keys[index] ?? 0n);
    rows.timestamptz(push.receivedAt.getTime());
    rows.text(push.peer);
    rows.text(push.transport);
    optional(rows, push.meterId, (id) => rows.uuid(id));
    optional(rows, push.systemTitle, (title) => rows.bytea(title));
    optional(rows, push.pushSetup, (name) => rows.text(name));
    optional(rows, push.readAt, (at) => rows.distantTimestamptz(BigInt(at.getTime())));
    optional(rows, push.protection, (protection) => rows.text(protection));
    optional(rows, push.verified, (verified) => rows.bool(verified));
    rows.texts(push.marks.map(valueText));
    rows.text(push.outcome);
    optional(rows, push.reason, (reason) => rows.text(valueText(reason)));
    rows.bytea(push.octets);
  }
  return rows.finish();
}

const VALUE_COLUMNS = ["push_key", "received_at", "position", "capture_object", "value", "unit"];

function valueRows(pushes: readonly ReceivedPush[], keys: readonly bigint[]): Uint8Array {
  const rows = new CopyRows();
  for (const [index, { receivedAt, values }] of pushes.entries()) {
    for (const [position, { captureObject, value, unit }] of values.entries()) {
      rows.beginRow(VALUE_COLUMNS.length);
      rows.int8(keys[index] ?? 0n);
      rows.timestamptz(receivedAt.getTime());
      rows.int4(position + 1);
      rows.text(valueText(captureObject));
      rows.text(valueText(value));
      optional(rows, unit, (text) => rows.text(text));
    }
  }
  return rows.finish();
}

function optional<T>(rows: CopyRows, value: T | undefined, write: (value: T) => void): void {
  if (value === undefined) rows.absent();
  else write(value);
}

function readingsOf({ meterId, readAt, receivedAt, values }: ReceivedPush): MeterReading[] {
  if (meterId === undefined) return [];
  return values.map((value) => ({ ...value, meterId, readAt: readAt ?? receivedAt, source: "push", receivedAt }));
}
