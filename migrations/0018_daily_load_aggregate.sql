-- requires: continuousAggregates

-- The sums by day as a continuous aggregate in place of the rollup table. Buckets are of UTC, because a bucket has one zone
-- for all meters; the local day is a column beside it, so a day lies in one to three buckets, which like days hold their
-- end and not their start. What is due is summed by the views, so the aggregate itself need not be real-time.

select dlms.make_hypertables();

create materialized view dlms.daily_load_aggregate
with (timescaledb.continuous, timescaledb.materialized_only = true) as
select b.meter_key,
  time_bucket('1 day', b.captured_at, interval '1 microsecond') as bucket,
  ((b.captured_at - interval '1 microsecond') at time zone m.time_zone)::date as day,
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
join public.meters m on m.meter_key = b.meter_key
group by b.meter_key, bucket, day
with no data;
create index daily_load_aggregate_day on dlms.daily_load_aggregate (day, meter_key);
create index daily_load_aggregate_meter on dlms.daily_load_aggregate (meter_key, day);

create or replace view dlms.daily_load_kept as
select f.meter_key, f.day, s.intervals, s.covered_s, s.with_registers, s.active_import, s.active_export, s.reactive_import, s.reactive_export, s.apparent_import, s.apparent_export, s.reactive_q1, s.reactive_q2, s.reactive_q3, s.reactive_q4, s.active_net, s.active_absolute, s.active_import_least, s.active_import_most
from dlms.daily_load_aggregate f
cross join lateral (
  select sum(p.intervals)::bigint as intervals,
    sum(p.covered_s)::bigint as covered_s,
    sum(p.with_registers)::bigint as with_registers,
    sum(p.active_import) as active_import,
    sum(p.active_export) as active_export,
    sum(p.reactive_import) as reactive_import,
    sum(p.reactive_export) as reactive_export,
    sum(p.apparent_import) as apparent_import,
    sum(p.apparent_export) as apparent_export,
    sum(p.reactive_q1) as reactive_q1,
    sum(p.reactive_q2) as reactive_q2,
    sum(p.reactive_q3) as reactive_q3,
    sum(p.reactive_q4) as reactive_q4,
    sum(p.active_net) as active_net,
    sum(p.active_absolute) as active_absolute,
    min(p.active_import_least) as active_import_least,
    max(p.active_import_most) as active_import_most
  from dlms.daily_load_aggregate p
  where p.meter_key = f.meter_key and p.day = f.day
    and p.bucket >= f.bucket and p.bucket <= f.bucket + interval '3 days'
) s
where not exists (
  select from dlms.daily_load_aggregate e where e.meter_key = f.meter_key and e.day = f.day and e.bucket < f.bucket
);

create function dlms.daily_load_due_ranges(before date) returns table (from_time timestamptz, to_time timestamptz, rezoned boolean)
language sql stable
begin atomic
  with zoned as (
    select distinct d.day, m.time_zone, d.rezoned
    from dlms.daily_load_due d join public.meters m on m.meter_key = d.meter_key
    where d.day < before
  ), timed as (
    select z.rezoned, dlms.day_start(z.day, z.time_zone) as starts_at,
      dlms.day_start(z.day + 1, z.time_zone) - interval '1 microsecond' as last_moment
    from zoned z
  ), merged as (
    select t.rezoned, unnest(range_agg(tstzrange(
      date_trunc('day', t.starts_at, 'UTC'), date_trunc('day', t.last_moment, 'UTC') + interval '1 day'
    ))) as days
    from timed t where t.starts_at >= dlms.block_load_kept_from() group by t.rezoned
  )
  select lower(days) + interval '1 microsecond', upper(days) + interval '1 microsecond', m.rezoned from merged m;
end;
comment on function dlms.daily_load_due_ranges is 'Buckets of the aggregate in which due days before a day lie.';

truncate dlms.daily_load_rollup;
insert into dlms.daily_load_due (meter_key, day)
select distinct b.meter_key, ((b.captured_at - interval '1 microsecond') at time zone m.time_zone)::date
from dlms.block_load_profile_data b join public.meters m on m.meter_key = b.meter_key
on conflict do nothing;
