-- Gateways that share the meters of networks. The meters of a network fall into 256 blocks; a block has one holder at a
-- time, and a holder proves with one row, however many blocks it holds, that it is alive. Renewals and changes of holder
-- exclude each other, so that a gateway that has renewed knows what is its own.

create table dlms.gateways (
  gateway_id uuid not null primary key,
  name text not null,
  incarnation bigint not null default 1,
  beat bigint not null default 0,
  networks text[] not null,
  silence_ms integer not null check (silence_ms > 0),
  away_ms bigint not null check (away_ms >= silence_ms),
  version text not null,
  meters integer not null default 0,
  fleet jsonb not null default '{}',
  listens boolean not null default false,
  started_at timestamptz not null default now(),
  renewed_at timestamptz not null default now(),
  left_at timestamptz
);
comment on table dlms.gateways is 'Gateways that share the meters of this database, with their signs of life.';
comment on column dlms.gateways.incarnation is 'One higher with each start: an earlier run that still lives holds nothing any more.';
comment on column dlms.gateways.beat is 'One higher with each sign of life.';
comment on column dlms.gateways.silence_ms is 'Silence after which others that saw it alive take its blocks over.';
comment on column dlms.gateways.away_ms is 'How long it may go on without the database where it was alone, or the server is away for all.';
comment on column dlms.gateways.fleet is 'By network, a fingerprint of the meters that it knows: all that reach a network must know the same.';
comment on column dlms.gateways.listens is 'Whether it listens for what meters send by themselves.';
comment on column dlms.gateways.left_at is 'When it gave all back; null while it is there, or has vanished.';

create sequence dlms.meter_block_changes;
create table dlms.meter_blocks (
  network text not null,
  block smallint not null check (block between 0 and 255),
  holder uuid,
  epoch bigint not null default 0,
  change bigint not null default nextval('dlms.meter_block_changes'),
  held_since timestamptz not null default now(),
  primary key (network, block)
);
create index meter_blocks_change on dlms.meter_blocks (change);
comment on table dlms.meter_blocks is 'Which gateway works which part of a network''s meters.';
comment on column dlms.meter_blocks.epoch is 'One higher with each change of holder: a fencing token.';
comment on column dlms.meter_blocks.change is 'Position among all changes; gateways read only what changed since they looked last.';

create function dlms.join_gateways(
  p_gateway uuid, p_name text, p_networks text[], p_silence_ms integer, p_away_ms bigint, p_version text, p_fleet jsonb,
  p_listens boolean
) returns bigint
language plpgsql
as $$
declare
  run bigint;
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  insert into dlms.gateways as g (gateway_id, name, networks, silence_ms, away_ms, version, fleet, listens)
  values (p_gateway, p_name, p_networks, p_silence_ms, p_away_ms, p_version, p_fleet, p_listens)
  on conflict (gateway_id) do update set
    name = excluded.name, networks = excluded.networks, silence_ms = excluded.silence_ms, away_ms = excluded.away_ms,
    version = excluded.version, fleet = excluded.fleet, listens = excluded.listens, incarnation = g.incarnation + 1, beat = g.beat + 1,
    started_at = now(), renewed_at = now(), left_at = null
  returning incarnation into run;
  insert into dlms.meter_blocks (network, block)
  select n.network, b.block from unnest(p_networks) as n (network), generate_series(0, 255) as b (block)
  on conflict do nothing;
  -- What it held of networks that it does not reach any more.
  update dlms.meter_blocks set holder = null, epoch = epoch + 1, change = nextval('dlms.meter_block_changes'),
    held_since = now()
  where holder = p_gateway and network <> all (p_networks);
  -- Gateways that vanished long ago and hold nothing.
  delete from dlms.gateways g where g.renewed_at < now() - interval '30 days'
    and not exists (select from dlms.meter_blocks b where b.holder = g.gateway_id);
  return run;
end
$$;
comment on function dlms.join_gateways is 'A gateway is there from now on, or again; the number of its run.';

