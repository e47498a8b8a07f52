-- What happens in the gateway and what people change in it, each entry with a digest over itself and the digest before:
-- an entry that was altered, inserted or taken out of the middle or the end shows. Retention takes from the beginning.

create table dlms.event_logs (
  occurred_at timestamptz not null,
  level text not null,
  event text not null,
  message text not null,
  details jsonb,
  event_log_key bigint,
  actor text,
  subject text,
  before jsonb,
  after jsonb,
  digest bytea
);
comment on table dlms.event_logs is 'What happened in the gateway itself.';
comment on column dlms.event_logs.occurred_at is 'When it happened, by the clock of the gateway.';
comment on column dlms.event_logs.level is 'debug, info, warn or error.';
comment on column dlms.event_logs.event is 'Name of the event, always the same for the same thing.';
comment on column dlms.event_logs.message is 'The event in words.';
comment on column dlms.event_logs.details is 'What the event says in its fields.';
comment on column dlms.event_logs.event_log_key is 'Counts entries without a gap.';
comment on column dlms.event_logs.actor is 'Who changed something; empty where nobody did.';
comment on column dlms.event_logs.subject is 'What it is about: a meter by its name, a push setup, a token.';
comment on column dlms.event_logs.before is 'What was changed, as it was.';
comment on column dlms.event_logs.after is 'What was changed, as it is since.';
comment on column dlms.event_logs.digest is 'SHA-256 over the digest of the entry before and all that this one says.';
create index event_logs_time on dlms.event_logs (occurred_at desc);
create index event_logs_key on dlms.event_logs (event_log_key desc);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'event_logs', 'occurred_at', '30 days', '7 days', '', 'occurred_at');

create table dlms.event_log_head (
  only_row boolean not null default true primary key check (only_row),
  event_log_key bigint not null default 0,
  digest bytea not null default ''
);
comment on table dlms.event_log_head is 'The newest entry of dlms.event_logs, so that one taken from the end shows.';
insert into dlms.event_log_head default values;

create function dlms.event_log_digest(previous bytea, entry dlms.event_logs) returns bytea
language sql
immutable parallel safe
return pg_catalog.sha256(previous || pg_catalog.convert_to(pg_catalog.jsonb_build_array(
  entry.event_log_key, (extract(epoch from entry.occurred_at) * 1000000)::bigint, entry.level, entry.event,
  entry.message, entry.details, entry.actor, entry.subject, entry.before, entry.after)::text, 'UTF8'));
comment on function dlms.event_log_digest is 'The digest that an entry has to have behind the digest of the one before.';

create function dlms.append_event_logs(entries jsonb) returns void
language plpgsql
as $$
declare
  head dlms.event_log_head;
  entry dlms.event_logs;
begin
  select * into head from dlms.event_log_head for update;
  for entry in
    select (jsonb_populate_record(null::dlms.event_logs, e.value)).*
    from jsonb_array_elements(entries) with ordinality as e order by e.ordinality
  loop
    head.event_log_key := head.event_log_key + 1;
    entry.event_log_key := head.event_log_key;
    head.digest := dlms.event_log_digest(head.digest, entry);
    entry.digest := head.digest;
    insert into dlms.event_logs select entry.*;
  end loop;
  update dlms.event_log_head set event_log_key = head.event_log_key, digest = head.digest;
end
$$;
comment on function dlms.append_event_logs is 'Puts entries at the end of dlms.event_logs, in the order given.';

create function dlms.event_log_faults() returns table (event_log_key bigint, occurred_at timestamptz, fault text)
language sql
stable
as $$
  with chained as (
    select e.event_log_key, e.occurred_at, e.digest, dlms.event_log_digest(lag(e.digest) over newest_last, e) as expected,
      lag(e.event_log_key) over newest_last as before_key
    from dlms.event_logs e where e.event_log_key is not null
    window newest_last as (order by e.event_log_key)
  )
  select c.event_log_key, c.occurred_at, case
    when c.event_log_key = c.before_key then 'stands twice'
    when c.event_log_key <> c.before_key + 1 then 'entries before it are missing'
    else 'it or the one before was altered' end
  from chained c
  where c.before_key is not null and (c.event_log_key <> c.before_key + 1 or c.digest <> c.expected)
  union all
  select h.event_log_key, null, 'entries at the end are missing or were altered'
  from dlms.event_log_head h
  where h.event_log_key > 0 and not exists (
    select from dlms.event_logs e where e.event_log_key = h.event_log_key and e.digest = h.digest)
  order by 1
$$;
comment on function dlms.event_log_faults is 'Where the chain of dlms.event_logs is broken; no rows when it is whole.';
