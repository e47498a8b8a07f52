/**
 * Every push that came in: its octets, what became of it, its values under their logical names, and those of known
 * meters among the readings. Pushes that come together go in one transaction.
 */
import type { PoolClient } from "pg";
import type { Clock } from "../../drivers/clock.ts";
import type { OtherValue } from "../profiles/batch.ts";
import type { SeenEvents } from "../profiles/seen-events.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import { BatchQueue, type PutBatch } from "./batch-queue.ts";
import { CopyRows, copyInto } from "./binary-copy.ts";
import type { Database } from "./database.ts";
import { keepSeenEvents, type MeterSeenEvents } from "./meter-events.ts";
import { BEFORE_READINGS, keepReadings, type MeterReading, valueText } from "./meter-records.ts";
import { keepPushCounters, type PushCounter } from "./push-counters.ts";
import type { QueueSpool } from "./queue-spool.ts";
import { StoreError } from "./store-error.ts";

export const PUSH_TRANSPORTS = ["tcp", "udp", "serial"] as const;
export const PUSH_PROTECTIONS = ["none", "authenticated", "encrypted", "authenticated-encrypted"] as const;
/** How the meter of a push is found. */
export const PUSH_CLUES = ["system-title", "identity", "address"] as const;
export const PUSH_OUTCOMES = ["stored", "partial", "rejected"] as const;

/** `stored`: all values have a place; `partial`: some were set aside; `rejected`: none was taken. */
export type PushOutcomeName = (typeof PUSH_OUTCOMES)[number];

export interface ReceivedPush {
  readonly receivedAt: Date;
  /** Address of whoever sent it. */
  readonly peer: string;
  readonly transport: (typeof PUSH_TRANSPORTS)[number];
  /** The meter's uuid; undefined while nobody knows the sender. */
  readonly meterId: string | undefined;
  /** How the meter was found. */
  readonly attributedBy: (typeof PUSH_CLUES)[number] | undefined;
  /** What the push says of its sender, the most telling first. */
  readonly senderNames: readonly string[];
  readonly systemTitle: Uint8Array | undefined;
  /** The same for each time that a push which wants to be confirmed is sent; undefined for others. */
  readonly repeatKey: Uint8Array | undefined;
  /** Its invocation counter, where a tag vouches for that. */
  readonly counter: PushCounter | undefined;
  /** Dotted logical name. */
  readonly pushSetup: string | undefined;
  /** When the meter held the values; undefined for what could not be read. */
  readonly readAt: Date | undefined;
  /** Undefined for what could not be read. */
  readonly protection: (typeof PUSH_PROTECTIONS)[number] | undefined;
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
  /** What it says has happened. */
  readonly seen: SeenEvents;
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

/** A push on its way into the history. */
export interface QueuedPush {
  readonly push: ReceivedPush;
  readonly rowCount: number;
  /** Its key in the history; undefined until it is first written. Whoever writes it again writes the same row. */
  key: bigint | undefined;
  /** Whether it has been handed to the spool as it was then. */
  isSpooled: boolean;
}

export interface PushQueueOptions {
  readonly keptRows?: number;
  /** Pushes could not be written and are tried again after `retryMs`. */
  readonly onRetry?: (error: Error, retryMs: number) => void;
  readonly spool?: QueueSpool<QueuedPush>;
  readonly clock?: Clock;
}

/** How long the first push of a group waits for others: its sender may be waiting for a confirmation. */
const GROUP_DELAY_MS = 5;
/** Where pushes are rare, keys should not run far ahead of them; where they are not, groups are as large as this. */
const KEYS_AHEAD = 200;

/** Takes pushes and tells when each is durable. */
export class PushQueue {
  readonly #queue: BatchQueue<QueuedPush, void>;

  constructor(write: (pushes: readonly QueuedPush[]) => Promise<void>, options: PushQueueOptions) {
    this.#queue = new BatchQueue<QueuedPush, void>({
      ...options,
      write,
      // While one transaction waits for the disk, the next is on its way.
      writers: 2,
      groupDelayMs: GROUP_DELAY_MS,
    });
  }

  /** For how long something is kept and nothing has been tried with it; 0 when nothing is kept. */
  get stalledMs(): number {
    return this.#queue.stalledMs;
  }

  put(push: ReceivedPush): Promise<PutBatch> {
    return this.#queue.put({ push, rowCount: push.rowCount, key: undefined, isSpooled: false });
  }

  divert(): void {
    this.#queue.divert();
  }

  resume(): void {
    this.#queue.resume();
  }

  settled(): Promise<void> {
    return this.#queue.settled();
  }

  stop(timeoutMs: number): Promise<void> {
    return this.#queue.stop(timeoutMs);
  }
}

