/** How much of what meters captured came in time: block load by group of meters and day of the calendar in UTC. */
import type { Database } from "./database.ts";

export interface ServiceLevelOrder {
  /** First and last day, as 2026-01-31. */
  readonly from: string;
  readonly to: string;
  /** Collection; all of them, and all meters, when left out. */
  readonly group?: string | undefined;
  /** Keys of the meters that count; all when null. */
  readonly scope: readonly number[] | null;
}

export interface ServiceLevelRow {
  readonly group_name: string;
  readonly day: string;
  readonly meters: number;
  readonly due: number;
  readonly held: number;
  readonly within_1h: number;
  readonly within_8h: number;
  readonly within_24h: number;
  readonly pushes: number;
}

/** The name that stands for all meters. */
const ALL_METERS = "all";

/** Throws StoreError. */
export function serviceLevels(
  database: Pick<Database, "query">,
  { from, to, group, scope }: ServiceLevelOrder,
): Promise<ServiceLevelRow[]> {
  return database.query<ServiceLevelRow>(SERVICE_LEVELS, [from, to, group ?? null, scope, ALL_METERS]);
}

/**
 * A slot is named by the end of its interval: that of midnight is of the day before. A meter counts from the day on which
 * the length of its intervals is known; what is not over yet is not due.
 */
const SERVICE_LEVELS = `
  with days as (
    select d::date as day, d::timestamp at time zone 'UTC' as starts, (d::timestamp + interval '1 day') at time zone 'UTC' as ends
    from generate_series($1::date, $2::date, interval '1 day') as d
  ), members as (
    select c.name as group_name, k.meter_key
    from dlms.collections c cross join lateral dlms.collection_meter_keys(c.collection_key) as k (meter_key)
    where c.owner = current_user and c.holds = 'meters' and ($3::text is null or c.name = $3::text)
    union all
    select $5::text, m.meter_key from public.meters m where $3::text is null or $3::text = $5::text
  ), asked as (
    select m.group_name, m.meter_key, p.interval_s, d.day, d.starts, d.ends
    from members m
    cross join days d
    cross join lateral (
      select p.interval_s from dlms.meter_profiles p
      where p.meter_key = m.meter_key and p.profile = 'block_load' and p.interval_s > 0 and p.valid_from < d.ends
      order by p.valid_from desc limit 1
    ) p
    where $4::int[] is null or m.meter_key = any ($4::int[])
  ), rows_of_days as (
    select r.meter_key, d.day, count(*)::int as held,
      (count(*) filter (where r.read_at <= r.captured_at + interval '1 hour'))::int as within_1h,
      (count(*) filter (where r.read_at <= r.captured_at + interval '8 hours'))::int as within_8h,
      (count(*) filter (where r.read_at <= r.captured_at + interval '24 hours'))::int as within_24h
    from days d join dlms.block_load_profile_data r on r.captured_at > d.starts and r.captured_at <= d.ends
    group by 1, 2
  ), pushes_of_days as (
    select m.meter_key, d.day, count(*)::int as pushes
    from days d join dlms.push_history h on h.received_at >= d.starts and h.received_at < d.ends
    join public.meters m on m.id = h.meter_id
    group by 1, 2
  )
  select a.group_name, a.day::text, count(*)::int as meters,
    sum(greatest(0, floor(extract(epoch from least(a.ends, now()) - a.starts) / a.interval_s)))::int as due,
    coalesce(sum(r.held), 0)::int as held, coalesce(sum(r.within_1h), 0)::int as within_1h,
    coalesce(sum(r.within_8h), 0)::int as within_8h, coalesce(sum(r.within_24h), 0)::int as within_24h,
    coalesce(sum(p.pushes), 0)::int as pushes
  from asked a
  left join rows_of_days r using (meter_key, day)
  left join pushes_of_days p using (meter_key, day)
  group by 1, 2 order by 1, 2`;
