/**
 * Keeps the sums by day. Writers note what they changed; here notes become due days, and due days that are over are
 * summed into a table, over which a continuous aggregate keeps them where the database has such. Views sum what is due
 * themselves, so none of this has to be in time for them to be exact. One process at a time does it.
 */
import type { PoolClient } from "pg";
import { ADVISORY_LOCKS } from "../database/advisory-locks.ts";
import type { Database } from "../database/database.ts";

const CHANGES_AT_ONCE = 1000;
const DAYS_AT_ONCE = 10_000;

export interface DailyLoadWork {
  /** Another process is at it: nothing was done. */
  readonly busyElsewhere: boolean;
  /** Noted changes that became due days. */
  readonly taken: number;
  /** Due days that were summed. */
  readonly summed: number;
  /** Days that the continuous aggregate took. */
  readonly aggregated: number;
}

/**
 * Takes notes into due days, with `sum` sums those that are over, and with `aggregate`, which is `sum` unless said, brings
 * them into the continuous aggregate where there is one. Throws StoreError.
 */
export async function keepDailyLoad(
  database: Database,
  { sum, aggregate = sum }: { readonly sum: boolean; readonly aggregate?: boolean },
): Promise<DailyLoadWork> {
  return database.withClient(async (client) => {
    const lock = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1::bigint) as taken", [
      ADVISORY_LOCKS.dailyLoad.toString(),
    ]);
    if (lock.rows[0]?.taken !== true) return { busyElsewhere: true, taken: 0, summed: 0, aggregated: 0 };
    try {
      const taken = await untilNone(() =>
        count(client, "select dlms.take_load_changes($1::int) as count", CHANGES_AT_ONCE),
      );
      const hasAggregate = database.capabilities.continuousAggregates;
      const step = `select dlms.sum_due_days($1::int, ${hasAggregate}) as count`;
      const summed = sum ? await untilNone(() => count(client, step, DAYS_AT_ONCE)) : 0;
      const aggregated = aggregate && hasAggregate ? await refreshAggregate(client) : 0;
      return { busyElsewhere: false, taken, summed, aggregated };
    } finally {
      await client.query("select pg_advisory_unlock($1::bigint)", [ADVISORY_LOCKS.dailyLoad.toString()]);
    }
  });
}

interface DayRange {
  from_day: string;
  to_day: string;
}

/** Brings days that were summed into the aggregate. What is noted meanwhile stays a note: only this process takes notes. */
async function refreshAggregate(client: PoolClient): Promise<number> {
  const { rows } = await client.query<DayRange>(
    `select lower(days)::text as from_day, upper(days)::text as to_day
     from (
       select unnest(range_agg(daterange(d.day, d.day + 1))) as days
       from (select distinct day from dlms.daily_load_due where summed) d
     ) r`,
  );
  for (const { from_day: from, to_day: to } of rows) {
    // Without force, TimescaleDB 2.28.0 to 2.28.3 leave out the last day: its issue 10221.
    await client.query(
      `call refresh_continuous_aggregate('dlms.daily_load_aggregate', '${from}', '${to}', force => true)`,
    );
  }
  const cleared = await client.query("delete from dlms.daily_load_due where summed");
  return cleared.rowCount ?? 0;
}

async function count(client: PoolClient, text: string, most: number): Promise<number> {
  const { rows } = await client.query<{ count: bigint | number }>(text, [most]);
  return Number(rows[0]?.count ?? 0);
}

async function untilNone(step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const done = await step();
    if (done === 0) return total;
    total += done;
  }
}
