-- A year of a series in milliseconds. One series is read in the order in which it lies; what came later meets what came
-- first in one pass; rights are asked about once. Of what is compressed twelve weeks are one chunk, because planning takes its
-- time for each. And where a pattern holds a literal that few keys have, only that is looked for in the index.

alter table dlms.time_tables add column compressed_chunk_interval interval;
comment on column dlms.time_tables.compressed_chunk_interval is 'Chunks that follow one another are compressed into one of this length; null where each stays one.';
update dlms.time_tables set compressed_chunk_interval = '84 days'
where table_schema = 'dlms' and table_name in ('instant_profile_data', 'block_load_profile_data', 'energy_measurements',
  'power_readings', 'voltage_measurements', 'current_measurements');

create or replace function dlms.apply_storage_policies() returns integer
language plpgsql
as $$
declare
  extension_schema name;
  each record;
  job record;
  changed integer := 0;
begin
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'timescaledb' and current_setting('timescaledb.license', true) = 'timescale';
  if extension_schema is null then
    return 0;
  end if;
  for each in
    select t.*, format('%I.%I', t.table_schema, t.table_name)::regclass as relation, h.compression_enabled,
      make_interval(secs => (to_jsonb(d) ->> 'compress_interval_length')::numeric / 1e6) as merged_chunk_interval
    from dlms.time_tables t
    join timescaledb_information.hypertables h on h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name
    join _timescaledb_catalog.hypertable c on c.schema_name = t.table_schema and c.table_name = t.table_name
    join _timescaledb_catalog.dimension d on d.hypertable_id = c.id and d.column_name = t.time_column
  loop
    if each.order_by is not null and not each.compression_enabled then
      execute format(
        'alter table %s set (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
        each.relation, each.segment_by, each.order_by
      );
      changed := changed + 1;
    end if;
    if each.compressed_chunk_interval is distinct from each.merged_chunk_interval then
      execute format(
        'alter table %s set (timescaledb.compress_chunk_time_interval = %L)',
        each.relation, coalesce(each.compressed_chunk_interval::text, '0')
      );
      changed := changed + 1;
    end if;
    for job in
      select p.name, p.wanted, (
          select (j.config ->> p.key)::interval from timescaledb_information.jobs j
          where j.hypertable_schema = each.table_schema and j.hypertable_name = each.table_name and j.config ? p.key
            and j.proc_name = 'policy_' || p.name
        ) as held
      from (values
        ('compression', 'compress_after', case when each.order_by is not null then each.compress_after end),
        ('retention', 'drop_after', each.keep_for)
      ) as p (name, key, wanted)
    loop
      continue when job.wanted is not distinct from job.held;
      if job.held is not null then
        execute format('select %I.remove_%s_policy($1)', extension_schema, job.name) using each.relation;
      end if;
      if job.wanted is not null then
        execute format('select %I.add_%s_policy($1, $2)', extension_schema, job.name) using each.relation, job.wanted;
      end if;
      changed := changed + 1;
    end loop;
  end loop;
  return changed;
end
$$;

drop function dlms.row_query(text, text, text, boolean);
create function dlms.row_query(
  column_name text, capture_object text, profile text, with_completions boolean, of_one_meter boolean
) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- $1 series keys, $2 meter keys beside them, $3 and $4 the range, $5 as of, $6 factor, $7 early, $8 their only meter
  known text := case when with_completions then 'coalesce(c.known_from, d.known_from)' else 'd.known_from' end;
begin
  return format(
    $q$select %5$s as series_key, d.captured_at as at, %1$s, 1::smallint as quality, %2$s as known_from, d.source
    from %6$s
    %3$s
    where d.captured_at >= $3 and d.captured_at < $4 and %4$s and %2$s <= $5%7$s$q$,
    case when capture_object is null then format('d.%I * $6 as value, null::text as value_text', column_name)
      else format('dlms.decimal_or_null(d.others #>> %1$L) as value, dlms.text_or_null(d.others #> %1$L) as value_text',
        array[capture_object, 'value']) end,
    known,
    case when with_completions then format(
      $q$left join lateral (
        select min(c.known_from) as known_from from dlms.profile_completions c
        where c.profile = %1$L and c.meter_key = d.meter_key and c.captured_at = d.captured_at and %2$L = any (c.columns)
      ) c on true$q$, profile, coalesce(capture_object, column_name)) end,
    case when capture_object is null then format('d.%I is not null', column_name) else format('d.others ? %L', capture_object) end,
    case when of_one_meter then '($1)[1]' else 'w.series_key' end,
    format(case when of_one_meter then 'dlms.%I d'
      else 'unnest($1, $2) as w (series_key, meter_key) join dlms.%I d on d.meter_key = w.meter_key' end, profile || '_profile_data'),
    case when of_one_meter then ' and d.meter_key = $8' end
  );
