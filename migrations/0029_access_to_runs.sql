-- Runs of datasets that the caller may write.

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
    select array_agg(series_key) from (
      select x.series_key, (row_number() over (order by x.series_key) - 1) / 5000 as nth
      from dlms.run_series x where x.run_key = the.run_key
    ) p group by nth order by nth
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
