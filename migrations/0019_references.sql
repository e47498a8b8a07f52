-- Measurements, readings and events refer to meters and go with them. It costs some 40 µs for each instant snapshot, whose
-- values go into all of these tables; profile tables themselves are written too fast for it.

alter table public.meter_readings
  add constraint meter_readings_meter foreign key (meter_id) references public.meters (id) on delete cascade;
alter table public.meter_events
  add constraint meter_events_meter foreign key (meter_id) references public.meters (id) on delete cascade;
alter table dlms.energy_measurements
  add constraint energy_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade;
alter table dlms.power_readings
  add constraint power_readings_meter foreign key (meter_id) references public.meters (id) on delete cascade;
alter table dlms.voltage_measurements
  add constraint voltage_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade;
alter table dlms.current_measurements
  add constraint current_measurements_meter foreign key (meter_id) references public.meters (id) on delete cascade;

create function dlms.refuse_view_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  raise exception '% is read-only', format('%I.%I', tg_table_schema, tg_table_name) using errcode = '25006';
end
$$;
comment on function dlms.refuse_view_change is 'Makes a view read-only.';

create table dlms.compatibility_views (
  only_row boolean not null default true primary key check (only_row)
);
comment on table dlms.compatibility_views is 'A row says that read-only views are wanted in _timescaledb_cache.';

-- When rows are to be kept longer than before, those that went already do not come back: their sums stay as they are.
alter table dlms.time_tables add column dropped_before timestamptz;
comment on column dlms.time_tables.dropped_before is 'Older rows were deleted under a keep_for that no longer holds.';

create function dlms.remember_dropped() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  new.dropped_before := greatest(old.dropped_before, now() - old.keep_for);
  return new;
end
$$;
create trigger remember_dropped before update of keep_for on dlms.time_tables
for each row when (old.keep_for is distinct from new.keep_for and old.keep_for is not null)
execute function dlms.remember_dropped();

create or replace function dlms.block_load_kept_from() returns timestamptz
language sql stable
begin atomic
  select coalesce(greatest(now() - keep_for, dropped_before), '-infinity')
  from dlms.time_tables where table_schema = 'dlms' and table_name = 'block_load_profile_data';
end;
