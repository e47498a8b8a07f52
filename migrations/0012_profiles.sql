-- The four profiles, made of one list of columns: each line begins with the letters of the profiles that have it, and goes on
-- as dlms.make_profile() takes it. # is a tariff, 1 to 8: the line stands for eight columns, and the time of a maximum goes
-- behind the maximum. A test holds the list against src/profiles/columns.ts.

with lines (letters, line, nth) as (
  select left(l.line, 4), substr(l.line, 8), l.nth from string_to_table(trim($$
ildb | status | bigint | status |  | Status word of the profile, bits as the companion specification of the meter says.
i... | voltage_l1 | integer | voltage_l1_v | 0.001 | Present voltage, phase l1, in V.
i... | voltage_l2 | integer | voltage_l2_v | 0.001 | Present voltage, phase l2, in V.
i... | voltage_l3 | integer | voltage_l3_v | 0.001 | Present voltage, phase l3, in V.
i... | current_l1 | integer | current_l1_a | 0.001 | Present current, phase l1, in A.
i... | current_l2 | integer | current_l2_a | 0.001 | Present current, phase l2, in A.
i... | current_l3 | integer | current_l3_a | 0.001 | Present current, phase l3, in A.
i... | current_n | integer | current_n_a | 0.001 | Present current in the neutral, in A.
i... | current_total | integer | current_total_a | 0.001 | Present sum of the phase currents, in A.
i... | power_factor | integer | power_factor | 0.0001 | Present power factor, all phases (IS 15959: + lagging, - leading).
i... | power_factor_l1 | integer | power_factor_l1 | 0.0001 | Present power factor, phase l1.
i... | power_factor_l2 | integer | power_factor_l2 | 0.0001 | Present power factor, phase l2.
i... | power_factor_l3 | integer | power_factor_l3 | 0.0001 | Present power factor, phase l3.
i... | frequency | integer | frequency_hz | 0.0001 | Present frequency, in Hz.
.l.. | voltage_l1 | integer | voltage_l1_v | 0.001 | Average voltage, phase l1, in V.
.l.. | voltage_l2 | integer | voltage_l2_v | 0.001 | Average voltage, phase l2, in V.
.l.. | voltage_l3 | integer | voltage_l3_v | 0.001 | Average voltage, phase l3, in V.
.l.. | current_l1 | integer | current_l1_a | 0.001 | Average current, phase l1, in A.
.l.. | current_l2 | integer | current_l2_a | 0.001 | Average current, phase l2, in A.
.l.. | current_l3 | integer | current_l3_a | 0.001 | Average current, phase l3, in A.
.l.. | current_n | integer | current_n_a | 0.001 | Average current in the neutral, in A.
.l.. | current_total | integer | current_total_a | 0.001 | Average sum of the phase currents, in A.
.l.. | power_factor | integer | power_factor | 0.0001 | Average power factor, all phases (IS 15959: + lagging, - leading).
.l.. | power_factor_l1 | integer | power_factor_l1 | 0.0001 | Average power factor, phase l1.
.l.. | power_factor_l2 | integer | power_factor_l2 | 0.0001 | Average power factor, phase l2.
.l.. | power_factor_l3 | integer | power_factor_l3 | 0.0001 | Average power factor, phase l3.
.l.. | frequency | integer | frequency_hz | 0.0001 | Average frequency, in Hz.
...b | power_factor | integer | power_factor | 0.0001 | Average power factor of the billing period.
i... | angle_u1_u2 | integer | angle_u1_u2_deg | 0.001 | Angle between the voltages of phases 1 and 2, in °.
i... | angle_u2_u3 | integer | angle_u2_u3_deg | 0.001 | Angle between the voltages of phases 2 and 3, in °.
i... | angle_u1_u3 | integer | angle_u1_u3_deg | 0.001 | Angle between the voltages of phases 1 and 3, in °.
i... | angle_l1 | integer | angle_l1_deg | 0.001 | Angle between current and voltage of phase 1, in °.
i... | angle_l2 | integer | angle_l2_deg | 0.001 | Angle between current and voltage of phase 2, in °.
i... | angle_l3 | integer | angle_l3_deg | 0.001 | Angle between current and voltage of phase 3, in °.
i... | active_power_import | bigint | active_power_import_w | 0.001 | Power: active, import, in W.
i... | active_power_export | bigint | active_power_export_w | 0.001 | Power: active, export, in W.
i... | reactive_power_import | bigint | reactive_power_import_var | 0.001 | Power: reactive, import (Q1+Q2), in var.
i... | reactive_power_export | bigint | reactive_power_export_var | 0.001 | Power: reactive, export (Q3+Q4), in var.
i... | apparent_power_import | bigint | apparent_power_import_va | 0.001 | Power: apparent, import, in VA.
i... | apparent_power_export | bigint | apparent_power_export_va | 0.001 | Power: apparent, export, in VA.
i... | reactive_power_q1 | bigint | reactive_power_q1_var | 0.001 | Power: reactive, quadrant 1, in var.
i... | reactive_power_q2 | bigint | reactive_power_q2_var | 0.001 | Power: reactive, quadrant 2, in var.
i... | reactive_power_q3 | bigint | reactive_power_q3_var | 0.001 | Power: reactive, quadrant 3, in var.
i... | reactive_power_q4 | bigint | reactive_power_q4_var | 0.001 | Power: reactive, quadrant 4, in var.
i... | active_power_net | bigint | active_power_net_w | 0.001 | Power: active, import less export, in W.
i... | active_power_absolute | bigint | active_power_absolute_w | 0.001 | Power: active, import plus export, in W.
i... | active_power_import_l1 | bigint | active_power_import_l1_w | 0.001 | Power: active, import, phase l1, in W.
i... | active_power_export_l1 | bigint | active_power_export_l1_w | 0.001 | Power: active, export, phase l1, in W.
i... | reactive_power_import_l1 | bigint | reactive_power_import_l1_var | 0.001 | Power: reactive, import (Q1+Q2), phase l1, in var.
i... | reactive_power_export_l1 | bigint | reactive_power_export_l1_var | 0.001 | Power: reactive, export (Q3+Q4), phase l1, in var.
i... | apparent_power_import_l1 | bigint | apparent_power_import_l1_va | 0.001 | Power: apparent, import, phase l1, in VA.
i... | apparent_power_export_l1 | bigint | apparent_power_export_l1_va | 0.001 | Power: apparent, export, phase l1, in VA.
i... | active_power_import_l2 | bigint | active_power_import_l2_w | 0.001 | Power: active, import, phase l2, in W.
i... | active_power_export_l2 | bigint | active_power_export_l2_w | 0.001 | Power: active, export, phase l2, in W.
i... | reactive_power_import_l2 | bigint | reactive_power_import_l2_var | 0.001 | Power: reactive, import (Q1+Q2), phase l2, in var.
i... | reactive_power_export_l2 | bigint | reactive_power_export_l2_var | 0.001 | Power: reactive, export (Q3+Q4), phase l2, in var.
i... | apparent_power_import_l2 | bigint | apparent_power_import_l2_va | 0.001 | Power: apparent, import, phase l2, in VA.
i... | apparent_power_export_l2 | bigint | apparent_power_export_l2_va | 0.001 | Power: apparent, export, phase l2, in VA.
i... | active_power_import_l3 | bigint | active_power_import_l3_w | 0.001 | Power: active, import, phase l3, in W.
i... | active_power_export_l3 | bigint | active_power_export_l3_w | 0.001 | Power: active, export, phase l3, in W.
i... | reactive_power_import_l3 | bigint | reactive_power_import_l3_var | 0.001 | Power: reactive, import (Q1+Q2), phase l3, in var.
i... | reactive_power_export_l3 | bigint | reactive_power_export_l3_var | 0.001 | Power: reactive, export (Q3+Q4), phase l3, in var.
i... | apparent_power_import_l3 | bigint | apparent_power_import_l3_va | 0.001 | Power: apparent, import, phase l3, in VA.
i... | apparent_power_export_l3 | bigint | apparent_power_export_l3_va | 0.001 | Power: apparent, export, phase l3, in VA.
.ldb | active_import | bigint | active_import_wh | 0.001 | Energy of the interval: active, import, in Wh.
.ldb | active_export | bigint | active_export_wh | 0.001 | Energy of the interval: active, export, in Wh.
.ldb | reactive_import | bigint | reactive_import_varh | 0.001 | Energy of the interval: reactive, import (Q1+Q2), in varh.
.ldb | reactive_export | bigint | reactive_export_varh | 0.001 | Energy of the interval: reactive, export (Q3+Q4), in varh.
.ldb | apparent_import | bigint | apparent_import_vah | 0.001 | Energy of the interval: apparent, import, in VAh.
.ldb | apparent_export | bigint | apparent_export_vah | 0.001 | Energy of the interval: apparent, export, in VAh.
.ldb | reactive_q1 | bigint | reactive_q1_varh | 0.001 | Energy of the interval: reactive, quadrant 1, in varh.
.ldb | reactive_q2 | bigint | reactive_q2_varh | 0.001 | Energy of the interval: reactive, quadrant 2, in varh.
.ldb | reactive_q3 | bigint | reactive_q3_varh | 0.001 | Energy of the interval: reactive, quadrant 3, in varh.
.ldb | reactive_q4 | bigint | reactive_q4_varh | 0.001 | Energy of the interval: reactive, quadrant 4, in varh.
.ldb | active_net | bigint | active_net_wh | 0.001 | Energy of the interval: active, import less export, in Wh.
.ldb | active_absolute | bigint | active_absolute_wh | 0.001 | Energy of the interval: active, import plus export, in Wh.
ildb | active_import_total | bigint | active_import_total_wh | 0.001 | Energy register: active, import, in Wh.
ildb | active_export_total | bigint | active_export_total_wh | 0.001 | Energy register: active, export, in Wh.
ildb | reactive_import_total | bigint | reactive_import_total_varh | 0.001 | Energy register: reactive, import (Q1+Q2), in varh.
ildb | reactive_export_total | bigint | reactive_export_total_varh | 0.001 | Energy register: reactive, export (Q3+Q4), in varh.
ildb | apparent_import_total | bigint | apparent_import_total_vah | 0.001 | Energy register: apparent, import, in VAh.
ildb | apparent_export_total | bigint | apparent_export_total_vah | 0.001 | Energy register: apparent, export, in VAh.
ildb | reactive_q1_total | bigint | reactive_q1_total_varh | 0.001 | Energy register: reactive, quadrant 1, in varh.
ildb | reactive_q2_total | bigint | reactive_q2_total_varh | 0.001 | Energy register: reactive, quadrant 2, in varh.
ildb | reactive_q3_total | bigint | reactive_q3_total_varh | 0.001 | Energy register: reactive, quadrant 3, in varh.
ildb | reactive_q4_total | bigint | reactive_q4_total_varh | 0.001 | Energy register: reactive, quadrant 4, in varh.
ildb | active_net_total | bigint | active_net_total_wh | 0.001 | Energy register: active, import less export, in Wh.
ildb | active_absolute_total | bigint | active_absolute_total_wh | 0.001 | Energy register: active, import plus export, in Wh.
ildb | active_import_t# | bigint | active_import_t#_wh | 0.001 | Energy register of tariff #: active, import, in Wh.
ildb | active_export_t# | bigint | active_export_t#_wh | 0.001 | Energy register of tariff #: active, export, in Wh.
..db | reactive_import_t# | bigint | reactive_import_t#_varh | 0.001 | Energy register of tariff #: reactive, import (Q1+Q2), in varh.
..db | reactive_export_t# | bigint | reactive_export_t#_varh | 0.001 | Energy register of tariff #: reactive, export (Q3+Q4), in varh.
..db | apparent_import_t# | bigint | apparent_import_t#_vah | 0.001 | Energy register of tariff #: apparent, import, in VAh.
..db | apparent_export_t# | bigint | apparent_export_t#_vah | 0.001 | Energy register of tariff #: apparent, export, in VAh.
...b | reactive_q1_t# | bigint | reactive_q1_t#_varh | 0.001 | Energy register of tariff #: reactive, quadrant 1, in varh.
...b | reactive_q2_t# | bigint | reactive_q2_t#_varh | 0.001 | Energy register of tariff #: reactive, quadrant 2, in varh.
...b | reactive_q3_t# | bigint | reactive_q3_t#_varh | 0.001 | Energy register of tariff #: reactive, quadrant 3, in varh.
...b | reactive_q4_t# | bigint | reactive_q4_t#_varh | 0.001 | Energy register of tariff #: reactive, quadrant 4, in varh.
il.. | demand_active_import | bigint | demand_active_import_w | 0.001 | Average demand: active, import, in W.
il.. | demand_active_export | bigint | demand_active_export_w | 0.001 | Average demand: active, export, in W.
il.. | demand_reactive_import | bigint | demand_reactive_import_var | 0.001 | Average demand: reactive, import (Q1+Q2), in var.
il.. | demand_reactive_export | bigint | demand_reactive_export_var | 0.001 | Average demand: reactive, export (Q3+Q4), in var.
il.. | demand_apparent_import | bigint | demand_apparent_import_va | 0.001 | Average demand: apparent, import, in VA.
il.. | demand_apparent_export | bigint | demand_apparent_export_va | 0.001 | Average demand: apparent, export, in VA.
.l.. | demand_reactive_q1 | bigint | demand_reactive_q1_var | 0.001 | Average demand: reactive, quadrant 1, in var.
.l.. | demand_reactive_q2 | bigint | demand_reactive_q2_var | 0.001 | Average demand: reactive, quadrant 2, in var.
.l.. | demand_reactive_q3 | bigint | demand_reactive_q3_var | 0.001 | Average demand: reactive, quadrant 3, in var.
.l.. | demand_reactive_q4 | bigint | demand_reactive_q4_var | 0.001 | Average demand: reactive, quadrant 4, in var.
i.db | demand_active_import_max | bigint | demand_active_import_max_w | 0.001 | Maximum demand: active, import, in W.
i.db | demand_active_import_max_time | timestamptz | demand_active_import_max_time |  | When the maximum demand occurred: active, import.
...b | demand_active_import_max_t# | bigint | demand_active_import_max_t#_w | 0.001 | Maximum demand: active, import, tariff #, in W.
...b | demand_active_import_max_t#_time | timestamptz | demand_active_import_max_t#_time |  | When the maximum demand occurred: active, import, tariff #.
i.db | demand_active_export_max | bigint | demand_active_export_max_w | 0.001 | Maximum demand: active, export, in W.
i.db | demand_active_export_max_time | timestamptz | demand_active_export_max_time |  | When the maximum demand occurred: active, export.
...b | demand_active_export_max_t# | bigint | demand_active_export_max_t#_w | 0.001 | Maximum demand: active, export, tariff #, in W.
...b | demand_active_export_max_t#_time | timestamptz | demand_active_export_max_t#_time |  | When the maximum demand occurred: active, export, tariff #.
i.db | demand_reactive_import_max | bigint | demand_reactive_import_max_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), in var.
i.db | demand_reactive_import_max_time | timestamptz | demand_reactive_import_max_time |  | When the maximum demand occurred: reactive, import (Q1+Q2).
...b | demand_reactive_import_max_t# | bigint | demand_reactive_import_max_t#_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff #, in var.
...b | demand_reactive_import_max_t#_time | timestamptz | demand_reactive_import_max_t#_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff #.
i.db | demand_reactive_export_max | bigint | demand_reactive_export_max_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), in var.
i.db | demand_reactive_export_max_time | timestamptz | demand_reactive_export_max_time |  | When the maximum demand occurred: reactive, export (Q3+Q4).
...b | demand_reactive_export_max_t# | bigint | demand_reactive_export_max_t#_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff #, in var.
...b | demand_reactive_export_max_t#_time | timestamptz | demand_reactive_export_max_t#_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff #.
i.db | demand_apparent_import_max | bigint | demand_apparent_import_max_va | 0.001 | Maximum demand: apparent, import, in VA.
i.db | demand_apparent_import_max_time | timestamptz | demand_apparent_import_max_time |  | When the maximum demand occurred: apparent, import.
...b | demand_apparent_import_max_t# | bigint | demand_apparent_import_max_t#_va | 0.001 | Maximum demand: apparent, import, tariff #, in VA.
...b | demand_apparent_import_max_t#_time | timestamptz | demand_apparent_import_max_t#_time |  | When the maximum demand occurred: apparent, import, tariff #.
i.db | demand_apparent_export_max | bigint | demand_apparent_export_max_va | 0.001 | Maximum demand: apparent, export, in VA.
i.db | demand_apparent_export_max_time | timestamptz | demand_apparent_export_max_time |  | When the maximum demand occurred: apparent, export.
...b | demand_apparent_export_max_t# | bigint | demand_apparent_export_max_t#_va | 0.001 | Maximum demand: apparent, export, tariff #, in VA.
...b | demand_apparent_export_max_t#_time | timestamptz | demand_apparent_export_max_t#_time |  | When the maximum demand occurred: apparent, export, tariff #.
...b | billing_power_on_duration | integer | billing_power_on_duration_min |  | Duration with power in the billing period, in min.
i.db | power_failures | integer | power_failures |  | Number of power failures.
i.db | power_off_duration | integer | power_off_duration_min |  | Cumulative duration without power, in min.
i.db | power_on_duration | integer | power_on_duration_min |  | Cumulative duration with power, in min.
i.db | tamper_count | integer | tamper_count |  | Cumulative number of tampers.
i.db | billing_count | integer | billing_count |  | Cumulative number of billing periods.
i.db | programming_count | integer | programming_count |  | Cumulative number of parameter changes.
i... | billing_time | timestamptz | billing_time |  | End of the last billing period.
i..b | load_switch | bigint | load_switch |  | Output of the load switch: 1 connected, 0 disconnected.
i..b | load_switch_state | bigint | load_switch_state |  | Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.
i..b | load_limit | bigint | load_limit_w | 0.001 | Limit above which the load switch opens, in W.
i..b | tariff | bigint | tariff |  | Number of the tariff in force.
ild. | meter_health | bigint | meter_health |  | Health word of the meter (IS 15959).
ild. | signal_strength | integer | signal_strength_dbm | 0.1 | Average signal strength of the communication module, in dBm.
ild. | temperature | integer | temperature_celsius | 0.01 | Temperature of the meter or its surroundings, in °C.
ildb | mbus1_volume | bigint | mbus1_volume_m3 | 0.000001 | M-Bus channel 1: volume register (gas, water), in m³.
ildb | mbus1_heat | bigint | mbus1_heat_j |  | M-Bus channel 1: energy register (heat, cold), in J.
ildb | mbus1_time | timestamptz | mbus1_time |  | M-Bus channel 1: when the register was read.
ildb | mbus2_volume | bigint | mbus2_volume_m3 | 0.000001 | M-Bus channel 2: volume register (gas, water), in m³.
ildb | mbus2_heat | bigint | mbus2_heat_j |  | M-Bus channel 2: energy register (heat, cold), in J.
ildb | mbus2_time | timestamptz | mbus2_time |  | M-Bus channel 2: when the register was read.
ildb | mbus3_volume | bigint | mbus3_volume_m3 | 0.000001 | M-Bus channel 3: volume register (gas, water), in m³.
ildb | mbus3_heat | bigint | mbus3_heat_j |  | M-Bus channel 3: energy register (heat, cold), in J.
ildb | mbus3_time | timestamptz | mbus3_time |  | M-Bus channel 3: when the register was read.
ildb | mbus4_volume | bigint | mbus4_volume_m3 | 0.000001 | M-Bus channel 4: volume register (gas, water), in m³.
ildb | mbus4_heat | bigint | mbus4_heat_j |  | M-Bus channel 4: energy register (heat, cold), in J.
ildb | mbus4_time | timestamptz | mbus4_time |  | M-Bus channel 4: when the register was read.
$$, E'\n'), E'\n') with ordinality as l (line, nth)
), columns (letters, line, nth) as (
  select l.letters, replace(l.line, '#', t.tariff::text),
    row_number() over (order by l.nth - (l.line like '%#\_time%')::integer, t.tariff, l.nth)
  from lines l cross join generate_series(1, case when l.line like '%#%' then 8 else 1 end) as t (tariff)
)
select dlms.make_profile(p.profile, p.view_name, p.title,
  (select string_agg(c.line, E'\n' order by c.nth) from columns c where strpos(c.letters, p.letter) > 0))
from (values
  ('i', 'instant', 'instant_profile', 'Snapshots of what a meter measures, at the moment of capture.'),
  ('l', 'block_load', 'block_load_profile', 'Load by interval; captured_at is the end of the interval.'),
  ('d', 'daily_load', 'daily_load_captures', 'Registers at midnight, as the meter captured them.'),
  ('b', 'billing', 'billing_profile', 'Registers and maximum demands at the end of billing periods.')
) as p (letter, profile, view_name, title);

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by,
  compressed_chunk_interval)
values
  ('dlms', 'instant_profile_data', 'captured_at', '7 days', '7 days', 'meter_key', 'captured_at', '84 days'),
  ('dlms', 'block_load_profile_data', 'captured_at', '7 days', '7 days', 'meter_key', 'captured_at', '84 days'),
  ('dlms', 'daily_load_profile_data', 'captured_at', '90 days', '7 days', '', 'meter_key, captured_at', null),
  ('dlms', 'billing_profile_data', 'captured_at', '366 days', '7 days', '', 'meter_key, captured_at', null);
