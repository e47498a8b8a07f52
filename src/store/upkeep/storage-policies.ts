/** How long what grows with time stays as it came, and how long it stays at all: from the configuration into the database. */
import type { Database } from "../database/database.ts";
import { StoreError } from "../database/store-error.ts";

export interface StoragePolicies {
  /** Age at which chunks are compressed, where the edition can. */
  readonly compressAfterMs: number;
  /** By table, as dlms.time_tables names it: age at which rows are deleted. What is not named is kept. */
  readonly keepMs: ReadonlyMap<string, number>;
}

const DAY_MS = 86_400_000;

/**
 * What is deleted when it is old although the configuration does not say so, by age in days: evidence of what came in and
 * of what the gateway did. Readings and events of meters, and what changed in them, are kept until the configuration says
 * otherwise.
 */
const KEPT_DAYS = {
  raw_buffers: 90,
  push_history: 90,
  push_values: 90,
  read_failures: 90,
  read_successes: 400,
  meter_requests: 400,
  rejected_rows: 400,
  event_logs: 3650,
} as const;

export const KEPT_BY_DEFAULT_MS: ReadonlyMap<string, number> = new Map(
  Object.entries(KEPT_DAYS).map(([table, days]) => [table, days * DAY_MS]),
);

/** Makes it so. Throws StoreError, as for a table that is not kept by time. */
export async function applyStorage(database: Database, { compressAfterMs, keepMs }: StoragePolicies): Promise<void> {
  await database.transaction(async (client) => {
    const { rows } = await client.query<{ name: string }>("select table_name as name from dlms.time_tables");
    const known = new Set(rows.map((row) => row.name));
    for (const table of keepMs.keys()) {
      if (!known.has(table)) throw new StoreError("TABLE_UNKNOWN", { table, known: [...known].sort().join(" ") });
    }
    // Whole days, because policies are compared as they are written.
    await client.query(
      `update dlms.time_tables t set compress_after = make_interval(days => $1::int), keep_for = k.keep_for
       from dlms.time_tables o
       left join (
         select name, make_interval(days => days) as keep_for from unnest($2::text[], $3::int[]) as k (name, days)
       ) k on k.name = o.table_name
       where o.table_schema = t.table_schema and o.table_name = t.table_name`,
      [daysOf(compressAfterMs), [...keepMs.keys()], [...keepMs.values()].map(daysOf)],
    );
    await client.query("select dlms.apply_storage_policies()");
  });
}

function daysOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / DAY_MS));
}
