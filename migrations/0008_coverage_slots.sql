-- Slots lie on the multiples of their interval on the meter's own clock, not on every quarter of an hour; an interval
-- that does not divide the day has no slots.

create or replace function dlms.coverage_marks(
  profile smallint, interval_s integer, meter_keys integer[], starts integer[], counts smallint[]
) returns table (meter_key integer, day date, bits bit varying)
language sql stable rows 5000
as $$
  with named as materialized (
    select e.meter_key, e.start_s, e.slots, m.time_zone
    from unnest(meter_keys, starts, counts) as e (meter_key, start_s, slots)
    join public.meters m on m.meter_key = e.meter_key
  ), zones as materialized (
    select n.time_zone, dlms.zone_or_utc(n.time_zone) as zone from (select distinct time_zone from named) n
  ), entries as materialized (
    select n.meter_key, n.start_s, n.slots, z.zone from named n join zones z on z.time_zone = n.time_zone
  ), aligned as (
    -- Zones differ from UTC by multiples of 15 minutes: shorter intervals lie the same in all of them.
    select e.meter_key, e.slots, e.start_s, z.ahead_s,
      (e.start_s + z.ahead_s + interval_s / 2) / interval_s * interval_s - z.ahead_s as first_s
    from entries e
    cross join lateral (select case when interval_s <= 900 then 0 else extract(epoch from
      (timestamptz '2000-01-01 00:00+00' + make_interval(secs => e.start_s)) at time zone e.zone
      - (timestamp '2000-01-01' + make_interval(secs => e.start_s)))::integer end as ahead_s) z
    where profile = 2 and interval_s between 60 and 86400 and 86400 % interval_s = 0
  ), runs as (
    select a.meter_key, a.first_s, a.first_s + (a.slots - 1) * interval_s as last_s, 86400 / interval_s as per_day
    from aligned a
    where abs(a.start_s - a.first_s) <= least(60, interval_s / 4)
  ), parts as (
    select r.meter_key, d.day, r.per_day,
      case when d.day = r.first_s / 86400 then (r.first_s % 86400) / interval_s else 0 end as from_slot,
      case when d.day = r.last_s / 86400 then (r.last_s % 86400) / interval_s else
        (86399 - ((r.first_s - d.day * 86400) % interval_s + interval_s) % interval_s) / interval_s end as to_slot
    from runs r cross join lateral generate_series(r.first_s / 86400, r.last_s / 86400) as d (day)
  ), stamps as (
    select e.meter_key,
      (timestamptz '2000-01-01 00:00+00' + make_interval(secs => e.start_s + k * 86400))
        at time zone e.zone as wall
    from entries e cross join lateral generate_series(0, e.slots - 1) as k
    where profile in (3, 4)
  ), midnights as (
    select s.meter_key, date_trunc('day', s.wall + interval '12 hours') as midnight
    from stamps s
    where s.wall - date_trunc('day', s.wall + interval '12 hours') between interval '-1 hour' and interval '1 hour'
  )
  select p.meter_key, date '2000-01-01' + p.day,
    rpad(repeat('0', p.from_slot) || repeat('1', p.to_slot - p.from_slot + 1), p.per_day, '0')::bit varying
  from parts p
  union all
  select m.meter_key, date_trunc('year', m.midnight)::date,
    set_bit(repeat('0', 366)::bit varying, extract(doy from m.midnight)::integer - 1, 1)
  from midnights m where profile = 3
  union all
  select m.meter_key, date_trunc('year', m.midnight)::date,
    set_bit(repeat('0', 12)::bit varying, extract(month from m.midnight)::integer - 1, 1)
  from midnights m where profile = 4
$$;
comment on function dlms.coverage_marks is
  'The slots of runs as bits of pages. A stamp that is on no slot, as after a change of the clock, marks none.';
