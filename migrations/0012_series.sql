-- Series: one quantity of one meter in one profile, or what was brought in from elsewhere, under one key. The catalogue
-- holds stems and nothing else. Values that meters sent stay in the profile tables; here are those of other origin:
-- results of validation, imports, derived series. Nothing here is on the way of a reading into its profile table.

create schema dlms_api;
comment on schema dlms_api is 'Functions for those who may not touch the tables: values in, values out. Nothing else lies here.';
create schema dlms_views;
comment on schema dlms_views is 'What dlms_api offers as relations, for tools that want tables.';

create table dlms.quantities (
  profile text not null,
  column_name text not null,
  kind text not null check (kind in ('number', 'timestamp', 'status')),
  unit text,
  exponent smallint not null,
  description text not null,
  logical_name text,
  attribute_index smallint,
  primary key (profile, column_name)
);
comment on table dlms.quantities is 'What the columns of the profile tables hold.';
comment on column dlms.quantities.exponent is 'The stored integer times 10^exponent is the value in the unit.';
comment on column dlms.quantities.logical_name is 'The object that most meters keep it in.';

create table dlms.datasets (
  dataset_key smallint not null generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  profile text unique,
  owner name not null default current_user,
  embargo interval not null default '0' check (embargo >= '0'),
  created_at timestamptz not null default now()
);
comment on table dlms.datasets is 'Series that are owned, opened and embargoed together.';
comment on column dlms.datasets.profile is 'The profile whose columns are its series; null where values are brought in.';
comment on column dlms.datasets.owner is 'Role whose members may do everything with it.';
comment on column dlms.datasets.embargo is 'How long what is known is kept from those who may not read early.';
insert into dlms.datasets (name, profile) values
  ('instant', 'instant'), ('block_load', 'block_load'), ('daily_load', 'daily_load'), ('billing', 'billing'),
  ('default', null);

create table dlms.dataset_grants (
  dataset_key smallint not null references dlms.datasets (dataset_key) on delete cascade,
  grantee name not null,
  may text not null check (may in ('read', 'read_early', 'write')),
  granted_by name not null,
  granted_at timestamptz not null default now(),
  primary key (dataset_key, grantee, may)
);
comment on table dlms.dataset_grants is 'Who may do what with a dataset besides its owner.';
comment on column dlms.dataset_grants.grantee is 'A role and its members, or public.';
comment on column dlms.dataset_grants.may is 'read: what is released; read_early: also what is under embargo; write: add values, metadata and runs.';

create table dlms.series (
  series_key integer not null generated always as identity primary key,
  dataset_key smallint not null references dlms.datasets (dataset_key),
  key text collate "C" not null unique generated always as (
    coalesce(free_key, namespace || '.' || stem || '.' || quantity || '.' || part)
  ) stored,
  namespace text check (namespace in ('m', 'sp')),
  stem text,
  quantity text,
  part text,
  meter_key integer references public.meters (meter_key) on delete cascade,
  column_name text,
  capture_object text,
  free_key text check (free_key ~ '^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,199}$' and free_key !~ '^(m|sp)\.'),
  unit text,
  exponent smallint not null default -6 check (exponent between -12 and 12),
  created_at timestamptz not null default now(),
  check ((free_key is null) = (num_nonnulls(namespace, stem, quantity, part) = 4)),
  check (num_nonnulls(column_name, capture_object) <= (meter_key is not null)::integer)
);
create index series_meter on dlms.series (meter_key, dataset_key, quantity);
comment on table dlms.series is 'The catalogue: what series there are.';
comment on column dlms.series.key is 'm.meter number.quantity.profile, or what it was brought in under.';
comment on column dlms.series.namespace is 'm for series of meters, sp for those of service points.';
comment on column dlms.series.quantity is 'Column of the profile, or twelve hexadecimal digits of a logical name and .a with the attribute.';
comment on column dlms.series.capture_object is 'The key in others, where no column is for it.';
comment on column dlms.series.exponent is 'Stored values count in 10^exponent of the unit; columns of profiles have their own.';

create table dlms.series_aliases (
  alias text collate "C" not null primary key,
  series_key integer not null references dlms.series (series_key) on delete cascade,
  created_at timestamptz not null default now()
);
create index series_aliases_series on dlms.series_aliases (series_key);
comment on table dlms.series_aliases is 'Other names under which series are found, as the former one after a change.';

