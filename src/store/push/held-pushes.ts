/** Pushes that are held until more is known: found again, and written anew when they were understood better. */

import { type Database, whileThere } from "../database/database.ts";
import { BEFORE_READINGS } from "../records/meter-records.ts";
import { loadPushCounters, type PushCounter } from "./push-counters.ts";
import { replacePush } from "./push-history.ts";
import type { ReceivedPush } from "./received-push.ts";

export interface HeldPush {
  readonly pushKey: bigint;
  readonly receivedAt: Date;
  readonly peer: string;
  readonly transport: ReceivedPush["transport"];
  readonly meterId: string | undefined;
  readonly outcome: ReceivedPush["outcome"];
  readonly reason: string | undefined;
  readonly octets: Uint8Array;
}

/** Which of the held pushes. */
export interface HeldFilter {
  /** System title in hexadecimal, a name that the sender calls itself, or the host that it sends from. */
  readonly sender?: string;
  readonly since?: Date;
  /** Only what is known to be of this meter. */
  readonly meterId?: string;
  /** Only what could not be read, or is of nobody: what is merely not whole gets better by learning more of its meter. */
  readonly unknownOnly?: boolean;
}

interface Row {
  push_key: bigint;
  received_at: Date;
  peer: string;
  transport: ReceivedPush["transport"];
  meter_id: string | null;
  outcome: ReceivedPush["outcome"];
  reason: string | null;
  octets: Uint8Array;
}

/** Whom held pushes may be from. */
export interface HeldSender {
  readonly meterKey: number | undefined;
  readonly systemTitle: Uint8Array | undefined;
  readonly host: string;
}

const HELD = `outcome <> 'stored' and octet_length(octets) > 0
       and ($1::text is null or encode(h.system_title, 'hex') = lower($1) or $1 = any (sender_names)
         or regexp_replace(peer, ':[0-9]+$', '') = $1)
       and ($2::timestamptz is null or received_at >= $2) and ($3::uuid is null or meter_id = $3)
       and (not $4::boolean or outcome = 'rejected' or meter_id is null)`;

function heldParameters({ sender, since, meterId, unknownOnly }: HeldFilter): unknown[] {
  return [sender ?? null, since ?? null, meterId ?? null, unknownOnly === true];
}

async function heldSenders(database: Database, filter: HeldFilter): Promise<HeldSender[]> {
  const rows = await database.query<{ meter_key: number | null; system_title: Uint8Array | null; host: string }>(
    `select distinct m.meter_key, h.system_title, regexp_replace(peer, ':[0-9]+$', '') as host
     from dlms.push_history h left join public.meters m on m.id = h.meter_id where ${HELD}`,
    heldParameters(filter),
  );
  return rows.map(({ meter_key: meterKey, system_title: systemTitle, host }) => {
    return { meterKey: meterKey ?? undefined, systemTitle: systemTitle ?? undefined, host };
  });
}

/** In the order in which they came, those behind a key. */
async function heldPushes(
  database: Database,
  filter: HeldFilter,
  page: { readonly after: bigint; readonly limit: number },
): Promise<HeldPush[]> {
  const rows = await database.query<Row>(
    `select push_key, received_at, peer, transport, meter_id, outcome, reason, octets
     from dlms.push_history h where ${HELD} and push_key > $5::bigint
     order by push_key limit $6::int`,
    [...heldParameters(filter), page.after, page.limit],
  );
  return rows.map((row) => ({
    pushKey: row.push_key,
    receivedAt: row.received_at,
    peer: row.peer,
    transport: row.transport,
    meterId: row.meter_id ?? undefined,
    outcome: row.outcome,
    reason: row.reason ?? undefined,
    octets: row.octets,
  }));
}

/** Puts what is known now in the place of what was. */
async function rewritePush(database: Database, held: HeldPush, push: ReceivedPush): Promise<void> {
  await database.transaction((client) => replacePush(client, held, push), BEFORE_READINGS);
}

/** Whether a push of the meter's setup, or one that names no setup, was taken that came after an instant. */
async function hasCome(database: Database, meterId: string, pushSetup: string, since: Date): Promise<boolean> {
  const rows = await database.query(
    `select 1 from dlms.push_history
     where meter_id = $1::uuid and received_at >= $2::timestamptz and coalesce(push_setup, $3) = $3::text
       and outcome <> 'rejected' limit 1`,
    [meterId, since, pushSetup],
  );
  return rows.length > 0;
}

/** Whether the same octets are there as a push of the meter that was taken. */
async function isTaken(database: Database, { pushKey, octets }: HeldPush, meterId: string): Promise<boolean> {
  const rows = await database.query(
    `select 1 from dlms.push_history
     where meter_id = $1::uuid and push_key <> $2::bigint and octets = $3::bytea and outcome <> 'rejected' limit 1`,
    [meterId, pushKey, Buffer.from(octets)],
  );
  return rows.length > 0;
}

