/** The ledger of single meters as the collector works with it: how profiles are captured, and the pages that matter. */
import type { PoolClient } from "pg";
import type { LedgerPage, ProfileMemory, StoredLedger } from "../../collect/slots/meter-ledger.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import type { Database } from "../database/database.ts";
import { PROFILE_KINDS, profileCode } from "../profiles/profile-tables.ts";

export interface MemoryRow {
  profile: ProfileKind;
  valid_from: Date;
  interval_s: number;
  entries: number | null;
}

export interface PageRow {
  profile: number;
  day: number;
  interval_s: number;
  held: string | null;
  absent: string | null;
  meter_off: string | null;
  set_aside: string | null;
}

/**
 * How a meter captures profiles now, and the pages of what its buffers may still hold. What the journal has beyond the
 * pages is left out: looking for one meter in it costs as much as folding it. Throws StoreError.
 */
export async function loadLedger(database: Database, meterKey: number): Promise<StoredLedger> {
  const memories = await database.query<MemoryRow>(
    // Learned anew, by a process that could not ask what was known, a way of capture did not begin anew.
    `select distinct on (n.profile) n.profile, f.valid_from, n.interval_s, n.entries
     from dlms.meter_profiles n cross join lateral (
       select min(s.valid_from) as valid_from from dlms.meter_profiles s
       where s.meter_key = n.meter_key and s.profile = n.profile and s.interval_s = n.interval_s and not exists (
         select from dlms.meter_profiles o where o.meter_key = n.meter_key and o.profile = n.profile
           and o.interval_s <> n.interval_s and o.valid_from > s.valid_from)
     ) f
     where n.meter_key = $1::int order by n.profile, n.valid_from desc`,
    [meterKey],
  );
  if (memories.length === 0) return { memories: [], pages: [] };
  const pages = await database.query<PageRow>(
    `select p.profile, p.day - date '1970-01-01' as day, p.interval_s, p.held::text, p.absent::text,
       p.meter_off::text, p.set_aside::text
     from unnest($2::smallint[], $3::int[], $4::timestamptz[], $5::int[]) as m (profile, interval_s, valid_from, entries)
     cross join lateral (select greatest(m.valid_from,
       now() - coalesce(m.entries, 10000) * case m.interval_s when 0 then interval '31 days'
         else make_interval(secs => m.interval_s) end)) as s (since)
     join dlms.coverage_pages p on p.meter_key = $1::int and p.profile = m.profile and p.interval_s = m.interval_s
       and p.day >= case when m.profile = 2 then (s.since at time zone 'UTC')::date
         else (date_trunc('year', s.since at time zone 'UTC'))::date end
     order by p.profile, p.day`,
    [
      meterKey,
      memories.map((row) => profileCode(row.profile)),
      memories.map((row) => row.interval_s),
      memories.map((row) => row.valid_from),
      memories.map((row) => row.entries),
    ],
  );
  return { memories: memories.map(memoryOf), pages: pages.flatMap(pageOf) };
}

/** How a meter captures a profile, on its way to the database. */
export interface MeterMemory extends ProfileMemory {
  readonly meterKey: number;
}

/**
 * Keeps how meters capture profiles, in a transaction of the caller's; the same beginning again is a correction, and the
 * last one counts.
 */
export async function keepMemories(client: PoolClient, all: readonly MeterMemory[]): Promise<void> {
  const memories = [...new Map(all.map((each) => [keyOf(each), each])).values()];
  await client.query(
    `insert into dlms.meter_profiles (meter_key, profile, valid_from, interval_s, entries)
     select * from unnest($1::int[], $2::text[], $3::timestamptz[], $4::int[], $5::int[]) order by 1, 2, 3
     on conflict (meter_key, profile, valid_from) do update set
       interval_s = excluded.interval_s, entries = excluded.entries, learned_at = now()`,
    [
      memories.map((memory) => memory.meterKey),
      memories.map((memory) => memory.profile),
      memories.map((memory) => new Date(memory.validFromMs)),
      memories.map((memory) => memory.intervalS),
      memories.map((memory) => memory.entries ?? null),
    ],
  );
}

function keyOf({ meterKey, profile, validFromMs }: MeterMemory): string {
  return `${meterKey} ${profile} ${validFromMs}`;
}

export function memoryOf(row: MemoryRow): ProfileMemory {
  return {
    profile: row.profile,
    validFromMs: row.valid_from.getTime(),
    intervalS: row.interval_s,
    entries: row.entries ?? undefined,
  };
}

export function pageOf(row: PageRow): LedgerPage[] {
  const profile = PROFILE_KINDS[row.profile - 1];
  if (profile === undefined) return [];
  const { day, held, absent } = row;
  return [{ profile, day, intervalS: row.interval_s, held, absent, off: row.meter_off, setAside: row.set_aside }];
}
