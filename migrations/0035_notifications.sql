-- Events of meters on their way to those who want to be told: what is to be sent lies in an outbox, in the transaction
-- that keeps the event, so that nothing is told that is not kept, and nothing is kept without being told.

create table dlms.notification_destinations (
  name text not null primary key,
  least_severity text not null check (least_severity in ('info', 'warning', 'alarm')),
  newest interval not null
);
comment on table dlms.notification_destinations is 'Who wants to be told of events, from the configuration. Addresses and secrets are not here.';
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
begin
  insert into dlms.notification_outbox (destination, meter_id, event)
  select d.name, new.meter_id, jsonb_strip_nulls(jsonb_build_object(
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
comment on function dlms.queue_notifications is 'Puts an event into the outbox of everybody who wants it; the end of a condition follows its beginning.';
create trigger queue_notifications after insert on public.meter_events
for each row execute function dlms.queue_notifications();
