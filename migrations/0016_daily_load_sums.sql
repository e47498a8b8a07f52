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

create function dlms.day_of(ends_at timestamptz, zone text) returns date
language sql stable parallel safe
return ((ends_at - interval '1 microsecond') at time zone zone)::date;
comment on function dlms.day_of is 'Local day of an interval by its end: one that ends at midnight is of the day that ends then.';

create function dlms.kept_from(name name) returns timestamptz
language sql stable
set search_path = pg_catalog
begin atomic
  select coalesce(greatest(now() - t.keep_for, t.dropped_before), '-infinity')
  from dlms.time_tables t where t.table_schema = 'dlms' and t.table_name = kept_from.name;
end;
comment on function dlms.kept_from is 'From when on the rows of a table of this schema are all there, as far as they came: older ones may be dropped.';

create function dlms.block_load_kept_from() returns timestamptz
language sql stable
return dlms.kept_from('block_load_profile_data');
comment on function dlms.block_load_kept_from is 'From when on the block load is all there, as far as it came.';

create table dlms.load_changes (
  change_key bigint not null generated always as identity primary key,
  noted_at timestamptz not null default now(),
  from_time timestamptz not null,
  to_time timestamptz not null,
  meter_keys integer[] not null
);
comment on table dlms.load_changes is 'Block load that was written and is not yet in dlms.daily_load_due: between which times, of which meters.';

alter table dlms.load_changes alter column meter_keys set storage external;

create table dlms.daily_load_due (
  meter_key integer not null,
  day date not null,
  summed boolean not null default false,
  primary key (meter_key, day)
);
comment on table dlms.daily_load_due is 'Days that are not over yet, or changed since they were summed; the views sum them when asked.';
comment on column dlms.daily_load_due.summed is 'The day is in dlms.daily_load_rollup, and not yet in the continuous aggregate over it.';
create index daily_load_due_day on dlms.daily_load_due (day);
create index daily_load_due_summed on dlms.daily_load_due (day) where summed;

-- An energy is a column of the block load that has its register beside it, under its name and _total.
do $$
declare
  results text;
  amounts text;
  registers text;
  sums text;
begin
  select string_agg(format('%I numeric', e.attname), ', ' order by e.attnum),
    string_agg(format('b.%I', e.attname), ', ' order by e.attnum),
    string_agg(format('b.%I', r.attname), ', ' order by e.attnum),
    string_agg(format('sum(b.%1$I) as %1$I', e.attname), ', ' order by e.attnum)
  into results, amounts, registers, sums
  from pg_attribute e
  join pg_attribute r on r.attrelid = e.attrelid and r.attname = e.attname || '_total'
  where e.attrelid = 'dlms.block_load_profile_data'::regclass;
  execute format(
    $sql$
      create function dlms.block_load_sums(
        meter integer, after_time timestamptz, to_time timestamptz,
        earliest timestamptz default '-infinity', latest timestamptz default 'infinity'
      ) returns table (
        intervals bigint, covered_s bigint, with_registers bigint, %s, active_import_least bigint, active_import_most bigint
      )
      language sql stable parallel safe
      begin atomic
        select count(*) as intervals,
          sum(b.interval_s) filter (where num_nonnulls(%s) > 0) as covered_s,
          count(*) filter (where num_nonnulls(%s) > 0) as with_registers,
          %s,
          min(b.active_import) as active_import_least,
          max(b.active_import) as active_import_most
        from dlms.block_load_profile_data b
        where b.meter_key = meter and b.captured_at > after_time and b.captured_at <= to_time
          and b.captured_at >= earliest and b.captured_at <= latest;
      end
    $sql$, results, amounts, registers, sums
  );
end
$$;
comment on function dlms.block_load_sums is 'Sums of one meter''s intervals that end within a time; no row has less than earliest or more than latest.';

create table dlms.daily_load_rollup as
select 0 as meter_key, current_date as day, s.* from dlms.block_load_sums(0, '-infinity', 'infinity') s
with no data;
alter table dlms.daily_load_rollup
  add primary key (meter_key, day),
  alter column intervals set not null,
  alter column with_registers set not null;
