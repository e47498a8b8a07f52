-- The four profiles for readers: what dlms_api lets them see, behind a security barrier. Made from the list of columns in
-- src/profiles/columns.ts.

create view dlms_views.instant_profile with (security_barrier) as
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
left join dlms.profile_layouts l on l.layout_key = d.layout_key
where d.known_from <= (select dlms_api.visible_until('instant'))
  and not exists (
    select from dlms.profile_completions c
    where c.profile = 'instant' and c.meter_key = d.meter_key and c.captured_at = d.captured_at
      and c.known_from > (select dlms_api.visible_until('instant'))
  );
comment on view dlms_views.instant_profile is 'Snapshots of what a meter measures, at the moment of capture.';
comment on column dlms_views.instant_profile.captured_at is 'When the meter captured the row.';
comment on column dlms_views.instant_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms_views.instant_profile.voltage_l1_v is 'Present voltage, phase l1, in V.';
comment on column dlms_views.instant_profile.voltage_l2_v is 'Present voltage, phase l2, in V.';
comment on column dlms_views.instant_profile.voltage_l3_v is 'Present voltage, phase l3, in V.';
comment on column dlms_views.instant_profile.current_l1_a is 'Present current, phase l1, in A.';
comment on column dlms_views.instant_profile.current_l2_a is 'Present current, phase l2, in A.';
comment on column dlms_views.instant_profile.current_l3_a is 'Present current, phase l3, in A.';
comment on column dlms_views.instant_profile.current_n_a is 'Present current in the neutral, in A.';
comment on column dlms_views.instant_profile.current_total_a is 'Present sum of the phase currents, in A.';
comment on column dlms_views.instant_profile.power_factor is 'Present power factor, all phases (IS 15959: + lagging, - leading).';
comment on column dlms_views.instant_profile.power_factor_l1 is 'Present power factor, phase l1.';
comment on column dlms_views.instant_profile.power_factor_l2 is 'Present power factor, phase l2.';
comment on column dlms_views.instant_profile.power_factor_l3 is 'Present power factor, phase l3.';
comment on column dlms_views.instant_profile.frequency_hz is 'Present frequency, in Hz.';
comment on column dlms_views.instant_profile.angle_u1_u2_deg is 'Angle between the voltages of phases 1 and 2, in °.';
comment on column dlms_views.instant_profile.angle_u2_u3_deg is 'Angle between the voltages of phases 2 and 3, in °.';
comment on column dlms_views.instant_profile.angle_u1_u3_deg is 'Angle between the voltages of phases 1 and 3, in °.';
comment on column dlms_views.instant_profile.angle_l1_deg is 'Angle between current and voltage of phase 1, in °.';
comment on column dlms_views.instant_profile.angle_l2_deg is 'Angle between current and voltage of phase 2, in °.';
comment on column dlms_views.instant_profile.angle_l3_deg is 'Angle between current and voltage of phase 3, in °.';
comment on column dlms_views.instant_profile.active_power_import_w is 'Power: active, import, in W.';
comment on column dlms_views.instant_profile.active_power_export_w is 'Power: active, export, in W.';
comment on column dlms_views.instant_profile.reactive_power_import_var is 'Power: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.instant_profile.reactive_power_export_var is 'Power: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.instant_profile.apparent_power_import_va is 'Power: apparent, import, in VA.';
comment on column dlms_views.instant_profile.apparent_power_export_va is 'Power: apparent, export, in VA.';
comment on column dlms_views.instant_profile.reactive_power_q1_var is 'Power: reactive, quadrant 1, in var.';
comment on column dlms_views.instant_profile.reactive_power_q2_var is 'Power: reactive, quadrant 2, in var.';
comment on column dlms_views.instant_profile.reactive_power_q3_var is 'Power: reactive, quadrant 3, in var.';
comment on column dlms_views.instant_profile.reactive_power_q4_var is 'Power: reactive, quadrant 4, in var.';
comment on column dlms_views.instant_profile.active_power_net_w is 'Power: active, import less export, in W.';
comment on column dlms_views.instant_profile.active_power_absolute_w is 'Power: active, import plus export, in W.';
comment on column dlms_views.instant_profile.active_power_import_l1_w is 'Power: active, import, phase l1, in W.';
comment on column dlms_views.instant_profile.active_power_export_l1_w is 'Power: active, export, phase l1, in W.';
comment on column dlms_views.instant_profile.reactive_power_import_l1_var is 'Power: reactive, import (Q1+Q2), phase l1, in var.';
comment on column dlms_views.instant_profile.reactive_power_export_l1_var is 'Power: reactive, export (Q3+Q4), phase l1, in var.';
comment on column dlms_views.instant_profile.apparent_power_import_l1_va is 'Power: apparent, import, phase l1, in VA.';
comment on column dlms_views.instant_profile.apparent_power_export_l1_va is 'Power: apparent, export, phase l1, in VA.';
comment on column dlms_views.instant_profile.active_power_import_l2_w is 'Power: active, import, phase l2, in W.';
comment on column dlms_views.instant_profile.active_power_export_l2_w is 'Power: active, export, phase l2, in W.';
comment on column dlms_views.instant_profile.reactive_power_import_l2_var is 'Power: reactive, import (Q1+Q2), phase l2, in var.';
comment on column dlms_views.instant_profile.reactive_power_export_l2_var is 'Power: reactive, export (Q3+Q4), phase l2, in var.';
comment on column dlms_views.instant_profile.apparent_power_import_l2_va is 'Power: apparent, import, phase l2, in VA.';
comment on column dlms_views.instant_profile.apparent_power_export_l2_va is 'Power: apparent, export, phase l2, in VA.';
comment on column dlms_views.instant_profile.active_power_import_l3_w is 'Power: active, import, phase l3, in W.';
comment on column dlms_views.instant_profile.active_power_export_l3_w is 'Power: active, export, phase l3, in W.';
comment on column dlms_views.instant_profile.reactive_power_import_l3_var is 'Power: reactive, import (Q1+Q2), phase l3, in var.';
comment on column dlms_views.instant_profile.reactive_power_export_l3_var is 'Power: reactive, export (Q3+Q4), phase l3, in var.';
comment on column dlms_views.instant_profile.apparent_power_import_l3_va is 'Power: apparent, import, phase l3, in VA.';
comment on column dlms_views.instant_profile.apparent_power_export_l3_va is 'Power: apparent, export, phase l3, in VA.';
comment on column dlms_views.instant_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms_views.instant_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.instant_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.instant_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms_views.instant_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms_views.instant_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms_views.instant_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms_views.instant_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms_views.instant_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms_views.instant_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms_views.instant_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms_views.instant_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms_views.instant_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms_views.instant_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms_views.instant_profile.demand_active_import_w is 'Average demand: active, import, in W.';
comment on column dlms_views.instant_profile.demand_active_export_w is 'Average demand: active, export, in W.';
comment on column dlms_views.instant_profile.demand_reactive_import_var is 'Average demand: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.instant_profile.demand_reactive_export_var is 'Average demand: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.instant_profile.demand_apparent_import_va is 'Average demand: apparent, import, in VA.';
comment on column dlms_views.instant_profile.demand_apparent_export_va is 'Average demand: apparent, export, in VA.';
comment on column dlms_views.instant_profile.demand_active_import_max_w is 'Maximum demand: active, import, in W.';
comment on column dlms_views.instant_profile.demand_active_import_max_time is 'When the maximum demand occurred: active, import.';
comment on column dlms_views.instant_profile.demand_active_export_max_w is 'Maximum demand: active, export, in W.';
comment on column dlms_views.instant_profile.demand_active_export_max_time is 'When the maximum demand occurred: active, export.';
comment on column dlms_views.instant_profile.demand_reactive_import_max_var is 'Maximum demand: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.instant_profile.demand_reactive_import_max_time is 'When the maximum demand occurred: reactive, import (Q1+Q2).';
comment on column dlms_views.instant_profile.demand_reactive_export_max_var is 'Maximum demand: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.instant_profile.demand_reactive_export_max_time is 'When the maximum demand occurred: reactive, export (Q3+Q4).';
comment on column dlms_views.instant_profile.demand_apparent_import_max_va is 'Maximum demand: apparent, import, in VA.';
comment on column dlms_views.instant_profile.demand_apparent_import_max_time is 'When the maximum demand occurred: apparent, import.';
comment on column dlms_views.instant_profile.demand_apparent_export_max_va is 'Maximum demand: apparent, export, in VA.';
comment on column dlms_views.instant_profile.demand_apparent_export_max_time is 'When the maximum demand occurred: apparent, export.';
comment on column dlms_views.instant_profile.power_failures is 'Number of power failures.';
comment on column dlms_views.instant_profile.power_off_duration_min is 'Cumulative duration without power, in min.';
comment on column dlms_views.instant_profile.power_on_duration_min is 'Cumulative duration with power, in min.';
comment on column dlms_views.instant_profile.tamper_count is 'Cumulative number of tampers.';
comment on column dlms_views.instant_profile.billing_count is 'Cumulative number of billing periods.';
comment on column dlms_views.instant_profile.programming_count is 'Cumulative number of parameter changes.';
comment on column dlms_views.instant_profile.billing_time is 'End of the last billing period.';
comment on column dlms_views.instant_profile.load_switch is 'Output of the load switch: 1 connected, 0 disconnected.';
comment on column dlms_views.instant_profile.load_switch_state is 'Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.';
comment on column dlms_views.instant_profile.load_limit_w is 'Limit above which the load switch opens, in W.';
comment on column dlms_views.instant_profile.tariff is 'Number of the tariff in force.';
comment on column dlms_views.instant_profile.meter_health is 'Health word of the meter (IS 15959).';
comment on column dlms_views.instant_profile.signal_strength_dbm is 'Average signal strength of the communication module, in dBm.';
comment on column dlms_views.instant_profile.temperature_celsius is 'Temperature of the meter or its surroundings, in °C.';
comment on column dlms_views.instant_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms_views.instant_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms_views.instant_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms_views.instant_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms_views.instant_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms_views.instant_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms_views.instant_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms_views.instant_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms_views.instant_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms_views.instant_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms_views.instant_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms_views.instant_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms_views.instant_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms_views.instant_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms_views.instant_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms_views.instant_profile.source is 'How the row came to us.';
comment on column dlms_views.instant_profile.read_at is 'When the row was read or received.';
comment on column dlms_views.instant_profile.known_from is 'When the database came to know the row.';
comment on column dlms_views.instant_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms_views.instant_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';

