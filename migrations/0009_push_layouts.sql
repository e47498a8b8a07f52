-- What the pushes of meters are: read once for each firmware, kept in versions, so that a push that is decoded late is
-- decoded with what was so when it came.

create table dlms.push_layouts (
  push_layout_key integer not null generated always as identity primary key,
  digest bytea not null unique,
  layout jsonb not null
);
comment on table dlms.push_layouts is 'Lists of push setups with the scalers, units and profile layouts that their values want; shared by all meters that have the same.';
comment on column dlms.push_layouts.layout is 'lists: setup and objects in order; scalers: of registers; profiles: of profiles that are pushed whole or whose capture period counts.';

create table dlms.meter_push_layouts (
  meter_id uuid not null references public.meters (id) on delete cascade,
  version integer not null,
  push_layout_key integer not null references dlms.push_layouts (push_layout_key),
  firmware text,
  read_at timestamptz not null,
  primary key (meter_id, version)
);
comment on table dlms.meter_push_layouts is 'Which push layout a meter had from when on.';
comment on column dlms.meter_push_layouts.firmware is 'What the meter said of its firmware when the layout was read; null where it says nothing.';
