-- Days are summed one by one for the meters that they are due for, on every edition: into dlms.daily_load_rollup. With
-- TimescaleDB's Community edition a continuous aggregate over that table keeps them. An aggregate over the block load
-- itself has to sum a day of the whole fleet again for each late row, and each day twice, because days of meters begin at
-- other moments than its buckets: it takes longer than the writing of the rows.

create function dlms.make_daily_load_aggregate() returns boolean
language plpgsql
set search_path = pg_catalog
as $$
declare
  wanted constant boolean := dlms.has_policies();
  made constant boolean := to_regclass('dlms.daily_load_aggregate') is not null;
  used constant boolean := pg_get_viewdef('dlms.daily_load_kept'::regclass) like '%daily_load_aggregate%';
  sums name[];
begin
  if wanted = used then
    return false;
  end if;
  select array_agg(a.attname order by a.attnum) into sums
  from pg_attribute a where a.attrelid = 'dlms.daily_load_rollup'::regclass and a.attnum > 2 and not a.attisdropped;
  if wanted and not made then
    execute format(
      $sql$
        create materialized view dlms.daily_load_aggregate
        with (timescaledb.continuous, timescaledb.materialized_only = true) as
        select meter_key, %I.time_bucket(interval '1 day', day) as bucket, %s from dlms.daily_load_rollup group by meter_key, bucket
        with no data
      $sql$, dlms.extension_schema('timescaledb'), (select string_agg(format('max(%1$I) as %1$I', s), ', ') from unnest(sums) as s)
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