create view dlms_views.block_load_profile with (security_barrier) as
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
left join dlms.profile_layouts l on l.layout_key = d.layout_key
where d.known_from <= (select dlms_api.visible_until('block_load'))
  and not exists (
    select from dlms.profile_completions c
    where c.profile = 'block_load' and c.meter_key = d.meter_key and c.captured_at = d.captured_at
      and c.known_from > (select dlms_api.visible_until('block_load'))
  );
comment on view dlms_views.block_load_profile is 'Load by interval; captured_at is the end of the interval.';
comment on column dlms_views.block_load_profile.captured_at is 'When the meter captured the row.';
comment on column dlms_views.block_load_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms_views.block_load_profile.voltage_l1_v is 'Average voltage, phase l1, in V.';
comment on column dlms_views.block_load_profile.voltage_l2_v is 'Average voltage, phase l2, in V.';
comment on column dlms_views.block_load_profile.voltage_l3_v is 'Average voltage, phase l3, in V.';
comment on column dlms_views.block_load_profile.current_l1_a is 'Average current, phase l1, in A.';
comment on column dlms_views.block_load_profile.current_l2_a is 'Average current, phase l2, in A.';
comment on column dlms_views.block_load_profile.current_l3_a is 'Average current, phase l3, in A.';
comment on column dlms_views.block_load_profile.current_n_a is 'Average current in the neutral, in A.';
comment on column dlms_views.block_load_profile.current_total_a is 'Average sum of the phase currents, in A.';
comment on column dlms_views.block_load_profile.power_factor is 'Average power factor, all phases (IS 15959: + lagging, - leading).';
comment on column dlms_views.block_load_profile.power_factor_l1 is 'Average power factor, phase l1.';
comment on column dlms_views.block_load_profile.power_factor_l2 is 'Average power factor, phase l2.';
comment on column dlms_views.block_load_profile.power_factor_l3 is 'Average power factor, phase l3.';
comment on column dlms_views.block_load_profile.frequency_hz is 'Average frequency, in Hz.';
comment on column dlms_views.block_load_profile.active_import_wh is 'Energy of the interval: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_export_wh is 'Energy of the interval: active, export, in Wh.';
comment on column dlms_views.block_load_profile.reactive_import_varh is 'Energy of the interval: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.block_load_profile.reactive_export_varh is 'Energy of the interval: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.block_load_profile.apparent_import_vah is 'Energy of the interval: apparent, import, in VAh.';
comment on column dlms_views.block_load_profile.apparent_export_vah is 'Energy of the interval: apparent, export, in VAh.';
comment on column dlms_views.block_load_profile.reactive_q1_varh is 'Energy of the interval: reactive, quadrant 1, in varh.';
comment on column dlms_views.block_load_profile.reactive_q2_varh is 'Energy of the interval: reactive, quadrant 2, in varh.';
comment on column dlms_views.block_load_profile.reactive_q3_varh is 'Energy of the interval: reactive, quadrant 3, in varh.';
comment on column dlms_views.block_load_profile.reactive_q4_varh is 'Energy of the interval: reactive, quadrant 4, in varh.';
comment on column dlms_views.block_load_profile.active_net_wh is 'Energy of the interval: active, import less export, in Wh.';
comment on column dlms_views.block_load_profile.active_absolute_wh is 'Energy of the interval: active, import plus export, in Wh.';
comment on column dlms_views.block_load_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms_views.block_load_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.block_load_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.block_load_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms_views.block_load_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms_views.block_load_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms_views.block_load_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms_views.block_load_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms_views.block_load_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms_views.block_load_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms_views.block_load_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms_views.block_load_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms_views.block_load_profile.demand_active_import_w is 'Average demand: active, import, in W.';
comment on column dlms_views.block_load_profile.demand_active_export_w is 'Average demand: active, export, in W.';
comment on column dlms_views.block_load_profile.demand_reactive_import_var is 'Average demand: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.block_load_profile.demand_reactive_export_var is 'Average demand: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.block_load_profile.demand_apparent_import_va is 'Average demand: apparent, import, in VA.';
comment on column dlms_views.block_load_profile.demand_apparent_export_va is 'Average demand: apparent, export, in VA.';
comment on column dlms_views.block_load_profile.demand_reactive_q1_var is 'Average demand: reactive, quadrant 1, in var.';
comment on column dlms_views.block_load_profile.demand_reactive_q2_var is 'Average demand: reactive, quadrant 2, in var.';
comment on column dlms_views.block_load_profile.demand_reactive_q3_var is 'Average demand: reactive, quadrant 3, in var.';
comment on column dlms_views.block_load_profile.demand_reactive_q4_var is 'Average demand: reactive, quadrant 4, in var.';
comment on column dlms_views.block_load_profile.meter_health is 'Health word of the meter (IS 15959).';
comment on column dlms_views.block_load_profile.signal_strength_dbm is 'Average signal strength of the communication module, in dBm.';
comment on column dlms_views.block_load_profile.temperature_celsius is 'Temperature of the meter or its surroundings, in °C.';
comment on column dlms_views.block_load_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms_views.block_load_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms_views.block_load_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms_views.block_load_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms_views.block_load_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms_views.block_load_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms_views.block_load_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms_views.block_load_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms_views.block_load_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms_views.block_load_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms_views.block_load_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms_views.block_load_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms_views.block_load_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms_views.block_load_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms_views.block_load_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms_views.block_load_profile.source is 'How the row came to us.';
comment on column dlms_views.block_load_profile.read_at is 'When the row was read or received.';
comment on column dlms_views.block_load_profile.known_from is 'When the database came to know the row.';
comment on column dlms_views.block_load_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms_views.block_load_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';

