/**
 * Rows for slots that may be held already: staged in a temporary table, then put in set by set. A held value is never
 * overwritten: what is missing is filled in, and what differs is kept as a revision, with an event. Rows for one slot
 * count in the order in which they are given, as if each were merged by itself.
 */
import type { PoolClient } from "pg";
import { type CopyRows, copyInto } from "../database/binary-copy.ts";
import type { RowLayout } from "./profile-rows.ts";
import { dataTable, SOURCES } from "./profile-tables.ts";

export interface MergeOutcome {
  readonly inserted: number;
  /** Held slots in which something missing was filled in. */
  readonly completed: number;
  /** Held slots for which other values came. */
  readonly revised: number;
}

/** Code of the event "readings were revised" in the gateway's own log of a meter. */
const READINGS_REVISED = { code: 1, name: "readings_revised" } as const;

interface Names {
  readonly table: string;
  readonly stage: string;
  /** Joins `s` of the stage to `t` of the table. */
  readonly matching: string;
}

/** How many staged rows have their slots held, and of these, how many differ or bring something missing. */
interface Standing {
  held: number;
  differing: number;
  completing: number;
}

export interface StagedRows {
  readonly encoded: CopyRows;
  readonly rangeMs: readonly [from: number, to: number];
  /** What the connection has of the staging table, which empties itself at the end of a transaction. */
  readonly stage: "missing" | "empty" | "filled";
}

/** Merges encoded rows, whose capture times lie within `rangeMs`, into the table of the layout. */
export async function mergeRows(client: PoolClient, layout: RowLayout, rows: StagedRows): Promise<MergeOutcome> {
  // The literal range lets the planner leave out the chunks in which nothing can match.
  const [from, to] = rows.rangeMs.map((ms) => new Date(ms).toISOString());
  const names = {
    table: `dlms.${dataTable(layout.profile)}`,
    stage: `pg_temp.${dataTable(layout.profile)}`,
    matching: `t.meter_key = s.meter_key and t.captured_at = s.captured_at
      and t.captured_at between '${from}'::timestamptz and '${to}'::timestamptz`,
  };
  await fillStage(client, layout, { names, rows });
  let standing = await standingOf(client, layout, names);
  let inserted = 0;
  if (standing.held < rows.encoded.rowCount) {
    inserted = await insertStaged(client, layout, names);
    // Where fewer went in than were free, a slot came twice or another session was faster: look again.
    const settled = inserted === rows.encoded.rowCount - standing.held;
    if (!settled) standing = await standingOf(client, layout, names);
  }
  let completed = 0;
  while (standing.completing > 0) {
    const filled = await complete(client, layout, names);
    completed += filled;
    // One row fills in a slot at a time; what it brought, the others for that slot lack no more, or differ from.
    const settled = filled === standing.completing;
    standing = settled ? { ...standing, completing: 0 } : await standingOf(client, layout, names);
  }
  const revised = standing.differing > 0 ? await keepRevisions(client, layout, names) : 0;
  return { inserted, completed, revised };
}

/** The column arrival numbers the rows in their order. */
async function fillStage(
  client: PoolClient,
  layout: RowLayout,
  { names, rows }: { readonly names: Names; readonly rows: StagedRows },
): Promise<void> {
  if (rows.stage === "missing") {
    const name = dataTable(layout.profile);
    await client.query(
      `create temporary table if not exists ${name} (
         like ${names.table} including defaults, arrival bigint generated always as identity
       ) on commit delete rows`,
    );
  } else if (rows.stage === "filled") {
    await client.query(`delete from ${names.stage}`);
  }
  await copyInto(client, { table: names.stage, columns: layout.columns }, rows.encoded.finish());
}

async function insertStaged(client: PoolClient, layout: RowLayout, { table, stage }: Names): Promise<number> {
  const list = layout.columns.join(", ");
  const { rowCount } = await client.query(
    `insert into ${table} (${list}) select ${list} from ${stage} order by meter_key, captured_at, arrival
     on conflict (meter_key, captured_at) do nothing`,
  );
  return rowCount ?? 0;
}

async function standingOf(client: PoolClient, layout: RowLayout, names: Names): Promise<Standing> {
  const { rows } = await client.query<Standing>(
    `select count(*)::int as held, count(*) filter (where ${differing(layout)})::int as differing,
       count(*) filter (where ${completing(layout)})::int as completing
     from ${names.stage} s join ${names.table} t on ${names.matching}`,
  );
  return rows[0] ?? { held: 0, differing: 0, completing: 0 };
}

const DIFFERENT_OTHERS =
  "jsonb_each(t.others) held join jsonb_each(s.others) arrived using (key) where held.value <> arrived.value";
