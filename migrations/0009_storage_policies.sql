-- How long what grows with time stays as it came, and how long it stays at all. With TimescaleDB's Community edition the
-- database's own policies do it; elsewhere the gateway does, by dlms.drop_expired().

alter table dlms.time_tables
  add column compress_after interval,
  add column segment_by text,
  add column order_by text,
  add column keep_for interval;
comment on column dlms.time_tables.compress_after is 'Age of a chunk at which it is compressed; null for never.';
comment on column dlms.time_tables.segment_by is 'Columns whose values are stored once for many compressed rows.';
comment on column dlms.time_tables.order_by is 'Order of rows within compressed ones; null where the table is not compressed.';
comment on column dlms.time_tables.keep_for is 'Age at which rows are deleted; null for never.';

-- A segment of fewer than some hundred rows compresses badly: what has fewer rows a meter and chunk is only ordered.
update dlms.time_tables t
set compress_after = '7 days', segment_by = s.segment_by, order_by = s.order_by
from (values
  ('instant_profile_data', 'meter_key', 'captured_at'),
  ('block_load_profile_data', 'meter_key', 'captured_at'),
  ('daily_load_profile_data', '', 'meter_key, captured_at'),
  ('billing_profile_data', '', 'meter_key, captured_at'),
  ('meter_readings', '', 'meter_id, capture_object, read_at'),
  ('meter_events', '', 'meter_id, occurred_at, log, code'),
  ('energy_measurements', 'meter_id', 'measured_at'),
  ('power_readings', 'meter_id', 'measured_at'),
  ('voltage_measurements', 'meter_id', 'measured_at'),
  ('current_measurements', 'meter_id', 'measured_at'),
  ('event_logs', '', 'occurred_at'),
  ('push_history', '', 'received_at, push_key'),
  ('push_values', '', 'received_at, push_key, position'),
  ('read_attempts', '', 'meter_id, started_at')
) as s (table_name, segment_by, order_by)
where t.table_name = s.table_name;

create function dlms.apply_storage_policies() returns integer
language plpgsql
as $$
declare
  extension_schema name;
  each record;
  job record;
  changed integer := 0;
begin
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'timescaledb' and current_setting('timescaledb.license', true) = 'timescale';
  if extension_schema is null then
    return 0;
  end if;
  for each in
    select t.*, format('%I.%I', t.table_schema, t.table_name)::regclass as relation, h.compression_enabled
    from dlms.time_tables t
    join timescaledb_information.hypertables h on h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name
  loop
    if each.order_by is not null and not each.compression_enabled then
      execute format(
        'alter table %s set (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
        each.relation, each.segment_by, each.order_by
      );
      changed := changed + 1;
    end if;
    for job in
      select p.name, p.wanted, (
          select (j.config ->> p.key)::interval from timescaledb_information.jobs j
          where j.hypertable_schema = each.table_schema and j.hypertable_name = each.table_name and j.config ? p.key
            and j.proc_name = 'policy_' || p.name
        ) as held
      from (values
        ('compression', 'compress_after', case when each.order_by is not null then each.compress_after end),
        ('retention', 'drop_after', each.keep_for)
      ) as p (name, key, wanted)
    loop
      continue when job.wanted is not distinct from job.held;
      if job.held is not null then
        execute format('select %I.remove_%s_policy($1)', extension_schema, job.name) using each.relation;
      end if;
      if job.wanted is not null then
        execute format('select %I.add_%s_policy($1, $2)', extension_schema, job.name) using each.relation, job.wanted;
      end if;
      changed := changed + 1;
    end loop;
  end loop;
  return changed;
end
$$;
comment on function dlms.apply_storage_policies is 'Makes TimescaleDB''s policies what dlms.time_tables says; does nothing without the Community edition.';

create function dlms.drop_expired() returns bigint
language plpgsql
as $$
declare
  extension_schema name;
  each record;
  gone bigint;
  total bigint := 0;
begin
  if current_setting('timescaledb.license', true) = 'timescale' and exists (select from pg_extension where extname = 'timescaledb') then
    return 0;
  end if;
  select n.nspname into extension_schema
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb';
  -- What the rows were summed into stays.
  perform set_config('dlms.keep_sums', 'on', true);
  for each in
    select *, format('%I.%I', table_schema, table_name)::regclass as relation from dlms.time_tables where keep_for is not null
  loop
    if extension_schema is null then
      execute format('delete from %s where %I < now() - $1', each.relation, each.time_column) using each.keep_for;
    else
      execute format('select from %I.drop_chunks($1, older_than => now() - $2)', extension_schema) using each.relation, each.keep_for;
    end if;
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  perform set_config('dlms.keep_sums', 'off', true);
  return total;
end
$$;
comment on function dlms.drop_expired is 'Deletes what is older than dlms.time_tables keeps it, by chunks where there are such; nothing where policies do it.';

create function dlms.block_load_kept_from() returns timestamptz
language sql stable
begin atomic
  select coalesce(now() - keep_for, '-infinity')
  from dlms.time_tables where table_schema = 'dlms' and table_name = 'block_load_profile_data';
end;
comment on function dlms.block_load_kept_from is 'From when on the block load is all there, as far as it came.';
