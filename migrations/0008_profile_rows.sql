-- What is kept beside the rows of the four load profiles: with what they were decoded, what came later for a slot that is
-- held, and what no table can hold.
--
-- When the database came to know a row is told by its own clock, at the statement that put the row in. Whoever writes rows
-- takes dlms.keep_meters() in a statement before, so that nobody can add rows known before a moment at which all writers
-- had to wait. What was filled in later is known since then, and noted apart: it is rare, and a column for it is not.

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
  reason text,
  unique (profile, meter_key, captured_at, digest)
);
comment on table dlms.profile_revisions is 'Values that came for a slot that held others: the first stay in the table, these are kept here.';
comment on column dlms.profile_revisions.held is 'The columns that differ, as they are in the profile table.';
comment on column dlms.profile_revisions.arrived is 'The same columns as they came later.';
comment on column dlms.profile_revisions.reason is 'Why the value came, where it was not sent anew: a mended decoder, say.';

create table dlms.profile_completions (
  profile text not null,
  meter_key integer not null,
  captured_at timestamptz not null,
  known_from timestamptz not null default statement_timestamp(),
  columns text[] not null,
  primary key (profile, meter_key, captured_at, known_from)
);
comment on table dlms.profile_completions is 'Values that a held row lacked and that came later: in the profile table since known_from.';
comment on column dlms.profile_completions.columns is 'Columns of the profile table, or keys of others.';

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

insert into dlms.time_tables (table_schema, table_name, time_column)
values
  ('dlms', 'profile_revisions', 'known_from'),
  ('dlms', 'profile_completions', 'known_from'),
  ('dlms', 'rejected_rows', 'rejected_at');

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
