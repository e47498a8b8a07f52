-- Consumption by day, summed from the block load in each meter's own time zone: a day has 23, 24 or 25 hours and holds
-- the intervals that end after its midnight and not after the next. What was summed is kept; what changed since is
-- summed when it is asked for, so that the views are exact at every moment.

-- The captures that meters make at midnight keep their columns under a name of their own.
alter view dlms.daily_load_profile rename to daily_load_captures;

create function dlms.day_start(day date, zone text) returns timestamptz
language sql immutable parallel safe
return (
  select case when ((latest - interval '1 hour') at time zone zone)::date = day then latest - interval '1 hour' else latest end
  from (select day::timestamp at time zone zone as latest) as midnight
);
comment on function dlms.day_start is 'First moment of a local day, also where clocks go back over midnight and have it twice.';

create index meters_time_zone on public.meters (time_zone);

create table dlms.load_changes (
  change_key bigint not null generated always as identity primary key,
  noted_at timestamptz not null default now(),
  from_time timestamptz not null,
  to_time timestamptz not null,
  rezoned boolean not null default false,
  meter_keys integer[] not null
);
alter table dlms.load_changes alter column meter_keys set storage external;
comment on table dlms.load_changes is 'Block load that was written and is not yet in dlms.daily_load_due: between which times, of which meters.';
comment on column dlms.load_changes.rezoned is 'The meters'' time zone changed, not their rows.';

create table dlms.daily_load_due (
  meter_key integer not null,
  day date not null,
  rezoned boolean not null default false,
  primary key (meter_key, day)
);
create index daily_load_due_day on dlms.daily_load_due (day);
comment on table dlms.daily_load_due is 'Days that are not over yet, or changed since they were summed; the views sum them when asked.';

create table dlms.daily_load_rollup (
  meter_key integer not null,
  day date not null,
  intervals bigint not null,
  covered_s bigint,
  with_registers bigint not null,
  active_import numeric,
  active_export numeric,
  reactive_import numeric,
  reactive_export numeric,
  apparent_import numeric,
  apparent_export numeric,
  reactive_q1 numeric,
  reactive_q2 numeric,
  reactive_q3 numeric,
  reactive_q4 numeric,
  active_net numeric,
  active_absolute numeric,
  active_import_least bigint,
  active_import_most bigint,
  primary key (meter_key, day)
);
comment on table dlms.daily_load_rollup is 'Sums of the block load by meter and local day, in the fixed units of its columns; empty where a continuous aggregate keeps them.';
insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval)
values ('dlms', 'daily_load_rollup', 'day', '365 days');

create function dlms.block_load_sums(
  meter integer, after_time timestamptz, to_time timestamptz, earliest timestamptz default '-infinity', latest timestamptz default 'infinity'
) returns table (
  intervals bigint, covered_s bigint, with_registers bigint,
  active_import numeric,
  active_export numeric,
  reactive_import numeric,
  reactive_export numeric,
  apparent_import numeric,
  apparent_export numeric,
  reactive_q1 numeric,
  reactive_q2 numeric,
  reactive_q3 numeric,
  reactive_q4 numeric,
  active_net numeric,
  active_absolute numeric,
  active_import_least bigint, active_import_most bigint
)
language sql stable parallel safe
begin atomic
  select
  count(*) as intervals,
    sum(b.interval_s) filter (where num_nonnulls(b.active_import, b.active_export, b.reactive_import, b.reactive_export, b.apparent_import, b.apparent_export, b.reactive_q1, b.reactive_q2, b.reactive_q3, b.reactive_q4, b.active_net, b.active_absolute) > 0) as covered_s,
    count(*) filter (where num_nonnulls(b.active_import_total, b.active_export_total, b.reactive_import_total, b.reactive_export_total, b.apparent_import_total, b.apparent_export_total, b.reactive_q1_total, b.reactive_q2_total, b.reactive_q3_total, b.reactive_q4_total, b.active_net_total, b.active_absolute_total) > 0) as with_registers,
    sum(b.active_import) as active_import,
    sum(b.active_export) as active_export,
    sum(b.reactive_import) as reactive_import,
    sum(b.reactive_export) as reactive_export,
    sum(b.apparent_import) as apparent_import,
    sum(b.apparent_export) as apparent_export,
    sum(b.reactive_q1) as reactive_q1,
    sum(b.reactive_q2) as reactive_q2,
    sum(b.reactive_q3) as reactive_q3,
    sum(b.reactive_q4) as reactive_q4,
    sum(b.active_net) as active_net,
    sum(b.active_absolute) as active_absolute,
    min(b.active_import) as active_import_least,
    max(b.active_import) as active_import_most
  from dlms.block_load_profile_data b
  where b.meter_key = meter and b.captured_at > after_time and b.captured_at <= to_time
    and b.captured_at >= earliest and b.captured_at <= latest;
