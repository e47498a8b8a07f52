-- What those may write through dlms_api who may not touch the tables: values and names of datasets that they may write, and
-- datasets of their own.

create function dlms_api.store_values(
  dataset text, series_keys text[], times timestamptz[], amounts numeric[], quality text default 'raw',
  label text default null, release_at timestamptz default null
) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the_dataset dlms.datasets;
  the_quality smallint := dlms.quality_of(quality);
  the_release timestamptz := release_at;
  the_label text := label;
  known timestamptz;
  revision integer;
  members integer[];
  counts numeric[];
  wrong text;
  stored integer;
begin
  select d.* into the_dataset from dlms.datasets d where d.dataset_key = dlms.dataset_for('write', dataset);
  if cardinality(series_keys) is distinct from cardinality(times) or cardinality(times) is distinct from cardinality(amounts)
    or cardinality(times) not between 1 and 1000000 then
    raise exception 'keys, times and amounts are lists of the same length, of 1 to 1000000' using errcode = '22023';
  end if;
  if the_dataset.profile is not null and the_quality = 1 then
    raise exception 'raw values of % come from meters', dataset using errcode = '22023';
  end if;
  if exists (select from unnest(series_keys, times) u (k, t) where k is null or t is null or not isfinite(t)) then
    raise exception 'a value without a key or a time' using errcode = '22023';
  end if;
  -- Rows get their time after this lock, so that a run can be frozen for good; imports of one dataset take turns.
  perform dlms.keep_meters();
  perform pg_advisory_xact_lock(6142023, the_dataset.dataset_key);
  if the_dataset.profile is null then
    insert into dlms.series (dataset_key, free_key)
    select the_dataset.dataset_key, r.wanted from dlms.resolve_series(series_keys) r where r.series_key is null order by r.wanted
    on conflict do nothing;
  end if;
  select string_agg(r.wanted, ', ') into wrong from (
    select r.wanted from dlms.resolve_series(series_keys) r left join dlms.series s using (series_key)
    where s.dataset_key is distinct from the_dataset.dataset_key or s.capture_object is not null order by 1 limit 5
  ) r;
  if wrong is not null then
    raise exception 'not a series of numbers of %: %', dataset, wrong using errcode = '42704';
  end if;
  select array_agg(r.series_key order by u.n),
    array_agg(u.amount * ('1e' || -s.exponent)::numeric order by u.n)
  into members, counts
  from unnest(series_keys, amounts) with ordinality u (k, amount, n)
  join dlms.resolve_series(series_keys) r on r.wanted = u.k
  join dlms.described_series s on s.series_key = r.series_key;
  select string_agg(format('%s of %s', amount, k), ', ') into wrong from (
    select amount, k from unnest(series_keys, amounts, counts) u (k, amount, c)
    where not (c between -9223372036854775808 and 9223372036854775807 and c = trunc(c)) limit 5
  ) w;
  if wrong is not null then
    raise exception 'not exact in the resolution of the series, or too large: %', wrong using errcode = '22003';
  end if;
  select string_agg(format('%s at %s', k, t), ', ') into wrong from (
    select min(k) as k, t from unnest(members, series_keys, times) u (m, k, t) group by m, t having count(*) > 1 limit 5
  ) w;
  if wrong is not null then
    raise exception 'given twice: %', wrong using errcode = '22023';
  end if;
  known := clock_timestamp();
  insert into dlms.series_revisions (dataset_key, known_from, release_at, label, recorded_by, added)
  values (the_dataset.dataset_key, known, the_release, the_label, dlms.caller(), cardinality(times))
  returning revision_key into revision;
  insert into dlms.series_values (series_key, at, known_from, value, quality, revision_key)
  select n.series_key, n.at, known, n.value::bigint, the_quality, revision
  from unnest(members, times, counts) n (series_key, at, value)
  left join lateral (
    select v.value, v.quality, e.release_at from dlms.series_values v join dlms.series_revisions e using (revision_key)
    where v.series_key = n.series_key and v.at = n.at order by v.known_from desc limit 1
  ) held on true
  where (held.value, held.quality) is distinct from (n.value::bigint, the_quality)
    or (held.release_at > now() and (the_release is null or the_release < held.release_at))
  order by n.series_key, n.at;
  get diagnostics stored = row_count;
  return stored;
