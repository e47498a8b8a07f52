-- Meters that people add while gateways run, besides those of the configuration.

create table dlms.added_meters (
  added_meter_key integer not null generated always as identity primary key,
  name text not null unique,
  meter_number text not null unique,
  settings jsonb not null,
  added_at timestamptz not null default now(),
  added_by text not null
);
comment on table dlms.added_meters is 'Meters that people add while gateways run, besides those of the configuration.';
comment on column dlms.added_meters.settings is 'As a meter of the configuration; secrets are references to where they are.';

create function dlms.reach_networks(p_gateway uuid, p_networks text[]) returns void
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  update dlms.gateways set networks = p_networks where gateway_id = p_gateway;
  insert into dlms.meter_blocks (network, block)
  select n.network, b.block from unnest(p_networks) as n (network), generate_series(0, 255) as b (block)
  on conflict do nothing;
end
$$;
comment on function dlms.reach_networks is 'A gateway that is there has meters of other networks as well from now on.';
