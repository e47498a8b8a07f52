-- How far the records of a gateway's spool have been brought in: moved in the transaction of the rows, so that a record
-- is brought in once, wherever the gateway or the database stops.

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
