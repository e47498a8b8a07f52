-- Values of other origin than meters, in versions that are only ever added, each with its step of the quality ladder.

create table dlms.qualities (
  quality smallint not null primary key,
  name text not null unique,
  rank smallint not null,
  description text not null
);
comment on table dlms.qualities is 'The ladder that a value climbs; a lower step is never overwritten.';
comment on column dlms.qualities.rank is 'Among versions of one slot the highest rank holds, then the latest known.';

insert into dlms.qualities (quality, name, rank, description) values
  (1, 'raw', 0, 'As the meter sent it.'),
  (2, 'suspect', 1, 'Looked at and doubted.'),
  (3, 'validated', 1, 'Looked at and found good.'),
  (4, 'estimated', 1, 'Put in by rule for what is missing or doubted.'),
  (5, 'edited', 1, 'Put in by a person.'),
  (6, 'final', 2, 'Settled; only another final value replaces it.');

create table dlms.series_revisions (
  revision_key integer not null generated always as identity primary key,
  dataset_key smallint not null references dlms.datasets (dataset_key),
  known_from timestamptz not null,
  release_at timestamptz,
  label text,
  recorded_by name not null,
  added integer not null
);
comment on table dlms.series_revisions is 'Each time that values were brought in: by whom, as what, and from when on they may be seen.';

create table dlms.series_values (
  series_key integer not null,
  at timestamptz not null,
  known_from timestamptz not null,
  value bigint,
  quality smallint not null,
  revision_key integer not null,
  primary key (series_key, at, known_from)
);
comment on table dlms.series_values is 'Versions of values that were brought in, append only. Those that meters sent are in the profile tables.';
comment on column dlms.series_values.value is 'Counts in 10^exponent of the unit; null where the value was withdrawn.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'series_values', 'at', '365 days', '400 days', 'series_key', 'at, known_from');

create function dlms.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% is append only', tg_relid::regclass using errcode = '55000';
end
$$;
comment on function dlms.refuse_change is 'Trigger of tables that are append only.';
create trigger append_only before update or delete or truncate on dlms.series_values
for each statement execute function dlms.refuse_change();
create trigger append_only before update or delete or truncate on dlms.series_revisions
for each statement execute function dlms.refuse_change();