end;
comment on function dlms.block_load_sums is 'Sums of one meter''s intervals that end within a time; no row has less than earliest or more than latest.';

create function dlms.note_updated_load() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  insert into dlms.load_changes (from_time, to_time, meter_keys)
  select min(c.captured_at), max(c.captured_at), array[c.meter_key]
  from changed_rows c group by c.meter_key, date_trunc('day', c.captured_at, 'UTC');
  return null;
end
$$;
comment on function dlms.note_updated_load is 'Notes rows that were updated. Who inserts notes it itself: a trigger would slow the writer down.';
create trigger note_updated_load after update on dlms.block_load_profile_data
referencing new table as changed_rows for each statement execute function dlms.note_updated_load();

-- By row, because TimescaleDB has no sets of deleted rows for what it compresses.
create function dlms.note_deleted_load() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  insert into dlms.load_changes (from_time, to_time, meter_keys) values (old.captured_at, old.captured_at, array[old.meter_key]);
  return null;
end
$$;
comment on function dlms.note_deleted_load is 'Notes rows that were deleted, but not those whose sums are to stay.';
create trigger note_deleted_load after delete on dlms.block_load_profile_data
for each row when (current_setting('dlms.keep_sums', true) is distinct from 'on') execute function dlms.note_deleted_load();

create function dlms.note_rezoned_meter() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  delete from dlms.daily_load_rollup r where r.meter_key = new.meter_key;
  -- In another zone an instant may lie up to two days aside: what was kept of those days has to go too.
  insert into dlms.load_changes (from_time, to_time, rezoned, meter_keys)
  select b.first_time - interval '2 days', b.last_time + interval '2 days', true, array[new.meter_key]
  from (
    select min(captured_at) as first_time, max(captured_at) as last_time
    from dlms.block_load_profile_data where meter_key = new.meter_key
  ) b
  where b.first_time is not null;
  return null;
end
$$;
create trigger note_rezoned_meter after update of time_zone on public.meters
for each row when (old.time_zone is distinct from new.time_zone) execute function dlms.note_rezoned_meter();

create function dlms.take_load_changes(most integer default 1000) returns bigint
language plpgsql
set search_path = pg_catalog
as $$
declare
  taken bigint;
begin
  with taken_changes as (
    delete from dlms.load_changes where change_key in (select change_key from dlms.load_changes order by change_key limit most)
    returning from_time, to_time, rezoned, meter_keys
  ), days as (
    select m.meter_key, day::date as day, bool_or(c.rezoned) as rezoned
    from taken_changes c
    cross join unnest(c.meter_keys) as k (meter_key)
    join public.meters m on m.meter_key = k.meter_key
    cross join generate_series(
      ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp,
      ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp, interval '1 day'
    ) as day
    group by m.meter_key, day
  ), noted as (
    insert into dlms.daily_load_due as d (meter_key, day, rezoned)
    select meter_key, day, rezoned from days order by meter_key, day
    on conflict (meter_key, day) do update set rezoned = true where excluded.rezoned and not d.rezoned
  )
  select count(*) into taken from taken_changes;
  return taken;
end
$$;
comment on function dlms.take_load_changes is 'Turns noted changes into due days; says how many there were.';

