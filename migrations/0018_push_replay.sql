-- Pushes that nobody could read, map or attribute are held; they are replayed when more is known.

alter table dlms.push_history
  add column sender_names text[] not null default '{}',
  add column attributed_by text,
  add column replayed_at timestamptz;
comment on column dlms.push_history.sender_names is 'What the push says of its sender: logical device name and numbers, the most telling first.';
comment on column dlms.push_history.attributed_by is 'How the meter was found: system-title, identity or address; null while nobody knows it.';
comment on column dlms.push_history.replayed_at is 'When it was last understood better than before.';

create index push_history_held on dlms.push_history (push_key) where outcome <> 'stored';

create view dlms.unknown_senders with (security_invoker = true) as
select sender, max(encode(system_title, 'hex')) as system_title,
  string_to_array(max(array_to_string(sender_names, e'\x1f')), e'\x1f') as names,
  array_agg(distinct host) as hosts, array_agg(distinct transport) as transports,
  array_remove(array_agg(distinct push_setup), null) as push_setups,
  count(*) as pushes, min(received_at) as first_received_at, max(received_at) as last_received_at,
  (array_agg(reason order by received_at desc))[1] as reason
from (
  select h.*, regexp_replace(h.peer, ':[0-9]+$', '') as host,
    coalesce(encode(h.system_title, 'hex'), h.sender_names[1], regexp_replace(h.peer, ':[0-9]+$', '')) as sender
  from dlms.push_history h
  where h.meter_id is null and h.outcome <> 'stored'
    and (h.outcome = 'partial' or h.system_title is not null)
) held
group by sender;
comment on view dlms.unknown_senders is 'Who pushes and is no meter of ours, with what is known of it: for adoption.';

create table dlms.meter_names (
  name text not null primary key,
  meter_id uuid not null references public.meters (id) on delete cascade,
  created_at timestamptz not null default now()
);
create index meter_names_meter on dlms.meter_names (meter_id);
comment on table dlms.meter_names is 'What meters call themselves in pushes, where that is not their number: learned when a sender was adopted.';
