-- Event logs are read from where the last read ended; pushes of single events do not move that place.

create table dlms.event_log_reads (
  meter_id uuid not null references public.meters (id) on delete cascade,
  log text not null,
  read_up_to timestamptz not null,
  primary key (meter_id, log)
);
comment on table dlms.event_log_reads is 'Up to when the event logs of meters have been read.';
comment on column dlms.event_log_reads.log is 'Logical name of the log.';
comment on column dlms.event_log_reads.read_up_to is 'Stamp of the newest event that a read brought; where it brought none, from when on it read.';
