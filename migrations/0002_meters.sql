-- Meters, the centre that everything refers to, and what they are reached by.

create function dlms.zone_or_utc(zone text) returns text
language plpgsql stable parallel safe
as $$
begin
  perform now() at time zone zone;
  return zone;
exception when invalid_parameter_value then
  return 'UTC';
end
$$;
comment on function dlms.zone_or_utc is 'The zone, or UTC where this server does not know it.';

-- Names may pass from meter to meter within one transaction, when a meter is exchanged or two are swapped.
create table public.meters (
  id uuid not null default gen_random_uuid() primary key,
  meter_key integer not null generated always as identity unique,
  meter_number text not null unique,
  name text not null unique deferrable initially immediate,
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
comment on table public.meters is 'Every meter that the gateway knows; the centre that everything refers to.';
comment on column public.meters.id is 'Refer to a meter by this.';
comment on column public.meters.meter_key is 'Small key of the profile tables; no meaning outside this database.';
comment on column public.meters.meter_number is 'Serial number as printed on the meter.';
comment on column public.meters.name is 'What people call the meter on the command line.';
comment on column public.meters.meter_type is 'What it measures, as electricity or gas.';
comment on column public.meters.maker is 'Who made it.';
comment on column public.meters.model is 'Model, as the maker calls it.';
comment on column public.meters.firmware is 'Version of its firmware, as read last.';
comment on column public.meters.system_title is 'Eight octets that name the meter in ciphered messages.';
comment on column public.meters.time_zone is 'Zone of the meter''s clock where its stamps carry no deviation.';
comment on column public.meters.companion is 'Companion specification that gives the meter''s objects their meaning.';
comment on column public.meters.created_at is 'When the gateway came to know it.';
comment on column public.meters.updated_at is 'When what is known of it last changed.';
create index meters_system_title on public.meters (system_title) where system_title is not null;
create index meters_time_zone on public.meters (time_zone);

-- A time zone that this server does not know would make every view that counts days fail, for all meters. Such a meter's
-- days are counted in UTC, and its row says so.
create function dlms.keep_known_zone() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  if not exists (select from public.meters m where m.time_zone = new.time_zone) then
    new.time_zone := dlms.zone_or_utc(new.time_zone);
  end if;
  return new;
end
$$;
comment on function dlms.keep_known_zone is 'Replaces a zone that this server does not know by UTC.';
create trigger keep_known_zone before insert or update of time_zone on public.meters
for each row execute function dlms.keep_known_zone();

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

-- Two networks may use the same addresses.
create table dlms.connections (
  connection_key integer not null generated always as identity primary key,
  transport text not null,
  address text not null,
  link text not null,
  created_at timestamptz not null default now(),
  network text not null default 'default',
  unique (network, transport, address, link)
);
comment on table dlms.connections is 'Lines on which meters are reached; several meters may share one.';
comment on column dlms.connections.network is 'Network that the address is of, as the configuration names it.';
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
comment on table dlms.associations is 'How the gateway associates with a meter. Keys and passwords are not here.';
comment on column dlms.associations.physical_address is 'HDLC: lower address of the meter.';
create index associations_connection on dlms.associations (connection_key);

create table dlms.meter_names (
  name text not null primary key,
  meter_id uuid not null references public.meters (id) on delete cascade,
  created_at timestamptz not null default now()
);
comment on table dlms.meter_names is 'What meters call themselves in pushes, where that is not their number: learned when a sender was adopted.';
create index meter_names_meter on dlms.meter_names (meter_id);

create table dlms.meter_profiles (
  meter_key integer not null,
  profile text not null,
  valid_from timestamptz not null,
  interval_s integer not null check (interval_s >= 0),
  entries integer check (entries > 0),
  learned_at timestamptz not null default now(),
  primary key (meter_key, profile, valid_from)
);
comment on table dlms.meter_profiles is 'How often a meter captures a profile and how much it remembers, as its profile object says.';
comment on column dlms.meter_profiles.valid_from is 'Slots from here on are expected, until the next row of the same profile.';
comment on column dlms.meter_profiles.interval_s is 'Seconds between two captures; 0 for months of the calendar.';
comment on column dlms.meter_profiles.entries is 'Rows that the buffer holds before it overwrites; null where the meter does not say.';

create table dlms.added_meters (
  added_meter_key integer not null generated always as identity primary key,
  name text not null unique,
  meter_number text not null unique,
  settings jsonb not null,
  added_at timestamptz not null default now(),
  added_by text not null
);
comment on table dlms.added_meters is 'Meters that people add while gateways run, besides those of the configuration.';
comment on column dlms.added_meters.settings is 'As a meter of the configuration; secrets are references to where they are.';
