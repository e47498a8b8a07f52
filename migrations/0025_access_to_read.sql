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
    select s.key, s.series_key, s.dataset_key, coalesce(q.unit, s.unit), m.early, m.visible_until
    from dlms.series s
    join dlms.datasets d using (dataset_key)
    join dlms.may('read') m using (dataset_key)
    left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
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

create function dlms.visible_run(dataset text, label text) returns dlms.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs;
begin
  select r.* into the from dlms.runs r
  join dlms.datasets d using (dataset_key)
  join dlms.may('read') m using (dataset_key)
  where d.name = dataset and r.label = visible_run.label
    and (m.early or (r.state = 'released' and r.release_at <= now()));
  if the.run_key is null then
    raise exception 'no run % of %, or not for %', label, dataset, dlms.caller() using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.visible_run is 'A run that the caller may see now; else an error, the same for one that is not there.';

create function dlms.own_or_open_collection(name text, owner name, to_change boolean) returns dlms.collections
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections;
begin
  select c.* into the from dlms.collections c
  where c.name = own_or_open_collection.name and c.owner = coalesce(own_or_open_collection.owner, dlms.caller())
    and (dlms.acts_as(c.owner)
      or (not to_change and (c.visibility = 'public' or (c.visibility = 'team' and dlms.acts_as(c.team)))));
  if the.collection_key is null then
    raise exception 'no collection % of %, or not for %', name, coalesce(owner, dlms.caller()), dlms.caller()
      using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.own_or_open_collection is 'A collection that the caller may see, or change; else an error.';

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

-- Reading.
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
  if within is not null and wanted !~ '^\^' then
    return query
      select s.key, d.name, case when s.namespace = 'm' then s.stem end, coalesce(s.quantity, s.free_key), coalesce(q.unit, s.unit)
      from dlms.series s
      join dlms.datasets d using (dataset_key)
      left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
      where s.key like within and s.key || '' ~ wanted and (in_dataset is null or d.name = in_dataset)
        and s.dataset_key in (select m.dataset_key from dlms.may('read') m)
      limit max_rows;
    return;
  end if;
  return query
    select s.key, d.name, case when s.namespace = 'm' then s.stem end, coalesce(s.quantity, s.free_key), coalesce(q.unit, s.unit)
    from dlms.series s
    join dlms.datasets d using (dataset_key)
    left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
    where s.key ~ wanted and (in_dataset is null or d.name = in_dataset)
      and s.dataset_key in (select m.dataset_key from dlms.may('read') m)
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

