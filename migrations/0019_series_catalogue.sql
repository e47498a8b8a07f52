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
comment on column dlms.dataset_grants.may is
  'read: what is released; read_early: also what is under embargo; write: add values and metadata, with read_early also runs.';

-- Readers read what meters sent, until the owner revokes it.
insert into dlms.dataset_grants (dataset_key, grantee, may, granted_by)
select dataset_key, 'dlms_reader', 'read', current_user from dlms.datasets;

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
comment on table dlms.series is 'The catalogue: what series there are.';
comment on column dlms.series.key is 'm.meter number.quantity.profile, or what it was brought in under.';
comment on column dlms.series.namespace is 'm for series of meters, sp for those of service points.';
comment on column dlms.series.quantity is 'Column of the profile, or twelve hexadecimal digits of a logical name and .a with the attribute.';
comment on column dlms.series.capture_object is 'The key in others, where no column is for it.';
comment on column dlms.series.exponent is 'Stored values count in 10^exponent of the unit; columns of profiles have their own.';
create index series_meter on dlms.series (meter_key, dataset_key, quantity);

create table dlms.series_aliases (
  alias text collate "C" not null primary key,
  series_key integer not null references dlms.series (series_key) on delete cascade,
  created_at timestamptz not null default now()
);
comment on table dlms.series_aliases is 'Other names under which series are found, as the former one after a change.';
create index series_aliases_series on dlms.series_aliases (series_key);

create view dlms.described_series as
select s.series_key, s.key, s.dataset_key, d.name as dataset, d.profile, s.meter_key,
  case when s.namespace = 'm' then s.stem end as meter_number, coalesce(s.quantity, s.free_key) as quantity,
  coalesce(q.unit, s.unit) as unit, coalesce(q.exponent, s.exponent) as exponent, s.column_name, s.capture_object,
  coalesce(q.logical_name, split_part(s.capture_object, ':', 2)) as code, q.description, s.created_at
from dlms.series s
join dlms.datasets d using (dataset_key)
left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name;
comment on view dlms.described_series is 'Series with what their dataset and the column of its profile say of them.';

create function dlms.make_key_search() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_available_extensions where name = 'pg_trgm') then
    return false;
  end if;
  begin
    create extension if not exists pg_trgm schema dlms;
  exception when insufficient_privilege then
    return false;
  end;
  execute format('create index if not exists series_key_trigrams on dlms.series using gin (key %I.gin_trgm_ops)',
    dlms.extension_schema('pg_trgm'));
  return true;
end
$$;
comment on function dlms.make_key_search is 'Makes search of series by any pattern fast, where the extension pg_trgm can be had; also later.';

select dlms.make_key_search();
