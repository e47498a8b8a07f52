-- supersedes: 0018_daily_load_aggregate.sql

-- Days are summed one by one for the meters that they are due for, on every edition: into dlms.daily_load_rollup. With
-- TimescaleDB's Community edition a continuous aggregate over that table keeps them. An aggregate over the block load
-- itself has to sum a day of the whole fleet again for each late row, and each day twice, because days of meters begin at
-- other moments than its buckets: it took longer than the writing of the rows.

do $$
begin
  if to_regclass('dlms.daily_load_aggregate') is not null then
    drop function dlms.daily_load_due_ranges(date);
    execute (
      select format('create or replace view dlms.daily_load_kept as select %s from dlms.daily_load_rollup',
        string_agg(quote_ident(attname), ', ' order by attnum))
      from pg_attribute where attrelid = 'dlms.daily_load_kept'::regclass and attnum > 0
    );
    execute 'drop materialized view dlms.daily_load_aggregate';
    insert into dlms.daily_load_due (meter_key, day)
    select distinct b.meter_key, ((b.captured_at - interval '1 microsecond') at time zone m.time_zone)::date
    from dlms.block_load_profile_data b join public.meters m on m.meter_key = b.meter_key
    on conflict do nothing;
  end if;
end
$$;

alter table dlms.load_changes drop column rezoned;
alter table dlms.daily_load_due drop column rezoned;
alter table dlms.daily_load_due add column summed boolean not null default false;
comment on column dlms.daily_load_due.summed is 'The day is in dlms.daily_load_rollup, and not yet in the continuous aggregate over it.';
create index daily_load_due_summed on dlms.daily_load_due (day) where summed;
comment on table dlms.daily_load_rollup is 'Sums of the block load by meter and local day, in the fixed units of its columns.';

update dlms.time_tables set chunk_interval = '90 days', compress_after = '7 days', segment_by = '', order_by = 'meter_key, day'
where table_schema = 'dlms' and table_name = 'daily_load_rollup';
do $$
declare
  extension_schema name;
begin
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb';
  if extension_schema is not null then
    perform dlms.make_hypertables();
    execute format('select %I.set_chunk_time_interval($1, $2)', extension_schema)
    using 'dlms.daily_load_rollup'::regclass, interval '90 days';
  end if;
end
$$;

create or replace function dlms.note_rezoned_meter() returns trigger
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

create or replace function dlms.take_load_changes(most integer default 1000) returns bigint
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
      ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp,
      ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date::timestamp, interval '1 day'
    ) as day
    order by 1, 2
    on conflict (meter_key, day) do update set summed = false where d.summed
  )
  select count(*) into taken from taken_changes;
  return taken;
end
$$;

drop function dlms.sum_due_days(integer);
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

create or replace view dlms.daily_load_kept as
select meter_key, day, intervals, covered_s, with_registers, active_import, active_export, reactive_import, reactive_export,
  apparent_import, apparent_export, reactive_q1, reactive_q2, reactive_q3, reactive_q4, active_net, active_absolute,
  active_import_least, active_import_most
from dlms.daily_load_rollup
where intervals > 0;

create or replace view dlms.daily_load_days as
select m.id as meter_id, m.meter_number, k.meter_key, k.day,
  dlms.day_start(k.day, m.time_zone) as starts_at, dlms.day_start(k.day + 1, m.time_zone) as ends_at,
  k.intervals, k.covered_s, k.with_registers, k.active_import, k.active_export, k.reactive_import, k.reactive_export,
  k.apparent_import, k.apparent_export, k.reactive_q1, k.reactive_q2, k.reactive_q3, k.reactive_q4, k.active_net,
  k.active_absolute, k.active_import_least, k.active_import_most
from dlms.daily_load_kept k
join public.meters m on m.meter_key = k.meter_key
where not exists (
    select from dlms.daily_load_due d where d.meter_key = k.meter_key and d.day = k.day and not d.summed
  )
  and not exists (
    select from dlms.load_changes c
    cross join unnest(c.meter_keys) as n (meter_key)
    where n.meter_key = k.meter_key and k.day between ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date
      and ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date
  )
