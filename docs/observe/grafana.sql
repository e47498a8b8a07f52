-- A login with which Grafana reads what the dashboards show, and nothing else: no keys, no tokens. Once, as the owner of
-- the database, when the gateway has been started for the first time:
--   psql -v password=a-good-password -f grafana.sql 'postgresql://…'
create role grafana login password :'password';
grant usage on schema dlms to grafana;
grant select on public.meters, public.meter_events to grafana;
grant select on dlms.instant_profile, dlms.block_load_profile, dlms.daily_load_profile, dlms.billing_profile,
  dlms.block_load_profile_data, dlms.coverage, dlms.read_attempts, dlms.read_failures, dlms.read_successes,
  dlms.push_history, dlms.unknown_senders to grafana;
-- What these views call.
grant execute on function dlms.coverage_marks, dlms.day_start, dlms.day_of, dlms.block_load_sums, dlms.zone_or_utc to grafana;
