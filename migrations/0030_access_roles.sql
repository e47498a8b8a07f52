-- The roles that all of dlms_api is given to.

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
  is_ours constant boolean := dlms.make_access_role('dlms_reader', null) and dlms.make_access_role('dlms_editor', null)
    and dlms.make_access_role('dlms_reader', 'dlms_editor') and dlms.make_access_role('dlms_api_owner', current_user);
begin
  if is_ours then
    grant usage on schema dlms to dlms_api_owner;
    grant select on dlms.instant_profile, dlms.block_load_profile, dlms.daily_load_captures, dlms.billing_profile,
      public.meters, dlms.instant_profile_data, dlms.block_load_profile_data, dlms.daily_load_profile_data,
      dlms.billing_profile_data, dlms.profile_layouts, dlms.profile_revisions, dlms.profile_completions, dlms.quantities,
      dlms.obis_codes, dlms.qualities, dlms.meter_attributes, dlms.described_series to dlms_api_owner;
    grant select, insert on dlms.series, dlms.series_revisions, dlms.series_values, dlms.series_aliases, dlms.run_series,
      dlms.run_values to dlms_api_owner;
    grant update (unit, exponent) on dlms.series to dlms_api_owner;
    grant select, insert, update on dlms.datasets to dlms_api_owner;
    grant select, insert, update, delete on dlms.dataset_grants, dlms.collections, dlms.collection_series,
      dlms.collection_meters, dlms.metadata, dlms.runs to dlms_api_owner;
    grant usage, create on schema dlms_api, dlms_views to dlms_api_owner;
  end if;
  for each in
    select p.oid::regprocedure as function, p.pronamespace = 'dlms_api'::regnamespace as is_open, p.proname as name from pg_proc p
    where p.pronamespace in ('dlms'::regnamespace, 'dlms_api'::regnamespace) and p.prokind in ('f', 'p')
      and pg_has_role(p.proowner, 'usage')
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  loop
    execute format('revoke execute on function %s from public', each.function);
    continue when not is_ours;
    if each.is_open then
      execute format('alter function %s owner to dlms_api_owner', each.function);
    end if;
    execute format('grant execute on function %s to %I', each.function,
      case when not each.is_open then 'dlms_api_owner' when each.name = any (for_readers) then 'dlms_reader' else 'dlms_editor' end);
  end loop;
  if not is_ours then
    return 'the roles dlms_reader, dlms_editor and dlms_api_owner are not there or not ours; nobody but this role may call dlms_api';
  end if;
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
