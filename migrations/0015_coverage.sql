-- Which readings are there and which are not: a ledger of slots, in the same transaction as the rows that it speaks of.
-- Writers append what a batch did to a journal, one row a transaction; folding puts the journal into pages, one row per
-- meter, profile and day. The ledger is pages and journal together: dlms.coverage_bits.
--
-- Slots lie on the multiples of their interval on the meter's own clock; an interval that does not divide the day has no
-- slots.

create table dlms.coverage_journal (
  entry_key bigint not null generated always as identity primary key,
  profile smallint not null,
  interval_s integer not null,
  state smallint not null,
  meter_keys integer[] not null,
  starts integer[] not null,
  counts smallint[] not null
);
comment on table dlms.coverage_journal is 'What batches did to slots, not yet folded into dlms.coverage_pages.';
comment on column dlms.coverage_journal.profile is 'Code: 2 block_load, 3 daily_load, 4 billing.';
comment on column dlms.coverage_journal.interval_s is 'Seconds between two slots; 0 for months of the calendar.';
comment on column dlms.coverage_journal.state is 'Code: 1 held, 2 absent, 3 off, 4 set aside.';
comment on column dlms.coverage_journal.starts is 'Of each run of slots: the first, in seconds since 2000.';
comment on column dlms.coverage_journal.counts is 'Of each run of slots: how many follow one another.';

alter table dlms.coverage_journal
  alter column meter_keys set storage external,
  alter column starts set storage external,
  alter column counts set storage external;

create table dlms.coverage_pages (
  meter_key integer not null,
  day date not null,
  interval_s integer not null,
  profile smallint not null,
  held bit varying,
  absent bit varying,
  meter_off bit varying,
  set_aside bit varying,
  primary key (meter_key, profile, day, interval_s)
) with (fillfactor = 80);
comment on table dlms.coverage_pages is 'Slots by meter, profile and day, a bit each from the left; null for none.';
comment on column dlms.coverage_pages.day is
  'Day in UTC. For daily load and billing the first day of the year: a bit is a day, or a month.';
comment on column dlms.coverage_pages.held is 'The slots whose rows are in the profile table.';
comment on column dlms.coverage_pages.absent is 'The slots that the meter was asked for and has no row of.';
comment on column dlms.coverage_pages.meter_off is 'The slots that the meter did not record because it was off.';
comment on column dlms.coverage_pages.set_aside is 'The slots whose rows are in dlms.rejected_rows.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval)
values ('dlms', 'coverage_pages', 'day', '90 days');

create function dlms.coverage_marks(
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

create view dlms.coverage_bits as
select b.meter_key, b.profile, b.day, b.interval_s,
  bit_or(b.held) as held, bit_or(b.absent) as absent, bit_or(b.meter_off) as meter_off, bit_or(b.set_aside) as set_aside
from (
  select p.meter_key, p.profile, p.day, p.interval_s, p.held, p.absent, p.meter_off, p.set_aside
  from dlms.coverage_pages p
  union all
  select m.meter_key, j.profile, m.day, j.interval_s,
    case j.state when 1 then m.bits end, case j.state when 2 then m.bits end,
    case j.state when 3 then m.bits end, case j.state when 4 then m.bits end
  from dlms.coverage_journal j
  cross join lateral dlms.coverage_marks(j.profile, j.interval_s, j.meter_keys, j.starts, j.counts) m
) b
group by b.meter_key, b.profile, b.day, b.interval_s;
comment on view dlms.coverage_bits is 'The ledger as it is now: dlms.coverage_pages with what the journal adds.';

create function dlms.fold_coverage(most integer) returns integer
language plpgsql
as $$
declare
  folded integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440522);
  with taken as (
    delete from dlms.coverage_journal
    where entry_key in (select entry_key from dlms.coverage_journal order by entry_key limit most)
    returning profile, interval_s, state, meter_keys, starts, counts
  ), pages as (
    select m.meter_key, m.day, t.interval_s, t.profile,
      bit_or(m.bits) filter (where t.state = 1) as held, bit_or(m.bits) filter (where t.state = 2) as absent,
      bit_or(m.bits) filter (where t.state = 3) as meter_off, bit_or(m.bits) filter (where t.state = 4) as set_aside
    from taken t
    cross join lateral dlms.coverage_marks(t.profile, t.interval_s, t.meter_keys, t.starts, t.counts) m
    group by m.meter_key, m.day, t.interval_s, t.profile
  ), put as (
    insert into dlms.coverage_pages as c (meter_key, day, interval_s, profile, held, absent, meter_off, set_aside)
    select * from pages order by meter_key, profile, day
    on conflict (meter_key, profile, day, interval_s) do update set
      held = coalesce(c.held | excluded.held, c.held, excluded.held),
      absent = coalesce(c.absent | excluded.absent, c.absent, excluded.absent),
      meter_off = coalesce(c.meter_off | excluded.meter_off, c.meter_off, excluded.meter_off),
      set_aside = coalesce(c.set_aside | excluded.set_aside, c.set_aside, excluded.set_aside)
  )
  select count(*) into folded from taken;
  return folded;
