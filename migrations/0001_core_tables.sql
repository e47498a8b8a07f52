-- Meters, what they are reached by, what they said and what was tried. Tables in public are the core that reports
-- start from; everything else lives in the schema dlms. The four load profiles follow in the next file.

create table public.meters (
  id uuid not null default gen_random_uuid() primary key,
  meter_key integer not null generated always as identity unique,
  meter_number text not null unique,
  name text not null unique,
  meter_type text not null default 'electricity',
  maker text,
  model text,
  firmware text,
  system_title bytea check (octet_length(system_title) = 8),
  time_zone text not null default 'UTC',
  companion text not null default 'none',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index meters_system_title on public.meters (system_title) where system_title is not null;
comment on table public.meters is 'Every meter that the gateway knows; the centre that everything refers to.';
comment on column public.meters.id is 'Refer to a meter by this.';
comment on column public.meters.meter_key is 'Small key of the profile tables; no meaning outside this database.';
comment on column public.meters.meter_number is 'Serial number as printed on the meter.';
comment on column public.meters.name is 'What people call the meter on the command line.';
comment on column public.meters.system_title is 'Eight octets that name the meter in ciphered messages.';
comment on column public.meters.time_zone is 'Zone of the meter''s clock where its stamps carry no deviation.';
comment on column public.meters.companion is 'Companion specification that gives the meter''s objects their meaning.';

-- Profile rows have no foreign key to meters: it would cost two thirds of the rate at which they are written. Instead a
-- writer keeps meters from being deleted until it has committed, and notices when some were deleted before.
create table dlms.meter_deletions (
  only_row boolean not null default true primary key check (only_row),
  deletions bigint not null default 0
);
comment on table dlms.meter_deletions is 'How many statements deleted meters; writers forget what they knew when it changes.';
insert into dlms.meter_deletions default values;

create function dlms.keep_meters() returns void
language sql
return pg_catalog.pg_advisory_xact_lock_shared(6142023918440518);
comment on function dlms.keep_meters is 'Keeps meters from being deleted until the transaction ends.';

create function dlms.note_meter_deletion() returns trigger
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440518);
  update dlms.meter_deletions set deletions = deletions + 1;
  return null;
end
$$;
create trigger note_meter_deletion before delete on public.meters
for each statement execute function dlms.note_meter_deletion();

create table dlms.connections (
  connection_key integer not null generated always as identity primary key,
  transport text not null,
  address text not null,
  link text not null,
  created_at timestamptz not null default now(),
  unique (transport, address, link)
);
comment on table dlms.connections is 'Lines on which meters are reached; several meters may share one.';
comment on column dlms.connections.address is 'host:port, or the path of a serial port.';
comment on column dlms.connections.link is 'What carries APDUs: wrapper or hdlc.';

create table dlms.associations (
  meter_id uuid not null references public.meters (id) on delete cascade,
  client_sap integer not null,
  server_sap integer not null,
  connection_key integer not null references dlms.connections (connection_key),
  physical_address integer,
  address_length smallint,
  mechanism text not null,
  security_suite smallint,
  protection text,
  client_system_title bytea,
  max_receive_pdu_size integer not null,
  response_timeout_ms integer not null,
  updated_at timestamptz not null default now(),
  primary key (meter_id, client_sap, server_sap)
);
create index associations_connection on dlms.associations (connection_key);
comment on table dlms.associations is 'How the gateway associates with a meter. Keys and passwords are not here.';
comment on column dlms.associations.physical_address is 'HDLC: lower address of the meter.';

create table public.meter_readings (
  meter_id uuid not null,
  read_at timestamptz not null,
  capture_object text not null,
  value numeric,
  value_text text,
  unit text,
  source text not null,
  received_at timestamptz not null default now(),
  primary key (meter_id, capture_object, read_at)
);
comment on table public.meter_readings is 'Single values, by the object that they came from.';
comment on column public.meter_readings.read_at is 'When the meter held the value.';
comment on column public.meter_readings.capture_object is 'class:logical name:attribute, as 3:1.0.1.8.0.255:2.';
comment on column public.meter_readings.value is 'The number in plain units, exactly as sent.';
comment on column public.meter_readings.value_text is 'What is not a number: text, octets as 0x…, structures as JSON.';
comment on column public.meter_readings.unit is 'UCUM unit, null for none.';

create table public.meter_events (
  meter_id uuid not null,
  occurred_at timestamptz not null,
  log text not null,
  code integer not null,
  name text,
  severity text not null default 'info',
  details jsonb,
  source text not null,
  received_at timestamptz not null default now(),
  primary key (meter_id, occurred_at, log, code)
);
comment on table public.meter_events is 'Events and alerts of meters, and what the gateway noticed about them.';
comment on column public.meter_events.log is 'Event log of the meter that held it; gateway for what the gateway noticed.';
comment on column public.meter_events.code is 'Code within that log, as the companion specification numbers it.';

