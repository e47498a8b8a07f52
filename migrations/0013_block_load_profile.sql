-- Load by interval. Made from the list of columns in src/profiles/columns.ts by test/db/column-migration.ts.

select dlms.make_profile('block_load', 'block_load_profile', 'Load by interval; captured_at is the end of the interval.', $$
status | bigint | status |  | Status word of the profile, bits as the companion specification of the meter says.
voltage_l1 | integer | voltage_l1_v | 0.001 | Average voltage, phase l1, in V.
voltage_l2 | integer | voltage_l2_v | 0.001 | Average voltage, phase l2, in V.
voltage_l3 | integer | voltage_l3_v | 0.001 | Average voltage, phase l3, in V.
current_l1 | integer | current_l1_a | 0.001 | Average current, phase l1, in A.
current_l2 | integer | current_l2_a | 0.001 | Average current, phase l2, in A.
current_l3 | integer | current_l3_a | 0.001 | Average current, phase l3, in A.
current_n | integer | current_n_a | 0.001 | Average current in the neutral, in A.
current_total | integer | current_total_a | 0.001 | Average sum of the phase currents, in A.
power_factor | integer | power_factor | 0.0001 | Average power factor, all phases (IS 15959: + lagging, - leading).
power_factor_l1 | integer | power_factor_l1 | 0.0001 | Average power factor, phase l1.
power_factor_l2 | integer | power_factor_l2 | 0.0001 | Average power factor, phase l2.
power_factor_l3 | integer | power_factor_l3 | 0.0001 | Average power factor, phase l3.
frequency | integer | frequency_hz | 0.0001 | Average frequency, in Hz.
active_import | bigint | active_import_wh | 0.001 | Energy of the interval: active, import, in Wh.
active_export | bigint | active_export_wh | 0.001 | Energy of the interval: active, export, in Wh.
reactive_import | bigint | reactive_import_varh | 0.001 | Energy of the interval: reactive, import (Q1+Q2), in varh.
reactive_export | bigint | reactive_export_varh | 0.001 | Energy of the interval: reactive, export (Q3+Q4), in varh.
apparent_import | bigint | apparent_import_vah | 0.001 | Energy of the interval: apparent, import, in VAh.
apparent_export | bigint | apparent_export_vah | 0.001 | Energy of the interval: apparent, export, in VAh.
reactive_q1 | bigint | reactive_q1_varh | 0.001 | Energy of the interval: reactive, quadrant 1, in varh.
reactive_q2 | bigint | reactive_q2_varh | 0.001 | Energy of the interval: reactive, quadrant 2, in varh.
reactive_q3 | bigint | reactive_q3_varh | 0.001 | Energy of the interval: reactive, quadrant 3, in varh.
reactive_q4 | bigint | reactive_q4_varh | 0.001 | Energy of the interval: reactive, quadrant 4, in varh.
active_net | bigint | active_net_wh | 0.001 | Energy of the interval: active, import less export, in Wh.
active_absolute | bigint | active_absolute_wh | 0.001 | Energy of the interval: active, import plus export, in Wh.
active_import_total | bigint | active_import_total_wh | 0.001 | Energy register: active, import, in Wh.
active_export_total | bigint | active_export_total_wh | 0.001 | Energy register: active, export, in Wh.
reactive_import_total | bigint | reactive_import_total_varh | 0.001 | Energy register: reactive, import (Q1+Q2), in varh.
reactive_export_total | bigint | reactive_export_total_varh | 0.001 | Energy register: reactive, export (Q3+Q4), in varh.
apparent_import_total | bigint | apparent_import_total_vah | 0.001 | Energy register: apparent, import, in VAh.
apparent_export_total | bigint | apparent_export_total_vah | 0.001 | Energy register: apparent, export, in VAh.
reactive_q1_total | bigint | reactive_q1_total_varh | 0.001 | Energy register: reactive, quadrant 1, in varh.
reactive_q2_total | bigint | reactive_q2_total_varh | 0.001 | Energy register: reactive, quadrant 2, in varh.
reactive_q3_total | bigint | reactive_q3_total_varh | 0.001 | Energy register: reactive, quadrant 3, in varh.
reactive_q4_total | bigint | reactive_q4_total_varh | 0.001 | Energy register: reactive, quadrant 4, in varh.
active_net_total | bigint | active_net_total_wh | 0.001 | Energy register: active, import less export, in Wh.
active_absolute_total | bigint | active_absolute_total_wh | 0.001 | Energy register: active, import plus export, in Wh.
active_import_t1 | bigint | active_import_t1_wh | 0.001 | Energy register of tariff 1: active, import, in Wh.
active_import_t2 | bigint | active_import_t2_wh | 0.001 | Energy register of tariff 2: active, import, in Wh.
active_import_t3 | bigint | active_import_t3_wh | 0.001 | Energy register of tariff 3: active, import, in Wh.
active_import_t4 | bigint | active_import_t4_wh | 0.001 | Energy register of tariff 4: active, import, in Wh.
active_import_t5 | bigint | active_import_t5_wh | 0.001 | Energy register of tariff 5: active, import, in Wh.
active_import_t6 | bigint | active_import_t6_wh | 0.001 | Energy register of tariff 6: active, import, in Wh.
active_import_t7 | bigint | active_import_t7_wh | 0.001 | Energy register of tariff 7: active, import, in Wh.
active_import_t8 | bigint | active_import_t8_wh | 0.001 | Energy register of tariff 8: active, import, in Wh.
active_export_t1 | bigint | active_export_t1_wh | 0.001 | Energy register of tariff 1: active, export, in Wh.
active_export_t2 | bigint | active_export_t2_wh | 0.001 | Energy register of tariff 2: active, export, in Wh.
active_export_t3 | bigint | active_export_t3_wh | 0.001 | Energy register of tariff 3: active, export, in Wh.
active_export_t4 | bigint | active_export_t4_wh | 0.001 | Energy register of tariff 4: active, export, in Wh.
active_export_t5 | bigint | active_export_t5_wh | 0.001 | Energy register of tariff 5: active, export, in Wh.
active_export_t6 | bigint | active_export_t6_wh | 0.001 | Energy register of tariff 6: active, export, in Wh.
active_export_t7 | bigint | active_export_t7_wh | 0.001 | Energy register of tariff 7: active, export, in Wh.
active_export_t8 | bigint | active_export_t8_wh | 0.001 | Energy register of tariff 8: active, export, in Wh.
demand_active_import | bigint | demand_active_import_w | 0.001 | Average demand: active, import, in W.
demand_active_export | bigint | demand_active_export_w | 0.001 | Average demand: active, export, in W.
demand_reactive_import | bigint | demand_reactive_import_var | 0.001 | Average demand: reactive, import (Q1+Q2), in var.
demand_reactive_export | bigint | demand_reactive_export_var | 0.001 | Average demand: reactive, export (Q3+Q4), in var.
demand_apparent_import | bigint | demand_apparent_import_va | 0.001 | Average demand: apparent, import, in VA.
demand_apparent_export | bigint | demand_apparent_export_va | 0.001 | Average demand: apparent, export, in VA.
demand_reactive_q1 | bigint | demand_reactive_q1_var | 0.001 | Average demand: reactive, quadrant 1, in var.
demand_reactive_q2 | bigint | demand_reactive_q2_var | 0.001 | Average demand: reactive, quadrant 2, in var.
demand_reactive_q3 | bigint | demand_reactive_q3_var | 0.001 | Average demand: reactive, quadrant 3, in var.
demand_reactive_q4 | bigint | demand_reactive_q4_var | 0.001 | Average demand: reactive, quadrant 4, in var.
meter_health | bigint | meter_health |  | Health word of the meter (IS 15959).
signal_strength | integer | signal_strength_dbm | 0.1 | Average signal strength of the communication module, in dBm.
temperature | integer | temperature_celsius | 0.01 | Temperature of the meter or its surroundings, in °C.
mbus1_volume | bigint | mbus1_volume_m3 | 0.000001 | M-Bus channel 1: volume register (gas, water), in m³.
mbus1_heat | bigint | mbus1_heat_j |  | M-Bus channel 1: energy register (heat, cold), in J.
mbus1_time | timestamptz | mbus1_time |  | M-Bus channel 1: when the register was read.
mbus2_volume | bigint | mbus2_volume_m3 | 0.000001 | M-Bus channel 2: volume register (gas, water), in m³.
mbus2_heat | bigint | mbus2_heat_j |  | M-Bus channel 2: energy register (heat, cold), in J.
mbus2_time | timestamptz | mbus2_time |  | M-Bus channel 2: when the register was read.
mbus3_volume | bigint | mbus3_volume_m3 | 0.000001 | M-Bus channel 3: volume register (gas, water), in m³.
mbus3_heat | bigint | mbus3_heat_j |  | M-Bus channel 3: energy register (heat, cold), in J.
mbus3_time | timestamptz | mbus3_time |  | M-Bus channel 3: when the register was read.
mbus4_volume | bigint | mbus4_volume_m3 | 0.000001 | M-Bus channel 4: volume register (gas, water), in m³.
mbus4_heat | bigint | mbus4_heat_j |  | M-Bus channel 4: energy register (heat, cold), in J.
mbus4_time | timestamptz | mbus4_time |  | M-Bus channel 4: when the register was read.
$$);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by,
  compressed_chunk_interval)
values ('dlms', 'block_load_profile_data', 'captured_at', '7 days', '7 days', 'meter_key', 'captured_at', '84 days');
