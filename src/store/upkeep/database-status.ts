/** What the database holds, table by table, and how far its upkeep has come: for people who run it. */
import type { Database } from "../database/database.ts";

export interface TableStatus {
  readonly table: string;
  /** As the database estimates them; counted where there are few. */
  readonly rows: number;
  readonly isCounted: boolean;
  /** Whether it grows with time. */
  readonly byTime: boolean;
  readonly octets: number;
  readonly indexOctets: number;
  /** Undefined for a table that is not kept by chunks. */
  readonly chunks: ChunkStatus | undefined;
  readonly compressAfter: string | undefined;
  readonly keepFor: string | undefined;
}

export interface ChunkStatus {
  readonly count: number;
  readonly compressed: number;
  /** Of the compressed chunks, before and after. */
  readonly octetsBefore: number;
  readonly octetsAfter: number;
}

/** A job of TimescaleDB on one of our tables. */
export interface PolicyStatus {
  readonly table: string;
  readonly policy: string;
  readonly lastStatus: string | undefined;
  readonly lastSuccess: Date | undefined;
  readonly nextStart: Date | undefined;
  readonly failures: number;
  /** Chunks that it should have done away with a day ago and has not: what counts, whatever the job says of itself. */
  readonly chunksBehind: number;
}

export interface DailyLoadStatus {
  /** `continuous aggregate` or `table`. */
  readonly keptBy: string;
  /** Notes of writers that are not yet due days, and since when there are such. */
  readonly notes: number;
  readonly oldestNote: Date | undefined;
  /** Days of meters that are not summed, or changed since. */
  readonly dueDays: number;
  /** Of the due days, those that are over and could be kept. */
  readonly overdueDays: number;
  /** Days that are summed and that the continuous aggregate has not taken yet, and the oldest of these. */
  readonly notAggregated: number;
  readonly oldestNotAggregated: string | undefined;
}

interface TableRow {
  table: string;
  rows: number;
  by_time: boolean;
  octets: bigint;
  index_octets: bigint;
  chunks: number | null;
  compressed: number | null;
  octets_before: bigint | null;
  octets_after: bigint | null;
  compress_after: string | null;
  keep_for: string | null;
}

/** Every table of ours, the largest first. */
export async function tableStatus(database: Database): Promise<TableStatus[]> {
  const { hypertables, compression } = database.capabilities;
  const size = hypertables
    ? `case when h.hypertable_name is null then pg_total_relation_size(c.oid) else hypertable_size(c.oid) end as octets,
       case when h.hypertable_name is null then pg_indexes_size(c.oid)
         else (select sum(index_bytes)::bigint from hypertable_detailed_size(c.oid)) end as index_octets,
       case when h.hypertable_name is null then c.reltuples::float8 else approximate_row_count(c.oid)::float8 end as rows,
       case when h.hypertable_name is not null then h.num_chunks::int end as chunks,
       (select count(*)::int from timescaledb_information.chunks k where k.is_compressed
         and k.hypertable_schema = n.nspname and k.hypertable_name = c.relname) as compressed`
    : `pg_total_relation_size(c.oid) as octets, pg_indexes_size(c.oid) as index_octets, c.reltuples::float8 as rows,
       null as chunks, null as compressed`;
  const stats = compression
    ? `left join lateral hypertable_compression_stats(case when h.compression_enabled then c.oid end) s on true`
    : "cross join (select null::bigint as before_compression_total_bytes, null::bigint as after_compression_total_bytes) s";
  const rows = await database.query<TableRow>(
    `select format('%I.%I', n.nspname, c.relname) as table, ${size},
       s.before_compression_total_bytes as octets_before, s.after_compression_total_bytes as octets_after,
       t.compress_after::text, t.keep_for::text, t.table_name is not null as by_time
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     left join dlms.time_tables t on t.table_schema = n.nspname and t.table_name = c.relname
     ${hypertables ? "left join timescaledb_information.hypertables h on h.hypertable_schema = n.nspname and h.hypertable_name = c.relname" : ""}
     ${stats}
     where c.relkind in ('r', 'p') and (n.nspname = 'dlms' or n.nspname = 'public' and c.relname like 'meter%')
     order by octets desc, 1`,
  );
  const statuses: TableStatus[] = [];
  for (const row of rows) statuses.push(await statusOf(database, row));
  return statuses;
}

async function statusOf(database: Database, row: TableRow): Promise<TableStatus> {
  const { compression } = database.capabilities;
  return {
    table: row.table,
    ...(await rowsOf(database, row)),
    byTime: row.by_time,
    octets: Number(row.octets),
    indexOctets: Number(row.index_octets),
    chunks: chunksOf(row),
    compressAfter: (compression ? row.compress_after : null) ?? undefined,
    keepFor: row.keep_for ?? undefined,
  };
}

