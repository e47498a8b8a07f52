-- What the gateway did: what came of tries to read meters, how far its spool has been brought in, when its upkeep was last done.

create table dlms.read_failures (
  meter_id uuid not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  what text not null,
  row_count integer not null,
  cause text not null,
  evidence text not null,
  next_step text not null
);
comment on table dlms.read_failures is 'Every try to read a meter that failed, and why.';
create index read_failures_meter on dlms.read_failures (meter_id, started_at desc);

-- A meter is read a hundred times a day, and mostly there is nothing to tell of it.
create table dlms.read_successes (
  meter_id uuid not null,
  day date not null,
  reads integer not null,
  row_count integer not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  what text not null,
  primary key (meter_id, day)
);
comment on table dlms.read_successes is 'How often a meter was read on a day (of UTC), and when last.';
comment on column dlms.read_successes.row_count is 'Rows that all reads of the day brought.';
comment on column dlms.read_successes.started_at is 'Of the last read; ended_at and what are of it, too.';
create index read_successes_meter on dlms.read_successes (meter_id, started_at desc);

create view dlms.read_attempts with (security_invoker = true) as
select meter_id, started_at, ended_at, what, false as succeeded, 1 as reads, row_count, cause, evidence, next_step
from dlms.read_failures
union all
select meter_id, started_at, ended_at, what, true, reads, row_count, null, null, null from dlms.read_successes;
comment on view dlms.read_attempts is 'What came of tries to read meters: each that failed, with cause and next step; of those that succeeded on a day the last, with their number and all their rows.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values
  ('dlms', 'read_failures', 'started_at', '7 days', '7 days', '', 'meter_id, started_at'),
  ('dlms', 'read_successes', 'day', '30 days', null, null, null);

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

-- What a daemon looks after leaves no trace of its own where there was nothing to do.
create table dlms.upkeep_runs (
  task text not null primary key,
  finished_at timestamptz not null,
  took_ms integer not null,
  amount bigint not null
);
comment on table dlms.upkeep_runs is 'When each task of upkeep was last done.';
comment on column dlms.upkeep_runs.took_ms is 'How long it took, in milliseconds.';
comment on column dlms.upkeep_runs.amount is 'How much there was to do: days, entries of the journal, rows or chunks.';

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
