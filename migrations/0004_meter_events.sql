-- Events of meters come from logs that are polled and from words that are pushed. What goes on between an occurrence
-- and its restoration is a condition: by it, events pair, and what two sources tell is one event. One log tells each of its
-- events once, so two of its stamps are two events, however close; another log tells the same event with a stamp of its own.
-- And a word says the same bits with every push: only what it did not say before is new.

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
comment on column public.meter_events.meter_id is 'The meter: id of public.meters.';
comment on column public.meter_events.occurred_at is 'When it happened, by the meter; for what the gateway noticed, by the gateway.';
comment on column public.meter_events.log is 'Event log of the meter that held it; gateway for what the gateway noticed.';
comment on column public.meter_events.code is 'Code within that log, as the companion specification numbers it.';
comment on column public.meter_events.name is 'What happened, in words; null for codes that no table knows.';
comment on column public.meter_events.severity is 'info, warning or alarm.';
comment on column public.meter_events.details is 'What else the event says.';
comment on column public.meter_events.source is 'How it came to us: poll, push, on_demand, backfill or import.';
comment on column public.meter_events.received_at is 'When the gateway got it.';
comment on column public.meter_events.kind is 'A condition begins, it ends, or something happened that has no end; null for codes that no table knows.';
comment on column public.meter_events.condition is 'What goes on from the occurrence to the restoration, the same words in every log and status word of a companion.';
comment on column public.meter_events.restored_at is 'Of an occurrence: when it ended.';
comment on column public.meter_events.began_at is 'Of a restoration: when it began.';
comment on column public.meter_events.disputed is 'Sources disagree about the meaning of the code.';
comment on column public.meter_events.told_by is 'Other logs and words that told of the same; with "summary" those that said only that something has happened.';
create index meter_events_condition on public.meter_events (meter_id, condition, occurred_at);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('public', 'meter_events', 'occurred_at', '90 days', '7 days', '', 'meter_id, occurred_at, log, code');

create table dlms.status_words (
  meter_id uuid not null references public.meters (id) on delete cascade,
  log text not null,
  told_at timestamptz not null,
  codes integer[] not null,
  primary key (meter_id, log)
);
comment on table dlms.status_words is 'What status words, alarm registers and alarm descriptors of meters said last.';
comment on column dlms.status_words.log is 'Logical name of the word.';
comment on column dlms.status_words.told_at is 'By the meter''s clock, when the word was so.';
comment on column dlms.status_words.codes is 'Numbers of the bits that were set, ascending.';

create function dlms.telling(log text, code integer, occurred_at timestamptz, source text, is_summary boolean default false)
returns jsonb
language sql stable
return pg_catalog.jsonb_build_array(
  pg_catalog.jsonb_build_object('log', log, 'code', code, 'occurred_at', occurred_at, 'source', source)
  || case when is_summary then '{"summary": true}'::jsonb else '{}' end);
comment on function dlms.telling is 'What meter_events.told_by gets of an event that is told once more.';

create function dlms.keep_meter_events(seen jsonb) returns integer
language plpgsql
-- Sessions keep the plans of a function, and those that were made while the table was small read all of it for each event
-- of a storm. What has to be read whole all the same then looks as costly as if compiling it were worth while.
set enable_seqscan = off
set jit = off
as $$
declare
  same_within constant interval := interval '10 minutes';
  kept integer := 0;
  more integer;
  telling text;
  pair record;
