-- Texts about logical names, datasets, series and runs, in several languages.

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
comment on table dlms.metadata is 'Texts about logical names, datasets, series and runs, in several languages.';
comment on column dlms.metadata.code is 'Dotted logical name: for all series of that object.';
create index metadata_series on dlms.metadata (series_key) where series_key is not null;
create index metadata_run on dlms.metadata (run_key) where run_key is not null;

create function dlms.locale_chain(locales text[]) returns table (locale text, preference bigint)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select locale, min(preference) from (
    select array_to_string(parts[1:depth], '-') as locale, row_number() over (order by position, depth desc) as preference
    from unnest(locales || 'en'::text) with ordinality as l (name, position)
    cross join lateral string_to_array(name, '-') as parts
    cross join lateral generate_series(1, cardinality(parts)) as depth
  ) chain group by locale
$$;
comment on function dlms.locale_chain is 'de-CH, de, then what follows, en at the end.';
