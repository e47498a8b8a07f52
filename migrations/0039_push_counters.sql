-- Where the invocation counters of pushing meters stand, so that a start does not forget which pushes came before.

create table dlms.push_counters (
  key_id text not null,
  system_title bytea not null check (octet_length(system_title) = 8),
  highest_counter bigint not null check (highest_counter between 0 and 4294967295),
  updated_at timestamptz not null default now(),
  primary key (key_id, system_title)
) with (fillfactor = 70);
comment on table dlms.push_counters is 'The highest invocation counter of each meter that pushes, under each key.';
comment on column dlms.push_counters.key_id is 'Which key, not its octets.';
comment on column dlms.push_counters.system_title is 'Of the meter.';
comment on column dlms.push_counters.highest_counter is 'Of pushes that a tag vouches for.';
comment on column dlms.push_counters.updated_at is 'When it last rose.';

-- A push that its sender repeats is kept once, and the repetitions are counted.
alter table dlms.push_history add column repeats integer not null default 0;
comment on column dlms.push_history.repeats is 'How often it came again, for want of a confirmation.';

create index push_history_conflicts on dlms.push_history (received_at desc) where marks @> array['sender-conflict'];

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
