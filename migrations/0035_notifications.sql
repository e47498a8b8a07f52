-- Events of meters on their way to those who want to be told: what is to be sent lies in an outbox, in the transaction
-- that keeps the event, so that nothing is told that is not kept, and nothing is kept without being told.

-- Gateways on one database may have unlike configurations: each names those whom it tells, and takes back only its own.
create table dlms.notification_destinations (
  gateway_id uuid not null,
  name text not null,
  least_severity text not null check (least_severity in ('info', 'warning', 'alarm')),
  newest interval not null,
  primary key (gateway_id, name)
);
comment on table dlms.notification_destinations is 'Who wants to be told of events, from the configurations of all gateways. Addresses and secrets are not here.';
comment on column dlms.notification_destinations.gateway_id is 'The gateway that tells them; several may tell the same one.';
comment on column dlms.notification_destinations.newest is 'Events that are older than this when they become known are not told.';

create table dlms.notification_outbox (
  notification_key bigint not null generated always as identity primary key,
  destination text not null,
  meter_id uuid not null,
  made_at timestamptz not null default clock_timestamp(),
  event jsonb not null,
  state text not null default 'waiting' check (state in ('waiting', 'dead')),
  attempts integer not null default 0,
  next_try_at timestamptz not null default clock_timestamp(),
  evidence text
);
create index notification_outbox_due on dlms.notification_outbox (destination, next_try_at, notification_key) where state = 'waiting';
create index notification_outbox_dead on dlms.notification_outbox (destination, notification_key) where state = 'dead';
comment on table dlms.notification_outbox is 'What is still to be told to whom; rows go when they have been told.';
comment on column dlms.notification_outbox.state is 'waiting: tried again; dead: given up, kept for people to look at.';
comment on column dlms.notification_outbox.evidence is 'Why the last try failed.';

create function dlms.queue_notifications() returns trigger
language plpgsql
as $$
declare
  ladder constant text[] := array['info', 'warning', 'alarm'];
begin
  insert into dlms.notification_outbox (destination, meter_id, event)
  select distinct d.name, new.meter_id, jsonb_strip_nulls(jsonb_build_object(
    'occurredAt', new.occurred_at, 'log', new.log, 'code', new.code, 'name', new.name, 'kind', new.kind,
    'condition', new.condition, 'severity', new.severity, 'source', new.source, 'details', new.details))
  from dlms.notification_destinations d
  where new.occurred_at > now() - d.newest
    and (array_position(ladder, new.severity) >= array_position(ladder, d.least_severity)
      or new.kind = 'restoration' and exists (
        select from public.meter_events o
        where o.meter_id = new.meter_id and o.condition = new.condition and o.kind = 'occurrence'
          and o.occurred_at <= new.occurred_at and o.occurred_at > new.occurred_at - interval '90 days'
          and array_position(ladder, o.severity) >= array_position(ladder, d.least_severity)));
  return null;
end
$$;
comment on function dlms.queue_notifications is 'Puts an event into the outbox of everybody who wants it; the end of a condition follows its beginning.';
create trigger queue_notifications after insert on public.meter_events
for each row execute function dlms.queue_notifications();
