-- A digest over few values can be guessed: runs are made, frozen and verified by those who may read the values anyway.

create or replace function dlms.own_run(dataset text, label text) returns dlms.runs
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

create or replace function dlms_api.make_run(
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

comment on column dlms.dataset_grants.may is
  'read: what is released; read_early: also what is under embargo; write: add values and metadata, with read_early also runs.';