export function openPushQueue(database: Database, options: PushQueueOptions = {}): PushQueue {
  const history = new PushHistory(database);
  return new PushQueue((pushes) => history.keep(pushes), options);
}

export class PushHistory {
  readonly #database: Database;
  readonly #keys = new PushKeys();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps pushes, and does `alsoHere`, in one transaction. Those that are held already stay as they are. */
  async keep(pushes: readonly QueuedPush[], alsoHere?: (client: PoolClient) => Promise<void>): Promise<void> {
    const before = new Set(pushes.filter((each) => each.key !== undefined));
    await this.#keys.give(this.#database, pushes);
    const opening = pushes.some(({ push }) => push.repeatKey !== undefined) ? ONE_AT_A_TIME : "";
    await this.#database.transaction(async (client) => {
      const { missing, repeated } = await withoutRepeats(client, await withoutHeld(client, pushes, before));
      await keepReadings(
        client,
        missing.flatMap(({ push }) => readingsOf(push)),
      );
      if (missing.length > 0) await copyPushes(client, missing);
      await countRepeats(client, repeated);
      await keepPushCounters(
        client,
        pushes.flatMap(({ push: { counter } }) => counter ?? []),
      );
      await keepSeenEvents(
        client,
        missing.flatMap(({ push }) => seenIn(push)),
      );
      await alsoHere?.(client);
    }, `${opening}${BEFORE_READINGS}`);
  }
}

const ONE_AT_A_TIME = `select pg_advisory_xact_lock(${ADVISORY_LOCKS.repeatedPushes}); `;
/** Meters give up repeating long before. */
const REPEATED_WITHIN = "1 day";

interface Repeats {
  readonly missing: readonly QueuedPush[];
  /** Repeat keys of pushes that are there already, or come more than once: each as often as it came again. */
  readonly repeated: readonly Uint8Array[];
}

/** A push that its sender repeats, for want of a confirmation, is there already. */
async function withoutRepeats(client: PoolClient, pushes: readonly QueuedPush[]): Promise<Repeats> {
  const keys = pushes.flatMap(({ push }) => (push.repeatKey === undefined ? [] : [Buffer.from(push.repeatKey)]));
  if (keys.length === 0) return { missing: pushes, repeated: [] };
  const { rows } = await client.query<{ key: string }>(
    `select encode(repeat_key, 'hex') as key from dlms.push_history
     where repeat_key = any ($1::bytea[]) and received_at > now() - $2::interval`,
    [keys, REPEATED_WITHIN],
  );
  const held = new Set(rows.map((row) => row.key));
  const repeated: Uint8Array[] = [];
  const missing = pushes.filter(({ push: { repeatKey } }) => {
    if (repeatKey === undefined) return true;
    const key = Buffer.from(repeatKey).toString("hex");
    const isNew = !held.has(key);
    held.add(key);
    if (!isNew) repeated.push(repeatKey);
    return isNew;
  });
  return { missing, repeated };
}

async function countRepeats(client: PoolClient, repeated: readonly Uint8Array[]): Promise<void> {
  if (repeated.length === 0) return;
  await client.query(
    `update dlms.push_history h set repeats = h.repeats + again.times
     from (select key, count(*)::integer as times from unnest($1::bytea[]) as key group by key) again
     where h.repeat_key = again.key and h.received_at > now() - $2::interval`,
    [repeated.map((key) => Buffer.from(key)), REPEATED_WITHIN],
  );
}

/** A push that had a key before was written before, and nobody knows what came of it. */
async function withoutHeld(
  client: PoolClient,
  pushes: readonly QueuedPush[],
  before: ReadonlySet<QueuedPush>,
): Promise<readonly QueuedPush[]> {
  if (before.size === 0) return pushes;
  const written = [...before];
  const { rows } = await client.query<{ key: bigint }>(
    `select h.push_key as key from unnest($1::bigint[], $2::timestamptz[]) as w (push_key, received_at)
     join dlms.push_history h using (push_key, received_at)`,
    [written.map((each) => each.key), written.map((each) => each.push.receivedAt)],
  );
  const held = new Set(rows.map((row) => row.key));
  return pushes.filter((each) => each.key === undefined || !held.has(each.key));
}

