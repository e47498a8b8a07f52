-- Tables that are kept by time: as hypertables where TimescaleDB is there, elsewhere as plain tables with the same names. How
-- long their rows stay as they came, and how long they stay at all. With TimescaleDB's Community edition the database's own
-- policies see to it; elsewhere the gateway does, by dlms.drop_expired().
--
-- A segment of fewer than some hundred rows compresses badly: a table with fewer rows a meter and chunk is only ordered.
-- A table whose keys do not hold the time, and which grows slowly, stays a plain one everywhere: it has no chunk interval.

create table dlms.time_tables (
  table_schema name not null,
  table_name name not null,
  time_column name not null,
  chunk_interval interval,
  compress_after interval,
  segment_by text,
  order_by text,
  keep_for interval,
  dropped_before timestamptz,
  compressed_chunk_interval interval,
  primary key (table_schema, table_name)
);
comment on table dlms.time_tables is 'Tables that grow with time.';
comment on column dlms.time_tables.chunk_interval is 'Length of a chunk where TimescaleDB is there; null for a table that is a plain one everywhere.';
comment on column dlms.time_tables.compress_after is 'Age of a chunk at which it is compressed; null for never.';
comment on column dlms.time_tables.segment_by is 'Columns whose values are stored once for many compressed rows.';
comment on column dlms.time_tables.order_by is 'Order of rows within compressed ones; null where the table is not compressed.';
comment on column dlms.time_tables.keep_for is 'Age at which rows are deleted; null for never.';
comment on column dlms.time_tables.dropped_before is 'Older rows were deleted under a keep_for that no longer holds.';
comment on column dlms.time_tables.compressed_chunk_interval is 'Chunks that follow one another are compressed into one of this length; null where each stays one.';

create function dlms.extension_schema(extension name) returns name
language sql stable
set search_path = pg_catalog
return (
  select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = extension
);
comment on function dlms.extension_schema is 'Where an extension lies; null where this database does not have it.';

create function dlms.has_policies() returns boolean
language sql stable
set search_path = pg_catalog
return coalesce(current_setting('timescaledb.license', true) = 'timescale', false)
  and dlms.extension_schema('timescaledb') is not null;
comment on function dlms.has_policies is 'Whether the edition has policies and continuous aggregates: TimescaleDB''s Community edition.';

create function dlms.make_hypertables() returns integer
language plpgsql
as $$
declare
  extension_schema constant name := dlms.extension_schema('timescaledb');
  each record;
  made integer := 0;
begin
  if extension_schema is null then
    return 0;
  end if;
  for each in
    select t.* from dlms.time_tables t
    where t.chunk_interval is not null and not exists (
      select from timescaledb_information.hypertables h
      where h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name
    )
  loop
    execute format(
      'select %1$I.create_hypertable($1, %1$I.by_range($2, $3), create_default_indexes => false, migrate_data => true)',
      extension_schema
    ) using format('%I.%I', each.table_schema, each.table_name)::regclass, each.time_column, each.chunk_interval;
    made := made + 1;
  end loop;
  return made;
end
$$;
comment on function dlms.make_hypertables is 'Makes hypertables of all tables in dlms.time_tables that are not yet; does nothing without TimescaleDB.';

create function dlms.apply_storage_policies() returns integer
language plpgsql
as $$
declare
  extension_schema constant name := dlms.extension_schema('timescaledb');
  each record;
  job record;
  changed integer := 0;
begin
  if not dlms.has_policies() then
    return 0;
  end if;
  for each in
    select t.*, format('%I.%I', t.table_schema, t.table_name)::regclass as relation, h.compression_enabled,
      make_interval(secs => (to_jsonb(d) ->> 'compress_interval_length')::numeric / 1e6) as merged_chunk_interval
    from dlms.time_tables t
    join timescaledb_information.hypertables h on h.hypertable_schema = t.table_schema and h.hypertable_name = t.table_name
    join _timescaledb_catalog.hypertable c on c.schema_name = t.table_schema and c.table_name = t.table_name
    join _timescaledb_catalog.dimension d on d.hypertable_id = c.id and d.column_name = t.time_column
  loop
    if each.order_by is not null and not each.compression_enabled then
      execute format(
        'alter table %s set (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
        each.relation, each.segment_by, each.order_by
      );
      changed := changed + 1;
    end if;
    if each.compressed_chunk_interval is distinct from each.merged_chunk_interval then
      execute format(
        'alter table %s set (timescaledb.compress_chunk_time_interval = %L)',
        each.relation, coalesce(each.compressed_chunk_interval::text, '0')
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
  extension_schema constant name := dlms.extension_schema('timescaledb');
  each record;
  gone bigint;
  total bigint := 0;
begin
  -- What the rows were summed into stays.
  perform set_config('dlms.keep_sums', 'on', true);
  for each in
    select *, format('%I.%I', table_schema, table_name)::regclass as relation,
      extension_schema is not null and chunk_interval is not null as in_chunks,
      (select a.atttypid::regtype from pg_attribute a
       where a.attrelid = format('%I.%I', table_schema, table_name)::regclass and a.attname = time_column) as time_type
    from dlms.time_tables where keep_for is not null
  loop
    continue when each.in_chunks and dlms.has_policies();
    if each.in_chunks then
      execute format('select from %I.drop_chunks($1, older_than => (now() - $2)::%s)', extension_schema, each.time_type)
      using each.relation, each.keep_for;
    else
      execute format('delete from %s where %I < now() - $1', each.relation, each.time_column) using each.keep_for;
    end if;
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  perform set_config('dlms.keep_sums', 'off', true);
  return total;
end
$$;
comment on function dlms.drop_expired is 'Deletes what is older than dlms.time_tables keeps it, by chunks where there are such; but not what policies delete.';

-- When rows are to be kept longer than before, those that went already do not come back: their sums stay as they are.
create function dlms.remember_dropped() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  new.dropped_before := greatest(old.dropped_before, now() - old.keep_for);
  return new;
end
$$;
create trigger remember_dropped before update of keep_for on dlms.time_tables
for each row when (old.keep_for is distinct from new.keep_for and old.keep_for is not null)
execute function dlms.remember_dropped();
