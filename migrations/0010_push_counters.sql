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
