-- What a daemon looks after leaves no trace of its own where there was nothing to do; here is when it was last done.

create table dlms.upkeep_runs (
  task text not null primary key,
  finished_at timestamptz not null,
  took_ms integer not null,
  amount bigint not null
);
comment on table dlms.upkeep_runs is 'When each task of upkeep was last done.';
comment on column dlms.upkeep_runs.took_ms is 'How long it took, in milliseconds.';
comment on column dlms.upkeep_runs.amount is 'How much there was to do: days, entries of the journal, rows or chunks.';
