-- Events of meters come from logs that are polled and from words that are pushed. What goes on between an occurrence
-- and its restoration is a condition: by it, events pair, and what two sources tell is one event.

create table public.meter_events (
  meter_id uuid not null,
  occurred_at timestamptz not null,
  log text not null,
  code integer not null,
  name text,
  severity text not null default 'info',
  details jsonb,
  source text not null,
  received_at timestamptz not null default now(),
  kind text check (kind in ('occurrence', 'restoration', 'change')),
  condition text,
  restored_at timestamptz,
  began_at timestamptz,
  disputed boolean not null default false,
  told_by jsonb not null default '[]',
  primary key (meter_id, occurred_at, log, code),
  constraint meter_events_meter foreign key (meter_id) references public.meters (id) on delete cascade
);
comment on table public.meter_events is 'Events and alerts of meters, and what the gateway noticed about them.';
comment on column public.meter_events.log is 'Event log of the meter that held it; gateway for what the gateway noticed.';
comment on column public.meter_events.code is 'Code within that log, as the companion specification numbers it.';
comment on column public.meter_events.kind is 'A condition begins, it ends, or something happened that has no end; null for codes that no table knows.';
comment on column public.meter_events.condition is 'What goes on from the occurrence to the restoration, the same words in every log and status word of a companion.';
comment on column public.meter_events.restored_at is 'Of an occurrence: when it ended.';
comment on column public.meter_events.began_at is 'Of a restoration: when it began.';
comment on column public.meter_events.disputed is 'Sources disagree about the meaning of the code.';
comment on column public.meter_events.told_by is 'Other logs and words that told of the same.';
create index meter_events_condition on public.meter_events (meter_id, condition, occurred_at);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('public', 'meter_events', 'occurred_at', '90 days', '7 days', '', 'meter_id, occurred_at, log, code');

create function dlms.keep_meter_events(seen jsonb) returns integer
language plpgsql
as $$
declare
  same_within constant interval := interval '10 minutes';
  kept integer := 0;
  more integer;
begin
  create temporary table if not exists seen_events (
    place integer, meter_id uuid, occurred_at timestamptz, log text, code integer, name text, kind text, condition text,
    severity text, disputed boolean, details jsonb, source text
  ) on commit delete rows;
  delete from pg_temp.seen_events;

  -- A word that no longer has a bit set tells that the condition is over.
  insert into pg_temp.seen_events
  select 0, w.meter_id, max(w.at), o.log, o.code, o.condition || ': ended', 'restoration', o.condition, 'info',
    bool_or(o.disputed), null, max(w.source)
  from jsonb_to_recordset(seen -> 'words') as w (meter_id uuid, at timestamptz, log text, codes integer[], latched boolean, source text)
  join public.meter_events o on o.meter_id = w.meter_id and o.log = w.log and o.kind = 'occurrence'
    and o.restored_at is null and o.occurred_at < w.at and o.code <> all (w.codes)
  where not w.latched
  group by w.meter_id, o.log, o.code, o.condition;

  -- A bit that is set tells of nothing new while its condition goes on.
  insert into pg_temp.seen_events
  select 1, b.meter_id, min(b.occurred_at), b.log, b.code, min(b.name), min(b.kind), b.condition, min(b.severity),
    bool_or(b.disputed), null, min(b.source)
  from jsonb_to_recordset(seen -> 'bits') as b (meter_id uuid, occurred_at timestamptz, log text, code integer, name text,
    kind text, condition text, severity text, disputed boolean, source text)
  where b.kind <> 'occurrence' or not exists (
    select from public.meter_events o
    where o.meter_id = b.meter_id and o.condition = b.condition and o.kind = 'occurrence' and o.restored_at is null
      and o.occurred_at <= b.occurred_at
  )
  group by b.meter_id, b.log, b.code, b.condition, case b.kind when 'occurrence' then null else b.occurred_at end;

  insert into pg_temp.seen_events
  select distinct on (e.meter_id, e.occurred_at, e.log, e.code) 2, e.meter_id, e.occurred_at, e.log, e.code, e.name,
    e.kind, e.condition, e.severity, e.disputed, e.details, e.source
  from jsonb_to_recordset(seen -> 'events') as e (meter_id uuid, occurred_at timestamptz, log text, code integer,
    name text, kind text, condition text, severity text, disputed boolean, details jsonb, source text);

  for step in 0..2 loop
    -- What another source has told already is the same event.
    update public.meter_events e
    set told_by = e.told_by || jsonb_build_array(
      jsonb_build_object('log', s.log, 'code', s.code, 'occurred_at', s.occurred_at, 'source', s.source))
    from pg_temp.seen_events s
    where s.place = step and e.meter_id = s.meter_id and e.condition = s.condition and e.kind = s.kind
      and (e.log, e.code) is distinct from (s.log, s.code)
      and e.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
      and not e.told_by @> jsonb_build_array(jsonb_build_object('log', s.log, 'code', s.code, 'occurred_at', s.occurred_at));
    insert into public.meter_events
      (meter_id, occurred_at, log, code, name, kind, condition, severity, disputed, details, source)
    select s.meter_id, s.occurred_at, s.log, s.code, s.name, s.kind, s.condition, s.severity, s.disputed, s.details, s.source
    from pg_temp.seen_events s
    where s.place = step and not exists (
      select from public.meter_events e
      where e.meter_id = s.meter_id and e.condition = s.condition and e.kind = s.kind
        and (e.log, e.code) is distinct from (s.log, s.code)
        and e.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
    )
    order by s.meter_id, s.occurred_at, s.log, s.code
    on conflict do nothing;
    get diagnostics more = row_count;
    kept := kept + more;

    -- An occurrence ends with the first restoration behind it; the rows of one condition pair as they come.
    update public.meter_events o set restored_at = r.occurred_at
    from (
      select distinct s.meter_id, s.condition from pg_temp.seen_events s where s.place = step and s.kind <> 'change'
    ) c
    cross join lateral (
      select x.occurred_at as began, (
        select min(y.occurred_at) from public.meter_events y
        where y.meter_id = c.meter_id and y.condition = c.condition and y.kind = 'restoration'
          and y.occurred_at >= x.occurred_at
      ) as occurred_at
      from public.meter_events x
      where x.meter_id = c.meter_id and x.condition = c.condition and x.kind = 'occurrence'
      order by x.occurred_at desc limit 100
    ) r
    where o.meter_id = c.meter_id and o.condition = c.condition and o.kind = 'occurrence' and o.occurred_at = r.began
      and r.occurred_at is not null and o.restored_at is distinct from r.occurred_at;
    update public.meter_events r set began_at = o.occurred_at
    from (
      select distinct s.meter_id, s.condition from pg_temp.seen_events s where s.place = step and s.kind <> 'change'
    ) c
    cross join lateral (
      select x.restored_at, min(x.occurred_at) as occurred_at from public.meter_events x
      where x.meter_id = c.meter_id and x.condition = c.condition and x.kind = 'occurrence' and x.restored_at is not null
      group by x.restored_at order by x.restored_at desc limit 100
    ) o
    where r.meter_id = c.meter_id and r.condition = c.condition and r.kind = 'restoration'
      and r.occurred_at = o.restored_at and r.began_at is distinct from o.occurred_at;
  end loop;
  return kept;
end
$$;
comment on function dlms.keep_meter_events is 'Keeps events, bits of status words and what words no longer say: each once, whoever tells it; pairs occurrences with restorations. Returns how many are new.';