create table dlms.energy_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  active_import_total_wh numeric,
  active_export_total_wh numeric,
  reactive_import_total_varh numeric,
  reactive_export_total_varh numeric,
  apparent_import_total_vah numeric,
  apparent_export_total_vah numeric,
  source text not null,
  primary key (meter_id, measured_at)
);
comment on table dlms.energy_measurements is 'Energy registers at a moment.';

create table dlms.power_readings (
  meter_id uuid not null,
  measured_at timestamptz not null,
  active_power_import_w numeric,
  active_power_export_w numeric,
  active_power_net_w numeric,
  reactive_power_import_var numeric,
  reactive_power_export_var numeric,
  apparent_power_import_va numeric,
  apparent_power_export_va numeric,
  power_factor numeric,
  frequency_hz numeric,
  source text not null,
  primary key (meter_id, measured_at)
);
comment on table dlms.power_readings is 'Power, power factor and frequency at a moment.';

create table dlms.voltage_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  voltage_l1_v numeric,
  voltage_l2_v numeric,
  voltage_l3_v numeric,
  source text not null,
  primary key (meter_id, measured_at)
);
comment on table dlms.voltage_measurements is 'Voltages at a moment; a single-phase meter''s is in l1.';

create table dlms.current_measurements (
  meter_id uuid not null,
  measured_at timestamptz not null,
  current_l1_a numeric,
  current_l2_a numeric,
  current_l3_a numeric,
  current_n_a numeric,
  source text not null,
  primary key (meter_id, measured_at)
);
comment on table dlms.current_measurements is 'Currents at a moment; a single-phase meter''s is in l1.';

create table dlms.obis_codes (
  code text not null primary key,
  description text not null,
  unit text
);
comment on table dlms.obis_codes is 'What logical names mean.';

create table dlms.event_logs (
  occurred_at timestamptz not null,
  level text not null,
  event text not null,
  message text not null,
  details jsonb
);
create index event_logs_time on dlms.event_logs (occurred_at desc);
comment on table dlms.event_logs is 'What happened in the gateway itself.';

create table dlms.push_setups (
  push_setup_id uuid not null default gen_random_uuid() primary key,
  meter_id uuid not null references public.meters (id) on delete cascade,
  logical_name text not null,
  destination text,
  transport text,
  message text,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (meter_id, logical_name)
);
comment on table dlms.push_setups is 'Push setup objects of meters: where they send to.';

create table dlms.push_objects (
  push_setup_id uuid not null references dlms.push_setups (push_setup_id) on delete cascade,
  position integer not null,
  class_id integer not null,
  logical_name text not null,
  attribute_index integer not null,
  data_index integer not null default 0,
  primary key (push_setup_id, position)
);
comment on table dlms.push_objects is 'What a push setup sends, in order.';

create table dlms.push_schedules (
  push_schedule_id uuid not null default gen_random_uuid() primary key,
  push_setup_id uuid not null references dlms.push_setups (push_setup_id) on delete cascade,
  logical_name text not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (push_setup_id, logical_name)
);
comment on table dlms.push_schedules is 'Single action schedules that start a push.';

create table dlms.schedule_entries (
  push_schedule_id uuid not null references dlms.push_schedules (push_schedule_id) on delete cascade,
  position integer not null,
  at_time text not null,
  at_date text not null,
  primary key (push_schedule_id, position)
);
comment on table dlms.schedule_entries is 'When a schedule fires; * stands for every value, as in 00:*:00.';

create table dlms.push_history (
  push_key bigint not null generated always as identity,
  received_at timestamptz not null,
  peer text not null,
  transport text not null,
  meter_id uuid,
  system_title bytea,
  outcome text not null check (outcome in ('stored', 'partial', 'rejected')),
  reason text,
  octets bytea not null
);
create unique index push_history_key on dlms.push_history (push_key, received_at);
create index push_history_meter on dlms.push_history (meter_id, received_at desc);
comment on table dlms.push_history is 'Every push that came in, with its octets; also those that were turned away.';
comment on column dlms.push_history.outcome is 'stored: all values have a place; partial: some were set aside; rejected: none was taken.';

create table dlms.push_values (
  push_key bigint not null,
  received_at timestamptz not null,
  position integer not null,
  capture_object text not null,
  value text not null,
  unit text,
  primary key (push_key, position, received_at)
);
comment on table dlms.push_values is 'The values of a push under their logical names.';
comment on column dlms.push_values.value is 'Exact decimal, text, octets as 0x…, or JSON of these.';

