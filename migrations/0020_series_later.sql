-- What came after the moment that is asked for needs no choice among versions.

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