async function copyPushes(client: PoolClient, queued: readonly QueuedPush[]): Promise<void> {
  const pushes = queued.map((each) => each.push);
  const keys = queued.map((each) => each.key ?? 0n);
  await copyInto(client, { table: "dlms.push_history", columns: HISTORY_COLUMNS }, historyRows(pushes, keys));
  if (pushes.some((push) => push.values.length > 0)) {
    await copyInto(client, { table: "dlms.push_values", columns: VALUE_COLUMNS }, valueRows(pushes, keys));
  }
}

/** The same push without the values that the database refuses: its octets must not be lost with them. */
export function withoutValues({ push, key }: QueuedPush, reason: string): QueuedPush {
  const reduced = {
    ...push,
    readAt: undefined,
    values: [],
    seen: { events: [], words: [] },
    marks: [],
    outcome: "rejected" as const,
    reason,
    rowCount: 1,
  };
  return { push: reduced, rowCount: 1, key, isSpooled: false };
}

/**
 * Puts a push that is understood better now in the place of what was held of it, in a transaction that was opened with
 * BEFORE_READINGS.
 */
export async function replacePush(
  client: PoolClient,
  { pushKey, receivedAt }: { readonly pushKey: bigint; readonly receivedAt: Date },
  push: ReceivedPush,
): Promise<void> {
  await keepReadings(client, readingsOf(push));
  await keepSeenEvents(client, seenIn(push));
  await client.query(
    `update dlms.push_history set meter_id = $3::uuid, attributed_by = $4::text, sender_names = $5::text[],
       system_title = $6::bytea, push_setup = $7::text, read_at = $8::timestamptz, protection = $9::text,
       verified = $10::boolean, marks = $11::text[], outcome = $12::text, reason = $13::text, replayed_at = now()
     where push_key = $1::bigint and received_at = $2::timestamptz`,
    [
      pushKey,
      receivedAt,
      push.meterId ?? null,
      push.attributedBy ?? null,
      push.senderNames.map(valueText),
      push.systemTitle === undefined ? null : Buffer.from(push.systemTitle),
      push.pushSetup ?? null,
      push.readAt ?? null,
      push.protection ?? null,
      push.verified ?? null,
      push.marks.map(valueText),
      push.outcome,
      push.reason === undefined ? null : valueText(push.reason),
    ],
  );
  await client.query("delete from dlms.push_values where push_key = $1::bigint and received_at = $2::timestamptz", [
    pushKey,
    receivedAt,
  ]);
  if (push.values.length === 0) return;
  await copyInto(client, { table: "dlms.push_values", columns: VALUE_COLUMNS }, valueRows([push], [pushKey]));
}

/** Keys are taken from their sequence many at a time. What is not used is lost, as a sequence's keys are. */
class PushKeys {
  readonly #spare: bigint[] = [];

  /**
   * Gives keys to those that have none, before anything is written: what goes to the spool meanwhile has its key then.
   * Throws when one went there without: it is written from there, and may not be written from here as well.
   */
  async give(database: Database, pushes: readonly QueuedPush[]): Promise<void> {
    const missing = pushes.filter((each) => each.key === undefined).length - this.#spare.length;
    if (missing > 0) this.#spare.push(...(await nextKeys(database, missing + KEYS_AHEAD)));
    if (pushes.some((each) => each.key === undefined && each.isSpooled)) throw new StoreError("PUSHES_SPOOLED");
    for (const each of pushes) each.key ??= this.#spare.shift();
  }
}

async function nextKeys(database: Database, count: number): Promise<bigint[]> {
  const rows = await database.query<{ key: bigint }>(
    `with sequence as materialized (select pg_get_serial_sequence('dlms.push_history', 'push_key')::regclass as name)
     select nextval(sequence.name) as key from sequence, generate_series(1, $1::integer)`,
    [count],
  );
  return rows.map((row) => row.key);
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
  "sender_names",
  "attributed_by",
  "repeat_key",
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
    rows.texts(push.senderNames.map(valueText));
    optional(rows, push.attributedBy, (by) => rows.text(by));
    optional(rows, push.repeatKey, (key) => rows.bytea(key));
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

function seenIn({ meterId, seen }: ReceivedPush): MeterSeenEvents[] {
  return meterId === undefined ? [] : [{ ...seen, meterId, source: "push" }];
}

function readingsOf({ meterId, readAt, receivedAt, values }: ReceivedPush): MeterReading[] {
  if (meterId === undefined) return [];
  return values.map((value) => ({ ...value, meterId, readAt: readAt ?? receivedAt, source: "push", receivedAt }));
}
