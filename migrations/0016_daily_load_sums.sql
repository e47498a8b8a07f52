-- Consumption by day, summed from the block load in each meter's own time zone: a day has 23, 24 or 25 hours and holds
-- the intervals that end after its midnight and not after the next. What was summed is kept; what changed since is
-- summed when it is asked for, so that the views are exact at every moment.

create function dlms.day_start(day date, zone text) returns timestamptz
language sql stable parallel safe
return case
  when (((day::timestamp at time zone zone) - interval '1 hour') at time zone zone)::date = day
  then (day::timestamp at time zone zone) - interval '1 hour'
  else day::timestamp at time zone zone
end;
comment on function dlms.day_start is 'First moment of a local day, also where clocks go back over midnight and have it twice.';

create function dlms.block_load_kept_from() returns timestamptz
language sql stable
begin atomic
  select coalesce(greatest(now() - keep_for, dropped_before), '-infinity')
  from dlms.time_tables where table_schema = 'dlms' and table_name = 'block_load_profile_data';
end;
comment on function dlms.block_load_kept_from is 'From when on the block load is all there, as far as it came.';

create table dlms.load_changes (
  change_key bigint not null generated always as identity primary key,
  noted_at timestamptz not null default now(),
  from_time timestamptz not null,
  to_time timestamptz not null,
  rezoned boolean not null default false,
  meter_keys integer[] not null
);
comment on table dlms.load_changes is 'Block load that was written and is not yet in dlms.daily_load_due: between which times, of which meters.';
comment on column dlms.load_changes.rezoned is 'The meters'' time zone changed, not their rows.';

alter table dlms.load_changes alter column meter_keys set storage external;

create table dlms.daily_load_due (
  meter_key integer not null,
  day date not null,
  rezoned boolean not null default false,
  primary key (meter_key, day)
);
comment on table dlms.daily_load_due is 'Days that are not over yet, or changed since they were summed; the views sum them when asked.';
create index daily_load_due_day on dlms.daily_load_due (day);

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
