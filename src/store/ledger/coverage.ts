/** The ledger of slots: folds its journal into pages, proves it against the data, makes it anew. */
import type { ProfileKind } from "../../profiles/batch.ts";
import { ADVISORY_LOCKS } from "../database/advisory-locks.ts";
import type { Database } from "../database/database.ts";
import { dataTable, PROFILE_KINDS, profileCode, SLOTTED_PROFILES } from "../profiles/profile-tables.ts";

const FOLDED_AT_ONCE = 200;
/** Meters and years that one statement looks at: bounds what it holds in memory. */
const METERS_AT_ONCE = 50;
const FIRST_YEAR = 2000;

/** Folds all of the journal that is there now; returns how many entries. Throws StoreError. */
export async function foldCoverage(database: Database): Promise<number> {
  let folded = 0;
  for (;;) {
    const [row] = await database.query<{ folded: number }>("select dlms.fold_coverage($1::int) as folded", [
      FOLDED_AT_ONCE,
    ]);
    folded += row?.folded ?? 0;
    if ((row?.folded ?? 0) < FOLDED_AT_ONCE) return folded;
  }
}

/** A page of the ledger that says other than the data. */
export interface CoverageFault {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  /** Day of the page, as 2026-01-31. */
  readonly day: string;
  readonly intervalS: number;
  /** Slots whose rows are there and that the ledger does not hold. */
  readonly unknown: number;
  /** Slots that the ledger holds and that have no rows. */
  readonly empty: number;
}

export interface CoverageCheck {
  readonly meters: number;
  readonly pages: number;
  /** Slots that the ledger rightly holds though retention has taken their rows. */
  readonly dropped: number;
  readonly faults: readonly CoverageFault[];
}

export interface CoverageScope {
  /** All meters when left out. */
  readonly meterKeys?: readonly number[];
  /** First year that is looked at; 2000 when left out. */
  readonly fromYear?: number;
}

/** Holds the ledger against the profile tables, statement by statement in one view of the data each. Throws StoreError. */
export async function checkCoverage(database: Database, scope: CoverageScope = {}): Promise<CoverageCheck> {
  const faults: CoverageFault[] = [];
  let [pages, dropped] = [0, 0];
  const meters = await eachPart(database, scope, async (part) => {
    const rows = await database.query<FaultRow>(checkSql(part.profile), parameters(part));
    for (const row of rows) {
      pages += row.pages;
      dropped += row.dropped;
      if (row.meter_key === null) continue;
      faults.push({
        meterKey: row.meter_key,
        profile: part.profile,
        day: row.day,
        intervalS: row.interval_s,
        unknown: row.unknown,
        empty: row.empty,
      });
    }
  });
  return { meters, pages, dropped, faults };
}

/** Makes the ledger's held slots anew from the profile tables, beside running writers. Throws StoreError. */
export async function rebuildCoverage(database: Database, scope: CoverageScope = {}): Promise<{ pages: number }> {
  await foldCoverage(database);
  let pages = 0;
  await eachPart(database, scope, async (part) => {
    // The lock keeps folding away; what writers append meanwhile is folded afterwards and adds to the pages.
    const changed = await database.transaction(async (client) => {
      await client.query(`select pg_advisory_xact_lock(${ADVISORY_LOCKS.coverage})`);
      const { rows } = await client.query<{ changed: number }>(rebuildSql(part.profile), parameters(part));
      return rows[0]?.changed ?? 0;
    });
    pages += changed;
  });
  return { pages };
}

interface FaultRow {
  meter_key: number | null;
  day: string;
  interval_s: number;
  unknown: number;
  empty: number;
  pages: number;
  dropped: number;
}

interface Part {
  readonly profile: ProfileKind;
  readonly meterKeys: readonly number[];
  readonly year: number;
}

async function eachPart(
  database: Database,
  { meterKeys, fromYear = FIRST_YEAR }: CoverageScope,
  work: (part: Part) => Promise<void>,
): Promise<number> {
  const all = await database.query<{ meter_key: number }>(
    "select meter_key from public.meters where $1::int[] is null or meter_key = any ($1::int[]) order by meter_key",
    [meterKeys ?? null],
  );
  const keys = all.map((row) => row.meter_key);
  for (let at = 0; at < keys.length; at += METERS_AT_ONCE) {
    const some = keys.slice(at, at + METERS_AT_ONCE);
    const years = await yearsOf(database, some);
    for (const { profile, year } of years) {
      if (year >= fromYear) await work({ profile, meterKeys: some, year });
    }
  }
  return keys.length;
}

