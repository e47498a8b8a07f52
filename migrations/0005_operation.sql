-- What the gateway did: its own events, every try to read a meter, how far its spool has been brought in.

create table dlms.event_logs (
  occurred_at timestamptz not null,
  level text not null,
  event text not null,
  message text not null,
  details jsonb
);
comment on table dlms.event_logs is 'What happened in the gateway itself.';
create index event_logs_time on dlms.event_logs (occurred_at desc);

create table dlms.read_attempts (
  meter_id uuid not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  what text not null,
  succeeded boolean not null,
  row_count integer not null default 0,
  cause text,
  evidence text,
  next_step text
);
comment on table dlms.read_attempts is 'Every try to read a meter: what came of it, and why not.';
create index read_attempts_meter on dlms.read_attempts (meter_id, started_at desc);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values
  ('dlms', 'event_logs', 'occurred_at', '30 days', '7 days', '', 'occurred_at'),
  ('dlms', 'read_attempts', 'started_at', '7 days', '7 days', '', 'meter_id, started_at');

-- A position is moved in the transaction of the rows, so that a record is brought in once, wherever the gateway or the
-- database stops.
create table dlms.spool_positions (
  run text not null,
  kind text not null,
  next_sequence bigint not null,
  updated_at timestamptz not null default now(),
  primary key (run, kind)
);
comment on table dlms.spool_positions is 'How far the records of a gateway''s local spool have been brought in.';
comment on column dlms.spool_positions.run is 'A run of a gateway, as the names of its spool''s files say.';
comment on column dlms.spool_positions.kind is 'What the records hold.';
comment on column dlms.spool_positions.next_sequence is 'Number of the first record of the run that is not in the database yet.';

create function dlms.refuse_view_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  raise exception '% is read-only', format('%I.%I', tg_table_schema, tg_table_name) using errcode = '25006';
end
$$;
comment on function dlms.refuse_view_change is 'Makes a view read-only.';

create table dlms.compatibility_views (
  only_row boolean not null default true primary key check (only_row)
);
comment on table dlms.compatibility_views is 'A row says that read-only views are wanted in _timescaledb_cache.';
