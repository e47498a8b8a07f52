-- Registers at the end of billing periods: a base table of integers, and the view over it in plain units. Made from the list of columns in
-- src/profiles/columns.ts.

create table dlms.billing_profile_data (
  captured_at timestamptz not null,
  read_at timestamptz not null,
  meter_key integer not null,
  layout_key integer not null,
  interval_s integer,
  source smallint not null,
  time_rule smallint not null,
  status bigint,
  power_factor integer,
  active_import bigint,
  active_export bigint,
  reactive_import bigint,
  reactive_export bigint,
  apparent_import bigint,
  apparent_export bigint,
  reactive_q1 bigint,
  reactive_q2 bigint,
  reactive_q3 bigint,
  reactive_q4 bigint,
  active_net bigint,
  active_absolute bigint,
  active_import_total bigint,
  active_export_total bigint,
  reactive_import_total bigint,
  reactive_export_total bigint,
  apparent_import_total bigint,
  apparent_export_total bigint,
  reactive_q1_total bigint,
  reactive_q2_total bigint,
  reactive_q3_total bigint,
  reactive_q4_total bigint,
  active_net_total bigint,
  active_absolute_total bigint,
  active_import_t1 bigint,
  active_import_t2 bigint,
  active_import_t3 bigint,
  active_import_t4 bigint,
  active_import_t5 bigint,
  active_import_t6 bigint,
  active_import_t7 bigint,
  active_import_t8 bigint,
  active_export_t1 bigint,
  active_export_t2 bigint,
  active_export_t3 bigint,
  active_export_t4 bigint,
  active_export_t5 bigint,
  active_export_t6 bigint,
  active_export_t7 bigint,
  active_export_t8 bigint,
  reactive_import_t1 bigint,
  reactive_import_t2 bigint,
  reactive_import_t3 bigint,
  reactive_import_t4 bigint,
  reactive_import_t5 bigint,
  reactive_import_t6 bigint,
  reactive_import_t7 bigint,
  reactive_import_t8 bigint,
  reactive_export_t1 bigint,
  reactive_export_t2 bigint,
  reactive_export_t3 bigint,
  reactive_export_t4 bigint,
  reactive_export_t5 bigint,
  reactive_export_t6 bigint,
  reactive_export_t7 bigint,
  reactive_export_t8 bigint,
  apparent_import_t1 bigint,
  apparent_import_t2 bigint,
  apparent_import_t3 bigint,
  apparent_import_t4 bigint,
  apparent_import_t5 bigint,
  apparent_import_t6 bigint,
  apparent_import_t7 bigint,
  apparent_import_t8 bigint,
  apparent_export_t1 bigint,
  apparent_export_t2 bigint,
  apparent_export_t3 bigint,
  apparent_export_t4 bigint,
  apparent_export_t5 bigint,
  apparent_export_t6 bigint,
  apparent_export_t7 bigint,
  apparent_export_t8 bigint,
  reactive_q1_t1 bigint,
  reactive_q1_t2 bigint,
  reactive_q1_t3 bigint,
  reactive_q1_t4 bigint,
  reactive_q1_t5 bigint,
  reactive_q1_t6 bigint,
  reactive_q1_t7 bigint,
  reactive_q1_t8 bigint,
  reactive_q2_t1 bigint,
  reactive_q2_t2 bigint,
  reactive_q2_t3 bigint,
  reactive_q2_t4 bigint,
  reactive_q2_t5 bigint,
  reactive_q2_t6 bigint,
  reactive_q2_t7 bigint,
  reactive_q2_t8 bigint,
  reactive_q3_t1 bigint,
  reactive_q3_t2 bigint,
  reactive_q3_t3 bigint,
  reactive_q3_t4 bigint,
  reactive_q3_t5 bigint,
  reactive_q3_t6 bigint,
  reactive_q3_t7 bigint,
  reactive_q3_t8 bigint,
  reactive_q4_t1 bigint,
  reactive_q4_t2 bigint,
  reactive_q4_t3 bigint,
  reactive_q4_t4 bigint,
  reactive_q4_t5 bigint,
  reactive_q4_t6 bigint,
  reactive_q4_t7 bigint,
  reactive_q4_t8 bigint,
  demand_active_import_max bigint,
  demand_active_import_max_time timestamptz,
  demand_active_import_max_t1 bigint,
  demand_active_import_max_t1_time timestamptz,
  demand_active_import_max_t2 bigint,
  demand_active_import_max_t2_time timestamptz,
  demand_active_import_max_t3 bigint,
  demand_active_import_max_t3_time timestamptz,
  demand_active_import_max_t4 bigint,
  demand_active_import_max_t4_time timestamptz,
  demand_active_import_max_t5 bigint,
  demand_active_import_max_t5_time timestamptz,
  demand_active_import_max_t6 bigint,
  demand_active_import_max_t6_time timestamptz,
  demand_active_import_max_t7 bigint,
  demand_active_import_max_t7_time timestamptz,
  demand_active_import_max_t8 bigint,
  demand_active_import_max_t8_time timestamptz,
  demand_active_export_max bigint,
  demand_active_export_max_time timestamptz,
  demand_active_export_max_t1 bigint,
  demand_active_export_max_t1_time timestamptz,
  demand_active_export_max_t2 bigint,
  demand_active_export_max_t2_time timestamptz,
  demand_active_export_max_t3 bigint,
  demand_active_export_max_t3_time timestamptz,
  demand_active_export_max_t4 bigint,
  demand_active_export_max_t4_time timestamptz,
  demand_active_export_max_t5 bigint,
  demand_active_export_max_t5_time timestamptz,
  demand_active_export_max_t6 bigint,
  demand_active_export_max_t6_time timestamptz,
  demand_active_export_max_t7 bigint,
  demand_active_export_max_t7_time timestamptz,
  demand_active_export_max_t8 bigint,
  demand_active_export_max_t8_time timestamptz,
  demand_reactive_import_max bigint,
  demand_reactive_import_max_time timestamptz,
  demand_reactive_import_max_t1 bigint,
  demand_reactive_import_max_t1_time timestamptz,
  demand_reactive_import_max_t2 bigint,
  demand_reactive_import_max_t2_time timestamptz,
  demand_reactive_import_max_t3 bigint,
  demand_reactive_import_max_t3_time timestamptz,
  demand_reactive_import_max_t4 bigint,
  demand_reactive_import_max_t4_time timestamptz,
  demand_reactive_import_max_t5 bigint,
  demand_reactive_import_max_t5_time timestamptz,
  demand_reactive_import_max_t6 bigint,
  demand_reactive_import_max_t6_time timestamptz,
  demand_reactive_import_max_t7 bigint,
  demand_reactive_import_max_t7_time timestamptz,
  demand_reactive_import_max_t8 bigint,
  demand_reactive_import_max_t8_time timestamptz,
  demand_reactive_export_max bigint,
  demand_reactive_export_max_time timestamptz,
  demand_reactive_export_max_t1 bigint,
  demand_reactive_export_max_t1_time timestamptz,
  demand_reactive_export_max_t2 bigint,
  demand_reactive_export_max_t2_time timestamptz,
  demand_reactive_export_max_t3 bigint,
  demand_reactive_export_max_t3_time timestamptz,
  demand_reactive_export_max_t4 bigint,
  demand_reactive_export_max_t4_time timestamptz,
  demand_reactive_export_max_t5 bigint,
  demand_reactive_export_max_t5_time timestamptz,
  demand_reactive_export_max_t6 bigint,
  demand_reactive_export_max_t6_time timestamptz,
  demand_reactive_export_max_t7 bigint,
  demand_reactive_export_max_t7_time timestamptz,
  demand_reactive_export_max_t8 bigint,
  demand_reactive_export_max_t8_time timestamptz,
  demand_apparent_import_max bigint,
  demand_apparent_import_max_time timestamptz,
  demand_apparent_import_max_t1 bigint,
  demand_apparent_import_max_t1_time timestamptz,
  demand_apparent_import_max_t2 bigint,
  demand_apparent_import_max_t2_time timestamptz,
  demand_apparent_import_max_t3 bigint,
  demand_apparent_import_max_t3_time timestamptz,
  demand_apparent_import_max_t4 bigint,
  demand_apparent_import_max_t4_time timestamptz,
  demand_apparent_import_max_t5 bigint,
  demand_apparent_import_max_t5_time timestamptz,
  demand_apparent_import_max_t6 bigint,
  demand_apparent_import_max_t6_time timestamptz,
  demand_apparent_import_max_t7 bigint,
  demand_apparent_import_max_t7_time timestamptz,
  demand_apparent_import_max_t8 bigint,
  demand_apparent_import_max_t8_time timestamptz,
  demand_apparent_export_max bigint,
  demand_apparent_export_max_time timestamptz,
  demand_apparent_export_max_t1 bigint,
  demand_apparent_export_max_t1_time timestamptz,
  demand_apparent_export_max_t2 bigint,
  demand_apparent_export_max_t2_time timestamptz,
  demand_apparent_export_max_t3 bigint,
  demand_apparent_export_max_t3_time timestamptz,
  demand_apparent_export_max_t4 bigint,
  demand_apparent_export_max_t4_time timestamptz,
  demand_apparent_export_max_t5 bigint,
  demand_apparent_export_max_t5_time timestamptz,
  demand_apparent_export_max_t6 bigint,
  demand_apparent_export_max_t6_time timestamptz,
  demand_apparent_export_max_t7 bigint,
  demand_apparent_export_max_t7_time timestamptz,
  demand_apparent_export_max_t8 bigint,
  demand_apparent_export_max_t8_time timestamptz,
  billing_power_on_duration integer,
  power_failures integer,
  power_off_duration integer,
  power_on_duration integer,
  tamper_count integer,
  billing_count integer,
  programming_count integer,
  load_switch bigint,
  load_switch_state bigint,
  load_limit bigint,
  tariff bigint,
  mbus1_volume bigint,
  mbus1_heat bigint,
  mbus1_time timestamptz,
  mbus2_volume bigint,
  mbus2_heat bigint,
  mbus2_time timestamptz,
  mbus3_volume bigint,
  mbus3_heat bigint,
  mbus3_time timestamptz,
  mbus4_volume bigint,
  mbus4_heat bigint,
  mbus4_time timestamptz,
  meter_time bytea,
  others jsonb,
  known_from timestamptz not null default statement_timestamp(),
  primary key (meter_key, captured_at)
);
comment on table dlms.billing_profile_data is 'Base table of dlms.billing_profile: integers in fixed decimal units.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'billing_profile_data', 'captured_at', '366 days', '7 days', '', 'meter_key, captured_at');