create function dlms_api.runs(in_dataset text default null)
returns table (
  dataset text, label text, state text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz,
  release_at timestamptz, series_count integer, value_count bigint, digest text
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select d.name, r.label,
    case when r.state = 'released' and exists (
      select from dlms.runs later
      where later.dataset_key = r.dataset_key and later.period = r.period and later.state = 'released'
        and later.release_at <= now() and (later.release_at, later.run_key) > (r.release_at, r.run_key)
    ) then 'superseded' else r.state end,
    lower(r.period), upper(r.period), r.cutoff, r.release_at, r.series_count, r.value_count, encode(r.digest, 'hex')
  from dlms.runs r
  join dlms.datasets d using (dataset_key)
  join dlms.may('read') m using (dataset_key)
  where (in_dataset is null or d.name = in_dataset) and (m.early or (r.state = 'released' and r.release_at <= now()))
  order by d.name, lower(r.period), r.cutoff, r.run_key
$$;
comment on function dlms_api.runs is 'Runs that the caller may see; superseded where a later one of the same period is out.';

create function dlms_api.latest_run(dataset text, at timestamptz default now())
returns table (label text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz, release_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select r.label, lower(r.period), upper(r.period), r.cutoff, r.release_at
  from dlms.runs r
  join dlms.datasets d using (dataset_key)
  join dlms.may('read') m using (dataset_key)
  where d.name = latest_run.dataset and r.period @> latest_run.at and r.state = 'released' and (m.early or r.release_at <= now())
  order by r.release_at desc, r.run_key desc limit 1
$$;
comment on function dlms_api.latest_run is 'The run of a dataset that was released last for a period around a time.';

create function dlms_api.read_run(dataset text, label text, series_keys text[] default null, strict boolean default true)
returns table (key text, at timestamptz, value numeric, value_text text, unit text, quality text, known_from timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs := dlms.visible_run(dataset, label);
  members integer[];
  refused text;
begin
  if series_keys is null then
    select array_agg(x.series_key) into members from dlms.run_series x where x.run_key = the.run_key;
  else
    select array_agg(distinct x.series_key) into members
    from dlms.resolve_series(series_keys) r join dlms.run_series x using (series_key) where x.run_key = the.run_key;
    select string_agg(r.wanted, ', ' order by r.wanted) into refused from dlms.resolve_series(series_keys) r
    where r.series_key is null or r.series_key <> all (coalesce(members, '{}'));
    if strict and refused is not null then
      raise exception 'run % has no series %', label, left(refused, 500) using errcode = '42704';
    end if;
  end if;
  return query
    select s.key, v.at, v.value, v.value_text, coalesce(n.unit, s.unit), q.name, v.known_from
    from (
      select k.series_key, k.at, k.value, k.value_text, k.quality, k.known_from from dlms.run_values k
      where the.keeps_values and k.run_key = the.run_key and k.series_key = any (members)
      union all
      select w.series_key, w.at, w.value, w.value_text, w.quality, w.known_from
      from dlms.read_run_versions(case when the.keeps_values then null else members end, the) w
    ) v
    join dlms.series s on s.series_key = v.series_key
    join dlms.datasets d using (dataset_key)
    left join dlms.quantities n on n.profile = d.profile and n.column_name = s.column_name
    join dlms.qualities q on q.quality = v.quality
    order by s.key, v.at;
end
$$;
comment on function dlms_api.read_run is 'Values of a run: what was known at its cutoff. Its own release decides who sees it.';

create function dlms_api.metadata(series_keys text[], locales text[] default '{en}', run text default null, strict boolean default true)
returns table (key text, name text, value text, locale text, level text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  with wanted as materialized (
    select r.key, r.series_key, r.dataset_key, coalesce(q.logical_name, split_part(s.capture_object, ':', 2)) as code, q.description,
      case when run is not null then (dlms.visible_run(d.name, run)).run_key end as run_key
    from dlms.readable_series(series_keys, strict) r
    join dlms.series s using (series_key)
    join dlms.datasets d on d.dataset_key = r.dataset_key
    left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
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

-- Collections: anybody's own lists.
create function dlms_api.collections()
returns table (owner name, name text, holds text, visibility text, team name, pattern text, attributes jsonb, mine boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select c.owner, c.name, c.holds, c.visibility, c.team, c.pattern, c.attributes, dlms.acts_as(c.owner)
  from dlms.collections c
  where dlms.acts_as(c.owner) or c.visibility = 'public' or (c.visibility = 'team' and dlms.acts_as(c.team))
  order by 1, 2
$$;
comment on function dlms_api.collections is 'Collections that are the caller''s own or open to the caller.';

create function dlms_api.collection_members(name text, owner name default null) returns table (member text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.collections := dlms.own_or_open_collection(name, owner, false);
begin
  if the.holds = 'meters' then
    return query select m.meter_number from dlms.collection_meter_keys(the.collection_key) as k (meter_key)
      join public.meters m using (meter_key)
      where m.meter_key in (select dlms.visible_meters()) order by 1;
  else
    return query select s.key::text from dlms.collection_series_keys(the.collection_key) k
      join dlms.series s using (series_key) join dlms.may('read') using (dataset_key) order by 1;
  end if;
end
$$;
comment on function dlms_api.collection_members is 'Keys of series or numbers of meters in a collection, as far as the caller may see them.';

-- Relations for tools that want some. The four profiles follow as they are made with the others.
create view dlms_views.series with (security_barrier) as
select s.key, d.name as dataset, case when s.namespace = 'm' then s.stem end as meter_number,
  coalesce(s.quantity, s.free_key) as quantity, coalesce(q.unit, s.unit) as unit, s.created_at
from dlms.series s
join dlms.datasets d using (dataset_key)
left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
where d.name in (select r.dataset from dlms_api.datasets() r);
comment on view dlms_views.series is 'The series that you may read.';
comment on column dlms_views.series.key is 'Key of the series; reads ask by it.';
comment on column dlms_views.series.dataset is 'Dataset that it belongs to.';
comment on column dlms_views.series.meter_number is 'Serial number of the meter; null for what was brought in.';
comment on column dlms_views.series.quantity is 'Column of the profile, or a logical name in hexadecimal digits.';
comment on column dlms_views.series.unit is 'Unit of the values; null for none.';
comment on column dlms_views.series.created_at is 'When the series came to be.';

create view dlms_views.runs with (security_barrier) as
select r.dataset, r.label, r.state, r.covers_from, r.covers_to, r.cutoff, r.release_at, r.series_count, r.value_count, r.digest
from dlms_api.runs() r;
comment on view dlms_views.runs is 'The runs that you may see.';
comment on column dlms_views.runs.dataset is 'Dataset that it is of.';
comment on column dlms_views.runs.label is 'Its name.';
comment on column dlms_views.runs.state is 'draft, frozen, released or superseded.';
comment on column dlms_views.runs.covers_from is 'First slot that it covers.';
comment on column dlms_views.runs.covers_to is 'First slot that it no longer covers.';
comment on column dlms_views.runs.cutoff is 'What became known later is not in it.';
comment on column dlms_views.runs.release_at is 'When it is seen by those who may not read early.';
comment on column dlms_views.runs.series_count is 'Series in it.';
comment on column dlms_views.runs.value_count is 'Values in it.';
comment on column dlms_views.runs.digest is 'SHA-256 over it, in hexadecimal digits.';

create view dlms_views.run_values with (security_barrier) as
select d.name as dataset, r.label, s.key, v.at, v.value, v.value_text, coalesce(q.unit, s.unit) as unit, n.name as quality, v.known_from
from dlms.run_values v
join dlms.runs r using (run_key)
join dlms.datasets d using (dataset_key)
join dlms.series s using (series_key)
join dlms.qualities n using (quality)
left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
where (d.name, r.label) in (select o.dataset, o.label from dlms_api.runs() o);
comment on view dlms_views.run_values is 'Values of the runs that you may see and that keep them.';
comment on column dlms_views.run_values.dataset is 'Dataset of the run.';
comment on column dlms_views.run_values.label is 'Name of the run.';
comment on column dlms_views.run_values.key is 'Key of the series.';
comment on column dlms_views.run_values.at is 'The slot; of an interval its end.';
comment on column dlms_views.run_values.value is 'The number.';
comment on column dlms_views.run_values.value_text is 'What is not a number.';
comment on column dlms_views.run_values.unit is 'Unit of the value; null for none.';
comment on column dlms_views.run_values.quality is 'raw, suspect, validated, estimated, edited or final.';
comment on column dlms_views.run_values.known_from is 'When the database came to know the value.';
