-- The only door for those who may not touch the tables. Every function of dlms_api takes values only, runs as a role
-- without login that is no superuser, has its search path pinned and asks who calls. Readers change nothing, so that they
-- work on a hot standby. test/db/access-lint.test.ts holds all of this.

create function dlms.readable_series(series_keys text[], is_strict boolean)
returns table (key text, series_key integer, dataset_key smallint, unit text, early boolean, visible_until timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  resolved integer[];
  asked text[];
  given bigint;
  refused text;
begin
  if coalesce(cardinality(series_keys), 0) > 100000 then
    raise exception 'at most 100000 series at once' using errcode = '54000';
  end if;
  select array_agg(r.wanted), array_agg(r.series_key) into asked, resolved from dlms.resolve_series(series_keys) r;
  return query
    select s.key, s.series_key, s.dataset_key, s.unit, m.early, m.visible_until
    from dlms.described_series s join dlms.may('read') m using (dataset_key)
    where s.series_key = any (resolved);
  get diagnostics given = row_count;
  if is_strict and (array_position(resolved, null) is not null
      or given < (select count(distinct r.series_key) from unnest(resolved) r (series_key))) then
    -- One answer for what is not there and for what is not open: nobody learns which keys exist.
    select string_agg(r.wanted, ', ' order by r.wanted) into refused from (
      select r.wanted from unnest(asked, resolved) r (wanted, series_key)
      left join dlms.series s using (series_key)
      left join dlms.may('read') m using (dataset_key)
      where m.dataset_key is null order by r.wanted limit 10
    ) r;
    raise exception 'no such series, or not for %: %', dlms.caller(), refused using errcode = '42704';
  end if;
end
$$;
comment on function dlms.readable_series is 'The series of keys that the caller may read; if strict, an error for all others.';

create function dlms.quality_of(name text) returns smallint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  found_quality smallint;
begin
  select q.quality into found_quality from dlms.qualities q where q.name = quality_of.name;
  if found_quality is null then
    raise exception 'no quality %: there are raw, suspect, validated, estimated, edited and final', name using errcode = '22023';
  end if;
  return found_quality;
end
$$;
comment on function dlms.quality_of is 'The step of the ladder with that name.';

create function dlms.dataset_for(wanted text, name text) returns smallint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  found_key smallint;
begin
  select d.dataset_key into found_key from dlms.datasets d
  where d.name = dataset_for.name
    and case wanted when 'own' then dlms.acts_as(d.owner) else d.dataset_key in (select m.dataset_key from dlms.may(wanted) m) end;
  if found_key is null then
    raise exception 'no dataset % that % may %', name, dlms.caller(), wanted using errcode = '42501';
  end if;
  return found_key;
end
$$;
comment on function dlms.dataset_for is 'The dataset of that name, if the caller may read, write or own it; else an error.';

create function dlms.visible_meters() returns setof integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select m.meter_key from public.meters m
  where exists (
    select from dlms.series s where s.meter_key = m.meter_key and s.dataset_key in (select r.dataset_key from dlms.may('read') r)
  )
$$;
comment on function dlms.visible_meters is 'Meters of which the caller may read something.';

create function dlms_api.datasets()
returns table (dataset text, profile text, may_read_early boolean, may_write boolean, embargo interval, visible_until timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select d.name, d.profile, r.early, exists (select from dlms.may('write') w where w.dataset_key = d.dataset_key), d.embargo,
    r.visible_until
  from dlms.datasets d join dlms.may('read') r using (dataset_key) order by 1
$$;
comment on function dlms_api.datasets is 'Datasets that the caller may read.';

create function dlms_api.visible_until(dataset text) returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select r.visible_until from dlms.datasets d join dlms.may('read') r using (dataset_key) where d.name = dataset);
end
$$;
comment on function dlms_api.visible_until is 'Until when what is known of a dataset is visible for the caller; null for nothing.';

create function dlms.literal_of_pattern(pattern text) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  rest text := pattern;
begin
  -- Where parts are alternatives, counted, under options or written as numbers, nothing is looked for.
  if pattern ~ '[|(){}]' or pattern ~ '^\*\*\*' or pattern ~ '\\[xuUc0-9]' or pattern ~ '\[[.=]' then
    return null;
  end if;
  rest := replace(rest, '\.', chr(1));
  rest := regexp_replace(rest, '\\.', ' ', 'g');
  rest := regexp_replace(rest, '\[\^?\]?[^]]*\]', ' ', 'g');
  rest := regexp_replace(rest, '.[*?]+', ' ', 'g');
  rest := translate(regexp_replace(rest, '[^A-Za-z0-9_:/' || chr(1) || '-]', ' ', 'g'), chr(1), '.');
  return (
    select word from regexp_split_to_table(rest, ' +') as word
    where length(word) >= 4 and word ~ '\d{2}'
    order by length(regexp_replace(word, '\D', '', 'g')) desc, word limit 1
  );
end
$$;
comment on function dlms.literal_of_pattern is 'Characters that all keys have that match a regular expression, those that few others have; null where none stand out.';

create function dlms_api.find_series(pattern text default '', in_dataset text default null, max_rows integer default 1000)
returns table (key text, dataset text, meter_number text, quantity text, unit text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  wanted text := pattern;
  -- An index on trigrams takes all of a pattern's, frequent ones too; those of the literal alone are found ten times faster.
  within text := '%' || replace(dlms.literal_of_pattern(pattern), '_', '\_') || '%';
begin
  if length(wanted) > 200 or max_rows not between 1 and 100000 then
    raise exception 'a pattern has at most 200 characters, and at most 100000 rows come back' using errcode = '22023';
  end if;
  return query
    select s.key, s.dataset, s.meter_number, s.quantity, s.unit
    from dlms.described_series s
    where case when within is null or wanted ~ '^\^' then s.key ~ wanted else s.key like within and s.key || '' ~ wanted end
      and (in_dataset is null or s.dataset = in_dataset) and s.dataset_key in (select m.dataset_key from dlms.may('read') m)
    limit max_rows;
end
$$;
comment on function dlms_api.find_series is 'Series whose key matches a regular expression, as ^m\.SMT10007\. or active_import.*daily.';

create function dlms_api.read_series(
  series_keys text[], from_time timestamptz default '-infinity', to_time timestamptz default 'infinity',
  as_of timestamptz default 'infinity', least_quality text default 'raw', best_quality text default 'final',
  strict boolean default true
) returns table (key text, at timestamptz, value numeric, value_text text, unit text, quality text, known_from timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  names text[] := (select array_agg(q.name order by q.quality) from dlms.qualities q);
  least_step smallint := dlms.quality_of(least_quality);
  best_step smallint := dlms.quality_of(best_quality);
  part record;
begin
  for part in
    select w.early, w.visible_until, array_agg(w.series_key order by w.series_key) as series_keys,
      array_agg(w.key order by w.series_key) as keys, array_agg(w.unit order by w.series_key) as units
    from dlms.readable_series(series_keys, strict) w group by w.early, w.visible_until order by min(w.series_key)
  loop
    if cardinality(part.keys) = 1 then
      return query
        select part.keys[1], v.at, v.value, v.value_text, part.units[1], names[v.quality], v.known_from
        from dlms.read_versions(part.series_keys, from_time, to_time, least(as_of, part.visible_until), least_step, best_step,
          part.early, false) v;
    else
      return query
        select w.key, v.at, v.value, v.value_text, w.unit, names[v.quality], v.known_from
        from dlms.read_versions(part.series_keys, from_time, to_time, least(as_of, part.visible_until), least_step, best_step,
          part.early, false) v
        join unnest(part.series_keys, part.keys, part.units) w (series_key, key, unit) using (series_key)
        order by w.key, v.at;
    end if;
  end loop;
end
$$;
comment on function dlms_api.read_series is 'Values of series from a time until before another, as known at a moment, of a quality within bounds.';

create function dlms_api.read_history(
  series_keys text[], from_time timestamptz default '-infinity', to_time timestamptz default 'infinity',
  strict boolean default true
) returns table (
  key text, at timestamptz, value numeric, value_text text, unit text, quality text, known_from timestamptz, known_to timestamptz
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  with wanted as materialized (
    select * from dlms.readable_series(series_keys, strict)
  ), parts as (
    select early, visible_until, array_agg(series_key) as members from wanted group by early, visible_until
  )
  select w.key, v.at, v.value, v.value_text, w.unit, q.name, v.known_from,
    lead(v.known_from) over (partition by v.series_key, v.at order by v.known_from)
  from parts p
  cross join lateral dlms.read_versions(p.members, from_time, to_time, p.visible_until, 1::smallint, 6::smallint, p.early, true) v
  join wanted w on w.series_key = v.series_key
  join dlms.qualities q on q.quality = v.quality
  order by w.key, v.at, v.known_from
$$;
comment on function dlms_api.read_history is 'Every version of every value, with the time from which and until which it was the latest known.';

-- Relations for tools that want some. The four profiles follow as they are made with the others.
create view dlms_views.series with (security_barrier) as
select s.key, s.dataset, s.meter_number, s.quantity, s.unit, s.created_at
from dlms.described_series s
where s.dataset in (select r.dataset from dlms_api.datasets() r);
comment on view dlms_views.series is 'The series that you may read.';
comment on column dlms_views.series.key is 'Key of the series; reads ask by it.';
comment on column dlms_views.series.dataset is 'Dataset that it belongs to.';
comment on column dlms_views.series.meter_number is 'Serial number of the meter; null for what was brought in.';
comment on column dlms_views.series.quantity is 'Column of the profile, or a logical name in hexadecimal digits.';
comment on column dlms_views.series.unit is 'Unit of the values; null for none.';
comment on column dlms_views.series.created_at is 'When the series came to be.';
