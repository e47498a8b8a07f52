-- Meters that call in are worked where they have called: the gateway that has the call of a meter, and does not hold its
-- block, has the meter lent until the call ends.

create table dlms.lent_meters (
  network text not null,
  meter_name text not null,
  gateway_id uuid not null references dlms.gateways on delete cascade,
  incarnation bigint not null,
  lent_at timestamptz not null default now(),
  primary key (network, meter_name)
);
create index lent_meters_gateway on dlms.lent_meters (gateway_id);
comment on table dlms.lent_meters is 'Meters that are worked by another gateway than the holder of their block: by the one that they have called.';
comment on column dlms.lent_meters.gateway_id is 'The gateway that has the call; what it was lent in an earlier run counts no more.';

create function dlms.worker_of(p_network text, p_block smallint, p_meter text) returns uuid
language sql
stable
as $$
  select coalesce(
    (
      select l.gateway_id from dlms.lent_meters l
      join dlms.gateways g on g.gateway_id = l.gateway_id and g.incarnation = l.incarnation and g.left_at is null
      where l.network = p_network and l.meter_name = p_meter
    ),
    (select b.holder from dlms.meter_blocks b where b.network = p_network and b.block = p_block)
  )
$$;
comment on function dlms.worker_of is 'The gateway that works a meter; null where no gateway holds its block.';

create function dlms.lend_meter(
  p_network text, p_block smallint, p_meter text, p_by uuid, p_to uuid, p_incarnation bigint
) returns boolean
language plpgsql
as $$
begin
  -- While it is decided whose the meter is, no block changes hands.
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  if dlms.worker_of(p_network, p_block, p_meter) is distinct from p_by then
    return false;
  end if;
  delete from dlms.lent_meters where network = p_network and meter_name = p_meter;
  insert into dlms.lent_meters (network, meter_name, gateway_id, incarnation)
  select p_network, p_meter, p_to, p_incarnation
  where dlms.worker_of(p_network, p_block, p_meter) is distinct from p_to;
  perform pg_catalog.pg_notify('dlms_lent_meters', '');
  return true;
end
$$;
comment on function dlms.lend_meter is 'Whoever works a meter leaves it to another gateway; false where it is not its own to leave.';

create function dlms.return_meter(p_gateway uuid, p_network text, p_meter text) returns void
language plpgsql
as $$
begin
  delete from dlms.lent_meters where network = p_network and meter_name = p_meter and gateway_id = p_gateway;
  perform pg_catalog.pg_notify('dlms_lent_meters', '');
end
$$;
comment on function dlms.return_meter is 'A meter is with the holder of its block again.';

create function dlms.end_loans(p_gateway uuid, p_beat bigint) returns void
language plpgsql
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(6142023918440519);
  delete from dlms.lent_meters l using dlms.gateways g
  where l.gateway_id = p_gateway and g.gateway_id = p_gateway and g.beat = p_beat;
  if found then
    perform pg_catalog.pg_notify('dlms_lent_meters', '');
  end if;
end
$$;
comment on function dlms.end_loans is 'Takes back what a gateway has lent that has given no sign of life since the given beat.';
