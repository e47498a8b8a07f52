-- How series are resolved and read. Nobody but the gateway's role and the owner of dlms_api may call these. The only
-- statements that are put together from text are here; the names in them come from dlms.quantities, never from a caller.
--
-- Functions that every read goes through keep their plans for as long as a session lives: in PL/pgSQL, as servers before
-- PostgreSQL 18 plan the statements of SQL functions anew at every call.
--
-- A year of a series comes in milliseconds: one series is read in the order in which it lies; what came later meets what
-- came first in one pass; rights are asked about once.

create function dlms.caller() returns name
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The role that was set wins over the login: behind a pool all logins are the same. A caller can't forge it.
  return case current_setting('role') when 'none' then session_user else current_setting('role')::name end;
end
$$;
comment on function dlms.caller is 'Who calls, also from within a function that runs as its owner.';

create function dlms.acts_as(role_name name) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return role_name = 'public'
    or exists (select from pg_roles r where r.rolname = role_name and pg_has_role(dlms.caller(), r.oid, 'usage'));
end
$$;
comment on function dlms.acts_as is 'Whether the caller is the role or a member of it.';

create function dlms.may(wanted text)
returns table (dataset_key smallint, early boolean, visible_until timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  -- Each role is asked about once.
  acting name[] := (
    select array_agg(r.name) from (
      select owner from dlms.datasets union select grantee from dlms.dataset_grants
    ) r (name) where dlms.acts_as(r.name)
  );
begin
  return query
    with rights as (
      select d.dataset_key, d.embargo, coalesce(d.owner = any (acting), false) as owns,
        array(
          select g.may from dlms.dataset_grants g where g.dataset_key = d.dataset_key and g.grantee = any (acting)
        ) as granted
      from dlms.datasets d
    )
    select r.dataset_key, r.owns or 'read_early' = any (r.granted),
      case when r.owns or 'read_early' = any (r.granted) or r.embargo = '0' then 'infinity' else now() - r.embargo end
    from rights r
    where r.owns or wanted = any (r.granted) or (wanted = 'read' and 'read_early' = any (r.granted));
end
$$;
comment on function dlms.may is 'The datasets with which the caller may do what is wanted; whether early, and what is visible of them.';

create function dlms.resolve_series(series_keys text[]) returns table (wanted text, series_key integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  -- m.NUMBER.OBIS.PROFILE, the object as 1.0.1.8.0.255, 1-0:1.8.0*255 or 0100010800ff, with .a and the attribute or not.
  named constant text := '^m\.(.+?)\.(\d+-\d+:\d+\.\d+\.\d+(?:\*\d+)?|\d+\.\d+\.\d+\.\d+\.\d+\.\d+|[0-9a-f]{12})(?:\.a(\d+))?\.([a-z_]+)$';
  missing text[];
begin
  return query
    select k.wanted, s.series_key
    from (select distinct wanted from unnest(series_keys) as wanted) k join dlms.series s on s.key = k.wanted;
  if (select count(distinct wanted) from unnest(series_keys) as wanted)
      = (select count(*) from dlms.series s where s.key = any (series_keys)) then
    return;
  end if;
  missing := array(
    select distinct wanted from unnest(series_keys) as wanted where not exists (select from dlms.series s where s.key = wanted)
  );
  return query
    with aliased as (
      select m.wanted, a.series_key from unnest(missing) m (wanted) left join dlms.series_aliases a on a.alias = m.wanted
    ), parts as (
      select a.wanted, p[1] as stem, p[2] as object, coalesce(p[3], '2') as attribute, p[4] as part
      from aliased a cross join regexp_match(a.wanted, named) p
      where a.series_key is null and p is not null
    ), normal as (
      select n.*, case when object ~ '^[0-9a-f]{12}$' then object
          else (
            select string_agg(lpad(to_hex(least(digits::numeric, 255)::integer), 2, '0'), '' order by position)
            from regexp_split_to_table(
              case when object ~ ':' and object !~ '\*' then object || '*255' else object end, '[-:.*]'
            ) with ordinality as d (digits, position)
          ) end as octets
      from parts n
    ), candidates as (
      select n.wanted, 'm.' || n.stem || '.' || n.octets || '.a' || n.attribute || '.' || n.part as key from normal n
      union all
      select n.wanted, 'm.' || n.stem || '.' || q.column_name || '.' || n.part
      from normal n
      join dlms.quantities q on q.profile = n.part and q.attribute_index::text = n.attribute
      where q.logical_name = (
        select string_agg(get_byte(decode(n.octets, 'hex'), i)::text, '.' order by i) from generate_series(0, 5) i
      )
    ), found as (
      select distinct on (c.wanted) c.wanted, s.series_key
      from candidates c join dlms.series s on s.key = c.key order by c.wanted, c.key
    )
    select a.wanted, coalesce(a.series_key, f.series_key) from aliased a left join found f using (wanted);
end
$$;
comment on function dlms.resolve_series is 'Series of keys, of aliases, and of keys with the object in OBIS form; null for those that are not there.';

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
    select s.profile, s.column_name, s.capture_object, s.exponent,
      array_agg(s.series_key order by s.series_key) as series_keys,
      array_agg(s.meter_key order by s.series_key) as meter_keys
    from dlms.described_series s
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
comment on function dlms.read_versions is 'What was known of series at a moment: the version that held of each slot, in order of time; or every one, in none.';
