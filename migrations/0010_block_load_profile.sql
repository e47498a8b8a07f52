-- Load by interval: a base table of integers, and the view over it in plain units. Made from the list of columns in
-- src/profiles/columns.ts.

create table dlms.block_load_profile_data (
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
  demand_active_import bigint,
  demand_active_export bigint,
  demand_reactive_import bigint,
  demand_reactive_export bigint,
  demand_apparent_import bigint,
  demand_apparent_export bigint,
  demand_reactive_q1 bigint,
  demand_reactive_q2 bigint,
  demand_reactive_q3 bigint,
  demand_reactive_q4 bigint,
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
comment on table dlms.block_load_profile_data is 'Base table of dlms.block_load_profile: integers in fixed decimal units.';

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by,
  compressed_chunk_interval)
values ('dlms', 'block_load_profile_data', 'captured_at', '7 days', '7 days', 'meter_key', 'captured_at', '84 days');

create view dlms.block_load_profile as
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
  d.demand_active_import * 0.001::numeric as demand_active_import_w,
  d.demand_active_export * 0.001::numeric as demand_active_export_w,
  d.demand_reactive_import * 0.001::numeric as demand_reactive_import_var,
  d.demand_reactive_export * 0.001::numeric as demand_reactive_export_var,
  d.demand_apparent_import * 0.001::numeric as demand_apparent_import_va,
  d.demand_apparent_export * 0.001::numeric as demand_apparent_export_va,
  d.demand_reactive_q1 * 0.001::numeric as demand_reactive_q1_var,
  d.demand_reactive_q2 * 0.001::numeric as demand_reactive_q2_var,
  d.demand_reactive_q3 * 0.001::numeric as demand_reactive_q3_var,
  d.demand_reactive_q4 * 0.001::numeric as demand_reactive_q4_var,
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
from dlms.block_load_profile_data d
join public.meters m on m.meter_key = d.meter_key
left join dlms.profile_layouts l on l.layout_key = d.layout_key;
comment on view dlms.block_load_profile is 'Load by interval; captured_at is the end of the interval.';
comment on column dlms.block_load_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.block_load_profile.meter_number is 'Serial number of the meter.';
comment on column dlms.block_load_profile.captured_at is 'When the meter captured the row.';
comment on column dlms.block_load_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms.block_load_profile.voltage_l1_v is 'Average voltage, phase l1, in V.';
comment on column dlms.block_load_profile.voltage_l2_v is 'Average voltage, phase l2, in V.';
comment on column dlms.block_load_profile.voltage_l3_v is 'Average voltage, phase l3, in V.';
comment on column dlms.block_load_profile.current_l1_a is 'Average current, phase l1, in A.';
comment on column dlms.block_load_profile.current_l2_a is 'Average current, phase l2, in A.';
comment on column dlms.block_load_profile.current_l3_a is 'Average current, phase l3, in A.';
comment on column dlms.block_load_profile.current_n_a is 'Average current in the neutral, in A.';
comment on column dlms.block_load_profile.current_total_a is 'Average sum of the phase currents, in A.';
comment on column dlms.block_load_profile.power_factor is 'Average power factor, all phases (IS 15959: + lagging, - leading).';
comment on column dlms.block_load_profile.power_factor_l1 is 'Average power factor, phase l1.';
comment on column dlms.block_load_profile.power_factor_l2 is 'Average power factor, phase l2.';
comment on column dlms.block_load_profile.power_factor_l3 is 'Average power factor, phase l3.';
comment on column dlms.block_load_profile.frequency_hz is 'Average frequency, in Hz.';
comment on column dlms.block_load_profile.active_import_wh is 'Energy of the interval: active, import, in Wh.';
comment on column dlms.block_load_profile.active_export_wh is 'Energy of the interval: active, export, in Wh.';
comment on column dlms.block_load_profile.reactive_import_varh is 'Energy of the interval: reactive, import (Q1+Q2), in varh.';
comment on column dlms.block_load_profile.reactive_export_varh is 'Energy of the interval: reactive, export (Q3+Q4), in varh.';
comment on column dlms.block_load_profile.apparent_import_vah is 'Energy of the interval: apparent, import, in VAh.';
comment on column dlms.block_load_profile.apparent_export_vah is 'Energy of the interval: apparent, export, in VAh.';
comment on column dlms.block_load_profile.reactive_q1_varh is 'Energy of the interval: reactive, quadrant 1, in varh.';
comment on column dlms.block_load_profile.reactive_q2_varh is 'Energy of the interval: reactive, quadrant 2, in varh.';
comment on column dlms.block_load_profile.reactive_q3_varh is 'Energy of the interval: reactive, quadrant 3, in varh.';
comment on column dlms.block_load_profile.reactive_q4_varh is 'Energy of the interval: reactive, quadrant 4, in varh.';
comment on column dlms.block_load_profile.active_net_wh is 'Energy of the interval: active, import less export, in Wh.';
comment on column dlms.block_load_profile.active_absolute_wh is 'Energy of the interval: active, import plus export, in Wh.';
comment on column dlms.block_load_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms.block_load_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms.block_load_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms.block_load_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms.block_load_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms.block_load_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms.block_load_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms.block_load_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms.block_load_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms.block_load_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms.block_load_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms.block_load_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms.block_load_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms.block_load_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms.block_load_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms.block_load_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms.block_load_profile.demand_active_import_w is 'Average demand: active, import, in W.';
comment on column dlms.block_load_profile.demand_active_export_w is 'Average demand: active, export, in W.';
comment on column dlms.block_load_profile.demand_reactive_import_var is 'Average demand: reactive, import (Q1+Q2), in var.';
comment on column dlms.block_load_profile.demand_reactive_export_var is 'Average demand: reactive, export (Q3+Q4), in var.';
comment on column dlms.block_load_profile.demand_apparent_import_va is 'Average demand: apparent, import, in VA.';
comment on column dlms.block_load_profile.demand_apparent_export_va is 'Average demand: apparent, export, in VA.';
comment on column dlms.block_load_profile.demand_reactive_q1_var is 'Average demand: reactive, quadrant 1, in var.';
comment on column dlms.block_load_profile.demand_reactive_q2_var is 'Average demand: reactive, quadrant 2, in var.';
comment on column dlms.block_load_profile.demand_reactive_q3_var is 'Average demand: reactive, quadrant 3, in var.';
comment on column dlms.block_load_profile.demand_reactive_q4_var is 'Average demand: reactive, quadrant 4, in var.';
comment on column dlms.block_load_profile.meter_health is 'Health word of the meter (IS 15959).';
comment on column dlms.block_load_profile.signal_strength_dbm is 'Average signal strength of the communication module, in dBm.';
comment on column dlms.block_load_profile.temperature_celsius is 'Temperature of the meter or its surroundings, in °C.';
comment on column dlms.block_load_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms.block_load_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms.block_load_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms.block_load_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms.block_load_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms.block_load_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms.block_load_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms.block_load_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms.block_load_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms.block_load_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms.block_load_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms.block_load_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms.block_load_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms.block_load_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms.block_load_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms.block_load_profile.source is 'How the row came to us.';
comment on column dlms.block_load_profile.read_at is 'When the row was read or received.';
comment on column dlms.block_load_profile.known_from is 'When the database came to know the row.';
comment on column dlms.block_load_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms.block_load_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';