create view dlms.billing_profile as
select m.id as meter_id,
  m.meter_number,
  d.captured_at,
  d.status as status,
  d.power_factor * 0.0001::numeric as power_factor,
  d.active_import * 0.001::numeric as active_import_wh,
  d.active_export * 0.001::numeric as active_export_wh,
  d.reactive_import * 0.001::numeric as reactive_import_varh,
  d.reactive_export * 0.001::numeric as reactive_export_varh,
  d.apparent_import * 0.001::numeric as apparent_import_vah,
  d.apparent_export * 0.001::numeric as apparent_export_vah,
  d.reactive_q1 * 0.001::numeric as reactive_q1_varh,
  d.reactive_q2 * 0.001::numeric as reactive_q2_varh,
  d.reactive_q3 * 0.001::numeric as reactive_q3_varh,
  d.reactive_q4 * 0.001::numeric as reactive_q4_varh,
  d.active_net * 0.001::numeric as active_net_wh,
  d.active_absolute * 0.001::numeric as active_absolute_wh,
  d.active_import_total * 0.001::numeric as active_import_total_wh,
  d.active_export_total * 0.001::numeric as active_export_total_wh,
  d.reactive_import_total * 0.001::numeric as reactive_import_total_varh,
  d.reactive_export_total * 0.001::numeric as reactive_export_total_varh,
  d.apparent_import_total * 0.001::numeric as apparent_import_total_vah,
  d.apparent_export_total * 0.001::numeric as apparent_export_total_vah,
  d.reactive_q1_total * 0.001::numeric as reactive_q1_total_varh,
  d.reactive_q2_total * 0.001::numeric as reactive_q2_total_varh,
  d.reactive_q3_total * 0.001::numeric as reactive_q3_total_varh,
  d.reactive_q4_total * 0.001::numeric as reactive_q4_total_varh,
  d.active_net_total * 0.001::numeric as active_net_total_wh,
  d.active_absolute_total * 0.001::numeric as active_absolute_total_wh,
  d.active_import_t1 * 0.001::numeric as active_import_t1_wh,
  d.active_import_t2 * 0.001::numeric as active_import_t2_wh,
  d.active_import_t3 * 0.001::numeric as active_import_t3_wh,
  d.active_import_t4 * 0.001::numeric as active_import_t4_wh,
  d.active_import_t5 * 0.001::numeric as active_import_t5_wh,
  d.active_import_t6 * 0.001::numeric as active_import_t6_wh,
  d.active_import_t7 * 0.001::numeric as active_import_t7_wh,
  d.active_import_t8 * 0.001::numeric as active_import_t8_wh,
  d.active_export_t1 * 0.001::numeric as active_export_t1_wh,
  d.active_export_t2 * 0.001::numeric as active_export_t2_wh,
  d.active_export_t3 * 0.001::numeric as active_export_t3_wh,
  d.active_export_t4 * 0.001::numeric as active_export_t4_wh,
  d.active_export_t5 * 0.001::numeric as active_export_t5_wh,
  d.active_export_t6 * 0.001::numeric as active_export_t6_wh,
  d.active_export_t7 * 0.001::numeric as active_export_t7_wh,
  d.active_export_t8 * 0.001::numeric as active_export_t8_wh,
  d.reactive_import_t1 * 0.001::numeric as reactive_import_t1_varh,
  d.reactive_import_t2 * 0.001::numeric as reactive_import_t2_varh,
  d.reactive_import_t3 * 0.001::numeric as reactive_import_t3_varh,
  d.reactive_import_t4 * 0.001::numeric as reactive_import_t4_varh,
  d.reactive_import_t5 * 0.001::numeric as reactive_import_t5_varh,
  d.reactive_import_t6 * 0.001::numeric as reactive_import_t6_varh,
  d.reactive_import_t7 * 0.001::numeric as reactive_import_t7_varh,
  d.reactive_import_t8 * 0.001::numeric as reactive_import_t8_varh,
  d.reactive_export_t1 * 0.001::numeric as reactive_export_t1_varh,
  d.reactive_export_t2 * 0.001::numeric as reactive_export_t2_varh,
  d.reactive_export_t3 * 0.001::numeric as reactive_export_t3_varh,
  d.reactive_export_t4 * 0.001::numeric as reactive_export_t4_varh,
  d.reactive_export_t5 * 0.001::numeric as reactive_export_t5_varh,
  d.reactive_export_t6 * 0.001::numeric as reactive_export_t6_varh,
  d.reactive_export_t7 * 0.001::numeric as reactive_export_t7_varh,
  d.reactive_export_t8 * 0.001::numeric as reactive_export_t8_varh,
  d.apparent_import_t1 * 0.001::numeric as apparent_import_t1_vah,
  d.apparent_import_t2 * 0.001::numeric as apparent_import_t2_vah,
  d.apparent_import_t3 * 0.001::numeric as apparent_import_t3_vah,
  d.apparent_import_t4 * 0.001::numeric as apparent_import_t4_vah,
  d.apparent_import_t5 * 0.001::numeric as apparent_import_t5_vah,
  d.apparent_import_t6 * 0.001::numeric as apparent_import_t6_vah,
  d.apparent_import_t7 * 0.001::numeric as apparent_import_t7_vah,
  d.apparent_import_t8 * 0.001::numeric as apparent_import_t8_vah,
  d.apparent_export_t1 * 0.001::numeric as apparent_export_t1_vah,
  d.apparent_export_t2 * 0.001::numeric as apparent_export_t2_vah,
  d.apparent_export_t3 * 0.001::numeric as apparent_export_t3_vah,
  d.apparent_export_t4 * 0.001::numeric as apparent_export_t4_vah,
  d.apparent_export_t5 * 0.001::numeric as apparent_export_t5_vah,
  d.apparent_export_t6 * 0.001::numeric as apparent_export_t6_vah,
  d.apparent_export_t7 * 0.001::numeric as apparent_export_t7_vah,
  d.apparent_export_t8 * 0.001::numeric as apparent_export_t8_vah,
  d.reactive_q1_t1 * 0.001::numeric as reactive_q1_t1_varh,
  d.reactive_q1_t2 * 0.001::numeric as reactive_q1_t2_varh,
  d.reactive_q1_t3 * 0.001::numeric as reactive_q1_t3_varh,
  d.reactive_q1_t4 * 0.001::numeric as reactive_q1_t4_varh,
  d.reactive_q1_t5 * 0.001::numeric as reactive_q1_t5_varh,
  d.reactive_q1_t6 * 0.001::numeric as reactive_q1_t6_varh,
  d.reactive_q1_t7 * 0.001::numeric as reactive_q1_t7_varh,
  d.reactive_q1_t8 * 0.001::numeric as reactive_q1_t8_varh,
  d.reactive_q2_t1 * 0.001::numeric as reactive_q2_t1_varh,
  d.reactive_q2_t2 * 0.001::numeric as reactive_q2_t2_varh,
  d.reactive_q2_t3 * 0.001::numeric as reactive_q2_t3_varh,
  d.reactive_q2_t4 * 0.001::numeric as reactive_q2_t4_varh,
  d.reactive_q2_t5 * 0.001::numeric as reactive_q2_t5_varh,
  d.reactive_q2_t6 * 0.001::numeric as reactive_q2_t6_varh,
  d.reactive_q2_t7 * 0.001::numeric as reactive_q2_t7_varh,
  d.reactive_q2_t8 * 0.001::numeric as reactive_q2_t8_varh,
  d.reactive_q3_t1 * 0.001::numeric as reactive_q3_t1_varh,
  d.reactive_q3_t2 * 0.001::numeric as reactive_q3_t2_varh,
  d.reactive_q3_t3 * 0.001::numeric as reactive_q3_t3_varh,
  d.reactive_q3_t4 * 0.001::numeric as reactive_q3_t4_varh,
  d.reactive_q3_t5 * 0.001::numeric as reactive_q3_t5_varh,
  d.reactive_q3_t6 * 0.001::numeric as reactive_q3_t6_varh,
  d.reactive_q3_t7 * 0.001::numeric as reactive_q3_t7_varh,
  d.reactive_q3_t8 * 0.001::numeric as reactive_q3_t8_varh,
  d.reactive_q4_t1 * 0.001::numeric as reactive_q4_t1_varh,
  d.reactive_q4_t2 * 0.001::numeric as reactive_q4_t2_varh,
  d.reactive_q4_t3 * 0.001::numeric as reactive_q4_t3_varh,
  d.reactive_q4_t4 * 0.001::numeric as reactive_q4_t4_varh,
  d.reactive_q4_t5 * 0.001::numeric as reactive_q4_t5_varh,
  d.reactive_q4_t6 * 0.001::numeric as reactive_q4_t6_varh,
  d.reactive_q4_t7 * 0.001::numeric as reactive_q4_t7_varh,
  d.reactive_q4_t8 * 0.001::numeric as reactive_q4_t8_varh,
  d.demand_active_import_max * 0.001::numeric as demand_active_import_max_w,
  d.demand_active_import_max_time as demand_active_import_max_time,
  d.demand_active_import_max_t1 * 0.001::numeric as demand_active_import_max_t1_w,
  d.demand_active_import_max_t1_time as demand_active_import_max_t1_time,
  d.demand_active_import_max_t2 * 0.001::numeric as demand_active_import_max_t2_w,
  d.demand_active_import_max_t2_time as demand_active_import_max_t2_time,
  d.demand_active_import_max_t3 * 0.001::numeric as demand_active_import_max_t3_w,
  d.demand_active_import_max_t3_time as demand_active_import_max_t3_time,
  d.demand_active_import_max_t4 * 0.001::numeric as demand_active_import_max_t4_w,
  d.demand_active_import_max_t4_time as demand_active_import_max_t4_time,
  d.demand_active_import_max_t5 * 0.001::numeric as demand_active_import_max_t5_w,
  d.demand_active_import_max_t5_time as demand_active_import_max_t5_time,
  d.demand_active_import_max_t6 * 0.001::numeric as demand_active_import_max_t6_w,
  d.demand_active_import_max_t6_time as demand_active_import_max_t6_time,
  d.demand_active_import_max_t7 * 0.001::numeric as demand_active_import_max_t7_w,
  d.demand_active_import_max_t7_time as demand_active_import_max_t7_time,
  d.demand_active_import_max_t8 * 0.001::numeric as demand_active_import_max_t8_w,
  d.demand_active_import_max_t8_time as demand_active_import_max_t8_time,
  d.demand_active_export_max * 0.001::numeric as demand_active_export_max_w,
  d.demand_active_export_max_time as demand_active_export_max_time,
  d.demand_active_export_max_t1 * 0.001::numeric as demand_active_export_max_t1_w,
  d.demand_active_export_max_t1_time as demand_active_export_max_t1_time,
  d.demand_active_export_max_t2 * 0.001::numeric as demand_active_export_max_t2_w,
  d.demand_active_export_max_t2_time as demand_active_export_max_t2_time,
  d.demand_active_export_max_t3 * 0.001::numeric as demand_active_export_max_t3_w,
  d.demand_active_export_max_t3_time as demand_active_export_max_t3_time,
  d.demand_active_export_max_t4 * 0.001::numeric as demand_active_export_max_t4_w,
  d.demand_active_export_max_t4_time as demand_active_export_max_t4_time,
  d.demand_active_export_max_t5 * 0.001::numeric as demand_active_export_max_t5_w,
  d.demand_active_export_max_t5_time as demand_active_export_max_t5_time,
  d.demand_active_export_max_t6 * 0.001::numeric as demand_active_export_max_t6_w,
  d.demand_active_export_max_t6_time as demand_active_export_max_t6_time,
  d.demand_active_export_max_t7 * 0.001::numeric as demand_active_export_max_t7_w,
  d.demand_active_export_max_t7_time as demand_active_export_max_t7_time,
  d.demand_active_export_max_t8 * 0.001::numeric as demand_active_export_max_t8_w,
  d.demand_active_export_max_t8_time as demand_active_export_max_t8_time,
  d.demand_reactive_import_max * 0.001::numeric as demand_reactive_import_max_var,
  d.demand_reactive_import_max_time as demand_reactive_import_max_time,
  d.demand_reactive_import_max_t1 * 0.001::numeric as demand_reactive_import_max_t1_var,
  d.demand_reactive_import_max_t1_time as demand_reactive_import_max_t1_time,
  d.demand_reactive_import_max_t2 * 0.001::numeric as demand_reactive_import_max_t2_var,
  d.demand_reactive_import_max_t2_time as demand_reactive_import_max_t2_time,
  d.demand_reactive_import_max_t3 * 0.001::numeric as demand_reactive_import_max_t3_var,
  d.demand_reactive_import_max_t3_time as demand_reactive_import_max_t3_time,
  d.demand_reactive_import_max_t4 * 0.001::numeric as demand_reactive_import_max_t4_var,
  d.demand_reactive_import_max_t4_time as demand_reactive_import_max_t4_time,
  d.demand_reactive_import_max_t5 * 0.001::numeric as demand_reactive_import_max_t5_var,
  d.demand_reactive_import_max_t5_time as demand_reactive_import_max_t5_time,
  d.demand_reactive_import_max_t6 * 0.001::numeric as demand_reactive_import_max_t6_var,
  d.demand_reactive_import_max_t6_time as demand_reactive_import_max_t6_time,
  d.demand_reactive_import_max_t7 * 0.001::numeric as demand_reactive_import_max_t7_var,
  d.demand_reactive_import_max_t7_time as demand_reactive_import_max_t7_time,
  d.demand_reactive_import_max_t8 * 0.001::numeric as demand_reactive_import_max_t8_var,
  d.demand_reactive_import_max_t8_time as demand_reactive_import_max_t8_time,
  d.demand_reactive_export_max * 0.001::numeric as demand_reactive_export_max_var,
  d.demand_reactive_export_max_time as demand_reactive_export_max_time,
  d.demand_reactive_export_max_t1 * 0.001::numeric as demand_reactive_export_max_t1_var,
  d.demand_reactive_export_max_t1_time as demand_reactive_export_max_t1_time,
  d.demand_reactive_export_max_t2 * 0.001::numeric as demand_reactive_export_max_t2_var,
  d.demand_reactive_export_max_t2_time as demand_reactive_export_max_t2_time,
  d.demand_reactive_export_max_t3 * 0.001::numeric as demand_reactive_export_max_t3_var,
  d.demand_reactive_export_max_t3_time as demand_reactive_export_max_t3_time,
  d.demand_reactive_export_max_t4 * 0.001::numeric as demand_reactive_export_max_t4_var,
  d.demand_reactive_export_max_t4_time as demand_reactive_export_max_t4_time,
  d.demand_reactive_export_max_t5 * 0.001::numeric as demand_reactive_export_max_t5_var,
  d.demand_reactive_export_max_t5_time as demand_reactive_export_max_t5_time,
  d.demand_reactive_export_max_t6 * 0.001::numeric as demand_reactive_export_max_t6_var,
  d.demand_reactive_export_max_t6_time as demand_reactive_export_max_t6_time,
  d.demand_reactive_export_max_t7 * 0.001::numeric as demand_reactive_export_max_t7_var,
  d.demand_reactive_export_max_t7_time as demand_reactive_export_max_t7_time,
  d.demand_reactive_export_max_t8 * 0.001::numeric as demand_reactive_export_max_t8_var,
  d.demand_reactive_export_max_t8_time as demand_reactive_export_max_t8_time,
  d.demand_apparent_import_max * 0.001::numeric as demand_apparent_import_max_va,
  d.demand_apparent_import_max_time as demand_apparent_import_max_time,
  d.demand_apparent_import_max_t1 * 0.001::numeric as demand_apparent_import_max_t1_va,
  d.demand_apparent_import_max_t1_time as demand_apparent_import_max_t1_time,
  d.demand_apparent_import_max_t2 * 0.001::numeric as demand_apparent_import_max_t2_va,
  d.demand_apparent_import_max_t2_time as demand_apparent_import_max_t2_time,
  d.demand_apparent_import_max_t3 * 0.001::numeric as demand_apparent_import_max_t3_va,
  d.demand_apparent_import_max_t3_time as demand_apparent_import_max_t3_time,
  d.demand_apparent_import_max_t4 * 0.001::numeric as demand_apparent_import_max_t4_va,
  d.demand_apparent_import_max_t4_time as demand_apparent_import_max_t4_time,
  d.demand_apparent_import_max_t5 * 0.001::numeric as demand_apparent_import_max_t5_va,
  d.demand_apparent_import_max_t5_time as demand_apparent_import_max_t5_time,
  d.demand_apparent_import_max_t6 * 0.001::numeric as demand_apparent_import_max_t6_va,
  d.demand_apparent_import_max_t6_time as demand_apparent_import_max_t6_time,
  d.demand_apparent_import_max_t7 * 0.001::numeric as demand_apparent_import_max_t7_va,
  d.demand_apparent_import_max_t7_time as demand_apparent_import_max_t7_time,
  d.demand_apparent_import_max_t8 * 0.001::numeric as demand_apparent_import_max_t8_va,
  d.demand_apparent_import_max_t8_time as demand_apparent_import_max_t8_time,
  d.demand_apparent_export_max * 0.001::numeric as demand_apparent_export_max_va,
  d.demand_apparent_export_max_time as demand_apparent_export_max_time,
  d.demand_apparent_export_max_t1 * 0.001::numeric as demand_apparent_export_max_t1_va,
  d.demand_apparent_export_max_t1_time as demand_apparent_export_max_t1_time,
  d.demand_apparent_export_max_t2 * 0.001::numeric as demand_apparent_export_max_t2_va,
  d.demand_apparent_export_max_t2_time as demand_apparent_export_max_t2_time,
  d.demand_apparent_export_max_t3 * 0.001::numeric as demand_apparent_export_max_t3_va,
  d.demand_apparent_export_max_t3_time as demand_apparent_export_max_t3_time,
  d.demand_apparent_export_max_t4 * 0.001::numeric as demand_apparent_export_max_t4_va,
  d.demand_apparent_export_max_t4_time as demand_apparent_export_max_t4_time,
  d.demand_apparent_export_max_t5 * 0.001::numeric as demand_apparent_export_max_t5_va,
  d.demand_apparent_export_max_t5_time as demand_apparent_export_max_t5_time,
  d.demand_apparent_export_max_t6 * 0.001::numeric as demand_apparent_export_max_t6_va,
  d.demand_apparent_export_max_t6_time as demand_apparent_export_max_t6_time,
  d.demand_apparent_export_max_t7 * 0.001::numeric as demand_apparent_export_max_t7_va,
  d.demand_apparent_export_max_t7_time as demand_apparent_export_max_t7_time,
  d.demand_apparent_export_max_t8 * 0.001::numeric as demand_apparent_export_max_t8_va,
  d.demand_apparent_export_max_t8_time as demand_apparent_export_max_t8_time,
  d.billing_power_on_duration as billing_power_on_duration_min,
  d.power_failures as power_failures,
  d.power_off_duration as power_off_duration_min,
  d.power_on_duration as power_on_duration_min,
  d.tamper_count as tamper_count,
  d.billing_count as billing_count,
  d.programming_count as programming_count,
  d.load_switch as load_switch,
  d.load_switch_state as load_switch_state,
  d.load_limit * 0.001::numeric as load_limit_w,
  d.tariff as tariff,
  d.mbus1_volume * 0.000001::numeric as mbus1_volume_m3,
  d.mbus1_heat as mbus1_heat_j,
  d.mbus1_time as mbus1_time,
  d.mbus2_volume * 0.000001::numeric as mbus2_volume_m3,
  d.mbus2_heat as mbus2_heat_j,
  d.mbus2_time as mbus2_time,
  d.mbus3_volume * 0.000001::numeric as mbus3_volume_m3,
  d.mbus3_heat as mbus3_heat_j,
  d.mbus3_time as mbus3_time,
  d.mbus4_volume * 0.000001::numeric as mbus4_volume_m3,
  d.mbus4_heat as mbus4_heat_j,
  d.mbus4_time as mbus4_time,
  d.interval_s as interval_s,
  dlms.wall_clock(d.meter_time) as meter_clock,
  (array['deviation', 'zone', 'received'])[d.time_rule] as time_rule,
  (array['poll', 'push', 'on_demand', 'backfill', 'import'])[d.source] as source,
  d.read_at as read_at,
  d.known_from as known_from,
  d.others as others,
  l.fingerprint as layout