export interface UnknownSender {
  readonly sender: string;
  readonly systemTitle: string | undefined;
  readonly names: readonly string[];
  readonly hosts: readonly string[];
  readonly transports: readonly string[];
  readonly pushSetups: readonly string[];
  readonly pushes: number;
  readonly firstReceivedAt: Date;
  readonly lastReceivedAt: Date;
  readonly reason: string | undefined;
}

interface SenderRow {
  sender: string;
  system_title: string | null;
  names: string[];
  hosts: string[];
  transports: string[];
  push_setups: string[];
  pushes: bigint;
  first_received_at: Date;
  last_received_at: Date;
  reason: string | null;
}

/** Whoever pushes and is no meter of ours, the latest first. */
async function unknownSenders(database: Database, limit = 1000): Promise<UnknownSender[]> {
  const rows = await database.query<SenderRow>(
    "select * from dlms.unknown_senders order by last_received_at desc limit $1::int",
    [limit],
  );
  return rows.map((row) => ({
    sender: row.sender,
    systemTitle: row.system_title ?? undefined,
    names: row.names,
    hosts: row.hosts,
    transports: row.transports,
    pushSetups: row.push_setups,
    pushes: Number(row.pushes),
    firstReceivedAt: row.first_received_at,
    lastReceivedAt: row.last_received_at,
    reason: row.reason ?? undefined,
  }));
}

export interface SenderConflict {
  /** The meter that the pushes are taken for; undefined for an unknown sender. */
  readonly meterNumber: string | undefined;
  readonly sender: string;
  /** What points to which other meter. */
  readonly otherClue: string;
  readonly pushes: number;
  readonly firstReceivedAt: Date;
  readonly lastReceivedAt: Date;
}

interface ConflictRow {
  meter_number: string | null;
  sender: string;
  other_clue: string;
  pushes: bigint;
  first_received_at: Date;
  last_received_at: Date;
}

/** Pushes that point to more than one meter, the latest first. */
async function senderConflicts(database: Database, limit = 1000): Promise<SenderConflict[]> {
  const rows = await database.query<ConflictRow>(
    "select * from dlms.sender_conflicts order by last_received_at desc limit $1::int",
    [limit],
  );
  return rows.map((row) => ({
    meterNumber: row.meter_number ?? undefined,
    sender: row.sender,
    otherClue: row.other_clue,
    pushes: Number(row.pushes),
    firstReceivedAt: row.first_received_at,
    lastReceivedAt: row.last_received_at,
  }));
}

/** Calls of unknown senders that are known by now leave their list; there is nothing in them to be replayed. */
async function attributeCalls(database: Database): Promise<void> {
  await database.query(
    `with calls as (
       select push_key, received_at, system_title, sender_names from dlms.push_history
       where outcome = 'partial' and meter_id is null and octet_length(octets) = 0
     ), found as (
       select distinct on (push_key) push_key, received_at, meter_id from (
         select c.push_key, c.received_at, m.id as meter_id from calls c
         join public.meters m on m.system_title = c.system_title or m.meter_number = any (c.sender_names)
         union all
         select c.push_key, c.received_at, n.meter_id from calls c
         join dlms.meter_names n on n.name = any (c.sender_names)
       ) f order by push_key
     )
     update dlms.push_history h set meter_id = f.meter_id, outcome = 'stored', reason = null, replayed_at = now()
     from found f where h.push_key = f.push_key and h.received_at = f.received_at`,
  );
}

export interface HeldPushStore {
  held(filter: HeldFilter, page: { readonly after: bigint; readonly limit: number }): Promise<HeldPush[]>;
  rewrite(held: HeldPush, push: ReceivedPush): Promise<void>;
  isTaken(held: HeldPush, meterId: string): Promise<boolean>;
  hasCome(meterId: string, pushSetup: string, since: Date): Promise<boolean>;
  heldSenders(filter: HeldFilter): Promise<HeldSender[]>;
  unknownSenders(): Promise<UnknownSender[]>;
  senderConflicts(): Promise<SenderConflict[]>;
  /** Undefined while the database is away. */
  pushCounters(): Promise<PushCounter[] | undefined>;
  attributeCalls(): Promise<void>;
}

export function heldPushStore(database: Database): HeldPushStore {
  return {
    held: (filter, page) => heldPushes(database, filter, page),
    rewrite: (held, push) => rewritePush(database, held, push),
    isTaken: (held, meterId) => isTaken(database, held, meterId),
    hasCome: (meterId, pushSetup, since) => hasCome(database, meterId, pushSetup, since),
    heldSenders: (filter) => heldSenders(database, filter),
    unknownSenders: () => unknownSenders(database),
    senderConflicts: () => senderConflicts(database),
    pushCounters: () => whileThere(() => loadPushCounters(database)),
    attributeCalls: () => attributeCalls(database),
  };
}
