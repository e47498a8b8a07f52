-- What those may change through dlms_api who may not touch the tables: collections of their own; values, metadata and runs of
-- datasets that they may write; datasets of their own. And the roles that all of dlms_api is given to.

-- Collections: anybody's own lists.
create function dlms_api.make_collection(
  name text, holds text default 'series', visibility text default 'private', team name default null,
  pattern text default null, attributes jsonb default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if team is not null and not dlms.acts_as(team) then
    raise exception '% is not of the team %', dlms.caller(), team using errcode = '42501';
  end if;
  -- A pattern that is none fails here and not when the list is used.
  perform '' ~ coalesce(pattern, '');
  insert into dlms.collections (owner, name, holds, visibility, team, pattern, attributes)
  values (dlms.caller(), make_collection.name, make_collection.holds, make_collection.visibility, make_collection.team,
    make_collection.pattern, make_collection.attributes);
end
$$;
comment on function dlms_api.make_collection is 'Makes a collection of the caller''s own; by rule where a pattern or attributes are given.';

create function dlms_api.share_collection(name text, visibility text, team name default null) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections := dlms.own_or_open_collection(name, null, true);
begin
  if team is not null and not dlms.acts_as(team) then
    raise exception '% is not of the team %', dlms.caller(), team using errcode = '42501';
  end if;
  update dlms.collections c
  set visibility = share_collection.visibility, team = share_collection.team, updated_at = now()
  where c.collection_key = the.collection_key;
end
$$;
comment on function dlms_api.share_collection is 'Says who sees a collection of the caller''s own: private, team or public.';

create function dlms_api.drop_collection(name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections := dlms.own_or_open_collection(name, null, true);
begin
  delete from dlms.collections c where c.collection_key = the.collection_key;
end
$$;
comment on function dlms_api.drop_collection is 'Deletes a collection of the caller''s own; what it lists stays.';

create function dlms_api.add_members(name text, members text[]) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections := dlms.own_or_open_collection(name, null, true);
  unknown text;
  added integer;
begin
  if the.holds = 'series' then
    insert into dlms.collection_series (collection_key, series_key)
    select the.collection_key, r.series_key from dlms.readable_series(members, true) r
    on conflict do nothing;
  else
    select string_agg(w.number, ', ') into unknown from unnest(members) w (number)
    where not exists (
      select from public.meters m where m.meter_number = w.number and m.meter_key in (select dlms.visible_meters())
    );
    if unknown is not null then
      raise exception 'no such meter, or not for %: %', dlms.caller(), left(unknown, 500) using errcode = '42704';
    end if;
    insert into dlms.collection_meters (collection_key, meter_key)
    select the.collection_key, m.meter_key from public.meters m where m.meter_number = any (members)
    on conflict do nothing;
  end if;
  get diagnostics added = row_count;
  return added;
end
$$;
comment on function dlms_api.add_members is 'Puts series or meters into a collection of the caller''s own; how many were new.';

create function dlms_api.remove_members(name text, members text[]) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections := dlms.own_or_open_collection(name, null, true);
  removed integer;
begin
  if the.holds = 'series' then
    delete from dlms.collection_series c
    where c.collection_key = the.collection_key
      and c.series_key in (select r.series_key from dlms.resolve_series(members) r);
  else
    delete from dlms.collection_meters c
    where c.collection_key = the.collection_key
      and c.meter_key in (select m.meter_key from public.meters m where m.meter_number = any (members));
  end if;
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dlms_api.remove_members is 'Takes members out of a collection of the caller''s own, which stays when it is empty.';

-- Writing.
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

-- A digest over few values can be guessed: runs are made, frozen and verified by those who may read the values anyway.
create function dlms.own_run(dataset text, label text) returns dlms.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs;
begin
  perform dlms.dataset_for('read_early', dataset);
  select r.* into the from dlms.runs r
  where r.dataset_key = dlms.dataset_for('write', dataset) and r.label = own_run.label;
  if the.run_key is null then
    raise exception 'no run % of %', label, dataset using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.own_run is 'A run of a dataset that the caller may write and read early; else an error.';

create function dlms_api.make_run(
  dataset text, label text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz,
  release_at timestamptz default null, pattern text default null, collection text default null,
  least_quality text default 'raw', keep_values boolean default false
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform dlms.dataset_for('read_early', dataset);
  -- A pattern that is none fails here and not when the run is frozen.
  perform '' ~ coalesce(pattern, '');
  insert into dlms.runs (dataset_key, label, period, cutoff, release_at, pattern, collection_key, least_quality, keeps_values, created_by)
  values (dlms.dataset_for('write', dataset), make_run.label, tstzrange(covers_from, covers_to), make_run.cutoff, make_run.release_at,
    make_run.pattern,
    case when collection is not null then (dlms.own_or_open_collection(collection, null, false)).collection_key end,
    dlms.quality_of(make_run.least_quality), keep_values, dlms.caller());
end
$$;
comment on function dlms_api.make_run is 'Drafts a run: all series of a dataset, or those of a pattern or a collection, over a period as known at a cutoff.';

create function dlms_api.freeze_run(dataset text, label text) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
begin
  perform dlms.freeze_run(the.run_key);
  return (select encode(r.digest, 'hex') from dlms.runs r where r.run_key = the.run_key);
end
$$;
comment on function dlms_api.freeze_run is 'Closes a draft once its cutoff is over; its digest.';

create function dlms_api.release_run(dataset text, label text, release_at timestamptz default null) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
  moment timestamptz := coalesce(release_at, the.release_at, now());
begin
  if the.state <> 'frozen' then
    raise exception 'run % is %, only a frozen one is released', label, the.state using errcode = '55000';
  end if;
  update dlms.runs r set state = 'released', released_at = now(), release_at = moment where r.run_key = the.run_key;
  return moment;
end
$$;
comment on function dlms_api.release_run is 'Releases a frozen run, at once or for the time that was set; when it will be seen by all.';

create function dlms_api.drop_run(dataset text, label text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
begin
  delete from dlms.runs r where r.run_key = the.run_key;
end
$$;
comment on function dlms_api.drop_run is 'Deletes a draft.';

create function dlms_api.verify_run(dataset text, label text) returns table (key text, expected text, found text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs := dlms.own_run(dataset, label);
  portion integer[];
  total bytea;
begin
  for portion in
    select array_agg(series_key) from (
      select x.series_key, (row_number() over (order by x.series_key) - 1) / 5000 as nth
      from dlms.run_series x where x.run_key = the.run_key
    ) p group by nth order by nth
  loop
    return query
      select s.key::text, encode(x.digest, 'hex'), encode(d.digest, 'hex')
      from dlms.run_series x
      join dlms.series s using (series_key)
      left join dlms.digest_series(portion, the) d using (series_key)
      where x.run_key = the.run_key and x.series_key = any (portion) and d.digest is distinct from x.digest;
  end loop;
  select t.digest into total from dlms.digest_run(the.run_key) t;
  if total is distinct from the.digest then
    return query select null::text, encode(the.digest, 'hex'), encode(total, 'hex');
  end if;
end
$$;
comment on function dlms_api.verify_run is 'Replays a run: the series whose digests differ, and without a key the run''s own; nothing when all is as it was.';

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

create function dlms.make_access_role(role_name name, into_role name) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Roles belong to the whole server: another database's migration may be making the same ones now.
  for attempt in 1 .. 20 loop
    begin
      if not exists (select from pg_roles where rolname = role_name) then
        if not exists (select from pg_roles where rolname = current_user and (rolcreaterole or rolsuper)) then
          return false;
        end if;
        execute format('create role %I nologin', role_name);
      end if;
      if into_role is not null and not exists (
        select from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
        where r.rolname = role_name and m.rolname = into_role
          and coalesce((to_jsonb(a) ->> 'set_option')::boolean, true) and coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, true)
      ) then
        execute format('grant %I to %I', role_name, into_role);
      end if;
      return true;
    exception
      when insufficient_privilege then return false;
      when duplicate_object or unique_violation or internal_error then perform pg_sleep(0.05 * attempt);
    end;
  end loop;
  return false;
end
$$;
comment on function dlms.make_access_role is 'Makes a role without login where it is not there, and a member of it; false where we may not.';

create function dlms.apply_access() returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  each record;
  for_readers name[] := array['datasets', 'visible_until', 'find_series', 'read_series', 'read_history', 'runs', 'latest_run',
    'read_run', 'metadata', 'collections', 'collection_members', 'make_collection', 'share_collection', 'drop_collection',
    'add_members', 'remove_members'];
begin
  for each in
    select p.oid::regprocedure as function from pg_proc p
    where p.pronamespace in ('dlms'::regnamespace, 'dlms_api'::regnamespace) and p.prokind in ('f', 'p')
      and pg_has_role(p.proowner, 'usage')
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  loop
    execute format('revoke execute on function %s from public', each.function);
  end loop;
  if not (dlms.make_access_role('dlms_reader', null) and dlms.make_access_role('dlms_editor', null)
    and dlms.make_access_role('dlms_reader', 'dlms_editor') and dlms.make_access_role('dlms_api_owner', current_user)) then
    return 'the roles dlms_reader, dlms_editor and dlms_api_owner are not there or not ours; nobody but this role may call dlms_api';
  end if;
  grant usage on schema dlms to dlms_api_owner;
  grant select on dlms.instant_profile, dlms.block_load_profile, dlms.daily_load_captures, dlms.billing_profile to dlms_api_owner;
  grant select on public.meters, dlms.instant_profile_data, dlms.block_load_profile_data, dlms.daily_load_profile_data,
    dlms.billing_profile_data, dlms.profile_layouts, dlms.profile_revisions, dlms.profile_completions, dlms.quantities,
    dlms.obis_codes, dlms.qualities, dlms.meter_attributes to dlms_api_owner;
  grant select, insert on dlms.series, dlms.series_revisions, dlms.series_values, dlms.series_aliases, dlms.run_series,
    dlms.run_values to dlms_api_owner;
  grant update (unit, exponent) on dlms.series to dlms_api_owner;
  grant select, insert, update on dlms.datasets to dlms_api_owner;
  grant select, insert, update, delete on dlms.dataset_grants, dlms.collections, dlms.collection_series, dlms.collection_meters,
    dlms.metadata, dlms.runs to dlms_api_owner;
  grant usage, create on schema dlms_api, dlms_views to dlms_api_owner;
  for each in
    select p.oid::regprocedure as function, p.pronamespace = 'dlms_api'::regnamespace as is_open, p.proname as name from pg_proc p
    where p.pronamespace in ('dlms'::regnamespace, 'dlms_api'::regnamespace) and p.prokind in ('f', 'p')
      and pg_has_role(p.proowner, 'usage')
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  loop
    if each.is_open then
      execute format('alter function %s owner to dlms_api_owner', each.function);
      execute format('grant execute on function %s to %I', each.function,
        case when each.name = any (for_readers) then 'dlms_reader' else 'dlms_editor' end);
    else
      execute format('grant execute on function %s to dlms_api_owner', each.function);
    end if;
  end loop;
  for each in select c.relname as name from pg_class c where c.relnamespace = 'dlms_views'::regnamespace and c.relkind = 'v' loop
    execute format('alter view dlms_views.%I owner to dlms_api_owner', each.name);
    execute format('grant select on dlms_views.%I to dlms_reader', each.name);
  end loop;
  revoke create on schema dlms_api, dlms_views from dlms_api_owner;
  grant usage on schema dlms_api, dlms_views to dlms_reader;
  -- The views show it, and a view's functions are called with the rights of whoever asks.
  grant execute on function dlms.wall_clock(bytea) to dlms_reader;
  return null;
end
$$;
comment on function dlms.apply_access is 'Gives functions and views of dlms_api and dlms_views to their owner and readers; run after every migration. What is missing, or null.';
