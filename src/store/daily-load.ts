/**
 * Keeps the sums by day. Writers note what they changed; here notes become due days, and due days that are over are
 * summed: by a continuous aggregate where the database has them, else into a table. Views sum what is due themselves, so
 * none of this has to be in time for them to be exact. One process at a time does it.
 */
import type { PoolClient } from "pg";
import type { Database } from "./database.ts";

/** Beside those of migrations and of meters' deletion. */
const LOCK_KEY = 6_142_023_918_440_519n;
const CHANGES_AT_ONCE = 1000;
const DAYS_AT_ONCE = 10_000;

export interface DailyLoadWork {
  /** Another process is at it: nothing was done. */
  readonly busyElsewhere: boolean;
  /** Noted changes that became due days. */
  readonly taken: number;
  /** Due days that were summed. */
  readonly summed: number;
}

/** Takes notes into due days and, with `sum`, sums those that are over. Throws StoreError. */
export async function keepDailyLoad(database: Database, { sum }: { readonly sum: boolean }): Promise<DailyLoadWork> {
  return database.withClient(async (client) => {
    const lock = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1::bigint) as taken", [
      LOCK_KEY.toString(),
    ]);
    if (lock.rows[0]?.taken !== true) return { busyElsewhere: true, taken: 0, summed: 0 };
    try {
      const taken = await untilNone(() =>
        count(client, "select dlms.take_load_changes($1::int) as count", CHANGES_AT_ONCE),
      );
      const summed = sum ? await sumDueDays(client) : 0;
      return { busyElsewhere: false, taken, summed };
    } finally {
      await client.query("select pg_advisory_unlock($1::bigint)", [LOCK_KEY.toString()]);
    }
  });
}

async function sumDueDays(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ aggregated: boolean }>(
    "select to_regclass('dlms.daily_load_aggregate') is not null as aggregated",
  );
  if (rows[0]?.aggregated === true) return refreshAggregate(client);
  return untilNone(() => count(client, "select dlms.sum_due_days($1::int) as count", DAYS_AT_ONCE));
}

interface DueRange {
  from_time: string;
  to_time: string;
  rezoned: boolean;
}

/** Refreshes the buckets of due days. What is noted meanwhile stays a note: only this function's caller takes notes. */
async function refreshAggregate(client: PoolClient): Promise<number> {
  const closed = await client.query<{ before: string }>("select dlms.daily_load_closed_before()::text as before");
  const before = closed.rows[0]?.before ?? null;
  const { rows } = await client.query<DueRange>(
    "select from_time::text, to_time::text, rezoned from dlms.daily_load_due_ranges($1::date)",
    [before],
  );
  for (const { from_time: from, to_time: to, rezoned } of rows) {
    // Rows are the same, only their day is another: the aggregate can't know.
    const force = rezoned ? ", force => true" : "";
    await client.query(`call refresh_continuous_aggregate('dlms.daily_load_aggregate', '${from}', '${to}'${force})`);
  }
  const cleared = await client.query("delete from dlms.daily_load_due where day < $1::date", [before]);
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
