/**
 * How well meters are read, by group and day of the calendar in UTC: how much of their block load came in time, how many
 * of the pushes that are expected came, how long people waited for reads and orders.
 */
import type { Queryable } from "../database/database.ts";
import { type Days, type Firings, firingsOfDays, SCHEDULED_SETUPS } from "../push/expected-pushes.ts";

export interface ServiceLevelOrder extends Days {
  /** Collection; all of them, and all meters, when left out. */
  readonly group?: string | undefined;
  /** Keys of the meters that count; all when null. */
  readonly scope: readonly number[] | null;
  /** For each of these times, how many requests ended within it. */
  readonly limitsMs: readonly number[];
}

/** Requests of one kind. */
export interface RequestLevel {
  readonly asked: number;
  readonly done: number;
  /** Of those that are done: so long a half, 95 and 99 of a hundred took at most; null where none is done. */
  readonly ms: readonly [p50: number, p95: number, p99: number] | null;
  /** Those that were done within each of the times that were asked for. */
  readonly within: readonly number[];
}

export interface ServiceLevel {
  readonly group: string;
  readonly day: string;
  /** Whose intervals are known. */
  readonly meters: number;
  readonly due: number;
  readonly held: number;
  readonly within1h: number;
  readonly within8h: number;
  readonly within24h: number;
  readonly pushes: { readonly expected: number; readonly received: number };
  /** By kind: `read`, or the type of an order. */
  readonly requests: ReadonlyMap<string, RequestLevel>;
}

type Place = Pick<ServiceLevel, "group" | "day">;
type SlotLevel = Omit<ServiceLevel, "pushes" | "requests">;

/** The name that stands for all meters. */
const ALL_METERS = "all";
const NO_SLOTS = { meters: 0, due: 0, held: 0, within1h: 0, within8h: 0, within24h: 0 };

/** Groups and days without anything that is due, expected or asked are left out. Throws StoreError. */
export async function serviceLevels(database: Queryable, order: ServiceLevelOrder): Promise<ServiceLevel[]> {
  const { from, to, group = null, scope } = order;
  const common = [from, to, group, scope, ALL_METERS];
  const firings = await firingsOfDays(database, order);
  const [slots, pushes, requests] = await Promise.all([
    database.query<SlotLevel>(SLOTS, common),
    pushLevels(database, common, firings),
    database.query<Place & { kind: string } & RequestLevel>(REQUESTS, [...common, order.limitsMs]),
  ]);
  const levels = new Map<string, SlotLevel>();
  for (const { group, day } of [...pushes, ...requests]) levels.set(`${day} ${group}`, { group, day, ...NO_SLOTS });
  for (const level of slots) levels.set(`${level.day} ${level.group}`, level);
  const pushesOf = new Map(pushes.map((each) => [`${each.day} ${each.group}`, each]));
  const requestsOf = Map.groupBy(requests, ({ group, day }) => `${day} ${group}`);
  return Array.from(levels, ([key, level]) => {
    const { expected = 0, received = 0 } = pushesOf.get(key) ?? {};
    const kinds = new Map(
      requestsOf.get(key)?.map(({ kind, asked, done, ms, within }) => [kind, { asked, done, ms, within }]),
    );
    return { ...level, pushes: { expected, received }, requests: kinds };
  }).sort((one, other) => one.group.localeCompare(other.group) || one.day.localeCompare(other.day));
}

function pushLevels(
  database: Queryable,
  common: readonly unknown[],
  firings: readonly Firings[],
): Promise<(Place & ServiceLevel["pushes"])[]> {
  if (firings.length === 0) return Promise.resolve([]);
  return database.query(PUSHES, [
    ...common,
    firings.map((each) => each.schedule),
    firings.map((each) => each.day),
    firings.map((each) => each.times),
  ]);
}

const DAYS = `
  days as (
    select d::date as day, d::timestamp at time zone 'UTC' as starts, (d::timestamp + interval '1 day') at time zone 'UTC' as ends
    from generate_series($1::date, $2::date, interval '1 day') as d
  )`;