create function dlms.daily_load_closed_before() returns date
language sql stable
set search_path = pg_catalog
begin atomic
  with recursive zones (time_zone) as (
    (select time_zone from public.meters order by time_zone limit 1)
    union all
    select (select m.time_zone from public.meters m where m.time_zone > z.time_zone order by m.time_zone limit 1)
    from zones z where z.time_zone is not null
  )
  select min(((now() - interval '2 hours') at time zone time_zone)::date) from zones where time_zone is not null;
end;
comment on function dlms.daily_load_closed_before is 'Days before this one have been over for two hours everywhere and can be kept.';

create function dlms.sum_due_days(most integer default 20000) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
  keys integer[];
  days date[];
  starts timestamptz[];
  ends timestamptz[];
  earliest timestamptz;
  latest timestamptz;
begin
  with taken as (
    delete from dlms.daily_load_due d
    using (
      select meter_key, day from dlms.daily_load_due where day < dlms.daily_load_closed_before()
      order by day, meter_key limit most
    ) t
    where d.meter_key = t.meter_key and d.day = t.day
    returning d.meter_key, d.day
  ), zoned as (
    select t.day, m.time_zone, array_agg(t.meter_key) as meter_keys
    from taken t join public.meters m on m.meter_key = t.meter_key group by t.day, m.time_zone
  ), timed as (
    select z.day, z.meter_keys, dlms.day_start(z.day, z.time_zone) as starts_at, dlms.day_start(z.day + 1, z.time_zone) as ends_at
    from zoned z
  )
  select array_agg(k.meter_key), array_agg(t.day), array_agg(t.starts_at), array_agg(t.ends_at), min(t.starts_at), max(t.ends_at)
  into keys, days, starts, ends, earliest, latest
  from timed t cross join unnest(t.meter_keys) as k (meter_key)
  where t.starts_at >= dlms.block_load_kept_from();
  if keys is null then
    return 0;
  end if;
  -- The literal range lets the planner leave out the chunks in which nothing can lie.
  execute format(
    $sql$
      with summed as (
        select d.meter_key, d.day, s.*
        from unnest($1, $2, $3, $4) as d (meter_key, day, starts_at, ends_at)
        cross join lateral dlms.block_load_sums(d.meter_key, d.starts_at, d.ends_at, %1$L, %2$L) s
      ), emptied as (
        delete from dlms.daily_load_rollup r using summed s
        where s.intervals = 0 and r.meter_key = s.meter_key and r.day = s.day
      )
      insert into dlms.daily_load_rollup (meter_key, day, intervals, covered_s, with_registers, active_import, active_export, reactive_import, reactive_export, apparent_import, apparent_export, reactive_q1, reactive_q2, reactive_q3, reactive_q4, active_net, active_absolute, active_import_least, active_import_most)
      select meter_key, day, intervals, covered_s, with_registers, active_import, active_export, reactive_import, reactive_export, apparent_import, apparent_export, reactive_q1, reactive_q2, reactive_q3, reactive_q4, active_net, active_absolute, active_import_least, active_import_most
      from summed where intervals > 0 order by meter_key, day
      on conflict (meter_key, day) do update set
        intervals = excluded.intervals,
        covered_s = excluded.covered_s,
        with_registers = excluded.with_registers,
        active_import = excluded.active_import,
        active_export = excluded.active_export,
        reactive_import = excluded.reactive_import,
        reactive_export = excluded.reactive_export,
        apparent_import = excluded.apparent_import,
        apparent_export = excluded.apparent_export,
        reactive_q1 = excluded.reactive_q1,
        reactive_q2 = excluded.reactive_q2,
        reactive_q3 = excluded.reactive_q3,
        reactive_q4 = excluded.reactive_q4,
        active_net = excluded.active_net,
        active_absolute = excluded.active_absolute,
        active_import_least = excluded.active_import_least,
        active_import_most = excluded.active_import_most
    $sql$, earliest, latest
  ) using keys, days, starts, ends;
  return cardinality(keys);
end
$$;
comment on function dlms.sum_due_days is 'Sums due days that are over into dlms.daily_load_rollup; says how many.';

