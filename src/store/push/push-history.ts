/**
 * Every push that came in: its octets, what became of it, its values under their logical names, and those of known
 * meters among the readings. Pushes that come together go in one transaction.
 */
import type { PoolClient } from "pg";
import type { Clock } from "../../../drivers/clock.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { withoutValues } from "../../push/receive/push-record.ts";
import { ADVISORY_LOCKS } from "../database/advisory-locks.ts";
import type { Database } from "../database/database.ts";
import { StoreError } from "../database/store-error.ts";
import { BatchQueue } from "../intake/batch-queue.ts";
import type { QueueSpool } from "../intake/queue-spool.ts";
import { keepSeenEvents, type MeterSeenEvents } from "../records/meter-events.ts";
import { BEFORE_READINGS, keepReadings, type MeterReading, valueText } from "../records/meter-records.ts";
import { keepPushCounters, replayedAmong } from "./push-counters.ts";
import { copyPushes, copyValues } from "./push-rows.ts";
import { type PushFate, type QueuedPush, queuedPush, type ReceivedPush } from "./received-push.ts";

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

  async put(push: ReceivedPush): Promise<{ readonly written: Promise<PushFate> }> {
    const queued = queuedPush(push, undefined);
    const { written } = await this.#queue.put(queued);
    return { written: written.then(() => queued.fate) };
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
    const opening = pushes.some(({ push }) => push.repeatKey !== undefined) ? ONE_AT_A_TIME : undefined;
    await this.#database.transaction(async (client) => {
      const { missing: found, repeated } = await withoutRepeats(client, await withoutHeld(client, pushes, before));
      // Of all whose counters are kept behind the readings: whoever comes later waits here, and holds no reading yet.
      const replayed = await replayedAmong(
        client,
        pushes.map(({ push }) => push),
      );
      // Not before: going back to it would give the counters free.
      await client.query(BEFORE_READINGS);
      const missing = judged(found, replayed);
      await keepReadings(
        client,
        missing.flatMap(({ push }) => readingsOf(push)),
      );
      await copyPushes(client, missing);
      await countRepeats(client, repeated);
      await keepPushCounters(
        client,
        pushes.map(({ push }) => push),
      );
      await keepSeenEvents(
        client,
        missing.flatMap(({ push }) => seenIn(push)),
      );
      await alsoHere?.(client);
    }, opening);
  }
}

/** What this gateway took for new may have come to another one before. */
function judged(queued: readonly QueuedPush[], replayed: ReadonlySet<ReceivedPush>): readonly QueuedPush[] {
  return queued.map((each) => {
    const { push, key } = each;
    each.fate = replayed.has(push) && push.counter?.isStrict === true ? "replayed" : "kept";
    if (!replayed.has(push) || push.marks.includes(REPLAYED)) return each;
    if (each.fate === "kept") return queuedPush({ ...push, marks: [...push.marks, REPLAYED] }, key);
    return queuedPush(withoutValues(push, new DlmsError("SECURITY_COUNTER_REPLAYED", "peer").message), key);
  });
}

const REPLAYED = "counter-replayed";
const ONE_AT_A_TIME = `select pg_advisory_xact_lock(${ADVISORY_LOCKS.repeatedPushes})`;
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
  await copyValues(client, [{ push, key: pushKey }]);
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

function seenIn({ meterId, seen }: ReceivedPush): MeterSeenEvents[] {
  return meterId === undefined ? [] : [{ ...seen, meterId, source: "push" }];
}

function readingsOf({ meterId, readAt, receivedAt, values }: ReceivedPush): MeterReading[] {
  if (meterId === undefined) return [];
  return values.map((value) => ({ ...value, meterId, readAt: readAt ?? receivedAt, source: "push", receivedAt }));
}