/** What is counted and not estimated. */
const FEW_ROWS = 10_000;

/** A table that nobody has analysed yet has no estimate, or one of its chunks has none: small ones are counted. */
async function rowsOf(database: Database, { table, rows }: TableRow): Promise<{ rows: number; isCounted: boolean }> {
  if (rows > FEW_ROWS) return { rows: Math.round(rows), isCounted: false };
  const few = `select from ${table} limit ${FEW_ROWS + 1}`;
  const [counted] = await database.query<{ count: number }>(`select count(*)::int as count from (${few}) f`);
  const count = counted?.count ?? 0;
  if (count <= FEW_ROWS) return { rows: count, isCounted: true };
  const [plan] = await database.query<object>(`explain (format json) select from ${table}`);
  const json: unknown = Object.values(plan ?? {})[0];
  const [first] = Array.isArray(json) ? json : [];
  const estimate = Number(Reflect.get(Object(Reflect.get(Object(first), "Plan")), "Plan Rows"));
  return { rows: Math.max(count, Number.isFinite(estimate) ? estimate : 0), isCounted: false };
}

function chunksOf(row: TableRow): ChunkStatus | undefined {
  if (row.chunks === null) return undefined;
  return {
    count: row.chunks,
    compressed: row.compressed ?? 0,
    octetsBefore: Number(row.octets_before ?? 0),
    octetsAfter: Number(row.octets_after ?? 0),
  };
}

interface PolicyRow {
  table: string;
  policy: string;
  last_status: string | null;
  last_success: Date | null;
  next_start: Date | null;
  failures: number;
  behind: number;
}

/** The policies on our tables; none where the edition has none. */
export async function policyStatus(database: Database): Promise<PolicyStatus[]> {
  if (!database.capabilities.policies) return [];
  const rows = await database.query<PolicyRow>(
    `select format('%s.%s', j.hypertable_schema, j.hypertable_name) as table, replace(j.proc_name, 'policy_', '') as policy,
       s.last_run_status as last_status,
       case when isfinite(s.last_successful_finish) then s.last_successful_finish end as last_success,
       case when isfinite(j.next_start) then j.next_start end as next_start, coalesce(s.total_failures, 0)::int as failures,
       (select count(*)::int from timescaledb_information.chunks k
        where k.hypertable_schema = j.hypertable_schema and k.hypertable_name = j.hypertable_name
          and (j.proc_name = 'policy_retention' or not k.is_compressed)
          and k.range_end < now() - (coalesce(j.config ->> 'compress_after', j.config ->> 'drop_after'))::interval
            - interval '1 day'
          and k.chunk_creation_time < now() - interval '1 day') as behind
     from timescaledb_information.jobs j
     left join timescaledb_information.job_stats s on s.job_id = j.job_id
     join dlms.time_tables t on t.table_schema = j.hypertable_schema and t.table_name = j.hypertable_name
     order by 1, 2`,
  );
  return rows.map((row) => ({
    table: row.table,
    policy: row.policy,
    lastStatus: row.last_status ?? undefined,
    lastSuccess: row.last_success ?? undefined,
    nextStart: row.next_start ?? undefined,
    failures: row.failures,
    chunksBehind: row.behind,
  }));
}

interface DailyLoadRow {
  aggregated: boolean;
  notes: number;
  oldest_note: Date | null;
  due: number;
  overdue: number;
  not_aggregated: number;
  oldest_not_aggregated: string | null;
}

export async function dailyLoadStatus(database: Database): Promise<DailyLoadStatus> {
  const rows = await database.query<DailyLoadRow>(
    `select to_regclass('dlms.daily_load_aggregate') is not null as aggregated,
       (select count(*)::int from dlms.load_changes) as notes,
       (select min(noted_at) from dlms.load_changes) as oldest_note,
       d.due, d.overdue, d.not_aggregated, d.oldest_not_aggregated::text
     from (
       select count(*) filter (where not summed)::int as due, count(*) filter (where summed)::int as not_aggregated,
         count(*) filter (where not summed and day < (select dlms.daily_load_closed_before()))::int as overdue,
         min(day) filter (where summed) as oldest_not_aggregated
       from dlms.daily_load_due
     ) d`,
  );
  const row = rows[0];
  return {
    keptBy: row?.aggregated === true ? "continuous aggregate" : "table",
    notes: row?.notes ?? 0,
    oldestNote: row?.oldest_note ?? undefined,
    dueDays: row?.due ?? 0,
    overdueDays: row?.overdue ?? 0,
    notAggregated: row?.not_aggregated ?? 0,
    oldestNotAggregated: row?.oldest_not_aggregated ?? undefined,
  };
}