create view dlms.daily_load_kept as
select meter_key, day, intervals, covered_s, with_registers, active_import, active_export, reactive_import, reactive_export, apparent_import, apparent_export, reactive_q1, reactive_q2, reactive_q3, reactive_q4, active_net, active_absolute, active_import_least, active_import_most
from dlms.daily_load_rollup;
comment on view dlms.daily_load_kept is 'Sums that are kept, by the rollup or by a continuous aggregate; those of due days are out of date.';

create view dlms.daily_load_days as
select k.meter_key, k.day, k.intervals, k.covered_s, k.with_registers, k.active_import, k.active_export, k.reactive_import, k.reactive_export, k.apparent_import, k.apparent_export, k.reactive_q1, k.reactive_q2, k.reactive_q3, k.reactive_q4, k.active_net, k.active_absolute, k.active_import_least, k.active_import_most
from dlms.daily_load_kept k
where not exists (select from dlms.daily_load_due d where d.meter_key = k.meter_key and d.day = k.day)
  and not exists (
    select from dlms.load_changes c
    cross join unnest(c.meter_keys) as n (meter_key)
    join public.meters m on m.meter_key = n.meter_key
    where n.meter_key = k.meter_key and k.day between ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date
      and ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date
  )
union all
select d.meter_key, d.day, s.intervals, s.covered_s, s.with_registers, s.active_import, s.active_export, s.reactive_import, s.reactive_export, s.apparent_import, s.apparent_export, s.reactive_q1, s.reactive_q2, s.reactive_q3, s.reactive_q4, s.active_net, s.active_absolute, s.active_import_least, s.active_import_most
from dlms.daily_load_due d
join public.meters m on m.meter_key = d.meter_key
cross join lateral dlms.block_load_sums(d.meter_key, dlms.day_start(d.day, m.time_zone), dlms.day_start(d.day + 1, m.time_zone)) s
where s.intervals > 0
union all
select n.meter_key, n.day, s.intervals, s.covered_s, s.with_registers, s.active_import, s.active_export, s.reactive_import, s.reactive_export, s.apparent_import, s.apparent_export, s.reactive_q1, s.reactive_q2, s.reactive_q3, s.reactive_q4, s.active_net, s.active_absolute, s.active_import_least, s.active_import_most
from (
  select distinct m.meter_key, m.time_zone, day::date as day
  from dlms.load_changes c
  cross join unnest(c.meter_keys) as k (meter_key)
  join public.meters m on m.meter_key = k.meter_key
  cross join generate_series(
    ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp,
    ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp, interval '1 day'
  ) as day
) n
cross join lateral dlms.block_load_sums(n.meter_key, dlms.day_start(n.day, n.time_zone), dlms.day_start(n.day + 1, n.time_zone)) s
where s.intervals > 0
  and not exists (select from dlms.daily_load_due d where d.meter_key = n.meter_key and d.day = n.day);
comment on view dlms.daily_load_days is 'Sums of the block load by meter and local day in fixed units, exact at every moment.';