const OTHERS_DIFFER = `exists (select from ${DIFFERENT_OTHERS})`;
const OTHERS_COMPLETE =
  "exists (select from jsonb_object_keys(s.others) key where not coalesce(t.others ? key, false))";

const OTHERS_MISSING = `array(
    select key from jsonb_object_keys(s.others) key where not coalesce(t.others ? key, false) order by key
  )`;

/** The condition that a staged row `s` has another value than the held row `t`. */
function differing(layout: RowLayout): string {
  const differences = layout.valueColumns.map(({ name }) => `t.${name} <> s.${name}`);
  return [...differences, ...(layout.hasOthers ? [OTHERS_DIFFER] : [])].join(" or ") || "false";
}

/** The condition that a staged row `s` has a value that the held row `t` lacks. */
function completing(layout: RowLayout): string {
  const missing = layout.valueColumns.map(({ name }) => `(t.${name} is null and s.${name} is not null)`);
  return [...missing, ...(layout.hasOthers ? [OTHERS_COMPLETE] : [])].join(" or ") || "false";
}

/** Fills in each slot from the first row that has what it lacks, and notes since when that is known; returns how many. */
async function complete(client: PoolClient, layout: RowLayout, names: Names): Promise<number> {
  const missing = layout.valueColumns.map(
    ({ name }) => `case when t.${name} is null and s.${name} is not null then '${name}' end`,
  );
  const others = layout.hasOthers ? `|| ${OTHERS_MISSING}` : "";
  const first = await client.query<{ arrival: bigint }>(`with completing as (
      select distinct on (s.meter_key, s.captured_at) s.meter_key, s.captured_at, s.arrival,
        array_remove(array[${missing.join(", ")}]::text[], null) ${others} as columns
      from ${names.stage} s join ${names.table} t on ${names.matching}
      where ${completing(layout)}
      order by s.meter_key, s.captured_at, s.arrival
    ), noted as (
      insert into dlms.profile_completions (profile, meter_key, captured_at, columns)
      select '${layout.profile}', meter_key, captured_at, columns from completing
    )
    select arrival from completing`);
  const filled = layout.valueColumns.map(({ name }) => `${name} = coalesce(t.${name}, s.${name})`);
  if (layout.hasOthers) filled.push("others = nullif(coalesce(s.others, '{}') || coalesce(t.others, '{}'), '{}')");
  const { rowCount } = await client.query(
    `update ${names.table} t set ${filled.join(", ")} from ${names.stage} s
     where ${names.matching} and (${completing(layout)}) and s.arrival = any ($1::bigint[])`,
    [first.rows.map(({ arrival }) => arrival)],
  );
  return rowCount ?? 0;
}

/** Keeps what differs; the same difference for the same slot is kept once. Returns how many were new. */
async function keepRevisions(client: PoolClient, layout: RowLayout, names: Names): Promise<number> {
  const values = layout.valueColumns.map(({ name }) => `('${name}', to_jsonb(t.${name}), to_jsonb(s.${name}))`);
  if (layout.hasOthers) {
    const different = (side: string) => `(select jsonb_object_agg(key, ${side}.value) from ${DIFFERENT_OTHERS})`;
    values.push(`('others', ${different("held")}, ${different("arrived")})`);
  }
  const source = `(array[${SOURCES.map((name) => `'${name}'`).join(", ")}])[r.source]`;
  const { rows } = await client.query<{ revised: number }>(`with differing as (
      select s.meter_key, s.captured_at, s.source, s.layout_key, s.read_at, s.arrival, d.held, d.arrived
      from ${names.stage} s join ${names.table} t on ${names.matching}
      cross join lateral (
        select jsonb_object_agg(name, held) as held, jsonb_object_agg(name, arrived) as arrived
        from (values ${values.join(", ")}) as pairs (name, held, arrived)
        where held <> arrived
      ) d
      where ${differing(layout)}
    ), revisions as (
      insert into dlms.profile_revisions
        (profile, meter_key, captured_at, source, layout_key, read_at, held, arrived, digest)
      select '${layout.profile}', meter_key, captured_at, source, layout_key, read_at, held, arrived,
        sha256(convert_to(arrived::text, 'UTF8'))
      from differing order by arrival
      on conflict do nothing
      returning meter_key, captured_at, source
    ), events as (
      insert into public.meter_events (meter_id, occurred_at, log, code, name, severity, details, source)
      select m.id, clock_timestamp(), 'gateway', ${READINGS_REVISED.code}, '${READINGS_REVISED.name}', 'warning',
        jsonb_build_object('profile', '${layout.profile}', 'rows', count(*),
          'from', min(r.captured_at), 'to', max(r.captured_at)),
        min(${source})
      from revisions r join public.meters m on m.meter_key = r.meter_key
      group by m.id
      on conflict do nothing
    )
    select count(*)::int as revised from revisions`);
  return rows[0]?.revised ?? 0;
}
