-- A time zone that this server does not know would make every view that counts days fail, for all meters. Such a meter's
-- days are counted in UTC, and its row says so.

create function dlms.keep_known_zone() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  if not exists (select from public.meters m where m.time_zone = new.time_zone) then
    new.time_zone := dlms.zone_or_utc(new.time_zone);
  end if;
  return new;
end
$$;
comment on function dlms.keep_known_zone is 'Replaces a zone that this server does not know by UTC.';

update public.meters m set time_zone = z.known
from (
  select zone, dlms.zone_or_utc(zone) as known from (select distinct time_zone as zone from public.meters) each_zone
) z
where m.time_zone = z.zone and z.known <> z.zone;

create trigger keep_known_zone before insert or update of time_zone on public.meters
for each row execute function dlms.keep_known_zone();
