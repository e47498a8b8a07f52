-- Gateways on one database may have unlike configurations: each names those whom it tells, and takes back only its own.

alter table dlms.notification_destinations drop constraint notification_destinations_pkey, add column gateway_id uuid;
insert into dlms.notification_destinations (gateway_id, name, least_severity, newest)
select g.gateway_id, d.name, d.least_severity, d.newest from dlms.notification_destinations d cross join dlms.gateways g;
delete from dlms.notification_destinations where gateway_id is null;
alter table dlms.notification_destinations add primary key (gateway_id, name);
comment on table dlms.notification_destinations is 'Who wants to be told of events, from the configurations of all gateways. Addresses and secrets are not here.';
comment on column dlms.notification_destinations.gateway_id is 'The gateway that tells them; several may tell the same one.';

create or replace function dlms.queue_notifications() returns trigger
language plpgsql
as $$
begin
  insert into dlms.notification_outbox (destination, meter_id, event)
  select distinct d.name, new.meter_id, jsonb_strip_nulls(jsonb_build_object(
    'occurredAt', new.occurred_at, 'log', new.log, 'code', new.code, 'name', new.name, 'kind', new.kind,
    'condition', new.condition, 'severity', new.severity, 'source', new.source, 'details', new.details))
  from dlms.notification_destinations d
  where new.occurred_at > now() - d.newest
    and (new.kind = 'restoration' and exists (
        select from public.meter_events o
        where o.meter_id = new.meter_id and o.condition = new.condition and o.kind = 'occurrence'
          and o.occurred_at <= new.occurred_at and o.occurred_at > new.occurred_at - interval '90 days'
          and array_position(array['info', 'warning', 'alarm'], o.severity)
            >= array_position(array['info', 'warning', 'alarm'], d.least_severity))
      or array_position(array['info', 'warning', 'alarm'], new.severity)
        >= array_position(array['info', 'warning', 'alarm'], d.least_severity));
  return null;
end
$$;
