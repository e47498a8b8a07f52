-- Runs: what was known at a cutoff, under a label. A draft is frozen with its digest, then released; nothing goes back.

create table dlms.runs (
  run_key integer not null generated always as identity primary key,
  dataset_key smallint not null references dlms.datasets (dataset_key),
  label text not null check (label ~ '^[A-Za-z0-9][A-Za-z0-9_. -]{0,62}$'),
  period tstzrange not null check (not isempty(period)),
  cutoff timestamptz not null,
  least_quality smallint not null default 1 references dlms.qualities (quality),
  state text not null default 'draft' check (state in ('draft', 'frozen', 'released')),
  release_at timestamptz,
  keeps_values boolean not null default false,
  pattern text check (length(pattern) <= 200),
  collection_key integer references dlms.collections (collection_key) on delete set null,
  digest bytea,
  series_count integer,
  value_count bigint,
  created_by name not null,
  created_at timestamptz not null default now(),
  frozen_at timestamptz,
  released_at timestamptz,
  unique (dataset_key, label),
  check ((state = 'draft') = (digest is null)),
  check ((state = 'released') = (released_at is not null))
);
comment on table dlms.runs is 'What was known at a cutoff, under a label: billing and settlement runs.';
comment on column dlms.runs.period is 'The slots that it covers.';
comment on column dlms.runs.cutoff is 'What the database came to know later is not in it.';
comment on column dlms.runs.digest is 'SHA-256 over the digests of its series in the order of their keys; a replay must give the same.';
comment on column dlms.runs.keeps_values is 'Whether its values are copied; otherwise they are replayed.';

create table dlms.run_series (
  run_key integer not null references dlms.runs (run_key),
  series_key integer not null references dlms.series (series_key),
  value_count integer not null,
  digest bytea not null,
  primary key (run_key, series_key)
);
comment on table dlms.run_series is 'The series of a frozen run, as they were resolved then.';
comment on column dlms.run_series.digest is 'SHA-256 over its lines "microseconds since 1970, value, quality", by time.';
create index run_series_series on dlms.run_series (series_key);

create table dlms.run_values (
  run_key integer not null,
  series_key integer not null,
  at timestamptz not null,
  value numeric,
  value_text text,
  quality smallint not null,
  known_from timestamptz not null,
  primary key (run_key, series_key, at),
  foreign key (run_key, series_key) references dlms.run_series (run_key, series_key)
);
comment on table dlms.run_values is 'Values of runs that keep them.';

create function dlms.keep_run() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  may_change constant text[] := array['state', 'release_at', 'released_at', 'collection_key'];
begin
  if tg_op = 'DELETE' then
    if old.state <> 'draft' then
      raise exception 'run % is %, it can''t be deleted', old.label, old.state using errcode = '55000';
    end if;
    return old;
  end if;
  if old.state <> 'draft' and (
    (to_jsonb(new) - may_change) <> (to_jsonb(old) - may_change)
    or (old.state, new.state) not in (('frozen', 'frozen'), ('frozen', 'released'), ('released', 'released'))
    or (old.state = 'released' and (new.release_at, new.released_at) is distinct from (old.release_at, old.released_at))
  ) then
    raise exception 'run % is %, it can''t be changed', old.label, old.state using errcode = '55000';
  end if;
  return new;
end
$$;
comment on function dlms.keep_run is 'Trigger: a run goes forward only, and what is frozen stays.';
create trigger keep_run before update or delete on dlms.runs for each row execute function dlms.keep_run();

create function dlms.keep_run_rows() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from changed c join dlms.runs r using (run_key) where r.state <> 'draft') then
    raise exception 'the rows of a frozen run can''t be changed' using errcode = '55000';
  end if;
  return null;
end
$$;
comment on function dlms.keep_run_rows is 'Trigger: rows of a run are put in while it is a draft.';
create trigger keep_added after insert on dlms.run_series
referencing new table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_removed after delete on dlms.run_series
referencing old table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_changed before update or truncate on dlms.run_series
for each statement execute function dlms.refuse_change();
create trigger keep_added after insert on dlms.run_values
referencing new table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_removed after delete on dlms.run_values
referencing old table as changed for each statement execute function dlms.keep_run_rows();
create trigger keep_changed before update or truncate on dlms.run_values
for each statement execute function dlms.refuse_change();

