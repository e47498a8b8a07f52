-- Two networks may use the same addresses: a connection is told by its network, too.
alter table dlms.connections add column network text not null default 'default';
comment on column dlms.connections.network is 'Network that the address is of, as the configuration names it.';
alter table dlms.connections drop constraint connections_transport_address_link_key;
alter table dlms.connections add unique (network, transport, address, link);
