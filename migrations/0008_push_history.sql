-- What meters pushed: what it was worth, how it was protected, and everything about it that was out of order. Pushes that
-- nobody could read, map or attribute are held; they are replayed when more is known. A meter that wants its push confirmed
-- sends it again until it is: however often it comes, it is kept once.

create table dlms.push_history (
  push_key bigint not null generated always as identity,
  received_at timestamptz not null,
  peer text not null,
  transport text not null,
  meter_id uuid,
  system_title bytea,
  outcome text not null check (outcome in ('stored', 'partial', 'rejected')),
  reason text,
  octets bytea not null,
  push_setup text,
  read_at timestamptz,
  protection text,
  verified boolean,
  marks text[] not null default '{}',
  sender_names text[] not null default '{}',
  attributed_by text,
  replayed_at timestamptz,
  repeat_key bytea,
  repeats integer not null default 0
);
comment on table dlms.push_history is 'Every push that came in, with its octets; also those that were turned away.';
comment on column dlms.push_history.push_key is 'Counts pushes.';
comment on column dlms.push_history.received_at is 'When it came.';
comment on column dlms.push_history.peer is 'Address that it came from.';
comment on column dlms.push_history.transport is 'tcp, udp or serial.';
comment on column dlms.push_history.meter_id is 'The meter that sent it; null while nobody knows.';
comment on column dlms.push_history.system_title is 'Eight octets that name the sender in ciphered messages.';
comment on column dlms.push_history.outcome is 'stored: all values have a place; partial: some were set aside; rejected: none was taken.';
comment on column dlms.push_history.reason is 'Why it was not stored whole.';
comment on column dlms.push_history.octets is 'The push as it came.';
comment on column dlms.push_history.push_setup is 'Logical name of the push setup, where the push says it.';
comment on column dlms.push_history.read_at is 'When the meter held the values; null for what could not be read.';
comment on column dlms.push_history.protection is 'none, authenticated, encrypted or authenticated-encrypted; null for what could not be read.';
comment on column dlms.push_history.verified is 'Whether an authentication tag vouches for sender and content.';
comment on column dlms.push_history.marks is 'What was let pass: deviations, a counter that came before, doubts about the sender.';
comment on column dlms.push_history.sender_names is 'What the push says of its sender: logical device name and numbers, the most telling first.';
comment on column dlms.push_history.attributed_by is 'How the meter was found: system-title, identity or address; null while nobody knows it.';
comment on column dlms.push_history.replayed_at is 'When it was last understood better than before.';
comment on column dlms.push_history.repeat_key is 'Of a push that wants to be confirmed: the same for each time that it is sent.';
comment on column dlms.push_history.repeats is 'How often it came again, for want of a confirmation.';
create unique index push_history_key on dlms.push_history (push_key, received_at);
create index push_history_meter on dlms.push_history (meter_id, received_at desc);
create index push_history_held on dlms.push_history (push_key) where outcome <> 'stored';
create index push_history_repeat on dlms.push_history (repeat_key, received_at) where repeat_key is not null;
create index push_history_conflicts on dlms.push_history (received_at desc) where marks @> array['sender-conflict'];

create table dlms.push_values (
  push_key bigint not null,
  received_at timestamptz not null,
  position integer not null,
  capture_object text not null,
  value text not null,
  unit text,
  primary key (push_key, position, received_at)
);
comment on table dlms.push_values is 'The values of a push under their logical names.';
comment on column dlms.push_values.push_key is 'The push: push_key of dlms.push_history.';
comment on column dlms.push_values.received_at is 'When the push came.';
comment on column dlms.push_values.position is 'Place in the push, from 1.';
comment on column dlms.push_values.capture_object is 'class:logical name:attribute, as 3:1.0.1.8.0.255:2.';
comment on column dlms.push_values.value is 'Exact decimal, text, octets as 0x…, or JSON of these.';
comment on column dlms.push_values.unit is 'UCUM unit, null for none.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values
  ('dlms', 'push_history', 'received_at', '7 days', '7 days', '', 'received_at, push_key'),
  ('dlms', 'push_values', 'received_at', '7 days', '7 days', '', 'received_at, push_key, position');

create view dlms.unknown_senders with (security_invoker = true) as
select sender, max(encode(system_title, 'hex')) as system_title,
  string_to_array(max(array_to_string(sender_names, e'\x1f')), e'\x1f') as names,
  array_agg(distinct host) as hosts, array_agg(distinct transport) as transports,
  array_remove(array_agg(distinct push_setup), null) as push_setups,
  count(*) as pushes, min(received_at) as first_received_at, max(received_at) as last_received_at,
  (array_agg(reason order by received_at desc))[1] as reason
from (
  select h.*, p.host, coalesce(encode(h.system_title, 'hex'), h.sender_names[1], p.host) as sender
  from dlms.push_history h
  cross join lateral (select regexp_replace(h.peer, ':[0-9]+$', '') as host) p
  where h.meter_id is null and h.outcome <> 'stored'
    and (h.outcome = 'partial' or h.system_title is not null)
) held
group by sender;
comment on view dlms.unknown_senders is 'Who pushes and is no meter of ours, with what is known of it: for adoption.';

create view dlms.sender_conflicts with (security_invoker = true) as
select m.meter_number, coalesce(m.name, h.sender_names[1], h.peer) as sender, substring(mark from 18) as other_clue,
  count(*) as pushes, min(h.received_at) as first_received_at, max(h.received_at) as last_received_at
from dlms.push_history h
left join public.meters m on m.id = h.meter_id
cross join lateral unnest(h.marks) as mark
where h.marks @> array['sender-conflict'] and mark like 'sender-conflict: %'
group by 1, 2, 3;
comment on view dlms.sender_conflicts is 'Senders whose pushes also point to other meters, by a weaker clue or by a number of another maker.';
comment on column dlms.sender_conflicts.meter_number is 'The meter that the pushes are taken for; null for an unknown sender.';
comment on column dlms.sender_conflicts.sender is 'The meter''s name, or what an unknown sender calls itself.';
comment on column dlms.sender_conflicts.other_clue is 'What points to which other meter.';
