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

create function dlms_api.metadata(series_keys text[], locales text[] default '{en}', run text default null, strict boolean default true)
returns table (key text, name text, value text, locale text, level text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  with wanted as materialized (
    select r.key, r.series_key, r.dataset_key, s.code, s.description,
      case when run is not null then (dlms.visible_run(s.dataset, run)).run_key end as run_key
    from dlms.readable_series(series_keys, strict) r
    join dlms.described_series s using (series_key)
  ), texts as (
    select w.key, t.name, t.value, t.locale, 1 as distance, 'run' as level
    from wanted w join dlms.metadata t on t.run_key = w.run_key
    union all
    select w.key, t.name, t.value, t.locale, 2, 'series' from wanted w join dlms.metadata t on t.series_key = w.series_key
    union all
    select w.key, t.name, t.value, t.locale, 3, 'dataset' from wanted w join dlms.metadata t on t.dataset_key = w.dataset_key
    union all
    select w.key, t.name, t.value, t.locale, 4, 'object' from wanted w join dlms.metadata t on t.code = w.code
    union all
    select w.key, 'description', coalesce(w.description, o.description), 'en', 5, 'gateway'
    from wanted w left join dlms.obis_codes o on o.code = w.code where coalesce(w.description, o.description) is not null
  )
  select distinct on (t.key, t.name) t.key, t.name, t.value, t.locale, t.level
  from texts t join dlms.locale_chain(locales) c on c.locale = t.locale
  order by t.key, t.name, t.distance, c.preference
$$;
comment on function dlms_api.metadata is 'Texts about series, the nearest level first (run, series, dataset, object), then by languages.';

create function dlms_api.set_metadata(level text, subject text, locale text, texts jsonb, mode text default 'update') returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the_code text;
  the_dataset smallint;
  the_series integer;
  the_run integer;
  the_locale text := locale;
  changed integer;
begin
  if mode not in ('update', 'overwrite', 'keep') or jsonb_typeof(texts) <> 'object' then
    raise exception 'texts are an object of texts, the mode is update, overwrite or keep' using errcode = '22023';
  end if;
  case level
    when 'object' then
      if not dlms.acts_as((select r.rolname from pg_class c join pg_roles r on r.oid = c.relowner where c.oid = 'dlms.metadata'::regclass)) then
        raise exception 'texts about objects are set by the gateway''s role' using errcode = '42501';
      end if;
      the_code := subject;
    when 'dataset' then
      the_dataset := dlms.dataset_for('write', subject);
    when 'series' then
      the_series := (dlms.writable_series(subject)).series_key;
    when 'run' then
      the_run := (dlms.own_run(split_part(subject, '/', 1), substr(subject, strpos(subject, '/') + 1))).run_key;
    else
      raise exception 'a level is object, dataset, series or run' using errcode = '22023';
  end case;
  if mode = 'overwrite' then
    delete from dlms.metadata t
    where t.locale = the_locale and not texts ? t.name
      and (t.code, t.dataset_key, t.series_key, t.run_key) is not distinct from (the_code, the_dataset, the_series, the_run);
  end if;
  insert into dlms.metadata as t (code, dataset_key, series_key, run_key, locale, name, value, changed_by)
  select the_code, the_dataset, the_series, the_run, the_locale, e.key, e.value, dlms.caller()
  from jsonb_each_text(texts) e order by e.key
  on conflict (code, dataset_key, series_key, run_key, locale, name) do update
    set value = excluded.value, changed_by = excluded.changed_by, changed_at = now()
    where mode <> 'keep' and t.value <> excluded.value;
  get diagnostics changed = row_count;
  return changed;
end
$$;
comment on function dlms_api.set_metadata is 'Sets texts in one language: update adds and replaces, overwrite also removes, keep only adds.';
