-- What a daemon looks after leaves no trace of its own where there was nothing to do; here is when it was last done.

create table dlms.upkeep_runs (
  task text not null primary key,
  finished_at timestamptz not null,
  took_ms integer not null,
  amount bigint not null
);
comment on table dlms.upkeep_runs is 'When each task of upkeep was last done.';
comment on column dlms.upkeep_runs.took_ms is 'How long it took, in milliseconds.';
comment on column dlms.upkeep_runs.amount is 'How much there was to do: days, entries of the journal, rows or chunks.';

-- The number of its lock was that of the gateways' leases: while the ledger was rebuilt, gateways lost their meters.
create or replace function dlms.fold_coverage(most integer) returns integer
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