begin
  create temporary table if not exists seen_events (
    place integer, meter_id uuid, occurred_at timestamptz, log text, code integer, name text, kind text, condition text,
    severity text, disputed boolean, details jsonb, source text
  ) on commit delete rows;
  create temporary table if not exists seen_words (
    meter_id uuid, log text, at timestamptz, codes integer[], before integer[], latched boolean, source text
  ) on commit delete rows;
  delete from pg_temp.seen_events;
  delete from pg_temp.seen_words;

  insert into pg_temp.seen_words
  select w.meter_id, w.log, w.at, w.codes, coalesce(lag(w.codes) over earlier, k.codes), w.latched, w.source
  from jsonb_to_recordset(seen -> 'words') as w (meter_id uuid, at timestamptz, log text, codes integer[], latched boolean, source text)
  left join dlms.status_words k on k.meter_id = w.meter_id and k.log = w.log and k.told_at < w.at
  window earlier as (partition by w.meter_id, w.log order by w.at);

  -- Latched bits become fewer by being acknowledged, and a meter sends them when there are others: those that are all the
  -- same were acknowledged in between.
  update pg_temp.seen_words w set before = null
  from dlms.status_words k
  where w.latched and k.meter_id = w.meter_id and k.log = w.log and (
    not w.codes @> w.before
    or w.before = w.codes and k.codes = w.codes and not exists (
      select from pg_temp.seen_words o
      where o.meter_id = w.meter_id and (o.at = w.at and o.before is distinct from o.codes or o.log = w.log and o.at < w.at)
    )
  );

  insert into dlms.status_words as k (meter_id, log, told_at, codes)
  select distinct on (w.meter_id, w.log) w.meter_id, w.log, w.at, w.codes
  from pg_temp.seen_words w
  order by w.meter_id, w.log, w.at desc
  on conflict (meter_id, log) do update set told_at = excluded.told_at, codes = excluded.codes
    where k.told_at <= excluded.told_at;

  -- A word that no longer has a bit set tells that the condition is over, whoever told first that it began.
  insert into pg_temp.seen_events
  select 0, w.meter_id, min(w.at), w.log, b.code, o.condition || ': ended', 'restoration', o.condition, 'info',
    bool_or(o.disputed), null, max(w.source)
  from pg_temp.seen_words w
  join public.meter_events o on o.meter_id = w.meter_id and o.kind = 'occurrence' and o.restored_at is null
    and o.occurred_at < w.at
  cross join lateral (
    select o.code where o.log = w.log
    union
    select (t ->> 'code')::integer from jsonb_array_elements(o.told_by) t where t ->> 'log' = w.log and not t ? 'summary'
  ) b
  where not w.latched and b.code <> all (w.codes)
  group by w.meter_id, w.log, b.code, o.condition, o.occurred_at;

  insert into pg_temp.seen_events
  select 1, b.meter_id, b.occurred_at, b.log, b.code, b.name, b.kind, b.condition, b.severity, b.disputed, null, b.source
  from jsonb_populate_recordset(null::pg_temp.seen_events, seen -> 'bits') b
  where exists (
    select from pg_temp.seen_words w
    where w.meter_id = b.meter_id and w.log = b.log and w.at = b.occurred_at
      and (w.before is null or b.code <> all (w.before))
  );

  -- What only says that something has happened is told already where the log has named it.
  with named as (
    update public.meter_events o
    set told_by = o.told_by || dlms.telling(s.log, s.code, s.occurred_at, s.source, true)
    from pg_temp.seen_events s, jsonb_to_recordset(seen -> 'summaries') as u (condition text, log text)
    where s.place = 1 and s.condition = u.condition and o.meter_id = s.meter_id and o.log = u.log
      and o.kind <> 'restoration' and o.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
    returning s.meter_id, s.occurred_at, s.log, s.code
  )
  delete from pg_temp.seen_events s using named n
  where (s.meter_id, s.occurred_at, s.log, s.code) = (n.meter_id, n.occurred_at, n.log, n.code);

  insert into pg_temp.seen_events
  select 2, s.meter_id, min(w.at), s.log, s.code, s.condition || ': ended', 'restoration', s.condition, 'info',
    s.disputed, null, s.source
  from pg_temp.seen_events s
  join pg_temp.seen_words w on w.meter_id = s.meter_id and w.log = s.log and w.at > s.occurred_at
  where s.place = 1 and s.kind = 'occurrence' and not w.latched and s.code <> all (w.codes)
  group by s.meter_id, s.log, s.code, s.condition, s.disputed, s.source, s.occurred_at;

  -- A bit that is set tells of nothing new while its condition goes on.
  update public.meter_events o
  set told_by = o.told_by || dlms.telling(s.log, s.code, s.occurred_at, s.source)
  from pg_temp.seen_events s
  where s.place = 1 and s.kind = 'occurrence' and o.meter_id = s.meter_id and o.condition = s.condition
    and o.kind = 'occurrence' and o.restored_at is null and o.occurred_at <= s.occurred_at and o.log <> s.log
    and not o.told_by @> jsonb_build_array(jsonb_build_object('log', s.log, 'code', s.code));
  delete from pg_temp.seen_events s
  where s.place = 1 and s.kind = 'occurrence' and exists (
    select from public.meter_events o
    where o.meter_id = s.meter_id and o.condition = s.condition and o.kind = 'occurrence' and o.restored_at is null
      and o.occurred_at <= s.occurred_at
  );

  insert into pg_temp.seen_events
  select distinct on (e.meter_id, e.occurred_at, e.log, e.code) 3, e.meter_id, e.occurred_at, e.log, e.code, e.name,
    e.kind, e.condition, e.severity, e.disputed, e.details, e.source
  from jsonb_populate_recordset(null::pg_temp.seen_events, seen -> 'events') e;

  for step in 0..3 loop
    for telling in select distinct s.log from pg_temp.seen_events s where s.place = step order by s.log loop
      delete from pg_temp.seen_events s
      where s.place = step and s.log = telling and (
        exists (
          select from public.meter_events e
          where e.meter_id = s.meter_id and e.occurred_at = s.occurred_at and e.log = s.log and e.code = s.code
        ) or exists (
          select from public.meter_events e
          where e.meter_id = s.meter_id and e.condition = s.condition
            and e.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
            and e.told_by @> jsonb_build_array(jsonb_build_object('log', s.log, 'code', s.code, 'occurred_at', s.occurred_at))
        )
      );
      -- What another log has told is the same event where this one has told no other for it, the nearest in time first.
      for pair in
        select s.meter_id, s.occurred_at, s.code, s.source, e.occurred_at as other_at, e.log as other_log, e.code as other_code
        from pg_temp.seen_events s
        join public.meter_events e on e.meter_id = s.meter_id and e.condition = s.condition and e.kind = s.kind
          and e.log <> s.log
          and e.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
        where s.place = step and s.log = telling
        order by greatest(e.occurred_at - s.occurred_at, s.occurred_at - e.occurred_at), s.occurred_at, s.code
      loop
        update public.meter_events e
        set told_by = e.told_by || dlms.telling(telling, pair.code, pair.occurred_at, pair.source)
        where e.meter_id = pair.meter_id and e.occurred_at = pair.other_at and e.log = pair.other_log
          and e.code = pair.other_code
          and not e.told_by @> jsonb_build_array(jsonb_build_object('log', telling))
          and exists (
            select from pg_temp.seen_events s
            where s.place = step and s.log = telling and s.meter_id = pair.meter_id
              and s.occurred_at = pair.occurred_at and s.code = pair.code
          );
        if found then
          delete from pg_temp.seen_events s
          where s.place = step and s.log = telling and s.meter_id = pair.meter_id
            and s.occurred_at = pair.occurred_at and s.code = pair.code;
        end if;
      end loop;
      insert into public.meter_events
        (meter_id, occurred_at, log, code, name, kind, condition, severity, disputed, details, source)
      select s.meter_id, s.occurred_at, s.log, s.code, s.name, s.kind, s.condition, s.severity, s.disputed, s.details, s.source
      from pg_temp.seen_events s
      where s.place = step and s.log = telling
      order by s.meter_id, s.occurred_at, s.log, s.code
      on conflict do nothing;
      get diagnostics more = row_count;
      kept := kept + more;
    end loop;

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

  -- And it gives way to what the log names later.
  with less as (
    delete from public.meter_events e
    using pg_temp.seen_events s, jsonb_to_recordset(seen -> 'summaries') as u (condition text, log text)
    where s.place = 3 and s.log = u.log and s.kind <> 'restoration' and e.meter_id = s.meter_id
      and e.condition = u.condition and e.log <> u.log and e.kind = 'occurrence' and e.restored_at is null
      and e.occurred_at between s.occurred_at - same_within and s.occurred_at + same_within
    returning e.meter_id, e.occurred_at, e.log, e.code, e.source, s.log as named_by, s.occurred_at as named_at
  )
  update public.meter_events o
  set told_by = o.told_by || dlms.telling(l.log, l.code, l.occurred_at, l.source, true)
  from less l
  where o.meter_id = l.meter_id and o.log = l.named_by and o.occurred_at = l.named_at and o.kind <> 'restoration';
  return kept;
end
$$;
comment on function dlms.keep_meter_events is 'Keeps events, bits of status words and what words no longer say: each once, whoever tells it; pairs occurrences with restorations. Returns how many are new.';

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