create view dlms.daily_load_profile as
select m.id as meter_id,
  m.meter_number,
  d.day,
  t.starts_at,
  t.ends_at,
  d.intervals,
  d.covered_s,
  coalesce(d.covered_s = extract(epoch from t.ends_at - t.starts_at), false)
    or (d.covered_s is null and opening.captured_at is not null and closing.captured_at is not null) as complete,
  coalesce(d.active_import, closing.active_import_total - opening.active_import_total) * 0.001 as active_import_wh,
  coalesce(d.active_export, closing.active_export_total - opening.active_export_total) * 0.001 as active_export_wh,
  coalesce(d.reactive_import, closing.reactive_import_total - opening.reactive_import_total) * 0.001 as reactive_import_varh,
  coalesce(d.reactive_export, closing.reactive_export_total - opening.reactive_export_total) * 0.001 as reactive_export_varh,
  coalesce(d.apparent_import, closing.apparent_import_total - opening.apparent_import_total) * 0.001 as apparent_import_vah,
  coalesce(d.apparent_export, closing.apparent_export_total - opening.apparent_export_total) * 0.001 as apparent_export_vah,
  coalesce(d.reactive_q1, closing.reactive_q1_total - opening.reactive_q1_total) * 0.001 as reactive_q1_varh,
  coalesce(d.reactive_q2, closing.reactive_q2_total - opening.reactive_q2_total) * 0.001 as reactive_q2_varh,
  coalesce(d.reactive_q3, closing.reactive_q3_total - opening.reactive_q3_total) * 0.001 as reactive_q3_varh,
  coalesce(d.reactive_q4, closing.reactive_q4_total - opening.reactive_q4_total) * 0.001 as reactive_q4_varh,
  coalesce(d.active_net, closing.active_net_total - opening.active_net_total) * 0.001 as active_net_wh,
  coalesce(d.active_absolute, closing.active_absolute_total - opening.active_absolute_total) * 0.001 as active_absolute_wh,
  d.active_import_least * 0.001 as active_import_least_wh,
  d.active_import_most * 0.001 as active_import_most_wh,
  c.captured_at,
  c.active_import_total * 0.001 as active_import_total_wh,
  c.active_export_total * 0.001 as active_export_total_wh,
  c.reactive_import_total * 0.001 as reactive_import_total_varh,
  c.reactive_export_total * 0.001 as reactive_export_total_varh,
  c.apparent_import_total * 0.001 as apparent_import_total_vah,
  c.apparent_export_total * 0.001 as apparent_export_total_vah,
  c.reactive_q1_total * 0.001 as reactive_q1_total_varh,
  c.reactive_q2_total * 0.001 as reactive_q2_total_varh,
  c.reactive_q3_total * 0.001 as reactive_q3_total_varh,
  c.reactive_q4_total * 0.001 as reactive_q4_total_varh,
  c.active_net_total * 0.001 as active_net_total_wh,
  c.active_absolute_total * 0.001 as active_absolute_total_wh
from dlms.daily_load_days d
join public.meters m on m.meter_key = d.meter_key
cross join lateral (
  select dlms.day_start(d.day, m.time_zone) as starts_at, dlms.day_start(d.day + 1, m.time_zone) as ends_at
) t
left join dlms.block_load_profile_data opening
  on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = t.starts_at
left join dlms.block_load_profile_data closing
  on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = t.ends_at
left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = t.ends_at
union all
select m.id, m.meter_number, t.day, dlms.day_start(t.day, m.time_zone), dlms.day_start(t.day + 1, m.time_zone), 0, null,
  earlier.captured_at is not null,
  (c.active_import_total - earlier.active_import_total) * 0.001,
  (c.active_export_total - earlier.active_export_total) * 0.001,
  (c.reactive_import_total - earlier.reactive_import_total) * 0.001,
  (c.reactive_export_total - earlier.reactive_export_total) * 0.001,
  (c.apparent_import_total - earlier.apparent_import_total) * 0.001,
  (c.apparent_export_total - earlier.apparent_export_total) * 0.001,
  (c.reactive_q1_total - earlier.reactive_q1_total) * 0.001,
  (c.reactive_q2_total - earlier.reactive_q2_total) * 0.001,
  (c.reactive_q3_total - earlier.reactive_q3_total) * 0.001,
  (c.reactive_q4_total - earlier.reactive_q4_total) * 0.001,
  (c.active_net_total - earlier.active_net_total) * 0.001,
  (c.active_absolute_total - earlier.active_absolute_total) * 0.001,
  null, null, c.captured_at,
  c.active_import_total * 0.001,
  c.active_export_total * 0.001,
  c.reactive_import_total * 0.001,
  c.reactive_export_total * 0.001,
  c.apparent_import_total * 0.001,
  c.apparent_export_total * 0.001,
  c.reactive_q1_total * 0.001,
  c.reactive_q2_total * 0.001,
  c.reactive_q3_total * 0.001,
  c.reactive_q4_total * 0.001,
  c.active_net_total * 0.001,
  c.active_absolute_total * 0.001
from dlms.daily_load_profile_data c
join public.meters m on m.meter_key = c.meter_key
cross join lateral (select ((c.captured_at - interval '1 microsecond') at time zone m.time_zone)::date as day) t
left join dlms.daily_load_profile_data earlier
  on earlier.meter_key = c.meter_key and earlier.captured_at = dlms.day_start(t.day, m.time_zone)