const MEMBERS = `
  members as (
    select m.* from (
      select c.name as group_name, k.meter_key
      from dlms.collections c cross join lateral dlms.collection_meter_keys(c.collection_key) as k (meter_key)
      where c.owner = current_user and c.holds = 'meters' and ($3::text is null or c.name = $3::text)
      union all
      select $5::text, m.meter_key from public.meters m where $3::text is null or $3::text = $5::text
    ) m
    where $4::int[] is null or m.meter_key = any ($4::int[])
  )`;

/**
 * A slot is named by the end of its interval: that of midnight is of the day before. A meter counts from the day on which
 * the length of its intervals is known; what is not over yet is not due.
 */
const SLOTS = `
  with ${DAYS}, ${MEMBERS}, intervals as (
    select meter_key, interval_s, valid_from, lead(valid_from) over (partition by meter_key order by valid_from) as valid_until
    from dlms.meter_profiles where profile = 'block_load' and interval_s > 0
  ), asked as (
    select i.meter_key, i.interval_s, d.day, d.starts, d.ends
    from intervals i join days d on i.valid_from < d.ends and (i.valid_until is null or i.valid_until >= d.ends)
  ), rows_of_days as (
    select r.meter_key, d.day, count(*)::int as held,
      (count(*) filter (where r.read_at <= r.captured_at + interval '1 hour'))::int as within_1h,
      (count(*) filter (where r.read_at <= r.captured_at + interval '8 hours'))::int as within_8h,
      (count(*) filter (where r.read_at <= r.captured_at + interval '24 hours'))::int as within_24h
    from days d join dlms.block_load_profile_data r on r.captured_at > d.starts and r.captured_at <= d.ends
    where ($3::text is null and $4::int[] is null) or r.meter_key in (select meter_key from members)
    group by 1, 2
  )
  select m.group_name as "group", a.day::text, count(*)::int as meters,
    sum(greatest(0, floor(extract(epoch from least(a.ends, now()) - a.starts) / a.interval_s)))::int as due,
    coalesce(sum(r.held), 0)::int as held, coalesce(sum(r.within_1h), 0)::int as "within1h",
    coalesce(sum(r.within_8h), 0)::int as "within8h", coalesce(sum(r.within_24h), 0)::int as "within24h"
  from members m join asked a using (meter_key) left join rows_of_days r using (meter_key, day)
  group by 1, 2`;

/** What a setup sends beside its schedule stands for nothing that it did not send. A meter's clock may be a little ahead. */
const PUSHES = `
  with ${DAYS}, ${MEMBERS}, setups as (${SCHEDULED_SETUPS}),
  firings as (select * from unnest($6::text[], $7::date[], $8::int[]) as f (schedule, day, times)),
  heard as (
    select h.meter_id, h.push_setup, grouping(h.push_setup) = 1 as is_any, d.day, count(*)::int as pushes
    from days d
    join dlms.push_history h on h.received_at >= d.starts - interval '1 minute' and h.received_at < d.ends - interval '1 minute'
    where h.outcome <> 'rejected'
    group by grouping sets ((h.meter_id, h.push_setup, d.day), (h.meter_id, d.day))
  )
  select m.group_name as "group", f.day::text, sum(f.times)::int as expected,
    sum(least(f.times, coalesce(h.pushes, 0)))::int as received
  from members m join setups s using (meter_key) join firings f using (schedule)
  left join heard h on h.meter_id = s.meter_id and h.day = f.day
    and (h.push_setup = s.logical_name or (s.logical_name is null and h.is_any))
  group by 1, 2`;

const REQUESTS = `
  with ${DAYS}, ${MEMBERS}, requests as (
    select g.group_name, d.day, r.kind, count(*)::int as asked, (count(*) filter (where r.done))::int as done,
      array_agg(extract(epoch from r.ended_at - r.asked_at)::float8 * 1000) filter (where r.done) as took_ms
    from days d join dlms.meter_requests r on r.asked_at >= d.starts and r.asked_at < d.ends
    join public.meters m on m.id = r.meter_id
    join members g on g.meter_key = m.meter_key
    group by 1, 2, 3
  )
  select r.group_name as "group", r.day::text, r.kind, r.asked, r.done,
    (select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by t.ms) from unnest(r.took_ms) as t (ms)) as ms,
    array(
      select (select count(*)::int from unnest(r.took_ms) as t (ms) where t.ms <= l.ms)
      from unnest($6::float8[]) with ordinality as l (ms, place) order by l.place
    ) as within
  from requests r`;