end
$$;
comment on function dlms.row_query is 'The statement that reads what meters sent first for the slots of one column.';

create or replace function dlms.read_versions(
  wanted integer[], from_time timestamptz, to_time timestamptz, as_of timestamptz,
  least_quality smallint, best_quality smallint, early boolean, every_version boolean
) returns setof dlms.series_version
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  part record;
  has_later boolean;
  has_completions boolean;
  first_text text;
  later_text text;
  statement text;
begin
  for part in
    select d.profile, s.column_name, s.capture_object, coalesce(q.exponent, s.exponent) as exponent,
      array_agg(s.series_key order by s.series_key) as series_keys,
      array_agg(s.meter_key order by s.series_key) as meter_keys
    from dlms.series s
    join dlms.datasets d using (dataset_key)
    left join dlms.quantities q on q.profile = d.profile and q.column_name = s.column_name
    where s.series_key = any (wanted)
    group by 1, 2, 3, 4
  loop
    select
      exists (
        select from dlms.series_values v where v.series_key = any (part.series_keys) and v.at >= from_time and v.at < to_time
          and v.known_from <= as_of
      ) or exists (
        select from dlms.profile_revisions r
        where r.profile = part.profile and r.meter_key = any (part.meter_keys)
          and r.captured_at >= from_time and r.captured_at < to_time and r.known_from <= as_of
      ),
      exists (
        select from dlms.profile_completions c
        where c.profile = part.profile and c.meter_key = any (part.meter_keys)
          and c.captured_at >= from_time and c.captured_at < to_time
      )
    into has_later, has_completions;
    later_text := dlms.later_query(part.column_name, part.capture_object, part.profile);
    if part.profile is null then
      first_text := 'select null::integer as series_key, null::timestamptz as at, null::numeric as value, null::text as value_text,
        null::smallint as quality, null::timestamptz as known_from, null::smallint as source where false';
    else
      first_text := dlms.row_query(part.column_name, part.capture_object, part.profile, has_completions,
        cardinality(part.meter_keys) = 1);
    end if;
    if every_version then
      statement := first_text || ' union all ' || later_text;
    elsif not has_later then
      continue when least_quality > 1 or part.profile is null;
      statement := first_text || ' order by ' || case when cardinality(part.meter_keys) = 1 then '2' else '1, 2' end;
    else
      -- What was decided last holds, and a decision is never undone by what a meter sends; only then is the choice judged.
      statement := format(
        'with later as materialized (
           select distinct on (v.series_key, v.at) v.*, q.rank
           from (%2$s) v (series_key, at, value, value_text, quality, known_from, source)
           join dlms.qualities q using (quality)
           where v.quality <= %3$s
           order by v.series_key, v.at, q.rank desc, v.known_from desc
         )
         select series_key, at, case when first_holds then f_value else value end, case when first_holds then f_text else value_text end,
           case when first_holds then f_quality else quality end, case when first_holds then f_known_from else known_from end,
           case when first_holds then f_source else source end
         from (
           select coalesce(f.series_key, l.series_key) as series_key, coalesce(f.at, l.at) as at,
             f.value as f_value, f.value_text as f_text, f.quality as f_quality, f.known_from as f_known_from, f.source as f_source,
             l.value, l.value_text, l.quality, l.known_from, l.source,
             l.at is null or (l.rank = 0 and f.known_from > l.known_from) as first_holds
           from (%1$s) f
           full join later l on l.series_key = f.series_key and l.at = f.at
           offset 0
         ) v
         where case when first_holds then %4$s <= 1
           else quality >= %4$s and num_nonnulls(value, value_text) > 0 end
         order by 1, 2',
        first_text, later_text, best_quality, least_quality);
    end if;
    return query execute statement using part.series_keys, part.meter_keys, from_time, to_time, as_of,
      ('1e' || part.exponent)::numeric, early, case when cardinality(part.meter_keys) = 1 then part.meter_keys[1] end;
  end loop;
end
$$;

create or replace function dlms.readable_series(series_keys text[], is_strict boolean)
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

create or replace function dlms_api.find_series(pattern text default '', in_dataset text default null, max_rows integer default 1000)
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