create function dlms.portions(series_keys integer[]) returns setof integer[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(series_key) from (
    select k as series_key, (row_number() over (order by k) - 1) / 5000 as nth from unnest(series_keys) k
  ) p group by nth order by nth
$$;
comment on function dlms.portions is 'Series in portions of which one statement reads all values.';

create function dlms.freeze_run(run integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs;
  members integer[];
  portion integer[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a run is frozen in a transaction of its own, read committed' using errcode = '25001';
  end if;
  select * into strict the from dlms.runs r where r.run_key = run for update;
  if the.state <> 'draft' then
    raise exception 'run % is % already', the.label, the.state using errcode = '55000';
  end if;
  -- Whoever writes holds this lock in the shared way before rows get their time: after it, nothing before the cutoff can come.
  perform pg_advisory_lock(6142023918440518);
  perform pg_advisory_unlock(6142023918440518);
  if the.cutoff >= clock_timestamp() then
    raise exception 'run % has its cutoff at %, which is not over', the.label, the.cutoff using errcode = '55000';
  end if;
  if the.collection_key is null then
    select array_agg(s.series_key) into members from dlms.series s
    where s.dataset_key = the.dataset_key and (the.pattern is null or s.key ~ the.pattern);
  else
    select array_agg(s.series_key) into members
    from dlms.collection_series_keys(the.collection_key) k join dlms.series s using (series_key)
    where s.dataset_key = the.dataset_key and (the.pattern is null or s.key ~ the.pattern);
  end if;
  for portion in select dlms.portions(members) loop
    insert into dlms.run_series (run_key, series_key, value_count, digest)
    select run, d.series_key, d.value_count, d.digest
    from dlms.digest_series(portion, the) d;
    if the.keeps_values then
      insert into dlms.run_values (run_key, series_key, at, value, value_text, quality, known_from)
      select run, v.series_key, v.at, v.value, v.value_text, v.quality, v.known_from from dlms.read_run_versions(portion, the) v;
    end if;
  end loop;
  update dlms.runs r set state = 'frozen', frozen_at = clock_timestamp(), digest = total.digest,
    series_count = total.series_count, value_count = total.value_count
  from dlms.digest_run(run) total
  where r.run_key = run;
end
$$;
comment on function dlms.freeze_run is 'Resolves the series of a draft, takes the digests of what was known at its cutoff, and closes it.';

create function dlms.read_run_versions(portion integer[], run dlms.runs) returns setof dlms.series_version
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select v.* from dlms.read_versions(portion, coalesce(lower(run.period), '-infinity'), coalesce(upper(run.period), 'infinity'),
    run.cutoff, run.least_quality, 6::smallint, true, false) v
$$;
comment on function dlms.read_run_versions is 'The values of a run, from what was known at its cutoff.';

create function dlms.digest_series(portion integer[], run dlms.runs)
returns table (series_key integer, value_count integer, digest bytea)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select v.series_key, count(*)::integer, sha256(convert_to(string_agg(
      (extract(epoch from v.at) * 1000000)::bigint || ',' || coalesce(v.value::text, v.value_text, '') || ',' || v.quality,
      E'\n' order by v.at), 'UTF8'))
  from dlms.read_run_versions(portion, run) v
  group by v.series_key
$$;
comment on function dlms.digest_series is 'Digests of series of a run, replayed from what was known at its cutoff.';

create function dlms.digest_run(run integer, out digest bytea, out series_count integer, out value_count bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sha256(coalesce(string_agg(sha256(convert_to(s.key, 'UTF8')) || x.digest, ''::bytea order by s.key), ''::bytea)),
    count(*)::integer, coalesce(sum(x.value_count), 0)
  from dlms.run_series x join dlms.series s using (series_key)
  where x.run_key = run
$$;
comment on function dlms.digest_run is 'The digest of a run over those of its series.';