create table dlms.qualities (
  quality smallint not null primary key,
  name text not null unique,
  rank smallint not null,
  description text not null
);
comment on table dlms.qualities is 'The ladder that a value climbs; a lower step is never overwritten.';
comment on column dlms.qualities.rank is 'Among versions of one slot the highest rank holds, then the latest known.';
insert into dlms.qualities (quality, name, rank, description) values
  (1, 'raw', 0, 'As the meter sent it.'),
  (2, 'suspect', 1, 'Looked at and doubted.'),
  (3, 'validated', 1, 'Looked at and found good.'),
  (4, 'estimated', 1, 'Put in by rule for what is missing or doubted.'),
  (5, 'edited', 1, 'Put in by a person.'),
  (6, 'final', 2, 'Settled; only another final value replaces it.');

create table dlms.series_revisions (
  revision_key integer not null generated always as identity primary key,
  dataset_key smallint not null references dlms.datasets (dataset_key),
  known_from timestamptz not null,
  release_at timestamptz,
  label text,
  recorded_by name not null,
  added integer not null
);
comment on table dlms.series_revisions is 'Each time that values were brought in: by whom, as what, and from when on they may be seen.';

create table dlms.series_values (
  series_key integer not null,
  at timestamptz not null,
  known_from timestamptz not null,
  value bigint,
  quality smallint not null,
  revision_key integer not null,
  primary key (series_key, at, known_from)
);
comment on table dlms.series_values is 'Versions of values that were brought in, append only. Those that meters sent are in the profile tables.';
comment on column dlms.series_values.value is 'Counts in 10^exponent of the unit; null where the value was withdrawn.';
insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'series_values', 'at', '365 days', '400 days', 'series_key', 'at, known_from');

create function dlms.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% is append only', tg_relid::regclass using errcode = '55000';
end
$$;
comment on function dlms.refuse_change is 'Trigger of tables that are append only.';
create trigger append_only before update or delete or truncate on dlms.series_values
for each statement execute function dlms.refuse_change();
create trigger append_only before update or delete or truncate on dlms.series_revisions
for each statement execute function dlms.refuse_change();

