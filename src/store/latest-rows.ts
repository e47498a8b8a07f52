/** Questions about what is held already: the newest slot of a meter, and the newest rows for people. */
import type { ProfileKind } from "../profiles/batch.ts";
import type { ProfileColumn } from "../profiles/columns.ts";
import type { Database } from "./database.ts";
import { dataTable, PROFILE_KINDS, shownExpression } from "./profile-tables.ts";

/**
 * The newest capture time that is held of each profile of a meter, ms since 1970; undefined for none. Rows stamped more
 * than an hour ahead do not count: they tell of a wrong clock, not of what is held.
 */
export async function newestCaptures(
  database: Database,
  meterKey: number,
): Promise<Readonly<Record<ProfileKind, number | undefined>>> {
  const selects = PROFILE_KINDS.map(
    (profile) => `(select captured_at from dlms.${dataTable(profile)} where meter_key = $1::int
      and captured_at <= now() + interval '1 hour' order by captured_at desc limit 1) as ${profile}`,
  );
  const rows = await database.query<Record<ProfileKind, Date | null>>(`select ${selects.join(", ")}`, [meterKey]);
  const times = rows[0];
  return {
    instant: times?.instant?.getTime(),
    block_load: times?.block_load?.getTime(),
    daily_load: times?.daily_load?.getTime(),
    billing: times?.billing?.getTime(),
  };
}

export interface LatestRow {
  readonly meterName: string;
  readonly meterNumber: string;
  readonly capturedAt: Date;
  readonly readAt: Date;
  /** Exact decimals in plain units by the column's shown name; a column that the row lacks is missing. */
  readonly values: Readonly<Record<string, string>>;
}

export interface LatestRowsQuery {
  readonly profile: ProfileKind;
  /** The columns to show. */
  readonly columns: readonly ProfileColumn[];
  /** Which meters; all when left out. */
  readonly meterKeys?: readonly number[];
  readonly limit: number;
}

interface Row {
  meter_name: string;
  meter_number: string;
  captured_at: Date;
  read_at: Date;
  shown: Record<string, string>;
}

/** The newest row of each meter, the most recently read first. Costs one index look-up a meter. */
export async function latestRows(database: Database, query: LatestRowsQuery): Promise<LatestRow[]> {
  const pairs = query.columns.map((column) => `'${column.shownAs}', (${shownExpression(column)})::text`);
  const rows = await database.query<Row>(
    `select m.name as meter_name, m.meter_number, d.captured_at, d.read_at,
       jsonb_strip_nulls(jsonb_build_object(${pairs.join(", ")})) as shown
     from public.meters m
     cross join lateral (
       select * from dlms.${dataTable(query.profile)} d where d.meter_key = m.meter_key
       order by d.captured_at desc limit 1
     ) d
     where $1::int[] is null or m.meter_key = any ($1::int[])
     order by d.read_at desc, m.name limit $2::int`,
    [query.meterKeys ?? null, query.limit],
  );
  return rows.map((row) => ({
    meterName: row.meter_name,
    meterNumber: row.meter_number,
    capturedAt: row.captured_at,
    readAt: row.read_at,
    values: row.shown,
  }));
}