create function dlms.know_meters(p_gateway uuid, p_networks text[], p_fleet jsonb) returns void
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  update dlms.gateways set networks = p_networks, fleet = p_fleet where gateway_id = p_gateway;
  insert into dlms.meter_blocks (network, block)
  select n.network, b.block from unnest(p_networks) as n (network), generate_series(0, 255) as b (block)
  on conflict do nothing;
end
$$;
comment on function dlms.know_meters is 'The meters that a gateway knows, and the networks that it has meters of, are these from now on.';

create function dlms.renew_gateway(p_gateway uuid, p_incarnation bigint, p_meters integer, p_seen bigint) returns jsonb
language plpgsql
as $$
declare
  found_it boolean;
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(6142023918440519);
  update dlms.gateways set beat = beat + 1, renewed_at = clock_timestamp(), meters = p_meters
  where gateway_id = p_gateway and incarnation = p_incarnation and left_at is null;
  found_it := found;
  return jsonb_build_object(
    'known', found_it,
    'gateways', (
      select coalesce(jsonb_agg(jsonb_build_object('id', gateway_id, 'name', name, 'beat', beat,
        'incarnation', incarnation, 'networks', networks, 'meters', meters, 'version', version, 'silenceMs', silence_ms, 'awayMs', away_ms, 'fleet', fleet,
        'listens', listens,
        'ageMs', floor(extract(epoch from clock_timestamp() - renewed_at) * 1000))), '[]')
      from dlms.gateways where left_at is null
    ),
    'blocks', (
      select coalesce(jsonb_agg(jsonb_build_array(network, block, holder, epoch, change) order by change), '[]')
      from dlms.meter_blocks where change > p_seen
        and network = any (array(select unnest(networks) from dlms.gateways where gateway_id = p_gateway))
    )
  );
end
$$;
comment on function dlms.renew_gateway is 'A sign of life that renews all of a gateway''s blocks; who else is there, and what changed hands.';

create function dlms.take_blocks(
  p_gateway uuid, p_incarnation bigint, p_networks text[], p_blocks smallint[], p_epochs bigint[], p_beats bigint[]
) returns integer
language plpgsql
as $$
declare
  taken integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  update dlms.meter_blocks b set holder = p_gateway, epoch = b.epoch + 1,
    change = nextval('dlms.meter_block_changes'), held_since = now()
  from unnest(p_networks, p_blocks, p_epochs, p_beats) as w (network, block, epoch, beat)
  where b.network = w.network and b.block = w.block and b.epoch = w.epoch
    -- The former holder has given no sign of life since it was found to be silent.
    and not exists (
      select from dlms.gateways g where g.gateway_id = b.holder and g.left_at is null and g.beat is distinct from w.beat
    )
    and exists (
      select from dlms.gateways g
      where g.gateway_id = p_gateway and g.incarnation = p_incarnation and g.left_at is null
    );
  get diagnostics taken = row_count;
  return taken;
end
$$;
comment on function dlms.take_blocks is 'Takes blocks that are free, or whose holder has been silent since the given beat.';

create function dlms.give_blocks(p_gateway uuid, p_networks text[], p_blocks smallint[]) returns void
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  update dlms.meter_blocks b set holder = null, epoch = b.epoch + 1, change = nextval('dlms.meter_block_changes'),
    held_since = now()
  from unnest(p_networks, p_blocks) as w (network, block)
  where b.network = w.network and b.block = w.block and b.holder = p_gateway;
end
$$;
comment on function dlms.give_blocks is 'Gives blocks back, for any gateway to take.';

create function dlms.leave_gateways(p_gateway uuid, p_incarnation bigint) returns boolean
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  update dlms.gateways set left_at = now()
  where gateway_id = p_gateway and (p_incarnation is null or incarnation = p_incarnation) and left_at is null;
  if not found then
    return false;
  end if;
  update dlms.meter_blocks set holder = null, epoch = epoch + 1, change = nextval('dlms.meter_block_changes'),
    held_since = now()
  where holder = p_gateway;
  return true;
end
$$;
comment on function dlms.leave_gateways is 'A gateway goes, and all of its blocks are free; without an incarnation whichever run it is.';
