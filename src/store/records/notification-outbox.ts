/** Notifications that are still to be sent, in the database: put in by the transaction that keeps an event. */
import type { FailedNotification, Outbox, TakenNotification } from "../../events/notifier.ts";
import type { Database } from "../database/database.ts";

export interface DestinationRule {
  readonly name: string;
  readonly least: "info" | "warning" | "alarm";
  /** Events that are older than this when they become known are not told. */
  readonly newestMs: number;
}

/**
 * Whom this gateway tells what from now on. Those of a gateway that has been forgotten go with it, and what waits for
 * those whom nobody tells any more is given up. Throws StoreError.
 */
export async function keepDestinations(
  database: Database,
  gatewayId: string,
  rules: readonly DestinationRule[],
): Promise<void> {
  await database.transaction(async (client) => {
    await client.query(
      `delete from dlms.notification_destinations d
       where d.gateway_id = $1::uuid or not exists (select from dlms.gateways g where g.gateway_id = d.gateway_id)`,
      [gatewayId],
    );
    await client.query(
      `insert into dlms.notification_destinations (gateway_id, name, least_severity, newest)
       select $1::uuid, name, least, make_interval(secs => newest_s)
       from unnest($2::text[], $3::text[], $4::double precision[]) as d (name, least, newest_s)`,
      [
        gatewayId,
        rules.map(({ name }) => name),
        rules.map(({ least }) => least),
        rules.map(({ newestMs }) => newestMs / 1000),
      ],
    );
    await client.query(
      `update dlms.notification_outbox set state = 'dead', evidence = 'the destination is no longer configured'
       where state = 'waiting' and destination not in (select name from dlms.notification_destinations)`,
    );
  });
}

/** Whoever takes notifications has so long to send them. */
const TAKEN_FOR = "2 minutes";
const MOST_DEAD = 10_000;

interface TakenRow {
  notification_key: bigint;
  made_at: Date;
  meter: string;
  meter_number: string;
  event: Record<string, unknown>;
  attempts: number;
  conditions: string[] | null;
}

export function notificationOutbox(database: Database): Outbox {
  return {
    async take(destination, limit) {
      const rows = await database.query<TakenRow>(
        `with due as (
           select notification_key from dlms.notification_outbox
           where destination = $1::text and state = 'waiting' and next_try_at <= clock_timestamp()
           order by next_try_at, notification_key limit $2::int for update skip locked
         ), taken as (
           update dlms.notification_outbox o
           set attempts = attempts + 1, next_try_at = clock_timestamp() + $3::interval
           from due where o.notification_key = due.notification_key returning o.*
         )
         select t.notification_key, t.made_at, t.event, t.attempts, m.name as meter, m.meter_number,
           (select array_agg(distinct e.condition) from public.meter_events e
            where e.meter_id = t.meter_id and e.kind = 'occurrence' and e.restored_at is null
              and e.occurred_at > now() - interval '90 days') as conditions
         from taken t join public.meters m on m.id = t.meter_id order by t.notification_key`,
        [destination, limit, TAKEN_FOR],
      );
      return rows.map(takenOf);
    },
    async sent(keys) {
      await database.query("delete from dlms.notification_outbox where notification_key = any ($1::bigint[])", [keys]);
    },
    failed: (failed) => noteFailed(database, failed),
    trim: (destination, bound) => trim(database, destination, bound),
  };
}

function takenOf(row: TakenRow): TakenNotification {
  return {
    key: row.notification_key,
    id: String(row.notification_key),
    attempt: row.attempts,
    meter: row.meter,
    meterNumber: row.meter_number,
    madeAt: row.made_at.toISOString(),
    event: row.event,
    conditions: row.conditions ?? [],
  };
}

async function noteFailed(database: Database, failed: readonly FailedNotification[]): Promise<void> {
  await database.query(
    `update dlms.notification_outbox o
     set evidence = f.evidence, next_try_at = coalesce(f.next_try_at, o.next_try_at),
       state = case when f.next_try_at is null then 'dead' else 'waiting' end
     from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as f (notification_key, evidence, next_try_at)
     where o.notification_key = f.notification_key`,
    [
      failed.map(({ key }) => key),
      failed.map(({ evidence }) => evidence),
      failed.map(({ nextTryAt }) => nextTryAt ?? null),
    ],
  );
}

/** The oldest go first: what is new matters more. */
async function trim(database: Database, destination: string, bound: number): Promise<number> {
  const dead = await database.query(
    `update dlms.notification_outbox set state = 'dead', evidence = 'more wait than the outbox may hold'
     where notification_key in (
       select notification_key from dlms.notification_outbox where destination = $1::text and state = 'waiting'
       order by notification_key desc offset $2::int)
     returning notification_key`,
    [destination, bound],
  );
  await database.query(
    `delete from dlms.notification_outbox o
     where o.destination = $1::text and not exists (select from public.meters m where m.id = o.meter_id)
       or o.notification_key in (
       select notification_key from dlms.notification_outbox where destination = $1::text and state = 'dead'
       order by notification_key desc offset $2::int)`,
    [destination, MOST_DEAD],
  );
  return dead.length;
}

export interface OutboxLine {
  readonly destination: string;
  readonly state: "waiting" | "dead";
  readonly notifications: number;
  readonly oldestAt: Date;
  readonly evidence: string | undefined;
}

/** How much waits for each destination, and how much was given up. Throws StoreError. */
export async function outboxLines(database: Database): Promise<OutboxLine[]> {
  const rows = await database.query<{
    destination: string;
    state: OutboxLine["state"];
    notifications: bigint;
    oldest_at: Date;
    evidence: string | null;
  }>(
    `select destination, state, count(*) as notifications, min(made_at) as oldest_at,
       (array_agg(evidence order by notification_key desc) filter (where evidence is not null))[1] as evidence
     from dlms.notification_outbox group by 1, 2 order by 1, 2 desc`,
  );
  return rows.map((row) => ({
    destination: row.destination,
    state: row.state,
    notifications: Number(row.notifications),
    oldestAt: row.oldest_at,
    evidence: row.evidence ?? undefined,
  }));
}

/** Tries given-up notifications again, all or those of one destination; how many. Throws StoreError. */
export async function retryDead(database: Database, destination: string | undefined): Promise<number> {
  const rows = await database.query(
    `update dlms.notification_outbox set state = 'waiting', attempts = 0, next_try_at = clock_timestamp()
     where state = 'dead' and ($1::text is null or destination = $1)
       and destination in (select name from dlms.notification_destinations)
     returning notification_key`,
    [destination ?? null],
  );
  return rows.length;
}
