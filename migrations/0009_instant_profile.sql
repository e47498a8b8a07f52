-- Snapshots of what a meter measures: a base table of integers, and the view over it in plain units. Made from the list of columns in
-- src/profiles/columns.ts.

create table dlms.instant_profile_data (
  captured_at timestamptz not null,
  read_at timestamptz not null,
  meter_key integer not null,
  layout_key integer not null,
  interval_s integer,
  source smallint not null,
  time_rule smallint not null,
  status bigint,
  voltage_l1 integer,
  voltage_l2 integer,
  voltage_l3 integer,
  current_l1 integer,
  current_l2 integer,
  current_l3 integer,
  current_n integer,
  current_total integer,
  power_factor integer,
  power_factor_l1 integer,
  power_factor_l2 integer,
  power_factor_l3 integer,
  frequency integer,
  angle_u1_u2 integer,
  angle_u2_u3 integer,
  angle_u1_u3 integer,
  angle_l1 integer,
  angle_l2 integer,
  angle_l3 integer,
  active_power_import bigint,
  active_power_export bigint,
  reactive_power_import bigint,
  reactive_power_export bigint,
  apparent_power_import bigint,
  apparent_power_export bigint,
  reactive_power_q1 bigint,
  reactive_power_q2 bigint,
  reactive_power_q3 bigint,
  reactive_power_q4 bigint,
  active_power_net bigint,
  active_power_absolute bigint,
  active_power_import_l1 bigint,
  active_power_export_l1 bigint,
  reactive_power_import_l1 bigint,
  reactive_power_export_l1 bigint,
  apparent_power_import_l1 bigint,
  apparent_power_export_l1 bigint,
  active_power_import_l2 bigint,
  active_power_export_l2 bigint,
  reactive_power_import_l2 bigint,
  reactive_power_export_l2 bigint,
  apparent_power_import_l2 bigint,
  apparent_power_export_l2 bigint,
  active_power_import_l3 bigint,
  active_power_export_l3 bigint,
  reactive_power_import_l3 bigint,
  reactive_power_export_l3 bigint,
  apparent_power_import_l3 bigint,
  apparent_power_export_l3 bigint,
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
  demand_active_import bigint,
  demand_active_export bigint,
  demand_reactive_import bigint,
  demand_reactive_export bigint,
  demand_apparent_import bigint,
  demand_apparent_export bigint,
  demand_active_import_max bigint,
  demand_active_import_max_time timestamptz,
  demand_active_export_max bigint,
  demand_active_export_max_time timestamptz,
  demand_reactive_import_max bigint,
  demand_reactive_import_max_time timestamptz,
  demand_reactive_export_max bigint,
  demand_reactive_export_max_time timestamptz,
  demand_apparent_import_max bigint,
  demand_apparent_import_max_time timestamptz,
  demand_apparent_export_max bigint,
  demand_apparent_export_max_time timestamptz,
  power_failures integer,
  power_off_duration integer,
  power_on_duration integer,
  tamper_count integer,
  billing_count integer,
  programming_count integer,
  billing_time timestamptz,
  load_switch bigint,
  load_switch_state bigint,
  load_limit bigint,
  tariff bigint,
  meter_health bigint,
  signal_strength integer,
  temperature integer,
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
comment on table dlms.instant_profile_data is 'Base table of dlms.instant_profile: integers in fixed decimal units.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by,
  compressed_chunk_interval)
values ('dlms', 'instant_profile_data', 'captured_at', '7 days', '7 days', 'meter_key', 'captured_at', '84 days');