where c.captured_at = dlms.day_start(t.day + 1, m.time_zone)
  and not exists (select from dlms.daily_load_days d where d.meter_key = c.meter_key and d.day = t.day);

comment on view dlms.daily_load_profile is 'Consumption of a meter on a day of its own time zone, beside the registers that the meter captured at the end of that day.';
comment on column dlms.daily_load_profile.day is 'Day in the meter''s time zone; it holds the intervals that end after its midnight and not after the next.';
comment on column dlms.daily_load_profile.starts_at is 'First moment of the day.';
comment on column dlms.daily_load_profile.ends_at is 'First moment of the next day.';
comment on column dlms.daily_load_profile.intervals is 'Rows of the block load; 0 where only the meter''s captures tell of the day.';
comment on column dlms.daily_load_profile.covered_s is 'Seconds of the day that intervals with energy tell of.';
comment on column dlms.daily_load_profile.complete is 'Whether the whole day is covered: by intervals, or by registers at both ends.';
comment on column dlms.daily_load_profile.active_import_wh is 'Active import on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_export_wh is 'Active export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_import_varh is 'Reactive import on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_export_varh is 'Reactive export on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.apparent_import_vah is 'Apparent import on the day in VAh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.apparent_export_vah is 'Apparent export on the day in VAh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q1_varh is 'Reactive, quadrant 1 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q2_varh is 'Reactive, quadrant 2 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q3_varh is 'Reactive, quadrant 3 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q4_varh is 'Reactive, quadrant 4 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_net_wh is 'Active import less export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_absolute_wh is 'Active import plus export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_import_least_wh is 'Least active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.active_import_most_wh is 'Greatest active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.captured_at is 'When the meter captured its registers at the end of the day.';
comment on column dlms.daily_load_profile.active_import_total_wh is 'Active import: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.active_export_total_wh is 'Active export: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.reactive_import_total_varh is 'Reactive import: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_export_total_varh is 'Reactive export: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.apparent_import_total_vah is 'Apparent import: register as captured at the end of the day, in VAh.';
comment on column dlms.daily_load_profile.apparent_export_total_vah is 'Apparent export: register as captured at the end of the day, in VAh.';
comment on column dlms.daily_load_profile.reactive_q1_total_varh is 'Reactive, quadrant 1: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q2_total_varh is 'Reactive, quadrant 2: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q3_total_varh is 'Reactive, quadrant 3: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q4_total_varh is 'Reactive, quadrant 4: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.active_net_total_wh is 'Active import less export: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.active_absolute_total_wh is 'Active import plus export: register as captured at the end of the day, in Wh.';

create view dlms.daily_load_comparison as
select m.id as meter_id,
  m.meter_number,
  d.day,
  q.quantity,
  q.unit,
  coalesce(d.covered_s = extract(epoch from t.ends_at - t.starts_at), false) as complete,
  q.interval_sum,
  q.register_difference,
  q.captured_difference,
  q.captured_day,
  greatest(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day)
    - least(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) as spread
from dlms.daily_load_days d
join public.meters m on m.meter_key = d.meter_key
cross join lateral (
  select dlms.day_start(d.day, m.time_zone) as starts_at, dlms.day_start(d.day + 1, m.time_zone) as ends_at
) t
left join dlms.block_load_profile_data opening
  on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = t.starts_at
left join dlms.block_load_profile_data closing
  on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = t.ends_at
