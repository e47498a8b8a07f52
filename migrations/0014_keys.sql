-- Keys at rest, each sealed on its own, and the invocation counters that were given out under them.

create table dlms.keys (
  meter_id uuid not null references public.meters (id) on delete cascade,
  client_sap integer not null,
  role text not null,
  version integer not null check (version > 0),
  state text not null check (state in ('pending', 'active', 'retired')),
  sealed bytea not null,
  created_at timestamptz not null default now(),
  primary key (meter_id, client_sap, role, version)
);
comment on table dlms.keys is 'Keys of meters, sealed under a key that is not in this database.';
comment on column dlms.keys.client_sap is 'Client whose association the key is for; 0 for all.';
comment on column dlms.keys.role is 'What the key does, as blockCipherKey or authenticationKey.';
comment on column dlms.keys.version is 'From 1, one higher with each change.';
comment on column dlms.keys.state is 'pending: sent to the meter, not proven; active; retired.';
comment on column dlms.keys.sealed is 'Form, sealing key''s fingerprint, nonce, ciphered key, tag; opens in this row only.';
create unique index keys_one_active on dlms.keys (meter_id, client_sap, role) where state = 'active';

create table dlms.invocation_counters (
  key_id text not null,
  system_title bytea not null check (octet_length(system_title) = 8),
  association text not null,
  next_counter bigint not null check (next_counter between 0 and 4294967296),
  updated_at timestamptz not null default now(),
  primary key (key_id, system_title, association)
);
comment on table dlms.invocation_counters is 'Counters already given out. Never lower one: it would be used twice.';
comment on column dlms.invocation_counters.key_id is 'Which key and version, not its octets.';
comment on column dlms.invocation_counters.system_title is 'Of the sender, that is the gateway.';
comment on column dlms.invocation_counters.association is 'Client SAP where the meter counts per association, else empty.';
comment on column dlms.invocation_counters.next_counter is 'Lowest counter that has not been given out.';
