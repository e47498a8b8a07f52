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
