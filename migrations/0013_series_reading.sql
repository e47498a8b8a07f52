-- How series are resolved and read. Nobody but the gateway's role and the owner of dlms_api may call these. The only
-- statements that are put together from text are here; the names in them come from dlms.quantities, never from a caller.

create function dlms.caller() returns name
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- The role that was set wins over the login: behind a pool all logins are the same. A caller can't forge it.
  select case current_setting('role') when 'none' then session_user else current_setting('role')::name end
$$;
comment on function dlms.caller is 'Who calls, also from within a function that runs as its owner.';

create function dlms.acts_as(role_name name) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select role_name = 'public'
    or exists (select from pg_roles r where r.rolname = role_name and pg_has_role(dlms.caller(), r.oid, 'usage'))
$$;
comment on function dlms.acts_as is 'Whether the caller is the role or a member of it.';

create function dlms.may(wanted text)
returns table (dataset_key smallint, early boolean, visible_until timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with rights as (
    select d.dataset_key, d.embargo, dlms.acts_as(d.owner) as owns,
      array(
        select g.may from dlms.dataset_grants g where g.dataset_key = d.dataset_key and dlms.acts_as(g.grantee)
      ) as granted
    from dlms.datasets d
  )
  select dataset_key, owns or 'read_early' = any (granted),
    case when owns or 'read_early' = any (granted) then 'infinity'
      when embargo = '0' then 'infinity'
      else now() - embargo end
  from rights
  where owns or wanted = any (granted) or (wanted = 'read' and 'read_early' = any (granted))
$$;
comment on function dlms.may is 'The datasets with which the caller may do what is wanted; whether early, and what is visible of them.';

create function dlms.resolve_series(series_keys text[]) returns table (wanted text, series_key integer)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with asked as (
    select k.wanted, coalesce(
      (select s.series_key from dlms.series s where s.key = k.wanted),
      (select a.series_key from dlms.series_aliases a where a.alias = k.wanted)
    ) as series_key
    from (select distinct wanted from unnest(series_keys) as wanted) k
  ), named as (
    -- m.NUMBER.OBIS.PROFILE, the object as 1.0.1.8.0.255, 1-0:1.8.0*255 or 0100010800ff, with .a and the attribute or not.
    select a.wanted, p[1] as stem, p[2] as object, coalesce(p[3], '2') as attribute, p[4] as part
    from asked a
    cross join regexp_match(a.wanted,
      '^m\.(.+?)\.(\d+-\d+:\d+\.\d+\.\d+(?:\*\d+)?|\d+\.\d+\.\d+\.\d+\.\d+\.\d+|[0-9a-f]{12})(?:\.a(\d+))?\.([a-z_]+)$') p
    where a.series_key is null and p is not null
  ), normal as (
    select n.*, case when object ~ '^[0-9a-f]{12}$' then object
        else (
          select string_agg(lpad(to_hex(least(digits::numeric, 255)::integer), 2, '0'), '' order by position)
          from regexp_split_to_table(
            case when object ~ ':' and object !~ '\*' then object || '*255' else object end, '[-:.*]'
          ) with ordinality as d (digits, position)
        ) end as octets
    from named n
  ), candidates as (
    select n.wanted, 'm.' || n.stem || '.' || n.octets || '.a' || n.attribute || '.' || n.part as key from normal n
    union all
    select n.wanted, 'm.' || n.stem || '.' || q.column_name || '.' || n.part
    from normal n
    join dlms.quantities q on q.profile = n.part and q.attribute_index::text = n.attribute
    where q.logical_name = (
      select string_agg(get_byte(decode(n.octets, 'hex'), i)::text, '.' order by i) from generate_series(0, 5) i
    )
  )
  select a.wanted, coalesce(a.series_key, (
    select s.series_key from candidates c join dlms.series s on s.key = c.key where c.wanted = a.wanted
    order by c.key limit 1
  ))
  from asked a
$$;
comment on function dlms.resolve_series is 'Series of keys, of aliases, and of keys with the object in OBIS form; null for those that are not there.';

create function dlms.row_query(
  column_name text, capture_object text, profile text, with_completions boolean
) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- $1 series keys, $2 meter keys beside them, $3 and $4 the range, $5 as of, $6 factor, $7 early, $8 their only meter
  known text := case when with_completions then 'coalesce(c.known_from, d.known_from)' else 'd.known_from' end;
begin
  return format(
    $q$select w.series_key, d.captured_at as at, %1$s, 1::smallint as quality, %2$s as known_from, d.source
    from unnest($1, $2) as w (series_key, meter_key)
    join dlms.%3$I d on d.meter_key = w.meter_key and ($8 is null or d.meter_key = $8)
    %4$s
    where d.captured_at >= $3 and d.captured_at < $4 and %5$s and %2$s <= $5$q$,
    case when capture_object is null then format('d.%I * $6 as value, null::text as value_text', column_name)
      else format('dlms.decimal_or_null(d.others #>> %1$L) as value, dlms.text_or_null(d.others #> %1$L) as value_text',
        array[capture_object, 'value']) end,
    known,
    profile || '_profile_data',
    case when with_completions then format(
      $q$left join lateral (
        select min(c.known_from) as known_from from dlms.profile_completions c
        where c.profile = %1$L and c.meter_key = d.meter_key and c.captured_at = d.captured_at and %2$L = any (c.columns)
      ) c on true$q$, profile, coalesce(capture_object, column_name)) end,
    case when capture_object is null then format('d.%I is not null', column_name) else format('d.others ? %L', capture_object) end
  );
end
$$;
comment on function dlms.row_query is 'The statement that reads what meters sent first for the slots of one column.';

create function dlms.later_query(column_name text, capture_object text, profile text) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  brought text :=
    $q$select v.series_key, v.at, v.value * $6 as value, null::text as value_text, v.quality, v.known_from, 5::smallint as source
    from dlms.series_values v
    join dlms.series_revisions e using (revision_key)
    where v.series_key = any ($1) and v.at >= $3 and v.at < $4 and v.known_from <= $5
      and ($7 or e.release_at is null or e.release_at <= now()) and ($2 is not null or $8 is null)$q$;
  place text[] := array['others', capture_object];
begin
  if profile is null then
    return brought;
  end if;
  return brought || format(
    $q$
    union all
    select w.series_key, r.captured_at, %2$s, 1::smallint, r.known_from, r.source
    from unnest($1, $2) as w (series_key, meter_key)
    join dlms.profile_revisions r on r.profile = %1$L and r.meter_key = w.meter_key
    where r.captured_at >= $3 and r.captured_at < $4 and r.known_from <= $5 and %3$s$q$,
    profile,
    case when capture_object is null then format('(r.arrived ->> %L)::bigint * $6, null::text', column_name)
      else format('dlms.decimal_or_null(r.arrived #>> %1$L), dlms.text_or_null(r.arrived #> %1$L)', place || 'value'::text) end,
    case when capture_object is null then format('r.arrived ? %L', column_name)
      else format('r.arrived #> %1$L is distinct from r.held #> %1$L and r.arrived #> %1$L is not null', place) end
  );
end
$$;
comment on function dlms.later_query is 'The statement that reads what came later for slots of one column: revisions, and what was brought in.';

create function dlms.decimal_or_null(value text) returns numeric
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case when value ~ '^-?\d+(\.\d+)?$' and length(value) <= 1000 then value::numeric end;
comment on function dlms.decimal_or_null is 'A decimal; null for what is none.';

create function dlms.text_or_null(value jsonb) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case when value #>> '{}' !~ '^-?\d+(\.\d+)?$' or length(value #>> '{}') > 1000 then value #>> '{}' end;
comment on function dlms.text_or_null is 'The text of a JSON value that is no decimal; null for decimals.';

create type dlms.series_version as (
  series_key integer,
  at timestamptz,
  value numeric,
  value_text text,
  quality smallint,
  known_from timestamptz,
  source smallint
);

create function dlms.read_versions(
  wanted integer[], from_time timestamptz, to_time timestamptz, as_of timestamptz,
  least_quality smallint, best_quality smallint, early boolean, every_version boolean
) returns setof dlms.series_version
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
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
      ) or exists (
        select from dlms.profile_revisions r
        where r.profile = part.profile and r.meter_key = any (part.meter_keys)
          and r.captured_at >= from_time and r.captured_at < to_time
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
      first_text := dlms.row_query(part.column_name, part.capture_object, part.profile, has_completions);
    end if;
    if every_version then
      statement := first_text || ' union all ' || later_text;
    elsif not has_later then
      continue when least_quality > 1 or part.profile is null;
      statement := first_text || ' order by 1, 2';
    else
      -- What was decided last holds, and a decision is never undone by what a meter sends; only then is the choice judged.
      -- Slots for which nothing came later need no choice.
      statement := format(
        'with later as materialized (%2$s), first as materialized (%1$s)
         select f.* from first f
         where %4$s <= 1 and not exists (select from later l where l.series_key = f.series_key and l.at = f.at)
         union all
         select * from (
           select distinct on (v.series_key, v.at) v.*
           from (
             select * from later
             union all
             select f.* from first f where exists (select from later l where l.series_key = f.series_key and l.at = f.at)
           ) v (series_key, at, value, value_text, quality, known_from, source)
           join dlms.qualities q using (quality)
           where v.quality <= %3$s
           order by v.series_key, v.at, q.rank desc, v.known_from desc
         ) v (series_key, at, value, value_text, quality, known_from, source)
         where v.quality >= %4$s and num_nonnulls(v.value, v.value_text) > 0
         order by 1, 2',
        first_text, later_text, best_quality, least_quality);
    end if;
    return query execute statement using part.series_keys, part.meter_keys, from_time, to_time, as_of,
      ('1e' || part.exponent)::numeric, early, case when cardinality(part.meter_keys) = 1 then part.meter_keys[1] end;
  end loop;
end
$$;
comment on function dlms.read_versions is 'What was known of series at a moment: the version that held of each slot, in order of time; or every one, in none.';

create function dlms.collection_series_keys(collection integer) returns table (series_key integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the record;
begin
  select * into the from dlms.collections c where c.collection_key = collection;
  if the.holds = 'meters' then
    return query select s.series_key from dlms.collection_meter_keys(collection) as m (meter_key)
      join dlms.series s using (meter_key);
  elsif the.pattern is null then
    return query select x.series_key from dlms.collection_series x where x.collection_key = collection;
  else
    return query select x.series_key from dlms.collection_series x where x.collection_key = collection
      union select s.series_key from dlms.series s where s.key ~ the.pattern;
  end if;
end
$$;
comment on function dlms.collection_series_keys is 'The series of a collection as it is now; of one of meters, all series of these.';

create function dlms.collection_meter_keys(collection integer) returns setof integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select x.meter_key from dlms.collection_meters x where x.collection_key = collection
  union
  select m.meter_key from dlms.collections c join public.meters m
    on (c.pattern is null or m.meter_number ~ c.pattern or m.name ~ c.pattern)
    and (c.attributes is null or not exists (
      select from jsonb_each_text(c.attributes) wanted
      where not exists (
        select from dlms.meter_attributes a where a.meter_id = m.id and a.name = wanted.key and a.value = wanted.value
      )
    ))
  where c.collection_key = collection and c.holds = 'meters' and num_nonnulls(c.pattern, c.attributes) > 0
  union
  select s.meter_key from dlms.collection_series_keys(collection) k join dlms.series s using (series_key)
    join dlms.collections c on c.collection_key = collection
  where c.holds = 'series' and s.meter_key is not null
$$;
comment on function dlms.collection_meter_keys is 'The meters of a collection as it is now; of one of series, their meters.';

create function dlms.freeze_run(run integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs;
  members integer[];
  portion integer[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a run is frozen in a transaction of its own, read committed' using errcode = '25001';
  end if;
  select * into strict the from dlms.runs r where r.run_key = run for update;
  if the.state <> 'draft' then
    raise exception 'run % is % already', the.label, the.state using errcode = '55000';
  end if;
  -- Whoever writes holds this lock in the shared way before rows get their time: after it, nothing before the cutoff can come.
  perform pg_advisory_lock(6142023918440518);
  perform pg_advisory_unlock(6142023918440518);
  if the.cutoff >= clock_timestamp() then
    raise exception 'run % has its cutoff at %, which is not over', the.label, the.cutoff using errcode = '55000';
  end if;
  if the.collection_key is null then
    select array_agg(s.series_key) into members from dlms.series s
    where s.dataset_key = the.dataset_key and (the.pattern is null or s.key ~ the.pattern);
  else
    select array_agg(s.series_key) into members
    from dlms.collection_series_keys(the.collection_key) k join dlms.series s using (series_key)
    where s.dataset_key = the.dataset_key and (the.pattern is null or s.key ~ the.pattern);
  end if;
  for portion in
    select array_agg(series_key) from (
      select m as series_key, (row_number() over (order by m) - 1) / 5000 as nth from unnest(members) m
    ) p group by nth order by nth
  loop
    insert into dlms.run_series (run_key, series_key, value_count, digest)
    select run, d.series_key, d.value_count, d.digest
    from dlms.digest_series(portion, the) d;
    if the.keeps_values then
      insert into dlms.run_values (run_key, series_key, at, value, value_text, quality, known_from)
      select run, v.series_key, v.at, v.value, v.value_text, v.quality, v.known_from from dlms.read_run_versions(portion, the) v;
    end if;
  end loop;
  update dlms.runs r set state = 'frozen', frozen_at = clock_timestamp(), digest = total.digest,
    series_count = total.series_count, value_count = total.value_count
  from dlms.digest_run(run) total
  where r.run_key = run;
end
$$;
comment on function dlms.freeze_run is 'Resolves the series of a draft, takes the digests of what was known at its cutoff, and closes it.';

create function dlms.read_run_versions(portion integer[], run dlms.runs) returns setof dlms.series_version
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select v.* from dlms.read_versions(portion, coalesce(lower(run.period), '-infinity'), coalesce(upper(run.period), 'infinity'),
    run.cutoff, run.least_quality, 6::smallint, true, false) v
$$;
comment on function dlms.read_run_versions is 'The values of a run, from what was known at its cutoff.';

create function dlms.digest_series(portion integer[], run dlms.runs)
returns table (series_key integer, value_count integer, digest bytea)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select v.series_key, count(*)::integer, sha256(convert_to(string_agg(
      (extract(epoch from v.at) * 1000000)::bigint || ',' || coalesce(v.value::text, v.value_text, '') || ',' || v.quality,
      E'\n' order by v.at), 'UTF8'))
  from dlms.read_run_versions(portion, run) v
  group by v.series_key
$$;
comment on function dlms.digest_series is 'Digests of series of a run, replayed from what was known at its cutoff.';

create function dlms.digest_run(run integer, out digest bytea, out series_count integer, out value_count bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sha256(coalesce(string_agg(sha256(convert_to(s.key, 'UTF8')) || x.digest, ''::bytea order by s.key), ''::bytea)),
    count(*)::integer, coalesce(sum(x.value_count), 0)
  from dlms.run_series x join dlms.series s using (series_key)
  where x.run_key = run
$$;
comment on function dlms.digest_run is 'The digest of a run over those of its series.';