from dlms.billing_profile_data d
join public.meters m on m.meter_key = d.meter_key
left join dlms.profile_layouts l on l.layout_key = d.layout_key;
comment on view dlms.billing_profile is 'Registers and maximum demands at the end of billing periods.';
comment on column dlms.billing_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.billing_profile.meter_number is 'Serial number of the meter.';
comment on column dlms.billing_profile.captured_at is 'When the meter captured the row.';
comment on column dlms.billing_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms.billing_profile.power_factor is 'Average power factor of the billing period.';
comment on column dlms.billing_profile.active_import_wh is 'Energy of the interval: active, import, in Wh.';
comment on column dlms.billing_profile.active_export_wh is 'Energy of the interval: active, export, in Wh.';
comment on column dlms.billing_profile.reactive_import_varh is 'Energy of the interval: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_export_varh is 'Energy of the interval: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.apparent_import_vah is 'Energy of the interval: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_export_vah is 'Energy of the interval: apparent, export, in VAh.';
comment on column dlms.billing_profile.reactive_q1_varh is 'Energy of the interval: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q2_varh is 'Energy of the interval: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q3_varh is 'Energy of the interval: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q4_varh is 'Energy of the interval: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.active_net_wh is 'Energy of the interval: active, import less export, in Wh.';
comment on column dlms.billing_profile.active_absolute_wh is 'Energy of the interval: active, import plus export, in Wh.';
comment on column dlms.billing_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms.billing_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms.billing_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms.billing_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms.billing_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms.billing_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms.billing_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms.billing_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms.billing_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms.billing_profile.reactive_import_t1_varh is 'Energy register of tariff 1: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t2_varh is 'Energy register of tariff 2: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t3_varh is 'Energy register of tariff 3: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t4_varh is 'Energy register of tariff 4: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t5_varh is 'Energy register of tariff 5: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t6_varh is 'Energy register of tariff 6: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t7_varh is 'Energy register of tariff 7: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_import_t8_varh is 'Energy register of tariff 8: reactive, import (Q1+Q2), in varh.';
comment on column dlms.billing_profile.reactive_export_t1_varh is 'Energy register of tariff 1: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t2_varh is 'Energy register of tariff 2: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t3_varh is 'Energy register of tariff 3: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t4_varh is 'Energy register of tariff 4: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t5_varh is 'Energy register of tariff 5: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t6_varh is 'Energy register of tariff 6: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t7_varh is 'Energy register of tariff 7: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.reactive_export_t8_varh is 'Energy register of tariff 8: reactive, export (Q3+Q4), in varh.';
comment on column dlms.billing_profile.apparent_import_t1_vah is 'Energy register of tariff 1: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t2_vah is 'Energy register of tariff 2: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t3_vah is 'Energy register of tariff 3: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t4_vah is 'Energy register of tariff 4: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t5_vah is 'Energy register of tariff 5: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t6_vah is 'Energy register of tariff 6: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t7_vah is 'Energy register of tariff 7: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_import_t8_vah is 'Energy register of tariff 8: apparent, import, in VAh.';
comment on column dlms.billing_profile.apparent_export_t1_vah is 'Energy register of tariff 1: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t2_vah is 'Energy register of tariff 2: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t3_vah is 'Energy register of tariff 3: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t4_vah is 'Energy register of tariff 4: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t5_vah is 'Energy register of tariff 5: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t6_vah is 'Energy register of tariff 6: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t7_vah is 'Energy register of tariff 7: apparent, export, in VAh.';
comment on column dlms.billing_profile.apparent_export_t8_vah is 'Energy register of tariff 8: apparent, export, in VAh.';
comment on column dlms.billing_profile.reactive_q1_t1_varh is 'Energy register of tariff 1: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t2_varh is 'Energy register of tariff 2: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t3_varh is 'Energy register of tariff 3: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t4_varh is 'Energy register of tariff 4: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t5_varh is 'Energy register of tariff 5: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t6_varh is 'Energy register of tariff 6: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t7_varh is 'Energy register of tariff 7: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q1_t8_varh is 'Energy register of tariff 8: reactive, quadrant 1, in varh.';
comment on column dlms.billing_profile.reactive_q2_t1_varh is 'Energy register of tariff 1: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t2_varh is 'Energy register of tariff 2: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t3_varh is 'Energy register of tariff 3: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t4_varh is 'Energy register of tariff 4: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t5_varh is 'Energy register of tariff 5: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t6_varh is 'Energy register of tariff 6: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t7_varh is 'Energy register of tariff 7: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q2_t8_varh is 'Energy register of tariff 8: reactive, quadrant 2, in varh.';
comment on column dlms.billing_profile.reactive_q3_t1_varh is 'Energy register of tariff 1: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t2_varh is 'Energy register of tariff 2: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t3_varh is 'Energy register of tariff 3: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t4_varh is 'Energy register of tariff 4: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t5_varh is 'Energy register of tariff 5: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t6_varh is 'Energy register of tariff 6: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t7_varh is 'Energy register of tariff 7: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q3_t8_varh is 'Energy register of tariff 8: reactive, quadrant 3, in varh.';
comment on column dlms.billing_profile.reactive_q4_t1_varh is 'Energy register of tariff 1: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t2_varh is 'Energy register of tariff 2: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t3_varh is 'Energy register of tariff 3: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t4_varh is 'Energy register of tariff 4: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t5_varh is 'Energy register of tariff 5: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t6_varh is 'Energy register of tariff 6: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t7_varh is 'Energy register of tariff 7: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.reactive_q4_t8_varh is 'Energy register of tariff 8: reactive, quadrant 4, in varh.';
comment on column dlms.billing_profile.demand_active_import_max_w is 'Maximum demand: active, import, in W.';
comment on column dlms.billing_profile.demand_active_import_max_time is 'When the maximum demand occurred: active, import.';
comment on column dlms.billing_profile.demand_active_import_max_t1_w is 'Maximum demand: active, import, tariff 1, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t1_time is 'When the maximum demand occurred: active, import, tariff 1.';
comment on column dlms.billing_profile.demand_active_import_max_t2_w is 'Maximum demand: active, import, tariff 2, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t2_time is 'When the maximum demand occurred: active, import, tariff 2.';
comment on column dlms.billing_profile.demand_active_import_max_t3_w is 'Maximum demand: active, import, tariff 3, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t3_time is 'When the maximum demand occurred: active, import, tariff 3.';
comment on column dlms.billing_profile.demand_active_import_max_t4_w is 'Maximum demand: active, import, tariff 4, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t4_time is 'When the maximum demand occurred: active, import, tariff 4.';
comment on column dlms.billing_profile.demand_active_import_max_t5_w is 'Maximum demand: active, import, tariff 5, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t5_time is 'When the maximum demand occurred: active, import, tariff 5.';
comment on column dlms.billing_profile.demand_active_import_max_t6_w is 'Maximum demand: active, import, tariff 6, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t6_time is 'When the maximum demand occurred: active, import, tariff 6.';
comment on column dlms.billing_profile.demand_active_import_max_t7_w is 'Maximum demand: active, import, tariff 7, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t7_time is 'When the maximum demand occurred: active, import, tariff 7.';
comment on column dlms.billing_profile.demand_active_import_max_t8_w is 'Maximum demand: active, import, tariff 8, in W.';
comment on column dlms.billing_profile.demand_active_import_max_t8_time is 'When the maximum demand occurred: active, import, tariff 8.';
comment on column dlms.billing_profile.demand_active_export_max_w is 'Maximum demand: active, export, in W.';
comment on column dlms.billing_profile.demand_active_export_max_time is 'When the maximum demand occurred: active, export.';
comment on column dlms.billing_profile.demand_active_export_max_t1_w is 'Maximum demand: active, export, tariff 1, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t1_time is 'When the maximum demand occurred: active, export, tariff 1.';
comment on column dlms.billing_profile.demand_active_export_max_t2_w is 'Maximum demand: active, export, tariff 2, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t2_time is 'When the maximum demand occurred: active, export, tariff 2.';
comment on column dlms.billing_profile.demand_active_export_max_t3_w is 'Maximum demand: active, export, tariff 3, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t3_time is 'When the maximum demand occurred: active, export, tariff 3.';
comment on column dlms.billing_profile.demand_active_export_max_t4_w is 'Maximum demand: active, export, tariff 4, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t4_time is 'When the maximum demand occurred: active, export, tariff 4.';
comment on column dlms.billing_profile.demand_active_export_max_t5_w is 'Maximum demand: active, export, tariff 5, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t5_time is 'When the maximum demand occurred: active, export, tariff 5.';
comment on column dlms.billing_profile.demand_active_export_max_t6_w is 'Maximum demand: active, export, tariff 6, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t6_time is 'When the maximum demand occurred: active, export, tariff 6.';
comment on column dlms.billing_profile.demand_active_export_max_t7_w is 'Maximum demand: active, export, tariff 7, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t7_time is 'When the maximum demand occurred: active, export, tariff 7.';
comment on column dlms.billing_profile.demand_active_export_max_t8_w is 'Maximum demand: active, export, tariff 8, in W.';
comment on column dlms.billing_profile.demand_active_export_max_t8_time is 'When the maximum demand occurred: active, export, tariff 8.';
comment on column dlms.billing_profile.demand_reactive_import_max_var is 'Maximum demand: reactive, import (Q1+Q2), in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_time is 'When the maximum demand occurred: reactive, import (Q1+Q2).';
comment on column dlms.billing_profile.demand_reactive_import_max_t1_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 1, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t1_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 1.';
comment on column dlms.billing_profile.demand_reactive_import_max_t2_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 2, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t2_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 2.';
comment on column dlms.billing_profile.demand_reactive_import_max_t3_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 3, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t3_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 3.';
comment on column dlms.billing_profile.demand_reactive_import_max_t4_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 4, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t4_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 4.';
comment on column dlms.billing_profile.demand_reactive_import_max_t5_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 5, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t5_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 5.';
comment on column dlms.billing_profile.demand_reactive_import_max_t6_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 6, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t6_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 6.';
comment on column dlms.billing_profile.demand_reactive_import_max_t7_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 7, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t7_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 7.';
comment on column dlms.billing_profile.demand_reactive_import_max_t8_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 8, in var.';
comment on column dlms.billing_profile.demand_reactive_import_max_t8_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 8.';
comment on column dlms.billing_profile.demand_reactive_export_max_var is 'Maximum demand: reactive, export (Q3+Q4), in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_time is 'When the maximum demand occurred: reactive, export (Q3+Q4).';
comment on column dlms.billing_profile.demand_reactive_export_max_t1_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 1, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t1_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 1.';
comment on column dlms.billing_profile.demand_reactive_export_max_t2_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 2, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t2_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 2.';
comment on column dlms.billing_profile.demand_reactive_export_max_t3_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 3, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t3_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 3.';
comment on column dlms.billing_profile.demand_reactive_export_max_t4_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 4, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t4_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 4.';
comment on column dlms.billing_profile.demand_reactive_export_max_t5_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 5, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t5_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 5.';
comment on column dlms.billing_profile.demand_reactive_export_max_t6_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 6, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t6_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 6.';
comment on column dlms.billing_profile.demand_reactive_export_max_t7_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 7, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t7_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 7.';
comment on column dlms.billing_profile.demand_reactive_export_max_t8_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 8, in var.';
comment on column dlms.billing_profile.demand_reactive_export_max_t8_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 8.';
comment on column dlms.billing_profile.demand_apparent_import_max_va is 'Maximum demand: apparent, import, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_time is 'When the maximum demand occurred: apparent, import.';
comment on column dlms.billing_profile.demand_apparent_import_max_t1_va is 'Maximum demand: apparent, import, tariff 1, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t1_time is 'When the maximum demand occurred: apparent, import, tariff 1.';
comment on column dlms.billing_profile.demand_apparent_import_max_t2_va is 'Maximum demand: apparent, import, tariff 2, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t2_time is 'When the maximum demand occurred: apparent, import, tariff 2.';
comment on column dlms.billing_profile.demand_apparent_import_max_t3_va is 'Maximum demand: apparent, import, tariff 3, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t3_time is 'When the maximum demand occurred: apparent, import, tariff 3.';
comment on column dlms.billing_profile.demand_apparent_import_max_t4_va is 'Maximum demand: apparent, import, tariff 4, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t4_time is 'When the maximum demand occurred: apparent, import, tariff 4.';
comment on column dlms.billing_profile.demand_apparent_import_max_t5_va is 'Maximum demand: apparent, import, tariff 5, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t5_time is 'When the maximum demand occurred: apparent, import, tariff 5.';
comment on column dlms.billing_profile.demand_apparent_import_max_t6_va is 'Maximum demand: apparent, import, tariff 6, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t6_time is 'When the maximum demand occurred: apparent, import, tariff 6.';
comment on column dlms.billing_profile.demand_apparent_import_max_t7_va is 'Maximum demand: apparent, import, tariff 7, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t7_time is 'When the maximum demand occurred: apparent, import, tariff 7.';
comment on column dlms.billing_profile.demand_apparent_import_max_t8_va is 'Maximum demand: apparent, import, tariff 8, in VA.';
comment on column dlms.billing_profile.demand_apparent_import_max_t8_time is 'When the maximum demand occurred: apparent, import, tariff 8.';
comment on column dlms.billing_profile.demand_apparent_export_max_va is 'Maximum demand: apparent, export, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_time is 'When the maximum demand occurred: apparent, export.';
comment on column dlms.billing_profile.demand_apparent_export_max_t1_va is 'Maximum demand: apparent, export, tariff 1, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t1_time is 'When the maximum demand occurred: apparent, export, tariff 1.';
comment on column dlms.billing_profile.demand_apparent_export_max_t2_va is 'Maximum demand: apparent, export, tariff 2, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t2_time is 'When the maximum demand occurred: apparent, export, tariff 2.';
comment on column dlms.billing_profile.demand_apparent_export_max_t3_va is 'Maximum demand: apparent, export, tariff 3, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t3_time is 'When the maximum demand occurred: apparent, export, tariff 3.';
comment on column dlms.billing_profile.demand_apparent_export_max_t4_va is 'Maximum demand: apparent, export, tariff 4, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t4_time is 'When the maximum demand occurred: apparent, export, tariff 4.';
comment on column dlms.billing_profile.demand_apparent_export_max_t5_va is 'Maximum demand: apparent, export, tariff 5, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t5_time is 'When the maximum demand occurred: apparent, export, tariff 5.';
comment on column dlms.billing_profile.demand_apparent_export_max_t6_va is 'Maximum demand: apparent, export, tariff 6, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t6_time is 'When the maximum demand occurred: apparent, export, tariff 6.';
comment on column dlms.billing_profile.demand_apparent_export_max_t7_va is 'Maximum demand: apparent, export, tariff 7, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t7_time is 'When the maximum demand occurred: apparent, export, tariff 7.';
comment on column dlms.billing_profile.demand_apparent_export_max_t8_va is 'Maximum demand: apparent, export, tariff 8, in VA.';
comment on column dlms.billing_profile.demand_apparent_export_max_t8_time is 'When the maximum demand occurred: apparent, export, tariff 8.';
comment on column dlms.billing_profile.billing_power_on_duration_min is 'Duration with power in the billing period, in min.';
comment on column dlms.billing_profile.power_failures is 'Number of power failures.';
comment on column dlms.billing_profile.power_off_duration_min is 'Cumulative duration without power, in min.';
comment on column dlms.billing_profile.power_on_duration_min is 'Cumulative duration with power, in min.';
comment on column dlms.billing_profile.tamper_count is 'Cumulative number of tampers.';
comment on column dlms.billing_profile.billing_count is 'Cumulative number of billing periods.';
comment on column dlms.billing_profile.programming_count is 'Cumulative number of parameter changes.';
comment on column dlms.billing_profile.load_switch is 'Output of the load switch: 1 connected, 0 disconnected.';
comment on column dlms.billing_profile.load_switch_state is 'Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.';
comment on column dlms.billing_profile.load_limit_w is 'Limit above which the load switch opens, in W.';
comment on column dlms.billing_profile.tariff is 'Number of the tariff in force.';
comment on column dlms.billing_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms.billing_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms.billing_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms.billing_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms.billing_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms.billing_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms.billing_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms.billing_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms.billing_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms.billing_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms.billing_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms.billing_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms.billing_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms.billing_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms.billing_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms.billing_profile.source is 'How the row came to us.';
comment on column dlms.billing_profile.read_at is 'When the row was read or received.';
comment on column dlms.billing_profile.known_from is 'When the database came to know the row.';
comment on column dlms.billing_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms.billing_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';
