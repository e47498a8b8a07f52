-- How long people waited for what they asked of meters.

create table dlms.meter_requests (
  request_id uuid not null,
  asked_at timestamptz not null,
  ended_at timestamptz not null,
  meter_id uuid not null,
  kind text not null,
  done boolean not null,
  actor text not null,
  primary key (request_id, asked_at)
);
comment on table dlms.meter_requests is 'Reads and orders that people asked of meters, when they have ended; for service levels.';
comment on column dlms.meter_requests.kind is 'read, or the type of the order, as disconnect and reconnect.';
comment on column dlms.meter_requests.done is 'Whether there was an answer, or the meter does what was ordered.';
create index meter_requests_time on dlms.meter_requests (asked_at);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'meter_requests', 'asked_at', '30 days', null, null, null);
