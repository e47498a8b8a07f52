-- Runs: those that the caller may see, and those of datasets that the caller may write.

create function dlms.visible_runs() returns setof dlms.runs
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.* from dlms.runs r join dlms.may('read') m using (dataset_key)
  where m.early or (r.state = 'released' and r.release_at <= now())
$$;
comment on function dlms.visible_runs is 'The runs that the caller may see now.';

create function dlms.visible_run(dataset text, label text) returns dlms.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs;
begin
  select r.* into the from dlms.visible_runs() r join dlms.datasets d using (dataset_key)
  where d.name = dataset and r.label = visible_run.label;
  if the.run_key is null then
    raise exception 'no run % of %, or not for %', label, dataset, dlms.caller() using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.visible_run is 'A run that the caller may see now; else an error, the same for one that is not there.';

create function dlms_api.runs(in_dataset text default null)
returns table (
  dataset text, label text, state text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz,
  release_at timestamptz, series_count integer, value_count bigint, digest text
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select d.name, r.label,
    case when r.state = 'released' and exists (
      select from dlms.runs later
      where later.dataset_key = r.dataset_key and later.period = r.period and later.state = 'released'
        and later.release_at <= now() and (later.release_at, later.run_key) > (r.release_at, r.run_key)
    ) then 'superseded' else r.state end,
    lower(r.period), upper(r.period), r.cutoff, r.release_at, r.series_count, r.value_count, encode(r.digest, 'hex')
  from dlms.visible_runs() r
  join dlms.datasets d using (dataset_key)
  where in_dataset is null or d.name = in_dataset
  order by d.name, lower(r.period), r.cutoff, r.run_key
$$;
comment on function dlms_api.runs is 'Runs that the caller may see; superseded where a later one of the same period is out.';

create function dlms_api.latest_run(dataset text, at timestamptz default now())
returns table (label text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz, release_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select r.label, lower(r.period), upper(r.period), r.cutoff, r.release_at
  from dlms.visible_runs() r
  join dlms.datasets d using (dataset_key)
  where d.name = latest_run.dataset and r.period @> latest_run.at and r.state = 'released'
  order by r.release_at desc, r.run_key desc limit 1
$$;
comment on function dlms_api.latest_run is 'The run of a dataset that was released last for a period around a time.';

create function dlms_api.read_run(dataset text, label text, series_keys text[] default null, strict boolean default true)
returns table (key text, at timestamptz, value numeric, value_text text, unit text, quality text, known_from timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs := dlms.visible_run(dataset, label);
  members integer[];
  refused text;
begin
  if series_keys is null then
    select array_agg(x.series_key) into members from dlms.run_series x where x.run_key = the.run_key;
  else
    select array_agg(distinct x.series_key) into members
    from dlms.resolve_series(series_keys) r join dlms.run_series x using (series_key) where x.run_key = the.run_key;
    select string_agg(r.wanted, ', ' order by r.wanted) into refused from dlms.resolve_series(series_keys) r
    where r.series_key is null or r.series_key <> all (coalesce(members, '{}'));
    if strict and refused is not null then
      raise exception 'run % has no series %', label, left(refused, 500) using errcode = '42704';
    end if;
  end if;
  return query
    select s.key, v.at, v.value, v.value_text, s.unit, q.name, v.known_from
    from (
      select k.series_key, k.at, k.value, k.value_text, k.quality, k.known_from from dlms.run_values k
      where the.keeps_values and k.run_key = the.run_key and k.series_key = any (members)
      union all
      select w.series_key, w.at, w.value, w.value_text, w.quality, w.known_from
      from dlms.read_run_versions(case when the.keeps_values then null else members end, the) w
    ) v
    join dlms.described_series s on s.series_key = v.series_key
    join dlms.qualities q on q.quality = v.quality
    order by s.key, v.at;
end
$$;
comment on function dlms_api.read_run is 'Values of a run: what was known at its cutoff. Its own release decides who sees it.';

-- A digest over few values can be guessed: runs are made, frozen and verified by those who may read the values anyway.
create function dlms.own_run(dataset text, label text) returns dlms.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs;
begin
  perform dlms.dataset_for('read_early', dataset);
  select r.* into the from dlms.runs r
  where r.dataset_key = dlms.dataset_for('write', dataset) and r.label = own_run.label;
  if the.run_key is null then
    raise exception 'no run % of %', label, dataset using errcode = '42704';
  end if;
  return the;
end
$$;
comment on function dlms.own_run is 'A run of a dataset that the caller may write and read early; else an error.';

create function dlms_api.make_run(
  dataset text, label text, covers_from timestamptz, covers_to timestamptz, cutoff timestamptz,
  release_at timestamptz default null, pattern text default null, collection text default null,
  least_quality text default 'raw', keep_values boolean default false
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform dlms.dataset_for('read_early', dataset);
  -- A pattern that is none fails here and not when the run is frozen.
  perform '' ~ coalesce(pattern, '');
  insert into dlms.runs (dataset_key, label, period, cutoff, release_at, pattern, collection_key, least_quality, keeps_values, created_by)
  values (dlms.dataset_for('write', dataset), make_run.label, tstzrange(covers_from, covers_to), make_run.cutoff, make_run.release_at,
    make_run.pattern,
    case when collection is not null then (dlms.own_or_open_collection(collection, null, false)).collection_key end,
    dlms.quality_of(make_run.least_quality), keep_values, dlms.caller());
end
$$;
comment on function dlms_api.make_run is 'Drafts a run: all series of a dataset, or those of a pattern or a collection, over a period as known at a cutoff.';

create function dlms_api.freeze_run(dataset text, label text) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
begin
  perform dlms.freeze_run(the.run_key);
  return (select encode(r.digest, 'hex') from dlms.runs r where r.run_key = the.run_key);
end
$$;
comment on function dlms_api.freeze_run is 'Closes a draft once its cutoff is over; its digest.';

create function dlms_api.release_run(dataset text, label text, release_at timestamptz default null) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
  moment timestamptz := coalesce(release_at, the.release_at, now());
begin
  if the.state <> 'frozen' then
    raise exception 'run % is %, only a frozen one is released', label, the.state using errcode = '55000';
  end if;
  update dlms.runs r set state = 'released', released_at = now(), release_at = moment where r.run_key = the.run_key;
  return moment;
end
$$;
comment on function dlms_api.release_run is 'Releases a frozen run, at once or for the time that was set; when it will be seen by all.';

create function dlms_api.drop_run(dataset text, label text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  the dlms.runs := dlms.own_run(dataset, label);
begin
  delete from dlms.runs r where r.run_key = the.run_key;
end
$$;
comment on function dlms_api.drop_run is 'Deletes a draft.';

create function dlms_api.verify_run(dataset text, label text) returns table (key text, expected text, found text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  the dlms.runs := dlms.own_run(dataset, label);
  portion integer[];
  total bytea;
begin
  for portion in
    select dlms.portions(array(select x.series_key from dlms.run_series x where x.run_key = the.run_key))
  loop
    return query
      select s.key::text, encode(x.digest, 'hex'), encode(d.digest, 'hex')
      from dlms.run_series x
      join dlms.series s using (series_key)
      left join dlms.digest_series(portion, the) d using (series_key)
      where x.run_key = the.run_key and x.series_key = any (portion) and d.digest is distinct from x.digest;
  end loop;
  select t.digest into total from dlms.digest_run(the.run_key) t;
  if total is distinct from the.digest then
    return query select null::text, encode(the.digest, 'hex'), encode(total, 'hex');
  end if;
end
$$;
comment on function dlms_api.verify_run is 'Replays a run: the series whose digests differ, and without a key the run''s own; nothing when all is as it was.';

create view dlms_views.runs with (security_barrier) as
select r.dataset, r.label, r.state, r.covers_from, r.covers_to, r.cutoff, r.release_at, r.series_count, r.value_count, r.digest
from dlms_api.runs() r;
comment on view dlms_views.runs is 'The runs that you may see.';
comment on column dlms_views.runs.dataset is 'Dataset that it is of.';
comment on column dlms_views.runs.label is 'Its name.';
comment on column dlms_views.runs.state is 'draft, frozen, released or superseded.';
comment on column dlms_views.runs.covers_from is 'First slot that it covers.';
comment on column dlms_views.runs.covers_to is 'First slot that it no longer covers.';
comment on column dlms_views.runs.cutoff is 'What became known later is not in it.';
comment on column dlms_views.runs.release_at is 'When it is seen by those who may not read early.';
comment on column dlms_views.runs.series_count is 'Series in it.';
comment on column dlms_views.runs.value_count is 'Values in it.';
comment on column dlms_views.runs.digest is 'SHA-256 over it, in hexadecimal digits.';

create view dlms_views.run_values with (security_barrier) as
select d.name as dataset, r.label, s.key, v.at, v.value, v.value_text, s.unit, n.name as quality, v.known_from
from dlms.run_values v
join dlms.runs r using (run_key)
join dlms.datasets d using (dataset_key)
join dlms.described_series s using (series_key)
join dlms.qualities n using (quality)
where (d.name, r.label) in (select o.dataset, o.label from dlms_api.runs() o);
comment on view dlms_views.run_values is 'Values of the runs that you may see and that keep them.';
comment on column dlms_views.run_values.dataset is 'Dataset of the run.';
comment on column dlms_views.run_values.label is 'Name of the run.';
comment on column dlms_views.run_values.key is 'Key of the series.';
comment on column dlms_views.run_values.at is 'The slot; of an interval its end.';
comment on column dlms_views.run_values.value is 'The number.';
comment on column dlms_views.run_values.value_text is 'What is not a number.';
comment on column dlms_views.run_values.unit is 'Unit of the value; null for none.';
comment on column dlms_views.run_values.quality is 'raw, suspect, validated, estimated, edited or final.';
comment on column dlms_views.run_values.known_from is 'When the database came to know the value.';
