-- Functions that every read goes through keep their plans for as long as a session lives: in PL/pgSQL, as servers before
-- PostgreSQL 18 plan the statements of SQL functions anew at every call.

create or replace function dlms.caller() returns name
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The role that was set wins over the login: behind a pool all logins are the same. A caller can't forge it.
  return case current_setting('role') when 'none' then session_user else current_setting('role')::name end;
end
$$;

create or replace function dlms.acts_as(role_name name) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return role_name = 'public'
    or exists (select from pg_roles r where r.rolname = role_name and pg_has_role(dlms.caller(), r.oid, 'usage'));
end
$$;

create or replace function dlms.may(wanted text)
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

create or replace function dlms.resolve_series(series_keys text[]) returns table (wanted text, series_key integer)
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

create or replace function dlms_api.visible_until(dataset text) returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select r.visible_until from dlms.datasets d join dlms.may('read') r using (dataset_key) where d.name = dataset);
end
$$;

alter function dlms.read_versions(integer[], timestamptz, timestamptz, timestamptz, smallint, smallint, boolean, boolean)
reset plan_cache_mode;