create table dlms.meter_attributes (
  meter_id uuid not null references public.meters (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$'),
  value text not null,
  primary key (meter_id, name)
);
create index meter_attributes_value on dlms.meter_attributes (name, value);
comment on table dlms.meter_attributes is 'What people know about meters, as feeder or district; collections are made by it.';

create table dlms.collections (
  collection_key integer not null generated always as identity primary key,
  owner name not null,
  name text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
  holds text not null check (holds in ('meters', 'series')),
  visibility text not null default 'private' check (visibility in ('private', 'team', 'public')),
  team name,
  pattern text check (length(pattern) <= 200),
  attributes jsonb check (jsonb_typeof(attributes) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (owner, name),
  check ((visibility = 'team') = (team is not null)),
  check (attributes is null or holds = 'meters')
);
comment on table dlms.collections is 'Lists of meters or series that someone keeps: reading groups, exports, dashboards.';
comment on column dlms.collections.pattern is 'Rule: a regular expression on the series'' key, or on the meter''s number or name.';
comment on column dlms.collections.attributes is 'Rule: attributes that a meter must have, as {"feeder": "7"}; with a pattern, both must hold.';
create table dlms.collection_series (
  collection_key integer not null references dlms.collections (collection_key) on delete cascade,
  series_key integer not null references dlms.series (series_key) on delete cascade,
  primary key (collection_key, series_key)
);
create index collection_series_series on dlms.collection_series (series_key);
comment on table dlms.collection_series is 'Series that were put into a collection by hand.';
create table dlms.collection_meters (
  collection_key integer not null references dlms.collections (collection_key) on delete cascade,
  meter_key integer not null references public.meters (meter_key) on delete cascade,
  primary key (collection_key, meter_key)
);
create index collection_meters_meter on dlms.collection_meters (meter_key);
comment on table dlms.collection_meters is 'Meters that were put into a collection by hand.';

create table dlms.runs (
  run_key integer not null generated always as identity primary key,
  dataset_key smallint not null references dlms.datasets (dataset_key),
  label text not null check (label ~ '^[A-Za-z0-9][A-Za-z0-9_. -]{0,62}$'),
  period tstzrange not null check (not isempty(period)),
  cutoff timestamptz not null,
  least_quality smallint not null default 1 references dlms.qualities (quality),
  state text not null default 'draft' check (state in ('draft', 'frozen', 'released')),
  release_at timestamptz,
  keeps_values boolean not null default false,
  pattern text check (length(pattern) <= 200),
  collection_key integer references dlms.collections (collection_key) on delete set null,
  digest bytea,
  series_count integer,
  value_count bigint,
  created_by name not null,
  created_at timestamptz not null default now(),
  frozen_at timestamptz,
  released_at timestamptz,
  unique (dataset_key, label),
  check ((state = 'draft') = (digest is null)),
  check ((state = 'released') = (released_at is not null))
);
comment on table dlms.runs is 'What was known at a cutoff, under a label: billing and settlement runs.';
comment on column dlms.runs.period is 'The slots that it covers.';
comment on column dlms.runs.cutoff is 'What the database came to know later is not in it.';
comment on column dlms.runs.digest is 'SHA-256 over the digests of its series in the order of their keys; a replay must give the same.';
comment on column dlms.runs.keeps_values is 'Whether its values are copied; otherwise they are replayed.';
create table dlms.run_series (
  run_key integer not null references dlms.runs (run_key),
  series_key integer not null references dlms.series (series_key),
  value_count integer not null,
  digest bytea not null,
  primary key (run_key, series_key)
);
create index run_series_series on dlms.run_series (series_key);
comment on table dlms.run_series is 'The series of a frozen run, as they were resolved then.';
comment on column dlms.run_series.digest is 'SHA-256 over its lines "microseconds since 1970, value, quality", by time.';
create table dlms.run_values (
  run_key integer not null,
  series_key integer not null,
  at timestamptz not null,
  value numeric,
  value_text text,
  quality smallint not null,
  known_from timestamptz not null,
  primary key (run_key, series_key, at),
  foreign key (run_key, series_key) references dlms.run_series (run_key, series_key)
);
comment on table dlms.run_values is 'Values of runs that keep them.';

create function dlms.keep_run() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    if old.state <> 'draft' then
      raise exception 'run % is %, it can''t be deleted', old.label, old.state using errcode = '55000';
    end if;
    return old;
  end if;
  if old.state <> 'draft' and (
    (to_jsonb(new) - array['state', 'release_at', 'released_at', 'collection_key'])
      <> (to_jsonb(old) - array['state', 'release_at', 'released_at', 'collection_key'])
    or array_position(array['frozen', 'released'], new.state) is null
    or array_position(array['frozen', 'released'], new.state) < array_position(array['frozen', 'released'], old.state)
    or (old.state = 'released' and (new.release_at, new.released_at) is distinct from (old.release_at, old.released_at))
  ) then
    raise exception 'run % is %, it can''t be changed', old.label, old.state using errcode = '55000';
  end if;
  return new;
end
$$;
comment on function dlms.keep_run is 'Trigger: a run goes forward only, and what is frozen stays.';
create trigger keep_run before update or delete on dlms.runs for each row execute function dlms.keep_run();

create function dlms.keep_run_rows() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from changed c join dlms.runs r using (run_key) where r.state <> 'draft') then
    raise exception 'the rows of a frozen run can''t be changed' using errcode = '55000';
  end if;
  return null;
end
$$;
comment on function dlms.keep_run_rows is 'Trigger: rows of a run are put in while it is a draft.';
create trigger keep_added after insert on dlms.run_series
referencing new table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_removed after delete on dlms.run_series
referencing old table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_changed before update or truncate on dlms.run_series
for each statement execute function dlms.refuse_change();
create trigger keep_added after insert on dlms.run_values
referencing new table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_removed after delete on dlms.run_values
referencing old table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_changed before update or truncate on dlms.run_values
for each statement execute function dlms.refuse_change();

create table dlms.metadata (
  metadata_key integer not null generated always as identity primary key,
  code text,
  dataset_key smallint references dlms.datasets (dataset_key) on delete cascade,
  series_key integer references dlms.series (series_key) on delete cascade,
  run_key integer references dlms.runs (run_key) on delete cascade,
  locale text not null check (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  name text not null check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  value text not null,
  changed_by name not null,
  changed_at timestamptz not null default now(),
  check (num_nonnulls(code, dataset_key, series_key, run_key) = 1),
  unique nulls not distinct (code, dataset_key, series_key, run_key, locale, name)
);
create index metadata_series on dlms.metadata (series_key) where series_key is not null;
create index metadata_run on dlms.metadata (run_key) where run_key is not null;
comment on table dlms.metadata is 'Texts about logical names, datasets, series and runs, in several languages.';
comment on column dlms.metadata.code is 'Dotted logical name: for all series of that object.';

create function dlms.make_key_search() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  extension_schema name;
begin
  if not exists (select from pg_available_extensions where name = 'pg_trgm') then
    return false;
  end if;
  begin
    create extension if not exists pg_trgm schema dlms;
  exception when insufficient_privilege then
    return false;
  end;
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm';
  execute format('create index if not exists series_key_trigrams on dlms.series using gin (key %I.gin_trgm_ops)', extension_schema);
  return true;
end
$$;
comment on function dlms.make_key_search is 'Makes search of series by any pattern fast, where the extension pg_trgm can be had; also later.';
select dlms.make_key_search();