create view dlms_views.daily_load_captures with (security_barrier) as
select m.id as meter_id,
  m.meter_number,
  d.captured_at,
  d.status as status,
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
from dlms.daily_load_profile_data d
join public.meters m on m.meter_key = d.meter_key
left join dlms.profile_layouts l on l.layout_key = d.layout_key
where d.known_from <= (select dlms_api.visible_until('daily_load'))
  and not exists (
    select from dlms.profile_completions c
    where c.profile = 'daily_load' and c.meter_key = d.meter_key and c.captured_at = d.captured_at
      and c.known_from > (select dlms_api.visible_until('daily_load'))
  );
comment on view dlms_views.daily_load_captures is 'Registers at midnight, as the meter captured them.';
comment on column dlms_views.daily_load_captures.captured_at is 'When the meter captured the row.';
comment on column dlms_views.daily_load_captures.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms_views.daily_load_captures.active_import_wh is 'Energy of the interval: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_wh is 'Energy of the interval: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.reactive_import_varh is 'Energy of the interval: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_varh is 'Energy of the interval: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.apparent_import_vah is 'Energy of the interval: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_vah is 'Energy of the interval: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.reactive_q1_varh is 'Energy of the interval: reactive, quadrant 1, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q2_varh is 'Energy of the interval: reactive, quadrant 2, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q3_varh is 'Energy of the interval: reactive, quadrant 3, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q4_varh is 'Energy of the interval: reactive, quadrant 4, in varh.';
comment on column dlms_views.daily_load_captures.active_net_wh is 'Energy of the interval: active, import less export, in Wh.';
comment on column dlms_views.daily_load_captures.active_absolute_wh is 'Energy of the interval: active, import plus export, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms_views.daily_load_captures.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms_views.daily_load_captures.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms_views.daily_load_captures.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms_views.daily_load_captures.reactive_import_t1_varh is 'Energy register of tariff 1: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t2_varh is 'Energy register of tariff 2: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t3_varh is 'Energy register of tariff 3: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t4_varh is 'Energy register of tariff 4: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t5_varh is 'Energy register of tariff 5: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t6_varh is 'Energy register of tariff 6: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t7_varh is 'Energy register of tariff 7: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_import_t8_varh is 'Energy register of tariff 8: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t1_varh is 'Energy register of tariff 1: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t2_varh is 'Energy register of tariff 2: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t3_varh is 'Energy register of tariff 3: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t4_varh is 'Energy register of tariff 4: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t5_varh is 'Energy register of tariff 5: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t6_varh is 'Energy register of tariff 6: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t7_varh is 'Energy register of tariff 7: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.reactive_export_t8_varh is 'Energy register of tariff 8: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.daily_load_captures.apparent_import_t1_vah is 'Energy register of tariff 1: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t2_vah is 'Energy register of tariff 2: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t3_vah is 'Energy register of tariff 3: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t4_vah is 'Energy register of tariff 4: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t5_vah is 'Energy register of tariff 5: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t6_vah is 'Energy register of tariff 6: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t7_vah is 'Energy register of tariff 7: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_import_t8_vah is 'Energy register of tariff 8: apparent, import, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t1_vah is 'Energy register of tariff 1: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t2_vah is 'Energy register of tariff 2: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t3_vah is 'Energy register of tariff 3: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t4_vah is 'Energy register of tariff 4: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t5_vah is 'Energy register of tariff 5: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t6_vah is 'Energy register of tariff 6: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t7_vah is 'Energy register of tariff 7: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.apparent_export_t8_vah is 'Energy register of tariff 8: apparent, export, in VAh.';
comment on column dlms_views.daily_load_captures.demand_active_import_max_w is 'Maximum demand: active, import, in W.';
comment on column dlms_views.daily_load_captures.demand_active_import_max_time is 'When the maximum demand occurred: active, import.';
comment on column dlms_views.daily_load_captures.demand_active_export_max_w is 'Maximum demand: active, export, in W.';
comment on column dlms_views.daily_load_captures.demand_active_export_max_time is 'When the maximum demand occurred: active, export.';
comment on column dlms_views.daily_load_captures.demand_reactive_import_max_var is 'Maximum demand: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.daily_load_captures.demand_reactive_import_max_time is 'When the maximum demand occurred: reactive, import (Q1+Q2).';
comment on column dlms_views.daily_load_captures.demand_reactive_export_max_var is 'Maximum demand: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.daily_load_captures.demand_reactive_export_max_time is 'When the maximum demand occurred: reactive, export (Q3+Q4).';
comment on column dlms_views.daily_load_captures.demand_apparent_import_max_va is 'Maximum demand: apparent, import, in VA.';
comment on column dlms_views.daily_load_captures.demand_apparent_import_max_time is 'When the maximum demand occurred: apparent, import.';
comment on column dlms_views.daily_load_captures.demand_apparent_export_max_va is 'Maximum demand: apparent, export, in VA.';
comment on column dlms_views.daily_load_captures.demand_apparent_export_max_time is 'When the maximum demand occurred: apparent, export.';
comment on column dlms_views.daily_load_captures.power_failures is 'Number of power failures.';
comment on column dlms_views.daily_load_captures.power_off_duration_min is 'Cumulative duration without power, in min.';
comment on column dlms_views.daily_load_captures.power_on_duration_min is 'Cumulative duration with power, in min.';
comment on column dlms_views.daily_load_captures.tamper_count is 'Cumulative number of tampers.';
comment on column dlms_views.daily_load_captures.billing_count is 'Cumulative number of billing periods.';
comment on column dlms_views.daily_load_captures.programming_count is 'Cumulative number of parameter changes.';
comment on column dlms_views.daily_load_captures.meter_health is 'Health word of the meter (IS 15959).';
comment on column dlms_views.daily_load_captures.signal_strength_dbm is 'Average signal strength of the communication module, in dBm.';
comment on column dlms_views.daily_load_captures.temperature_celsius is 'Temperature of the meter or its surroundings, in °C.';
comment on column dlms_views.daily_load_captures.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms_views.daily_load_captures.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms_views.daily_load_captures.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms_views.daily_load_captures.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms_views.daily_load_captures.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms_views.daily_load_captures.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms_views.daily_load_captures.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms_views.daily_load_captures.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms_views.daily_load_captures.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms_views.daily_load_captures.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms_views.daily_load_captures.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms_views.daily_load_captures.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms_views.daily_load_captures.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms_views.daily_load_captures.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms_views.daily_load_captures.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms_views.daily_load_captures.source is 'How the row came to us.';
comment on column dlms_views.daily_load_captures.read_at is 'When the row was read or received.';
comment on column dlms_views.daily_load_captures.known_from is 'When the database came to know the row.';
comment on column dlms_views.daily_load_captures.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms_views.daily_load_captures.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';

