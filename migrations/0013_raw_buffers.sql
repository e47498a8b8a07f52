-- The octets that profile rows were decoded from, so that they can be decoded again when a decoder has been mended.

create table dlms.raw_layouts (
  raw_layout_key integer not null generated always as identity primary key,
  digest bytea not null unique,
  layout jsonb not null
);
comment on table dlms.raw_layouts is 'What the columns of kept octets are: capture objects, scalers and units, capture period.';

create table dlms.raw_buffers (
  received_at timestamptz not null,
  raw_buffer_key bigint not null generated always as identity,
  meter_key integer not null,
  raw_layout_key integer not null,
  decoder_version integer not null,
  octet_count integer not null,
  source smallint not null,
  compression smallint not null,
  profile text not null,
  fingerprint text not null,
  deviation text not null,
  octets bytea not null
);
comment on table dlms.raw_buffers is 'Octets of profile buffers as meters sent them, for as long as the configuration says.';
comment on column dlms.raw_buffers.decoder_version is 'Version of the decoder that last made rows of them.';
comment on column dlms.raw_buffers.octet_count is 'Length before compression.';
comment on column dlms.raw_buffers.compression is 'Code: 0 none, 1 zstd.';
comment on column dlms.raw_buffers.fingerprint is 'Of the layout that the rows were decoded with.';
comment on column dlms.raw_buffers.deviation is 'How the meter''s deviation from UTC was taken.';

alter table dlms.raw_buffers alter column octets set storage external;
create index raw_buffers_meter on dlms.raw_buffers (meter_key, received_at);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval)
values ('dlms', 'raw_buffers', 'received_at', '1 day');