create view dlms.instant_profile as
select m.id as meter_id,
  m.meter_number,
  d.captured_at,
  d.status as status,
  d.voltage_l1 * 0.001::numeric as voltage_l1_v,
  d.voltage_l2 * 0.001::numeric as voltage_l2_v,
  d.voltage_l3 * 0.001::numeric as voltage_l3_v,
  d.current_l1 * 0.001::numeric as current_l1_a,
  d.current_l2 * 0.001::numeric as current_l2_a,
  d.current_l3 * 0.001::numeric as current_l3_a,
  d.current_n * 0.001::numeric as current_n_a,
  d.current_total * 0.001::numeric as current_total_a,
  d.power_factor * 0.0001::numeric as power_factor,
  d.power_factor_l1 * 0.0001::numeric as power_factor_l1,
  d.power_factor_l2 * 0.0001::numeric as power_factor_l2,
  d.power_factor_l3 * 0.0001::numeric as power_factor_l3,
  d.frequency * 0.0001::numeric as frequency_hz,
  d.angle_u1_u2 * 0.001::numeric as angle_u1_u2_deg,
  d.angle_u2_u3 * 0.001::numeric as angle_u2_u3_deg,
  d.angle_u1_u3 * 0.001::numeric as angle_u1_u3_deg,
  d.angle_l1 * 0.001::numeric as angle_l1_deg,
  d.angle_l2 * 0.001::numeric as angle_l2_deg,
  d.angle_l3 * 0.001::numeric as angle_l3_deg,
  d.active_power_import * 0.001::numeric as active_power_import_w,
  d.active_power_export * 0.001::numeric as active_power_export_w,
  d.reactive_power_import * 0.001::numeric as reactive_power_import_var,
  d.reactive_power_export * 0.001::numeric as reactive_power_export_var,
  d.apparent_power_import * 0.001::numeric as apparent_power_import_va,
  d.apparent_power_export * 0.001::numeric as apparent_power_export_va,
  d.reactive_power_q1 * 0.001::numeric as reactive_power_q1_var,
  d.reactive_power_q2 * 0.001::numeric as reactive_power_q2_var,
  d.reactive_power_q3 * 0.001::numeric as reactive_power_q3_var,
  d.reactive_power_q4 * 0.001::numeric as reactive_power_q4_var,
  d.active_power_net * 0.001::numeric as active_power_net_w,
  d.active_power_absolute * 0.001::numeric as active_power_absolute_w,
  d.active_power_import_l1 * 0.001::numeric as active_power_import_l1_w,
  d.active_power_export_l1 * 0.001::numeric as active_power_export_l1_w,
  d.reactive_power_import_l1 * 0.001::numeric as reactive_power_import_l1_var,
  d.reactive_power_export_l1 * 0.001::numeric as reactive_power_export_l1_var,
  d.apparent_power_import_l1 * 0.001::numeric as apparent_power_import_l1_va,
  d.apparent_power_export_l1 * 0.001::numeric as apparent_power_export_l1_va,
  d.active_power_import_l2 * 0.001::numeric as active_power_import_l2_w,
  d.active_power_export_l2 * 0.001::numeric as active_power_export_l2_w,
  d.reactive_power_import_l2 * 0.001::numeric as reactive_power_import_l2_var,
  d.reactive_power_export_l2 * 0.001::numeric as reactive_power_export_l2_var,
  d.apparent_power_import_l2 * 0.001::numeric as apparent_power_import_l2_va,
  d.apparent_power_export_l2 * 0.001::numeric as apparent_power_export_l2_va,
  d.active_power_import_l3 * 0.001::numeric as active_power_import_l3_w,
  d.active_power_export_l3 * 0.001::numeric as active_power_export_l3_w,
  d.reactive_power_import_l3 * 0.001::numeric as reactive_power_import_l3_var,
  d.reactive_power_export_l3 * 0.001::numeric as reactive_power_export_l3_var,
  d.apparent_power_import_l3 * 0.001::numeric as apparent_power_import_l3_va,
  d.apparent_power_export_l3 * 0.001::numeric as apparent_power_export_l3_va,
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
  d.demand_active_import * 0.001::numeric as demand_active_import_w,
  d.demand_active_export * 0.001::numeric as demand_active_export_w,
  d.demand_reactive_import * 0.001::numeric as demand_reactive_import_var,
  d.demand_reactive_export * 0.001::numeric as demand_reactive_export_var,
  d.demand_apparent_import * 0.001::numeric as demand_apparent_import_va,
  d.demand_apparent_export * 0.001::numeric as demand_apparent_export_va,
  d.demand_active_import_max * 0.001::numeric as demand_active_import_max_w,
  d.demand_active_import_max_time as demand_active_import_max_time,
  d.demand_active_export_max * 0.001::numeric as demand_active_export_max_w,
  d.demand_active_export_max_time as demand_active_export_max_time,
  d.demand_reactive_import_max * 0.001::numeric as demand_reactive_import_max_var,
  d.demand_reactive_import_max_time as demand_reactive_import_max_time,
  d.demand_reactive_export_max * 0.001::numeric as demand_reactive_export_max_var,
  d.demand_reactive_export_max_time as demand_reactive_export_max_time,
  d.demand_apparent_import_max * 0.001::numeric as demand_apparent_import_max_va,
  d.demand_apparent_import_max_time as demand_apparent_import_max_time,
  d.demand_apparent_export_max * 0.001::numeric as demand_apparent_export_max_va,
  d.demand_apparent_export_max_time as demand_apparent_export_max_time,
  d.power_failures as power_failures,
  d.power_off_duration as power_off_duration_min,
  d.power_on_duration as power_on_duration_min,
  d.tamper_count as tamper_count,
  d.billing_count as billing_count,
  d.programming_count as programming_count,
  d.billing_time as billing_time,
  d.load_switch as load_switch,
  d.load_switch_state as load_switch_state,
  d.load_limit * 0.001::numeric as load_limit_w,
  d.tariff as tariff,
  d.meter_health as meter_health,
  d.signal_strength * 0.1::numeric as signal_strength_dbm,
  d.temperature * 0.01::numeric as temperature_celsius,
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
from dlms.instant_profile_data d
join public.meters m on m.meter_key = d.meter_key
left join dlms.profile_layouts l on l.layout_key = d.layout_key;
comment on view dlms.instant_profile is 'Snapshots of what a meter measures, at the moment of capture.';
comment on column dlms.instant_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.instant_profile.meter_number is 'Serial number of the meter.';
comment on column dlms.instant_profile.captured_at is 'When the meter captured the row.';
comment on column dlms.instant_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms.instant_profile.voltage_l1_v is 'Present voltage, phase l1, in V.';
comment on column dlms.instant_profile.voltage_l2_v is 'Present voltage, phase l2, in V.';
comment on column dlms.instant_profile.voltage_l3_v is 'Present voltage, phase l3, in V.';
comment on column dlms.instant_profile.current_l1_a is 'Present current, phase l1, in A.';
comment on column dlms.instant_profile.current_l2_a is 'Present current, phase l2, in A.';
comment on column dlms.instant_profile.current_l3_a is 'Present current, phase l3, in A.';
comment on column dlms.instant_profile.current_n_a is 'Present current in the neutral, in A.';
comment on column dlms.instant_profile.current_total_a is 'Present sum of the phase currents, in A.';
comment on column dlms.instant_profile.power_factor is 'Present power factor, all phases (IS 15959: + lagging, - leading).';
comment on column dlms.instant_profile.power_factor_l1 is 'Present power factor, phase l1.';
comment on column dlms.instant_profile.power_factor_l2 is 'Present power factor, phase l2.';
comment on column dlms.instant_profile.power_factor_l3 is 'Present power factor, phase l3.';
comment on column dlms.instant_profile.frequency_hz is 'Present frequency, in Hz.';
comment on column dlms.instant_profile.angle_u1_u2_deg is 'Angle between the voltages of phases 1 and 2, in °.';
comment on column dlms.instant_profile.angle_u2_u3_deg is 'Angle between the voltages of phases 2 and 3, in °.';
comment on column dlms.instant_profile.angle_u1_u3_deg is 'Angle between the voltages of phases 1 and 3, in °.';
comment on column dlms.instant_profile.angle_l1_deg is 'Angle between current and voltage of phase 1, in °.';
comment on column dlms.instant_profile.angle_l2_deg is 'Angle between current and voltage of phase 2, in °.';
comment on column dlms.instant_profile.angle_l3_deg is 'Angle between current and voltage of phase 3, in °.';
comment on column dlms.instant_profile.active_power_import_w is 'Power: active, import, in W.';
comment on column dlms.instant_profile.active_power_export_w is 'Power: active, export, in W.';
comment on column dlms.instant_profile.reactive_power_import_var is 'Power: reactive, import (Q1+Q2), in var.';
comment on column dlms.instant_profile.reactive_power_export_var is 'Power: reactive, export (Q3+Q4), in var.';
comment on column dlms.instant_profile.apparent_power_import_va is 'Power: apparent, import, in VA.';
comment on column dlms.instant_profile.apparent_power_export_va is 'Power: apparent, export, in VA.';
comment on column dlms.instant_profile.reactive_power_q1_var is 'Power: reactive, quadrant 1, in var.';
comment on column dlms.instant_profile.reactive_power_q2_var is 'Power: reactive, quadrant 2, in var.';
comment on column dlms.instant_profile.reactive_power_q3_var is 'Power: reactive, quadrant 3, in var.';
comment on column dlms.instant_profile.reactive_power_q4_var is 'Power: reactive, quadrant 4, in var.';
comment on column dlms.instant_profile.active_power_net_w is 'Power: active, import less export, in W.';
comment on column dlms.instant_profile.active_power_absolute_w is 'Power: active, import plus export, in W.';
comment on column dlms.instant_profile.active_power_import_l1_w is 'Power: active, import, phase l1, in W.';
comment on column dlms.instant_profile.active_power_export_l1_w is 'Power: active, export, phase l1, in W.';
comment on column dlms.instant_profile.reactive_power_import_l1_var is 'Power: reactive, import (Q1+Q2), phase l1, in var.';
comment on column dlms.instant_profile.reactive_power_export_l1_var is 'Power: reactive, export (Q3+Q4), phase l1, in var.';
comment on column dlms.instant_profile.apparent_power_import_l1_va is 'Power: apparent, import, phase l1, in VA.';
comment on column dlms.instant_profile.apparent_power_export_l1_va is 'Power: apparent, export, phase l1, in VA.';
comment on column dlms.instant_profile.active_power_import_l2_w is 'Power: active, import, phase l2, in W.';
comment on column dlms.instant_profile.active_power_export_l2_w is 'Power: active, export, phase l2, in W.';
comment on column dlms.instant_profile.reactive_power_import_l2_var is 'Power: reactive, import (Q1+Q2), phase l2, in var.';
comment on column dlms.instant_profile.reactive_power_export_l2_var is 'Power: reactive, export (Q3+Q4), phase l2, in var.';
comment on column dlms.instant_profile.apparent_power_import_l2_va is 'Power: apparent, import, phase l2, in VA.';
comment on column dlms.instant_profile.apparent_power_export_l2_va is 'Power: apparent, export, phase l2, in VA.';
comment on column dlms.instant_profile.active_power_import_l3_w is 'Power: active, import, phase l3, in W.';
comment on column dlms.instant_profile.active_power_export_l3_w is 'Power: active, export, phase l3, in W.';
comment on column dlms.instant_profile.reactive_power_import_l3_var is 'Power: reactive, import (Q1+Q2), phase l3, in var.';
comment on column dlms.instant_profile.reactive_power_export_l3_var is 'Power: reactive, export (Q3+Q4), phase l3, in var.';
comment on column dlms.instant_profile.apparent_power_import_l3_va is 'Power: apparent, import, phase l3, in VA.';
comment on column dlms.instant_profile.apparent_power_export_l3_va is 'Power: apparent, export, phase l3, in VA.';
comment on column dlms.instant_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms.instant_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms.instant_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms.instant_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms.instant_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms.instant_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms.instant_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms.instant_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms.instant_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms.instant_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms.instant_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms.instant_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms.instant_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms.instant_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms.instant_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms.instant_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms.instant_profile.demand_active_import_w is 'Average demand: active, import, in W.';
comment on column dlms.instant_profile.demand_active_export_w is 'Average demand: active, export, in W.';
comment on column dlms.instant_profile.demand_reactive_import_var is 'Average demand: reactive, import (Q1+Q2), in var.';
comment on column dlms.instant_profile.demand_reactive_export_var is 'Average demand: reactive, export (Q3+Q4), in var.';
comment on column dlms.instant_profile.demand_apparent_import_va is 'Average demand: apparent, import, in VA.';
comment on column dlms.instant_profile.demand_apparent_export_va is 'Average demand: apparent, export, in VA.';
comment on column dlms.instant_profile.demand_active_import_max_w is 'Maximum demand: active, import, in W.';
comment on column dlms.instant_profile.demand_active_import_max_time is 'When the maximum demand occurred: active, import.';
comment on column dlms.instant_profile.demand_active_export_max_w is 'Maximum demand: active, export, in W.';
comment on column dlms.instant_profile.demand_active_export_max_time is 'When the maximum demand occurred: active, export.';
comment on column dlms.instant_profile.demand_reactive_import_max_var is 'Maximum demand: reactive, import (Q1+Q2), in var.';
comment on column dlms.instant_profile.demand_reactive_import_max_time is 'When the maximum demand occurred: reactive, import (Q1+Q2).';
comment on column dlms.instant_profile.demand_reactive_export_max_var is 'Maximum demand: reactive, export (Q3+Q4), in var.';
comment on column dlms.instant_profile.demand_reactive_export_max_time is 'When the maximum demand occurred: reactive, export (Q3+Q4).';
comment on column dlms.instant_profile.demand_apparent_import_max_va is 'Maximum demand: apparent, import, in VA.';
comment on column dlms.instant_profile.demand_apparent_import_max_time is 'When the maximum demand occurred: apparent, import.';
comment on column dlms.instant_profile.demand_apparent_export_max_va is 'Maximum demand: apparent, export, in VA.';
comment on column dlms.instant_profile.demand_apparent_export_max_time is 'When the maximum demand occurred: apparent, export.';
comment on column dlms.instant_profile.power_failures is 'Number of power failures.';
comment on column dlms.instant_profile.power_off_duration_min is 'Cumulative duration without power, in min.';
comment on column dlms.instant_profile.power_on_duration_min is 'Cumulative duration with power, in min.';
comment on column dlms.instant_profile.tamper_count is 'Cumulative number of tampers.';
comment on column dlms.instant_profile.billing_count is 'Cumulative number of billing periods.';
comment on column dlms.instant_profile.programming_count is 'Cumulative number of parameter changes.';
comment on column dlms.instant_profile.billing_time is 'End of the last billing period.';
comment on column dlms.instant_profile.load_switch is 'Output of the load switch: 1 connected, 0 disconnected.';
comment on column dlms.instant_profile.load_switch_state is 'Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.';
comment on column dlms.instant_profile.load_limit_w is 'Limit above which the load switch opens, in W.';
comment on column dlms.instant_profile.tariff is 'Number of the tariff in force.';
comment on column dlms.instant_profile.meter_health is 'Health word of the meter (IS 15959).';
comment on column dlms.instant_profile.signal_strength_dbm is 'Average signal strength of the communication module, in dBm.';
comment on column dlms.instant_profile.temperature_celsius is 'Temperature of the meter or its surroundings, in °C.';
comment on column dlms.instant_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms.instant_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms.instant_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms.instant_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms.instant_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms.instant_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms.instant_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms.instant_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms.instant_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms.instant_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms.instant_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms.instant_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms.instant_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms.instant_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms.instant_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms.instant_profile.source is 'How the row came to us.';
comment on column dlms.instant_profile.read_at is 'When the row was read or received.';
comment on column dlms.instant_profile.known_from is 'When the database came to know the row.';
comment on column dlms.instant_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms.instant_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';
