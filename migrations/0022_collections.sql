-- Lists of meters or series that someone keeps, by hand or by rule, and the attributes of meters that rules ask for.

create table dlms.meter_attributes (
  meter_id uuid not null references public.meters (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$'),
  value text not null,
  primary key (meter_id, name)
);
comment on table dlms.meter_attributes is 'What people know about meters, as feeder or district; collections are made by it.';
create index meter_attributes_value on dlms.meter_attributes (name, value);

create table dlms.collections (
  collection_key integer not null generated always as identity primary key,
  owner name not null,
  name text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
  holds text not null check (holds in ('meters', 'series')),
  visibility text not null default 'private' check (visibility in ('private', 'team', 'public')),
  team name,
  pattern text check (length(pattern) <= 200),
  attributes jsonb check (jsonb_typeof(attributes) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (owner, name),
  check ((visibility = 'team') = (team is not null)),
  check (attributes is null or holds = 'meters')
);
comment on table dlms.collections is 'Lists of meters or series that someone keeps: reading groups, exports, dashboards.';
comment on column dlms.collections.pattern is 'Rule: a regular expression on the series'' key, or on the meter''s number or name.';
comment on column dlms.collections.attributes is 'Rule: attributes that a meter must have, as {"feeder": "7"}; with a pattern, both must hold.';

create table dlms.collection_series (
  collection_key integer not null references dlms.collections (collection_key) on delete cascade,
  series_key integer not null references dlms.series (series_key) on delete cascade,
  primary key (collection_key, series_key)
);
comment on table dlms.collection_series is 'Series that were put into a collection by hand.';
create index collection_series_series on dlms.collection_series (series_key);

create table dlms.collection_meters (
  collection_key integer not null references dlms.collections (collection_key) on delete cascade,
  meter_key integer not null references public.meters (meter_key) on delete cascade,
  primary key (collection_key, meter_key)
);
comment on table dlms.collection_meters is 'Meters that were put into a collection by hand.';
create index collection_meters_meter on dlms.collection_meters (meter_key);

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

-- Gateways hear whose place in collections may have changed, and look at these meters only, while they run.
create function dlms.tell_members() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  keys integer[];
begin
  if tg_table_name = 'meter_attributes' then
    keys := array(select distinct m.meter_key from changed_rows c join public.meters m on m.id = c.meter_id limit 501);
  else
    keys := array(select distinct c.meter_key from changed_rows c limit 501);
  end if;
  -- A notice has room for so many.
  if cardinality(keys) > 500 then
    perform pg_notify('dlms_members', '');
  elsif cardinality(keys) > 0 then
    perform pg_notify('dlms_members', array_to_string(keys, ' '));
  end if;
  return null;
end
$$;
comment on function dlms.tell_members is 'Tells gateways whose place in collections may have changed: keys of meters, or nothing where all have to be looked at.';

create trigger tell_members_in after insert on dlms.collection_meters
referencing new table as changed_rows for each statement execute function dlms.tell_members();
create trigger tell_members_out after delete on dlms.collection_meters
referencing old table as changed_rows for each statement execute function dlms.tell_members();
create trigger tell_attributes_in after insert on dlms.meter_attributes
referencing new table as changed_rows for each statement execute function dlms.tell_members();
create trigger tell_attributes_new after update on dlms.meter_attributes
referencing new table as changed_rows for each statement execute function dlms.tell_members();
create trigger tell_attributes_out after delete on dlms.meter_attributes
referencing old table as changed_rows for each statement execute function dlms.tell_members();

create function dlms.tell_rule() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('dlms_members', '');
  return null;
end
$$;
comment on function dlms.tell_rule is 'Tells gateways that a collection is another one now.';

create trigger tell_rule_made after insert or delete on dlms.collections
for each row execute function dlms.tell_rule();
create trigger tell_rule_changed after update on dlms.collections
for each row when ((old.name, old.owner, old.holds, old.pattern, old.attributes)
  is distinct from (new.name, new.owner, new.holds, new.pattern, new.attributes))
execute function dlms.tell_rule();
