-- What those may write through dlms_api who may not touch the tables: values, names and texts of datasets that they may write,
-- and datasets of their own.

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
    array_agg(u.amount * ('1e' || -coalesce(q.exponent, s.exponent))::numeric order by u.n)
  into members, counts
  from unnest(series_keys, amounts) with ordinality u (k, amount, n)
  join dlms.resolve_series(series_keys) r on r.wanted = u.k
  join dlms.series s on s.series_key = r.series_key
  left join dlms.quantities q on q.profile = the_dataset.profile and q.column_name = s.column_name;
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

create function dlms_api.describe_series(key text, unit text, exponent smallint default null) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.series;
begin
  select s.* into the from dlms.series s
  where s.series_key = (select r.series_key from dlms.resolve_series(array[describe_series.key]) r)
    and s.dataset_key in (select m.dataset_key from dlms.may('write') m) and s.free_key is not null;
  if the.series_key is null then
    raise exception 'no series % that was brought in by those who may write it', key using errcode = '42704';
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
  the integer;
begin
  select r.series_key into the from dlms.resolve_series(array[key]) r join dlms.series s using (series_key)
  where s.dataset_key in (select m.dataset_key from dlms.may('write') m);
  if the is null then
    raise exception 'no series % that % may write', key, dlms.caller() using errcode = '42704';
  end if;
  if alias ~ '^(m|sp)\.' or alias !~ '^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,199}$' or exists (select from dlms.series s where s.key = alias) then
    raise exception '% is a key, or can''t be an alias', alias using errcode = '22023';
  end if;
  insert into dlms.series_aliases (alias, series_key) values (add_alias.alias, the);
end
$$;
comment on function dlms_api.add_alias is 'Gives a series another name under which it is found.';

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
      select r.series_key into the_series from dlms.resolve_series(array[subject]) r join dlms.series s using (series_key)
      where s.dataset_key in (select m.dataset_key from dlms.may('write') m);
      if the_series is null then
        raise exception 'no series % that % may write', subject, dlms.caller() using errcode = '42704';
      end if;
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
