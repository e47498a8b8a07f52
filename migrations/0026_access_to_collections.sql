-- Collections of those who may not touch the tables: anybody's own lists.

create function dlms.may_see(c dlms.collections) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
return dlms.acts_as(c.owner) or c.visibility = 'public' or (c.visibility = 'team' and dlms.acts_as(c.team));
comment on function dlms.may_see is 'Whether a collection is the caller''s own or open to the caller.';

create function dlms.own_or_open_collection(name text, owner name, to_change boolean) returns dlms.collections
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.collections;
begin
  select c.* into the from dlms.collections c
  where c.name = own_or_open_collection.name and c.owner = coalesce(own_or_open_collection.owner, dlms.caller())
    and case when to_change then dlms.acts_as(c.owner) else dlms.may_see(c) end;
  if the.collection_key is null then
    raise exception 'no collection % of %, or not for %', name, coalesce(owner, dlms.caller()), dlms.caller()
      using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.own_or_open_collection is 'A collection that the caller may see, or change; else an error.';

create function dlms_api.collections()
returns table (owner name, name text, holds text, visibility text, team name, pattern text, attributes jsonb, mine boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select c.owner, c.name, c.holds, c.visibility, c.team, c.pattern, c.attributes, dlms.acts_as(c.owner)
  from dlms.collections c where dlms.may_see(c) order by 1, 2
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
