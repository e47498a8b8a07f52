/** Looks whether the database is as it has to be: each finding says what is wrong and what to do. Changes nothing. */
import type { Database } from "../database/database.ts";
import { dataTable, PROFILE_KINDS } from "../profiles/profile-tables.ts";
import { eventLogFaults } from "../records/event-log.ts";
import { policyStatus } from "./database-status.ts";

export interface CheckFinding {
  readonly check: string;
  readonly finding: string;
  readonly nextStep: string;
}

export interface CheckReport {
  /** Names of all checks that were made. */
  readonly checks: readonly string[];
  readonly findings: readonly CheckFinding[];
}

type Check = (database: Database) => Promise<readonly Omit<CheckFinding, "check">[]>;

const CHECKS: Readonly<Record<string, Check>> = {
  "where TimescaleDB is there, tables that grow with time are hypertables": hypertablesMissing,
  "policies do their work": policiesBehind,
  "indexes are usable": brokenIndexes,
  "rows belong to meters": rowsWithoutMeter,
  "kept sums by day are those of the rows": sumsThatDiffer,
  "the event log is as it was written": eventLogBroken,
};

/** Makes every check. Reads whole tables. Throws StoreError. */
export async function checkDatabase(database: Database): Promise<CheckReport> {
  const findings: CheckFinding[] = [];
  for (const [check, find] of Object.entries(CHECKS)) {
    for (const finding of await find(database)) findings.push({ check, ...finding });
  }
  return { checks: Object.keys(CHECKS), findings };
}

interface Named {
  name: string;
}

async function hypertablesMissing(database: Database) {
  if (!database.capabilities.hypertables) return [];
  const rows = await database.query<Named>(
    `select format('%s.%s', table_schema, table_name) as name from dlms.time_tables t
     where t.chunk_interval is not null and not exists (select from timescaledb_information.hypertables h
       where h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name)`,
  );
  return rows.map(({ name }) => ({
    finding: `${name} is a plain table though TimescaleDB is there`,
    nextStep: "run dlms-gateway db migrate",
  }));
}

async function policiesBehind(database: Database) {
  const behind = (await policyStatus(database)).filter((policy) => policy.chunksBehind > 0);
  return behind.map(({ table, policy, chunksBehind, lastStatus }) => ({
    finding: `${policy} of ${table} is behind by ${chunksBehind} chunks; its last run: ${lastStatus ?? "never"}`,
    nextStep: "see timescaledb_information.job_errors, and that timescaledb.max_background_workers is large enough",
  }));
}

async function brokenIndexes(database: Database) {
  const rows = await database.query<Named>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'dlms') and not (i.indisvalid and i.indisready)`,
  );
  return rows.map(({ name }) => ({ finding: `the index ${name} is not valid`, nextStep: `reindex index ${name};` }));
}

async function rowsWithoutMeter(database: Database) {
  const findings: Omit<CheckFinding, "check">[] = [];
  for (const profile of PROFILE_KINDS) {
    const rows = await database.query<{ meters: number }>(
      `select count(*)::int as meters from (select distinct meter_key from dlms.${dataTable(profile)}) d
       where not exists (select from public.meters m where m.meter_key = d.meter_key)`,
    );
    const meters = rows[0]?.meters ?? 0;
    if (meters === 0) continue;
    findings.push({
      finding: `dlms.${dataTable(profile)} holds rows of ${meters} meters that were deleted`,
      nextStep: `delete from dlms.${dataTable(profile)} d where not exists (select from public.meters m where m.meter_key = d.meter_key);`,
    });
  }
  return findings;
}

interface DifferingSum {
  meter_number: string;
  day: string;
  total: bigint;
}

/** Compares what is kept with the rows themselves, both ways: days that are kept and days that are not. */
async function sumsThatDiffer(database: Database) {
  const rows = await database.query<DifferingSum>(
    `with rows_by_day as (
       select b.meter_key, dlms.day_of(b.captured_at, m.time_zone) as day,
         count(*) as intervals, sum(b.active_import) as active_import, sum(b.active_export) as active_export
       from dlms.block_load_profile_data b join public.meters m on m.meter_key = b.meter_key
       where b.captured_at > dlms.block_load_kept_from() + interval '2 days' group by 1, 2
     )
     select m.meter_number, coalesce(k.day, r.day)::text as day, count(*) over () as total
     from (select d.* from dlms.daily_load_days d join public.meters m on m.meter_key = d.meter_key
       where dlms.day_start(d.day, m.time_zone) > dlms.block_load_kept_from() + interval '2 days') k
     full join rows_by_day r on r.meter_key = k.meter_key and r.day = k.day
     join public.meters m on m.meter_key = coalesce(k.meter_key, r.meter_key)
     where (k.intervals, k.active_import, k.active_export) is distinct from (r.intervals, r.active_import, r.active_export)
     order by coalesce(k.day, r.day), m.meter_number limit 5`,
  );
  const [first] = rows;
  if (first === undefined) return [];
  return [
    {
      finding: `${first.total} days of meters are not the sums of their rows, first ${first.day} of ${first.meter_number}`,
      nextStep:
        "were rows inserted by other means than the gateway? Note them in dlms.load_changes, and they are summed anew",
    },
  ];
}

async function eventLogBroken(database: Database) {
  const faults = await eventLogFaults(database);
  const [first] = faults;
  if (first === undefined) return [];
  return [
    {
      finding: `the chain of dlms.event_logs is broken at ${faults.length} places, first at entry ${first.event_log_key}: ${first.fault}`,
      nextStep:
        "somebody changed the log by hand, or it was restored from an older backup; see dlms.event_log_faults()",
    },
  ];
}