/** Which years of which profiles have rows or pages. */
async function yearsOf(
  database: Database,
  meterKeys: readonly number[],
): Promise<{ profile: ProfileKind; year: number }[]> {
  const ofTables = SLOTTED_PROFILES.map(
    (profile) => `select ${profileCode(profile)} as profile,
      extract(year from min(captured_at) - interval '1 day')::int as first,
      extract(year from max(captured_at) + interval '1 day')::int as last
      from dlms.${dataTable(profile)} where meter_key = any ($1::int[])`,
  );
  const rows = await database.query<{ profile: number; year: number }>(
    `select s.profile::int as profile, y.year from (
       ${ofTables.join(" union all ")} union all
       select profile, extract(year from min(day))::int, extract(year from max(day))::int
       from dlms.coverage_bits where meter_key = any ($1::int[]) group by profile
     ) s cross join lateral generate_series(s.first, s.last) as y (year)
     group by s.profile, y.year order by s.profile, y.year`,
    [meterKeys],
  );
  return rows.flatMap(({ profile, year }) => {
    const kind = PROFILE_KINDS[profile - 1];
    return kind === undefined ? [] : [{ profile: kind, year }];
  });
}

function parameters({ meterKeys, year }: Part): unknown[] {
  return [meterKeys, year];
}

/** The slots that the rows of a year make, as pages `d`. Stamps of the year's edges may lie in the next one. */
function dataPages(profile: ProfileKind): string {
  const interval = profile === "billing" ? "0" : profile === "daily_load" ? "86400" : "interval_s";
  return `stamps as (
      select ${interval} as interval_s, array_agg(meter_key order by meter_key, captured_at) as meter_keys,
        array_agg((extract(epoch from captured_at) - 946684800)::int order by meter_key, captured_at) as starts,
        array_agg(1::smallint) as counts
      from dlms.${dataTable(profile)}
      where meter_key = any ($1::int[]) and captured_at >= make_timestamptz($2::int, 1, 1, 0, 0, 0, 'UTC') - interval '2 days'
        and captured_at < make_timestamptz($2::int + 1, 1, 1, 0, 0, 0, 'UTC') + interval '2 days'
      group by 1
    ), data as (
      select m.meter_key, m.day, s.interval_s, bit_or(m.bits) as held
      from stamps s cross join lateral dlms.coverage_marks(
        ${profileCode(profile)}::smallint, s.interval_s, s.meter_keys, s.starts, s.counts) m
      where extract(year from m.day) = $2::int
        and m.day >= coalesce((dlms.kept_from('coverage_pages') at time zone 'UTC')::date, '-infinity')
      group by m.meter_key, m.day, s.interval_s
    )`;
}

function checkSql(profile: ProfileKind): string {
  return `with ${dataPages(profile)}, ledger as (
      select b.meter_key, b.day, b.interval_s, b.held from dlms.coverage_bits b
      where b.meter_key = any ($1::int[]) and b.profile = ${profileCode(profile)}
        and b.day between make_date($2::int, 1, 1) and make_date($2::int, 12, 31)
    ), compared as (
      select meter_key, day, interval_s,
        coalesce(bit_count(case when l.held is null then d.held else d.held & ~l.held end), 0)::int as unknown,
        case when d.held is null then l.held else l.held & ~d.held end as empty,
        ${droppedSlots(profile, "day", "interval_s", "l.held")} as dropped
      from data d full join ledger l using (meter_key, day, interval_s)
    ), judged as (
      select meter_key, day, interval_s, unknown, coalesce(bit_count(empty & ~dropped), 0)::int as empty,
        coalesce(bit_count(empty & dropped), 0)::int as dropped
      from compared
    )
    select meter_key, day::text as day, interval_s, unknown, empty, 1 as pages, dropped
    from judged where unknown > 0 or empty > 0
    union all
    select null, null, null, null, null, count(*)::int, coalesce(sum(dropped), 0)::int
    from judged where unknown = 0 and empty = 0
    order by meter_key, day, interval_s`;
}

/** The slots of a page whose rows retention may have taken. */
function droppedSlots(profile: ProfileKind, day: string, intervalS: string, held: string): string {
  return `dlms.dropped_slots(${profileCode(profile)}::smallint, ${day}, ${intervalS}, length(${held}),
          (select dlms.kept_from('${dataTable(profile)}')))`;
}

/** Slots that were held and whose rows retention took stay held: nobody is to read them again. */
function rebuildSql(profile: ProfileKind): string {
  const dropped = (page: string) => droppedSlots(profile, `${page}.day`, `${page}.interval_s`, `${page}.held`);
  return `with ${dataPages(profile)}, emptied as (
      update dlms.coverage_pages b set held = nullif(b.held & ${dropped("b")}, b.held # b.held)
      where b.meter_key = any ($1::int[]) and b.profile = ${profileCode(profile)}
        and b.day between make_date($2::int, 1, 1) and make_date($2::int, 12, 31)
        and bit_count(b.held & ~${dropped("b")}) > 0
        and not exists (select from data d
          where d.meter_key = b.meter_key and d.day = b.day and d.interval_s = b.interval_s)
      returning 1
    ), put as (
      insert into dlms.coverage_pages as c (meter_key, day, interval_s, profile, held)
      select meter_key, day, interval_s, ${profileCode(profile)}, held from data order by meter_key, day, interval_s
      on conflict (meter_key, profile, day, interval_s) do update
        set held = coalesce(excluded.held | (c.held & ${dropped("c")}), excluded.held)
        where c.held is distinct from coalesce(excluded.held | (c.held & ${dropped("c")}), excluded.held)
      returning 1
    )
    select ((select count(*) from emptied) + (select count(*) from put))::int as changed`;
}