end
$$;
comment on function dlms.fold_coverage is 'Puts the oldest entries of the journal into the pages; how many.';

create view dlms.coverage as
select m.id as meter_id, m.meter_number,
  (array['instant', 'block_load', 'daily_load', 'billing'])[b.profile] as profile,
  b.day, b.interval_s,
  length(coalesce(b.held, b.absent, b.meter_off, b.set_aside)) as slots,
  coalesce(bit_count(b.held), 0)::integer as held,
  coalesce(bit_count(b.absent & ~coalesce(b.held, b.absent # b.absent)), 0)::integer as absent,
  coalesce(bit_count(b.meter_off & ~coalesce(b.held, b.meter_off # b.meter_off)), 0)::integer as meter_off,
  coalesce(bit_count(b.set_aside & ~coalesce(b.held, b.set_aside # b.set_aside)), 0)::integer as set_aside,
  b.meter_key
from dlms.coverage_bits b
join public.meters m on m.meter_key = b.meter_key;
comment on view dlms.coverage is 'How many slots of a day (of a year, for daily load and billing) are held, and why others are not.';
comment on column dlms.coverage.slots is 'Slots that the page has; not all need be over.';
comment on column dlms.coverage.absent is 'Asked for; the meter has no row of them.';
comment on column dlms.coverage.meter_id is 'The meter: id of public.meters.';
comment on column dlms.coverage.meter_key is 'The meter, by the key under which the ledger is found: of one meter, ask by this.';
comment on column dlms.coverage.meter_number is 'Serial number of the meter.';
comment on column dlms.coverage.profile is 'instant, block_load, daily_load or billing.';
comment on column dlms.coverage.day is 'Day in UTC; of daily load and billing the first day of the year.';
comment on column dlms.coverage.interval_s is 'Seconds between two slots; 0 for months.';
comment on column dlms.coverage.held is 'Slots whose rows are there, or were until retention took them.';
comment on column dlms.coverage.meter_off is 'Slots in which the meter was off.';
comment on column dlms.coverage.set_aside is 'Slots whose rows no table can hold.';

-- What retention took is not missing: the ledger goes on holding slots whose rows were kept as long as they were to be.
create function dlms.dropped_slots(profile smallint, day date, interval_s integer, slots integer, kept_from timestamptz)
returns bit varying
language sql immutable parallel safe
set search_path = pg_catalog
begin atomic
  select rpad(repeat('1', least(greatest(n.dropped, 0), slots)), slots, '0')::bit varying
  from (
    select case
      when kept_from = '-infinity' then 0
      when kept_from > (day + 400)::timestamp at time zone 'UTC' then slots
      when profile = 2 then floor(extract(epoch from kept_from - day::timestamp at time zone 'UTC') / interval_s)::integer + 1
      when profile = 3 then (kept_from at time zone 'UTC')::date - day + 2
      else ((extract(year from kept_from at time zone 'UTC') - extract(year from day)) * 12
        + extract(month from kept_from at time zone 'UTC'))::integer
    end as dropped
  ) n;
end;
comment on function dlms.dropped_slots is 'The slots of a page of the ledger whose rows may have been dropped, as bits of the page.';