union all
select m.id, m.meter_number, o.meter_key, o.day,
  dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone),
  s.intervals, s.covered_s, s.with_registers, s.active_import, s.active_export, s.reactive_import, s.reactive_export,
  s.apparent_import, s.apparent_export, s.reactive_q1, s.reactive_q2, s.reactive_q3, s.reactive_q4, s.active_net,
  s.active_absolute, s.active_import_least, s.active_import_most
from (
  select d.meter_key, d.day from dlms.daily_load_due d where not d.summed
  union
  select n.meter_key, day::date
  from dlms.load_changes c
  cross join unnest(c.meter_keys) as k (meter_key)
  join public.meters n on n.meter_key = k.meter_key
  cross join generate_series(
    ((c.from_time - interval '1 microsecond') at time zone n.time_zone)::date::timestamp,
    ((c.to_time - interval '1 microsecond') at time zone n.time_zone)::date::timestamp, interval '1 day'
  ) as day
) o
join public.meters m on m.meter_key = o.meter_key
cross join lateral dlms.block_load_sums(o.meter_key, dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone)) s
where s.intervals > 0;

create function dlms.make_daily_load_aggregate() returns boolean
language plpgsql
set search_path = pg_catalog
as $$
declare
  wanted constant boolean := coalesce(current_setting('timescaledb.license', true) = 'timescale', false)
    and exists (select from pg_extension where extname = 'timescaledb');
  made constant boolean := to_regclass('dlms.daily_load_aggregate') is not null;
  used constant boolean := pg_get_viewdef('dlms.daily_load_kept'::regclass) like '%daily_load_aggregate%';
  sums name[];
  time_bucket text;
begin
  if wanted = used then
    return false;
  end if;
  select array_agg(a.attname order by a.attnum) into sums
  from pg_attribute a where a.attrelid = 'dlms.daily_load_rollup'::regclass and a.attnum > 2 and not a.attisdropped;
  if wanted and not made then
    select format('%I.time_bucket', n.nspname) into time_bucket
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb';
    execute format(
      $sql$
        create materialized view dlms.daily_load_aggregate
        with (timescaledb.continuous, timescaledb.materialized_only = true) as
        select meter_key, %s(interval '1 day', day) as bucket, %s from dlms.daily_load_rollup group by meter_key, bucket
        with no data
      $sql$, time_bucket, (select string_agg(format('max(%1$I) as %1$I', s), ', ') from unnest(sums) as s)
    );
    comment on view dlms.daily_load_aggregate is 'Continuous aggregate: the sums of dlms.daily_load_rollup by meter and day.';
    insert into dlms.daily_load_due (meter_key, day, summed) select r.meter_key, r.day, true from dlms.daily_load_rollup r
    on conflict do nothing;
  end if;
  execute format(
    case when wanted then
      'create or replace view dlms.daily_load_kept as
       select meter_key, bucket as day, %1$s from dlms.daily_load_aggregate a
       where intervals > 0 and not exists (
         select from dlms.daily_load_due d where d.meter_key = a.meter_key and d.day = a.bucket and d.summed
       )
       union all
       select r.meter_key, r.day, %2$s from dlms.daily_load_due d
       join dlms.daily_load_rollup r on r.meter_key = d.meter_key and r.day = d.day
       where d.summed and r.intervals > 0'
    else
      'create or replace view dlms.daily_load_kept as
       select meter_key, day, %1$s from dlms.daily_load_rollup where intervals > 0'
    end,
    (select string_agg(quote_ident(s), ', ') from unnest(sums) as s),
    (select string_agg(format('r.%I', s), ', ') from unnest(sums) as s)
  );
  return true;
end
$$;
comment on function dlms.make_daily_load_aggregate is 'Lets a continuous aggregate keep the sums by day where the edition has such, else dlms.daily_load_rollup alone.';