comment on table dlms.daily_load_rollup is 'Sums of the block load by meter and local day, in the fixed units of its columns.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'daily_load_rollup', 'day', '90 days', '7 days', '', 'meter_key, day');

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
  insert into dlms.load_changes (from_time, to_time, meter_keys)
  select b.first_time - interval '2 days', b.last_time + interval '2 days', array[new.meter_key]
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
    returning from_time, to_time, meter_keys
  ), noted as (
    insert into dlms.daily_load_due as d (meter_key, day)
    select distinct m.meter_key, day::date
    from taken_changes c
    cross join unnest(c.meter_keys) as k (meter_key)
    join public.meters m on m.meter_key = k.meter_key
    cross join generate_series(
      dlms.day_of(c.from_time, m.time_zone)::timestamp, dlms.day_of(c.to_time, m.time_zone)::timestamp, interval '1 day'
    ) as day
    order by 1, 2
    on conflict (meter_key, day) do update set summed = false where d.summed
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

create function dlms.sum_due_days(most integer default 20000, for_aggregate boolean default false) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
  taken_keys integer[];
  taken_days date[];
  keys integer[];
  days date[];
  starts timestamptz[];
  ends timestamptz[];
  earliest timestamptz;
  latest timestamptz;
  newer_sums text;
begin
  select array_agg(t.meter_key), array_agg(t.day) into taken_keys, taken_days
  from (
    select d.meter_key, d.day from dlms.daily_load_due d
    where d.day < dlms.daily_load_closed_before() and not d.summed
    order by d.day, d.meter_key limit most
  ) t;
  if taken_keys is null then
    return 0;
  end if;
  if for_aggregate then
    update dlms.daily_load_due d set summed = true from unnest(taken_keys, taken_days) as t (meter_key, day)
    where d.meter_key = t.meter_key and d.day = t.day;
  else
    delete from dlms.daily_load_due d using unnest(taken_keys, taken_days) as t (meter_key, day)
    where d.meter_key = t.meter_key and d.day = t.day;
  end if;

  with zoned as (
    select t.day, m.time_zone, array_agg(t.meter_key) as meter_keys
    from unnest(taken_keys, taken_days) as t (meter_key, day)
    join public.meters m on m.meter_key = t.meter_key group by t.day, m.time_zone
  ), timed as (
    select z.day, z.meter_keys, dlms.day_start(z.day, z.time_zone) as starts_at, dlms.day_start(z.day + 1, z.time_zone) as ends_at
    from zoned z
  )
  select array_agg(k.meter_key), array_agg(t.day), array_agg(t.starts_at), array_agg(t.ends_at), min(t.starts_at), max(t.ends_at)
  into keys, days, starts, ends, earliest, latest
  from timed t cross join unnest(t.meter_keys) as k (meter_key)
  where t.starts_at >= dlms.block_load_kept_from();
  if keys is not null then
    select string_agg(format('%1$I = excluded.%1$I', a.attname), ', ') into newer_sums
    from pg_attribute a
    where a.attrelid = 'dlms.daily_load_rollup'::regclass and a.attnum > 2 and not a.attisdropped;
    -- The literal range lets the planner leave out the chunks in which nothing can lie. A day that lost its rows is kept
    -- with none, because a deletion by a list of days would unpack all that is compressed.
    execute format(
      $sql$
        insert into dlms.daily_load_rollup
        select d.meter_key, d.day, s.*
        from unnest($1, $2, $3, $4) as d (meter_key, day, starts_at, ends_at)
        cross join lateral dlms.block_load_sums(d.meter_key, d.starts_at, d.ends_at, %L, %L) s
        order by d.meter_key, d.day
        on conflict (meter_key, day) do update set %s
      $sql$, earliest, latest, newer_sums
    ) using keys, days, starts, ends;
  end if;
  return cardinality(taken_keys);
end
$$;
comment on function dlms.sum_due_days is 'Sums due days that are over into dlms.daily_load_rollup; says how many. For an aggregate they stay due until it has them.';
