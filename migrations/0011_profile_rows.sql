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

-- A profile is a base table of integers, and a view over it in plain units. Each line of `column_list` is a column: its
-- name | its type | its name in the view | what it is multiplied by there | what people read about it.
create function dlms.make_profile(profile text, view_name text, title text, column_list text) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  table_name constant text := profile || '_profile_data';
  stored text;
  shown text;
  each record;
begin
  select string_agg(format('%I %s', c[1], c[2]), ', ' order by nth),
    string_agg(format('d.%I%s as %I', c[1], ' * ' || nullif(c[4], '') || '::numeric', c[3]), ', ' order by nth)
  into stored, shown
  from string_to_table(trim(column_list, E'\n'), E'\n') with ordinality as l (line, nth)
  cross join regexp_split_to_array(trim(line), ' *[|] *') c;
  execute format(
    $sql$
      create table if not exists dlms.%I (
        captured_at timestamptz not null,
        read_at timestamptz not null,
        meter_key integer not null,
        layout_key integer not null,
        interval_s integer,
        source smallint not null,
        time_rule smallint not null,
        %s,
        meter_time bytea,
        others jsonb,
        known_from timestamptz not null default statement_timestamp(),
        primary key (meter_key, captured_at)
      )
    $sql$, table_name, stored);
  execute format('comment on table dlms.%I is %L', table_name,
    format('Base table of dlms.%s_profile: integers in fixed decimal units.', profile));
  execute format(
    $sql$
      create view dlms.%I as
      select m.id as meter_id, m.meter_number, d.captured_at, %s, d.interval_s,
        dlms.wall_clock(d.meter_time) as meter_clock,
        (array['deviation', 'zone', 'received'])[d.time_rule] as time_rule,
        (array['poll', 'push', 'on_demand', 'backfill', 'import'])[d.source] as source,
        d.read_at, d.known_from, d.others, l.fingerprint as layout
      from dlms.%I d
      join public.meters m on m.meter_key = d.meter_key
      left join dlms.profile_layouts l on l.layout_key = d.layout_key
    $sql$, view_name, shown, table_name);
  execute format('comment on view dlms.%I is %L', view_name, title);
  for each in
    select c[3] as name, c[5] as meaning
    from string_to_table(trim(column_list, E'\n'), E'\n') line
    cross join regexp_split_to_array(trim(line), ' *[|] *') c
    union all values
      ('meter_id', 'The meter: id of public.meters.'),
      ('meter_number', 'Serial number of the meter.'),
      ('captured_at', 'When the meter captured the row.'),
      ('interval_s', 'Length of the interval in seconds; null for a capture without one.'),
      ('meter_clock', 'What the meter''s own clock showed; null where it left it open.'),
      ('time_rule', 'What turned the meter''s clock into captured_at.'),
      ('source', 'How the row came to us.'),
      ('read_at', 'When the row was read or received.'),
      ('known_from', 'When the database came to know the row.'),
      ('others', 'What no column is for: value and unit under class:logical name:attribute.'),
      ('layout', 'Fingerprint of the capture objects, scalers and units that the row was decoded with.')
  loop
    execute format('comment on column dlms.%I.%I is %L', view_name, each.name, each.meaning);
  end loop;
end
$$;
comment on function dlms.make_profile is 'Makes the base table of a profile, where it is not there, and the view over it, by a list of columns.';
