-- The octets that profile rows were decoded from, so that they can be decoded again when a decoder has been mended.

create table dlms.raw_layouts (
  raw_layout_key integer not null generated always as identity primary key,
  digest bytea not null unique,
  layout jsonb not null
);
comment on table dlms.raw_layouts is 'What the columns of kept octets are: capture objects, scalers and units, capture period.';

-- A row holds what one write brought of many meters: a row each would cost as much as the rows that were made of it.
create table dlms.raw_buffers (
  received_at timestamptz not null,
  raw_buffer_key bigint not null generated always as identity,
  raw_layout_key integer not null,
  decoder_version integer not null,
  source smallint not null,
  form text not null,
  profile text not null,
  fingerprint text not null,
  deviation text not null,
  meter_keys integer[] not null,
  received_ms integer[] not null,
  octet_counts integer[] not null,
  compressed_each boolean not null,
  octets bytea not null
);
comment on table dlms.raw_buffers is 'Octets as meters sent them, of buffers that were written together, for as long as the configuration says.';
comment on column dlms.raw_buffers.received_at is 'When the first of them was received.';
comment on column dlms.raw_buffers.decoder_version is 'Version of the decoder that last made rows of all of them.';
comment on column dlms.raw_buffers.form is 'buffer: the value of a profile''s buffer; registers: single values as a buffer of one row; readout: a data message of IEC 62056-21; part: what came of a buffer before its read broke off.';
comment on column dlms.raw_buffers.fingerprint is 'Of the layout that the rows were decoded with.';
comment on column dlms.raw_buffers.deviation is 'How the meter''s deviation from UTC was taken.';
comment on column dlms.raw_buffers.meter_keys is 'Of each buffer, in order: whose it is.';
comment on column dlms.raw_buffers.received_ms is 'Of each buffer: milliseconds from received_at to when it was received.';
comment on column dlms.raw_buffers.octet_counts is 'Of each buffer: how many of the octets are its own, where all are compressed together of the decompressed ones.';
comment on column dlms.raw_buffers.compressed_each is 'Whether each buffer is compressed by itself; otherwise all of them together are.';
comment on column dlms.raw_buffers.octets is 'The buffers one after the other, compressed as zstd.';

alter table dlms.raw_buffers
  alter column meter_keys set storage external,
  alter column octets set storage external;
create index raw_buffers_received on dlms.raw_buffers (received_at, raw_buffer_key);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval)
values ('dlms', 'raw_buffers', 'received_at', '1 day');