end
$$;
comment on function dlms_api.store_values is 'Adds versions of values; a null amount withdraws. Never overwrites. New keys become series of the dataset. How many rows were new.';

create function dlms.writable_series(key text) returns dlms.series
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.series;
begin
  select s.* into the from dlms.resolve_series(array[writable_series.key]) r join dlms.series s using (series_key)
  where s.dataset_key in (select m.dataset_key from dlms.may('write') m);
  if the.series_key is null then
    raise exception 'no series % that % may write', key, dlms.caller() using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.writable_series is 'A series that the caller may write; else an error, the same for one that is not there.';

create function dlms_api.describe_series(key text, unit text, exponent smallint default null) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.series := dlms.writable_series(key);
begin
  if the.free_key is null then
    raise exception 'series % was not brought in', key using errcode = '42704';
  end if;
  if exponent is not null and exponent <> the.exponent
    and exists (select from dlms.series_values v where v.series_key = the.series_key) then
    raise exception 'series % has values already: its resolution stays', key using errcode = '55000';
  end if;
  update dlms.series s set unit = describe_series.unit, exponent = coalesce(describe_series.exponent, s.exponent)
  where s.series_key = the.series_key;
end
$$;
comment on function dlms_api.describe_series is 'Unit and resolution (10^exponent) of a series that was brought in; 10^-6 when never said.';

create function dlms_api.add_alias(key text, alias text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.series := dlms.writable_series(key);
begin
  if alias ~ '^(m|sp)\.' or alias !~ '^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,199}$' or exists (select from dlms.series s where s.key = alias) then
    raise exception '% is a key, or can''t be an alias', alias using errcode = '22023';
  end if;
  insert into dlms.series_aliases (alias, series_key) values (add_alias.alias, the.series_key);
end
$$;
comment on function dlms_api.add_alias is 'Gives a series another name under which it is found.';

create function dlms_api.make_dataset(name text, embargo interval default '0') returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into dlms.datasets (name, owner, embargo) values (make_dataset.name, dlms.caller(), make_dataset.embargo)
$$;
comment on function dlms_api.make_dataset is 'Makes a dataset of the caller''s own for values that are brought in.';

create function dlms_api.set_embargo(dataset text, embargo interval) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update dlms.datasets d set embargo = set_embargo.embargo where d.dataset_key = dlms.dataset_for('own', dataset)
$$;
comment on function dlms_api.set_embargo is 'Sets for how long what is known of the caller''s own dataset is kept from those who may not read early.';

create function dlms_api.grant_dataset(dataset text, grantee name, may text default 'read') returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if grantee <> 'public' and not exists (select from pg_roles r where r.rolname = grantee) then
    raise exception 'no role %', grantee using errcode = '42704';
  end if;
  insert into dlms.dataset_grants (dataset_key, grantee, may, granted_by)
  values (dlms.dataset_for('own', dataset), grant_dataset.grantee, grant_dataset.may, dlms.caller())
  on conflict do nothing;
end
$$;
comment on function dlms_api.grant_dataset is 'Lets a role and its members read, read early or write a dataset of the caller''s own.';

create function dlms_api.revoke_dataset(dataset text, grantee name, may text default 'read') returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from dlms.dataset_grants g
  where g.dataset_key = dlms.dataset_for('own', dataset) and g.grantee = revoke_dataset.grantee and g.may = revoke_dataset.may
$$;
comment on function dlms_api.revoke_dataset is 'Takes back what was granted.';