left join dlms.daily_load_profile_data earlier on earlier.meter_key = d.meter_key and earlier.captured_at = t.starts_at
left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = t.ends_at
cross join lateral (
  values
    ('active_import', 'Wh', d.active_import * 0.001, (closing.active_import_total - opening.active_import_total) * 0.001, (c.active_import_total - earlier.active_import_total) * 0.001, c.active_import * 0.001),
    ('active_export', 'Wh', d.active_export * 0.001, (closing.active_export_total - opening.active_export_total) * 0.001, (c.active_export_total - earlier.active_export_total) * 0.001, c.active_export * 0.001),
    ('reactive_import', 'varh', d.reactive_import * 0.001, (closing.reactive_import_total - opening.reactive_import_total) * 0.001, (c.reactive_import_total - earlier.reactive_import_total) * 0.001, c.reactive_import * 0.001),
    ('reactive_export', 'varh', d.reactive_export * 0.001, (closing.reactive_export_total - opening.reactive_export_total) * 0.001, (c.reactive_export_total - earlier.reactive_export_total) * 0.001, c.reactive_export * 0.001),
    ('apparent_import', 'VAh', d.apparent_import * 0.001, (closing.apparent_import_total - opening.apparent_import_total) * 0.001, (c.apparent_import_total - earlier.apparent_import_total) * 0.001, c.apparent_import * 0.001),
    ('apparent_export', 'VAh', d.apparent_export * 0.001, (closing.apparent_export_total - opening.apparent_export_total) * 0.001, (c.apparent_export_total - earlier.apparent_export_total) * 0.001, c.apparent_export * 0.001),
    ('reactive_q1', 'varh', d.reactive_q1 * 0.001, (closing.reactive_q1_total - opening.reactive_q1_total) * 0.001, (c.reactive_q1_total - earlier.reactive_q1_total) * 0.001, c.reactive_q1 * 0.001),
    ('reactive_q2', 'varh', d.reactive_q2 * 0.001, (closing.reactive_q2_total - opening.reactive_q2_total) * 0.001, (c.reactive_q2_total - earlier.reactive_q2_total) * 0.001, c.reactive_q2 * 0.001),
    ('reactive_q3', 'varh', d.reactive_q3 * 0.001, (closing.reactive_q3_total - opening.reactive_q3_total) * 0.001, (c.reactive_q3_total - earlier.reactive_q3_total) * 0.001, c.reactive_q3 * 0.001),
    ('reactive_q4', 'varh', d.reactive_q4 * 0.001, (closing.reactive_q4_total - opening.reactive_q4_total) * 0.001, (c.reactive_q4_total - earlier.reactive_q4_total) * 0.001, c.reactive_q4 * 0.001),
    ('active_net', 'Wh', d.active_net * 0.001, (closing.active_net_total - opening.active_net_total) * 0.001, (c.active_net_total - earlier.active_net_total) * 0.001, c.active_net * 0.001),
    ('active_absolute', 'Wh', d.active_absolute * 0.001, (closing.active_absolute_total - opening.active_absolute_total) * 0.001, (c.active_absolute_total - earlier.active_absolute_total) * 0.001, c.active_absolute * 0.001)
) as q (quantity, unit, interval_sum, register_difference, captured_difference, captured_day)
where num_nonnulls(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) > 1;
comment on view dlms.daily_load_comparison is 'What a meter''s day amounts to by each way of knowing it, where there are two or more.';
comment on column dlms.daily_load_comparison.complete is 'Whether intervals cover the whole day; else their sum has to be too small.';
comment on column dlms.daily_load_comparison.interval_sum is 'Sum of the block load''s intervals.';
comment on column dlms.daily_load_comparison.register_difference is 'Difference of the registers in the block load at both ends of the day.';
comment on column dlms.daily_load_comparison.captured_difference is 'Difference of the registers that the meter captured at both midnights.';
comment on column dlms.daily_load_comparison.captured_day is 'What the meter''s daily profile itself says the day amounted to.';
comment on column dlms.daily_load_comparison.spread is 'Greatest less least of the four.';

create view dlms.daily_load_disagreements as
select meter_id, meter_number, quantity, unit, count(*) as days, min(day) as first_day, max(day) as last_day,
  max(spread) as greatest_spread
from dlms.daily_load_comparison
where complete and spread > greatest(20, 0.002 * abs(greatest(interval_sum, register_difference, captured_difference, captured_day)))
group by meter_id, meter_number, quantity, unit;
comment on view dlms.daily_load_disagreements is 'Meters whose complete days amount to different energies by more than 20 units and 0.2 %: more than rounding of registers explains.';
