-- What retention took is not missing: the ledger goes on holding slots whose rows were kept as long as they were to be.

create function dlms.kept_from(name name) returns timestamptz
language sql stable
set search_path = pg_catalog
begin atomic
  select coalesce(greatest(now() - t.keep_for, t.dropped_before), '-infinity')
  from dlms.time_tables t where t.table_schema = 'dlms' and t.table_name = kept_from.name;
end;
comment on function dlms.kept_from is 'From when on the rows of a table of this schema are all there, as far as they came: older ones may be dropped.';

create or replace function dlms.block_load_kept_from() returns timestamptz
language sql stable
return dlms.kept_from('block_load_profile_data');

create function dlms.dropped_slots(profile smallint, day date, interval_s integer, slots integer, kept_from timestamptz)
returns bit varying
language sql immutable parallel safe
set search_path = pg_catalog
begin atomic
  select rpad(repeat('1', least(greatest(n.dropped, 0), slots)), slots, '0')::bit varying
  from (
    select case
      when kept_from = '-infinity' then 0
      when kept_from > (day + 400)::timestamp at time zone 'UTC' then slots
      when profile = 2 then floor(extract(epoch from kept_from - day::timestamp at time zone 'UTC') / interval_s)::integer + 1
      when profile = 3 then (kept_from at time zone 'UTC')::date - day + 2
      else ((extract(year from kept_from at time zone 'UTC') - extract(year from day)) * 12
        + extract(month from kept_from at time zone 'UTC'))::integer
    end as dropped
  ) n;
end;
comment on function dlms.dropped_slots is 'The slots of a page of the ledger whose rows may have been dropped, as bits of the page.';