create view dlms_views.billing_profile with (security_barrier) as
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
left join dlms.profile_layouts l on l.layout_key = d.layout_key
where d.known_from <= (select dlms_api.visible_until('billing'))
  and not exists (
    select from dlms.profile_completions c
    where c.profile = 'billing' and c.meter_key = d.meter_key and c.captured_at = d.captured_at
      and c.known_from > (select dlms_api.visible_until('billing'))
  );
comment on view dlms_views.billing_profile is 'Registers and maximum demands at the end of billing periods.';
comment on column dlms_views.billing_profile.captured_at is 'When the meter captured the row.';
comment on column dlms_views.billing_profile.status is 'Status word of the profile, bits as the companion specification of the meter says.';
comment on column dlms_views.billing_profile.power_factor is 'Average power factor of the billing period.';
comment on column dlms_views.billing_profile.active_import_wh is 'Energy of the interval: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_export_wh is 'Energy of the interval: active, export, in Wh.';
comment on column dlms_views.billing_profile.reactive_import_varh is 'Energy of the interval: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_export_varh is 'Energy of the interval: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.apparent_import_vah is 'Energy of the interval: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_vah is 'Energy of the interval: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.reactive_q1_varh is 'Energy of the interval: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_varh is 'Energy of the interval: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_varh is 'Energy of the interval: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_varh is 'Energy of the interval: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.active_net_wh is 'Energy of the interval: active, import less export, in Wh.';
comment on column dlms_views.billing_profile.active_absolute_wh is 'Energy of the interval: active, import plus export, in Wh.';
comment on column dlms_views.billing_profile.active_import_total_wh is 'Energy register: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_export_total_wh is 'Energy register: active, export, in Wh.';
comment on column dlms_views.billing_profile.reactive_import_total_varh is 'Energy register: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_export_total_varh is 'Energy register: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.apparent_import_total_vah is 'Energy register: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_total_vah is 'Energy register: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.reactive_q1_total_varh is 'Energy register: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_total_varh is 'Energy register: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_total_varh is 'Energy register: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_total_varh is 'Energy register: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.active_net_total_wh is 'Energy register: active, import less export, in Wh.';
comment on column dlms_views.billing_profile.active_absolute_total_wh is 'Energy register: active, import plus export, in Wh.';
comment on column dlms_views.billing_profile.active_import_t1_wh is 'Energy register of tariff 1: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t2_wh is 'Energy register of tariff 2: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t3_wh is 'Energy register of tariff 3: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t4_wh is 'Energy register of tariff 4: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t5_wh is 'Energy register of tariff 5: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t6_wh is 'Energy register of tariff 6: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t7_wh is 'Energy register of tariff 7: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_import_t8_wh is 'Energy register of tariff 8: active, import, in Wh.';
comment on column dlms_views.billing_profile.active_export_t1_wh is 'Energy register of tariff 1: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t2_wh is 'Energy register of tariff 2: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t3_wh is 'Energy register of tariff 3: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t4_wh is 'Energy register of tariff 4: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t5_wh is 'Energy register of tariff 5: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t6_wh is 'Energy register of tariff 6: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t7_wh is 'Energy register of tariff 7: active, export, in Wh.';
comment on column dlms_views.billing_profile.active_export_t8_wh is 'Energy register of tariff 8: active, export, in Wh.';
comment on column dlms_views.billing_profile.reactive_import_t1_varh is 'Energy register of tariff 1: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t2_varh is 'Energy register of tariff 2: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t3_varh is 'Energy register of tariff 3: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t4_varh is 'Energy register of tariff 4: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t5_varh is 'Energy register of tariff 5: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t6_varh is 'Energy register of tariff 6: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t7_varh is 'Energy register of tariff 7: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_import_t8_varh is 'Energy register of tariff 8: reactive, import (Q1+Q2), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t1_varh is 'Energy register of tariff 1: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t2_varh is 'Energy register of tariff 2: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t3_varh is 'Energy register of tariff 3: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t4_varh is 'Energy register of tariff 4: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t5_varh is 'Energy register of tariff 5: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t6_varh is 'Energy register of tariff 6: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t7_varh is 'Energy register of tariff 7: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.reactive_export_t8_varh is 'Energy register of tariff 8: reactive, export (Q3+Q4), in varh.';
comment on column dlms_views.billing_profile.apparent_import_t1_vah is 'Energy register of tariff 1: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t2_vah is 'Energy register of tariff 2: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t3_vah is 'Energy register of tariff 3: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t4_vah is 'Energy register of tariff 4: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t5_vah is 'Energy register of tariff 5: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t6_vah is 'Energy register of tariff 6: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t7_vah is 'Energy register of tariff 7: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_import_t8_vah is 'Energy register of tariff 8: apparent, import, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t1_vah is 'Energy register of tariff 1: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t2_vah is 'Energy register of tariff 2: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t3_vah is 'Energy register of tariff 3: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t4_vah is 'Energy register of tariff 4: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t5_vah is 'Energy register of tariff 5: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t6_vah is 'Energy register of tariff 6: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t7_vah is 'Energy register of tariff 7: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.apparent_export_t8_vah is 'Energy register of tariff 8: apparent, export, in VAh.';
comment on column dlms_views.billing_profile.reactive_q1_t1_varh is 'Energy register of tariff 1: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t2_varh is 'Energy register of tariff 2: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t3_varh is 'Energy register of tariff 3: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t4_varh is 'Energy register of tariff 4: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t5_varh is 'Energy register of tariff 5: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t6_varh is 'Energy register of tariff 6: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t7_varh is 'Energy register of tariff 7: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q1_t8_varh is 'Energy register of tariff 8: reactive, quadrant 1, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t1_varh is 'Energy register of tariff 1: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t2_varh is 'Energy register of tariff 2: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t3_varh is 'Energy register of tariff 3: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t4_varh is 'Energy register of tariff 4: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t5_varh is 'Energy register of tariff 5: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t6_varh is 'Energy register of tariff 6: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t7_varh is 'Energy register of tariff 7: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q2_t8_varh is 'Energy register of tariff 8: reactive, quadrant 2, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t1_varh is 'Energy register of tariff 1: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t2_varh is 'Energy register of tariff 2: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t3_varh is 'Energy register of tariff 3: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t4_varh is 'Energy register of tariff 4: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t5_varh is 'Energy register of tariff 5: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t6_varh is 'Energy register of tariff 6: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t7_varh is 'Energy register of tariff 7: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q3_t8_varh is 'Energy register of tariff 8: reactive, quadrant 3, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t1_varh is 'Energy register of tariff 1: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t2_varh is 'Energy register of tariff 2: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t3_varh is 'Energy register of tariff 3: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t4_varh is 'Energy register of tariff 4: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t5_varh is 'Energy register of tariff 5: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t6_varh is 'Energy register of tariff 6: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t7_varh is 'Energy register of tariff 7: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.reactive_q4_t8_varh is 'Energy register of tariff 8: reactive, quadrant 4, in varh.';
comment on column dlms_views.billing_profile.demand_active_import_max_w is 'Maximum demand: active, import, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_time is 'When the maximum demand occurred: active, import.';
comment on column dlms_views.billing_profile.demand_active_import_max_t1_w is 'Maximum demand: active, import, tariff 1, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t1_time is 'When the maximum demand occurred: active, import, tariff 1.';
comment on column dlms_views.billing_profile.demand_active_import_max_t2_w is 'Maximum demand: active, import, tariff 2, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t2_time is 'When the maximum demand occurred: active, import, tariff 2.';
comment on column dlms_views.billing_profile.demand_active_import_max_t3_w is 'Maximum demand: active, import, tariff 3, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t3_time is 'When the maximum demand occurred: active, import, tariff 3.';
comment on column dlms_views.billing_profile.demand_active_import_max_t4_w is 'Maximum demand: active, import, tariff 4, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t4_time is 'When the maximum demand occurred: active, import, tariff 4.';
comment on column dlms_views.billing_profile.demand_active_import_max_t5_w is 'Maximum demand: active, import, tariff 5, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t5_time is 'When the maximum demand occurred: active, import, tariff 5.';
comment on column dlms_views.billing_profile.demand_active_import_max_t6_w is 'Maximum demand: active, import, tariff 6, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t6_time is 'When the maximum demand occurred: active, import, tariff 6.';
comment on column dlms_views.billing_profile.demand_active_import_max_t7_w is 'Maximum demand: active, import, tariff 7, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t7_time is 'When the maximum demand occurred: active, import, tariff 7.';
comment on column dlms_views.billing_profile.demand_active_import_max_t8_w is 'Maximum demand: active, import, tariff 8, in W.';
comment on column dlms_views.billing_profile.demand_active_import_max_t8_time is 'When the maximum demand occurred: active, import, tariff 8.';
comment on column dlms_views.billing_profile.demand_active_export_max_w is 'Maximum demand: active, export, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_time is 'When the maximum demand occurred: active, export.';
comment on column dlms_views.billing_profile.demand_active_export_max_t1_w is 'Maximum demand: active, export, tariff 1, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t1_time is 'When the maximum demand occurred: active, export, tariff 1.';
comment on column dlms_views.billing_profile.demand_active_export_max_t2_w is 'Maximum demand: active, export, tariff 2, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t2_time is 'When the maximum demand occurred: active, export, tariff 2.';
comment on column dlms_views.billing_profile.demand_active_export_max_t3_w is 'Maximum demand: active, export, tariff 3, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t3_time is 'When the maximum demand occurred: active, export, tariff 3.';
comment on column dlms_views.billing_profile.demand_active_export_max_t4_w is 'Maximum demand: active, export, tariff 4, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t4_time is 'When the maximum demand occurred: active, export, tariff 4.';
comment on column dlms_views.billing_profile.demand_active_export_max_t5_w is 'Maximum demand: active, export, tariff 5, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t5_time is 'When the maximum demand occurred: active, export, tariff 5.';
comment on column dlms_views.billing_profile.demand_active_export_max_t6_w is 'Maximum demand: active, export, tariff 6, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t6_time is 'When the maximum demand occurred: active, export, tariff 6.';
comment on column dlms_views.billing_profile.demand_active_export_max_t7_w is 'Maximum demand: active, export, tariff 7, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t7_time is 'When the maximum demand occurred: active, export, tariff 7.';
comment on column dlms_views.billing_profile.demand_active_export_max_t8_w is 'Maximum demand: active, export, tariff 8, in W.';
comment on column dlms_views.billing_profile.demand_active_export_max_t8_time is 'When the maximum demand occurred: active, export, tariff 8.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_var is 'Maximum demand: reactive, import (Q1+Q2), in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_time is 'When the maximum demand occurred: reactive, import (Q1+Q2).';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t1_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 1, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t1_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 1.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t2_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 2, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t2_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 2.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t3_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 3, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t3_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 3.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t4_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 4, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t4_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 4.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t5_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 5, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t5_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 5.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t6_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 6, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t6_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 6.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t7_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 7, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t7_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 7.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t8_var is 'Maximum demand: reactive, import (Q1+Q2), tariff 8, in var.';
comment on column dlms_views.billing_profile.demand_reactive_import_max_t8_time is 'When the maximum demand occurred: reactive, import (Q1+Q2), tariff 8.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_var is 'Maximum demand: reactive, export (Q3+Q4), in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_time is 'When the maximum demand occurred: reactive, export (Q3+Q4).';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t1_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 1, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t1_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 1.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t2_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 2, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t2_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 2.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t3_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 3, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t3_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 3.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t4_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 4, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t4_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 4.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t5_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 5, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t5_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 5.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t6_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 6, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t6_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 6.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t7_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 7, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t7_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 7.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t8_var is 'Maximum demand: reactive, export (Q3+Q4), tariff 8, in var.';
comment on column dlms_views.billing_profile.demand_reactive_export_max_t8_time is 'When the maximum demand occurred: reactive, export (Q3+Q4), tariff 8.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_va is 'Maximum demand: apparent, import, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_time is 'When the maximum demand occurred: apparent, import.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t1_va is 'Maximum demand: apparent, import, tariff 1, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t1_time is 'When the maximum demand occurred: apparent, import, tariff 1.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t2_va is 'Maximum demand: apparent, import, tariff 2, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t2_time is 'When the maximum demand occurred: apparent, import, tariff 2.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t3_va is 'Maximum demand: apparent, import, tariff 3, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t3_time is 'When the maximum demand occurred: apparent, import, tariff 3.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t4_va is 'Maximum demand: apparent, import, tariff 4, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t4_time is 'When the maximum demand occurred: apparent, import, tariff 4.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t5_va is 'Maximum demand: apparent, import, tariff 5, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t5_time is 'When the maximum demand occurred: apparent, import, tariff 5.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t6_va is 'Maximum demand: apparent, import, tariff 6, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t6_time is 'When the maximum demand occurred: apparent, import, tariff 6.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t7_va is 'Maximum demand: apparent, import, tariff 7, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t7_time is 'When the maximum demand occurred: apparent, import, tariff 7.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t8_va is 'Maximum demand: apparent, import, tariff 8, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_import_max_t8_time is 'When the maximum demand occurred: apparent, import, tariff 8.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_va is 'Maximum demand: apparent, export, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_time is 'When the maximum demand occurred: apparent, export.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t1_va is 'Maximum demand: apparent, export, tariff 1, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t1_time is 'When the maximum demand occurred: apparent, export, tariff 1.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t2_va is 'Maximum demand: apparent, export, tariff 2, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t2_time is 'When the maximum demand occurred: apparent, export, tariff 2.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t3_va is 'Maximum demand: apparent, export, tariff 3, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t3_time is 'When the maximum demand occurred: apparent, export, tariff 3.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t4_va is 'Maximum demand: apparent, export, tariff 4, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t4_time is 'When the maximum demand occurred: apparent, export, tariff 4.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t5_va is 'Maximum demand: apparent, export, tariff 5, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t5_time is 'When the maximum demand occurred: apparent, export, tariff 5.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t6_va is 'Maximum demand: apparent, export, tariff 6, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t6_time is 'When the maximum demand occurred: apparent, export, tariff 6.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t7_va is 'Maximum demand: apparent, export, tariff 7, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t7_time is 'When the maximum demand occurred: apparent, export, tariff 7.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t8_va is 'Maximum demand: apparent, export, tariff 8, in VA.';
comment on column dlms_views.billing_profile.demand_apparent_export_max_t8_time is 'When the maximum demand occurred: apparent, export, tariff 8.';
comment on column dlms_views.billing_profile.billing_power_on_duration_min is 'Duration with power in the billing period, in min.';
comment on column dlms_views.billing_profile.power_failures is 'Number of power failures.';
comment on column dlms_views.billing_profile.power_off_duration_min is 'Cumulative duration without power, in min.';
comment on column dlms_views.billing_profile.power_on_duration_min is 'Cumulative duration with power, in min.';
comment on column dlms_views.billing_profile.tamper_count is 'Cumulative number of tampers.';
comment on column dlms_views.billing_profile.billing_count is 'Cumulative number of billing periods.';
comment on column dlms_views.billing_profile.programming_count is 'Cumulative number of parameter changes.';
comment on column dlms_views.billing_profile.load_switch is 'Output of the load switch: 1 connected, 0 disconnected.';
comment on column dlms_views.billing_profile.load_switch_state is 'Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.';
comment on column dlms_views.billing_profile.load_limit_w is 'Limit above which the load switch opens, in W.';
comment on column dlms_views.billing_profile.tariff is 'Number of the tariff in force.';
comment on column dlms_views.billing_profile.mbus1_volume_m3 is 'M-Bus channel 1: volume register (gas, water), in m³.';
comment on column dlms_views.billing_profile.mbus1_heat_j is 'M-Bus channel 1: energy register (heat, cold), in J.';
comment on column dlms_views.billing_profile.mbus1_time is 'M-Bus channel 1: when the register was read.';
comment on column dlms_views.billing_profile.mbus2_volume_m3 is 'M-Bus channel 2: volume register (gas, water), in m³.';
comment on column dlms_views.billing_profile.mbus2_heat_j is 'M-Bus channel 2: energy register (heat, cold), in J.';
comment on column dlms_views.billing_profile.mbus2_time is 'M-Bus channel 2: when the register was read.';
comment on column dlms_views.billing_profile.mbus3_volume_m3 is 'M-Bus channel 3: volume register (gas, water), in m³.';
comment on column dlms_views.billing_profile.mbus3_heat_j is 'M-Bus channel 3: energy register (heat, cold), in J.';
comment on column dlms_views.billing_profile.mbus3_time is 'M-Bus channel 3: when the register was read.';
comment on column dlms_views.billing_profile.mbus4_volume_m3 is 'M-Bus channel 4: volume register (gas, water), in m³.';
comment on column dlms_views.billing_profile.mbus4_heat_j is 'M-Bus channel 4: energy register (heat, cold), in J.';
comment on column dlms_views.billing_profile.mbus4_time is 'M-Bus channel 4: when the register was read.';
comment on column dlms_views.billing_profile.interval_s is 'Length of the interval in seconds; null for a capture without one.';
comment on column dlms_views.billing_profile.meter_clock is 'What the meter''s own clock showed; null where it left it open.';
comment on column dlms_views.billing_profile.time_rule is 'What turned the meter''s clock into captured_at.';
comment on column dlms_views.billing_profile.source is 'How the row came to us.';
comment on column dlms_views.billing_profile.read_at is 'When the row was read or received.';
comment on column dlms_views.billing_profile.known_from is 'When the database came to know the row.';
comment on column dlms_views.billing_profile.others is 'What no column is for: value and unit under class:logical name:attribute.';
comment on column dlms_views.billing_profile.layout is 'Fingerprint of the capture objects, scalers and units that the row was decoded with.';