create table dlms.read_attempts (
  meter_id uuid not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  what text not null,
  succeeded boolean not null,
  row_count integer not null default 0,
  cause text,
  evidence text,
  next_step text
);
create index read_attempts_meter on dlms.read_attempts (meter_id, started_at desc);
comment on table dlms.read_attempts is 'Every try to read a meter: what came of it, and why not.';

create table dlms.profile_layouts (
  layout_key integer not null generated always as identity primary key,
  fingerprint text not null unique,
  first_seen_at timestamptz not null default now()
);
comment on table dlms.profile_layouts is 'Capture-object lists, scalers and units that profile rows were decoded with.';

create table dlms.profile_revisions (
  revision_key bigint not null generated always as identity primary key,
  profile text not null,
  meter_key integer not null,
  captured_at timestamptz not null,
  known_from timestamptz not null default clock_timestamp(),
  source smallint not null,
  layout_key integer not null,
  read_at timestamptz not null,
  held jsonb not null,
  arrived jsonb not null,
  digest bytea not null,
  unique (profile, meter_key, captured_at, digest)
);
comment on table dlms.profile_revisions is 'Values that came for a slot that held others: the first stay in the table, these are kept here.';
comment on column dlms.profile_revisions.held is 'The columns that differ, as they are in the profile table.';
comment on column dlms.profile_revisions.arrived is 'The same columns as they came later.';

create table dlms.rejected_rows (
  rejected_row_key bigint not null generated always as identity primary key,
  rejected_at timestamptz not null default now(),
  profile text not null,
  meter_key bigint not null,
  captured_at text not null,
  source smallint not null,
  read_at timestamptz,
  reason text not null,
  detail text not null,
  row_values jsonb not null,
  digest bytea not null,
  unique (meter_key, profile, captured_at, digest)
);
comment on table dlms.rejected_rows is 'Rows that no table can hold, with the reason; the rest of their batch went in.';

create function dlms.wall_clock(meter_time bytea) returns timestamp
language sql immutable parallel safe
set search_path = pg_catalog
return (
  with parts as (
    select get_byte(meter_time, 0) * 256 + get_byte(meter_time, 1) as year, get_byte(meter_time, 2) as month,
      get_byte(meter_time, 3) as day, get_byte(meter_time, 5) as hour, get_byte(meter_time, 6) as minute,
      get_byte(meter_time, 7) as second
    where octet_length(meter_time) = 12
  ), resolved as (
    select make_timestamp(year, month, 1, hour, minute, case second when 255 then 0 else second end)
      + make_interval(days => day - 1) as clock, month
    from parts
    where case when year between 1 and 9999 and month between 1 and 12 and day between 1 and 31
      then hour <= 23 and minute <= 59 and (second <= 59 or second = 255) else false end
  )
  select clock from resolved where extract(month from clock) = month
);
comment on function dlms.wall_clock is 'What the meter''s clock showed, from the 12 octets of its stamp; null where it left a field open.';

-- Which tables are kept by time. On TimescaleDB they are hypertables; elsewhere plain tables with the same names.
create table dlms.time_tables (
  table_schema name not null,
  table_name name not null,
  time_column name not null,
  chunk_interval interval not null,
  primary key (table_schema, table_name)
);
comment on table dlms.time_tables is 'Tables that become hypertables where TimescaleDB is there.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval) values
  ('public', 'meter_readings', 'read_at', '7 days'),
  ('public', 'meter_events', 'occurred_at', '90 days'),
  ('dlms', 'energy_measurements', 'measured_at', '7 days'),
  ('dlms', 'power_readings', 'measured_at', '7 days'),
  ('dlms', 'voltage_measurements', 'measured_at', '7 days'),
  ('dlms', 'current_measurements', 'measured_at', '7 days'),
  ('dlms', 'event_logs', 'occurred_at', '30 days'),
  ('dlms', 'push_history', 'received_at', '7 days'),
  ('dlms', 'push_values', 'received_at', '7 days'),
  ('dlms', 'read_attempts', 'started_at', '7 days');

create function dlms.make_hypertables() returns integer
language plpgsql
as $$
declare
  extension_schema name;
  each record;
  made integer := 0;
begin
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'timescaledb';
  if extension_schema is null then
    return 0;
  end if;
  for each in
    select t.* from dlms.time_tables t
    where not exists (
      select from timescaledb_information.hypertables h
      where h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name
    )
  loop
    execute format(
      'select %1$I.create_hypertable($1, %1$I.by_range($2, $3), create_default_indexes => false, migrate_data => true)',
      extension_schema
    ) using format('%I.%I', each.table_schema, each.table_name)::regclass, each.time_column, each.chunk_interval;
    made := made + 1;
  end loop;
  return made;
end
$$;
comment on function dlms.make_hypertables is 'Makes hypertables of all tables in dlms.time_tables that are not yet; does nothing without TimescaleDB.';
