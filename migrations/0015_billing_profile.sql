-- Registers at the end of billing periods. Made from the list of columns in src/profiles/columns.ts by test/db/column-migration.ts.

select dlms.make_profile('billing', 'billing_profile', 'Registers and maximum demands at the end of billing periods.', $$
status | bigint | status |  | Status word of the profile, bits as the companion specification of the meter says.
power_factor | integer | power_factor | 0.0001 | Average power factor of the billing period.
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
reactive_import_t1 | bigint | reactive_import_t1_varh | 0.001 | Energy register of tariff 1: reactive, import (Q1+Q2), in varh.
reactive_import_t2 | bigint | reactive_import_t2_varh | 0.001 | Energy register of tariff 2: reactive, import (Q1+Q2), in varh.
reactive_import_t3 | bigint | reactive_import_t3_varh | 0.001 | Energy register of tariff 3: reactive, import (Q1+Q2), in varh.
reactive_import_t4 | bigint | reactive_import_t4_varh | 0.001 | Energy register of tariff 4: reactive, import (Q1+Q2), in varh.
reactive_import_t5 | bigint | reactive_import_t5_varh | 0.001 | Energy register of tariff 5: reactive, import (Q1+Q2), in varh.
reactive_import_t6 | bigint | reactive_import_t6_varh | 0.001 | Energy register of tariff 6: reactive, import (Q1+Q2), in varh.
reactive_import_t7 | bigint | reactive_import_t7_varh | 0.001 | Energy register of tariff 7: reactive, import (Q1+Q2), in varh.
reactive_import_t8 | bigint | reactive_import_t8_varh | 0.001 | Energy register of tariff 8: reactive, import (Q1+Q2), in varh.
reactive_export_t1 | bigint | reactive_export_t1_varh | 0.001 | Energy register of tariff 1: reactive, export (Q3+Q4), in varh.
reactive_export_t2 | bigint | reactive_export_t2_varh | 0.001 | Energy register of tariff 2: reactive, export (Q3+Q4), in varh.
reactive_export_t3 | bigint | reactive_export_t3_varh | 0.001 | Energy register of tariff 3: reactive, export (Q3+Q4), in varh.
reactive_export_t4 | bigint | reactive_export_t4_varh | 0.001 | Energy register of tariff 4: reactive, export (Q3+Q4), in varh.
reactive_export_t5 | bigint | reactive_export_t5_varh | 0.001 | Energy register of tariff 5: reactive, export (Q3+Q4), in varh.
reactive_export_t6 | bigint | reactive_export_t6_varh | 0.001 | Energy register of tariff 6: reactive, export (Q3+Q4), in varh.
reactive_export_t7 | bigint | reactive_export_t7_varh | 0.001 | Energy register of tariff 7: reactive, export (Q3+Q4), in varh.
reactive_export_t8 | bigint | reactive_export_t8_varh | 0.001 | Energy register of tariff 8: reactive, export (Q3+Q4), in varh.
apparent_import_t1 | bigint | apparent_import_t1_vah | 0.001 | Energy register of tariff 1: apparent, import, in VAh.
apparent_import_t2 | bigint | apparent_import_t2_vah | 0.001 | Energy register of tariff 2: apparent, import, in VAh.
apparent_import_t3 | bigint | apparent_import_t3_vah | 0.001 | Energy register of tariff 3: apparent, import, in VAh.
apparent_import_t4 | bigint | apparent_import_t4_vah | 0.001 | Energy register of tariff 4: apparent, import, in VAh.
apparent_import_t5 | bigint | apparent_import_t5_vah | 0.001 | Energy register of tariff 5: apparent, import, in VAh.
apparent_import_t6 | bigint | apparent_import_t6_vah | 0.001 | Energy register of tariff 6: apparent, import, in VAh.
apparent_import_t7 | bigint | apparent_import_t7_vah | 0.001 | Energy register of tariff 7: apparent, import, in VAh.
apparent_import_t8 | bigint | apparent_import_t8_vah | 0.001 | Energy register of tariff 8: apparent, import, in VAh.
apparent_export_t1 | bigint | apparent_export_t1_vah | 0.001 | Energy register of tariff 1: apparent, export, in VAh.
apparent_export_t2 | bigint | apparent_export_t2_vah | 0.001 | Energy register of tariff 2: apparent, export, in VAh.
apparent_export_t3 | bigint | apparent_export_t3_vah | 0.001 | Energy register of tariff 3: apparent, export, in VAh.
apparent_export_t4 | bigint | apparent_export_t4_vah | 0.001 | Energy register of tariff 4: apparent, export, in VAh.
apparent_export_t5 | bigint | apparent_export_t5_vah | 0.001 | Energy register of tariff 5: apparent, export, in VAh.
apparent_export_t6 | bigint | apparent_export_t6_vah | 0.001 | Energy register of tariff 6: apparent, export, in VAh.
apparent_export_t7 | bigint | apparent_export_t7_vah | 0.001 | Energy register of tariff 7: apparent, export, in VAh.
apparent_export_t8 | bigint | apparent_export_t8_vah | 0.001 | Energy register of tariff 8: apparent, export, in VAh.
reactive_q1_t1 | bigint | reactive_q1_t1_varh | 0.001 | Energy register of tariff 1: reactive, quadrant 1, in varh.
reactive_q1_t2 | bigint | reactive_q1_t2_varh | 0.001 | Energy register of tariff 2: reactive, quadrant 1, in varh.
reactive_q1_t3 | bigint | reactive_q1_t3_varh | 0.001 | Energy register of tariff 3: reactive, quadrant 1, in varh.
reactive_q1_t4 | bigint | reactive_q1_t4_varh | 0.001 | Energy register of tariff 4: reactive, quadrant 1, in varh.
reactive_q1_t5 | bigint | reactive_q1_t5_varh | 0.001 | Energy register of tariff 5: reactive, quadrant 1, in varh.
reactive_q1_t6 | bigint | reactive_q1_t6_varh | 0.001 | Energy register of tariff 6: reactive, quadrant 1, in varh.
reactive_q1_t7 | bigint | reactive_q1_t7_varh | 0.001 | Energy register of tariff 7: reactive, quadrant 1, in varh.
reactive_q1_t8 | bigint | reactive_q1_t8_varh | 0.001 | Energy register of tariff 8: reactive, quadrant 1, in varh.
reactive_q2_t1 | bigint | reactive_q2_t1_varh | 0.001 | Energy register of tariff 1: reactive, quadrant 2, in varh.
reactive_q2_t2 | bigint | reactive_q2_t2_varh | 0.001 | Energy register of tariff 2: reactive, quadrant 2, in varh.
reactive_q2_t3 | bigint | reactive_q2_t3_varh | 0.001 | Energy register of tariff 3: reactive, quadrant 2, in varh.
reactive_q2_t4 | bigint | reactive_q2_t4_varh | 0.001 | Energy register of tariff 4: reactive, quadrant 2, in varh.
reactive_q2_t5 | bigint | reactive_q2_t5_varh | 0.001 | Energy register of tariff 5: reactive, quadrant 2, in varh.
reactive_q2_t6 | bigint | reactive_q2_t6_varh | 0.001 | Energy register of tariff 6: reactive, quadrant 2, in varh.
reactive_q2_t7 | bigint | reactive_q2_t7_varh | 0.001 | Energy register of tariff 7: reactive, quadrant 2, in varh.
reactive_q2_t8 | bigint | reactive_q2_t8_varh | 0.001 | Energy register of tariff 8: reactive, quadrant 2, in varh.
reactive_q3_t1 | bigint | reactive_q3_t1_varh | 0.001 | Energy register of tariff 1: reactive, quadrant 3, in varh.
reactive_q3_t2 | bigint | reactive_q3_t2_varh | 0.001 | Energy register of tariff 2: reactive, quadrant 3, in varh.
reactive_q3_t3 | bigint | reactive_q3_t3_varh | 0.001 | Energy register of tariff 3: reactive, quadrant 3, in varh.
reactive_q3_t4 | bigint | reactive_q3_t4_varh | 0.001 | Energy register of tariff 4: reactive, quadrant 3, in varh.
reactive_q3_t5 | bigint | reactive_q3_t5_varh | 0.001 | Energy register of tariff 5: reactive, quadrant 3, in varh.
reactive_q3_t6 | bigint | reactive_q3_t6_varh | 0.001 | Energy register of tariff 6: reactive, quadrant 3, in varh.
reactive_q3_t7 | bigint | reactive_q3_t7_varh | 0.001 | Energy register of tariff 7: reactive, quadrant 3, in varh.
reactive_q3_t8 | bigint | reactive_q3_t8_varh | 0.001 | Energy register of tariff 8: reactive, quadrant 3, in varh.
reactive_q4_t1 | bigint | reactive_q4_t1_varh | 0.001 | Energy register of tariff 1: reactive, quadrant 4, in varh.
reactive_q4_t2 | bigint | reactive_q4_t2_varh | 0.001 | Energy register of tariff 2: reactive, quadrant 4, in varh.
reactive_q4_t3 | bigint | reactive_q4_t3_varh | 0.001 | Energy register of tariff 3: reactive, quadrant 4, in varh.
reactive_q4_t4 | bigint | reactive_q4_t4_varh | 0.001 | Energy register of tariff 4: reactive, quadrant 4, in varh.
reactive_q4_t5 | bigint | reactive_q4_t5_varh | 0.001 | Energy register of tariff 5: reactive, quadrant 4, in varh.
reactive_q4_t6 | bigint | reactive_q4_t6_varh | 0.001 | Energy register of tariff 6: reactive, quadrant 4, in varh.
reactive_q4_t7 | bigint | reactive_q4_t7_varh | 0.001 | Energy register of tariff 7: reactive, quadrant 4, in varh.
reactive_q4_t8 | bigint | reactive_q4_t8_varh | 0.001 | Energy register of tariff 8: reactive, quadrant 4, in varh.
demand_active_import_max | bigint | demand_active_import_max_w | 0.001 | Maximum demand: active, import, in W.
demand_active_import_max_time | timestamptz | demand_active_import_max_time |  | When the maximum demand occurred: active, import.
demand_active_import_max_t1 | bigint | demand_active_import_max_t1_w | 0.001 | Maximum demand: active, import, tariff 1, in W.
demand_active_import_max_t1_time | timestamptz | demand_active_import_max_t1_time |  | When the maximum demand occurred: active, import, tariff 1.
demand_active_import_max_t2 | bigint | demand_active_import_max_t2_w | 0.001 | Maximum demand: active, import, tariff 2, in W.
demand_active_import_max_t2_time | timestamptz | demand_active_import_max_t2_time |  | When the maximum demand occurred: active, import, tariff 2.
demand_active_import_max_t3 | bigint | demand_active_import_max_t3_w | 0.001 | Maximum demand: active, import, tariff 3, in W.
demand_active_import_max_t3_time | timestamptz | demand_active_import_max_t3_time |  | When the maximum demand occurred: active, import, tariff 3.
demand_active_import_max_t4 | bigint | demand_active_import_max_t4_w | 0.001 | Maximum demand: active, import, tariff 4, in W.
demand_active_import_max_t4_time | timestamptz | demand_active_import_max_t4_time |  | When the maximum demand occurred: active, import, tariff 4.
demand_active_import_max_t5 | bigint | demand_active_import_max_t5_w | 0.001 | Maximum demand: active, import, tariff 5, in W.
demand_active_import_max_t5_time | timestamptz | demand_active_import_max_t5_time |  | When the maximum demand occurred: active, import, tariff 5.
demand_active_import_max_t6 | bigint | demand_active_import_max_t6_w | 0.001 | Maximum demand: active, import, tariff 6, in W.
demand_active_import_max_t6_time | timestamptz | demand_active_import_max_t6_time |  | When the maximum demand occurred: active, import, tariff 6.
demand_active_import_max_t7 | bigint | demand_active_import_max_t7_w | 0.001 | Maximum demand: active, import, tariff 7, in W.
demand_active_import_max_t7_time | timestamptz | demand_active_import_max_t7_time |  | When the maximum demand occurred: active, import, tariff 7.
demand_active_import_max_t8 | bigint | demand_active_import_max_t8_w | 0.001 | Maximum demand: active, import, tariff 8, in W.
demand_active_import_max_t8_time | timestamptz | demand_active_import_max_t8_time |  | When the maximum demand occurred: active, import, tariff 8.
demand_active_export_max | bigint | demand_active_export_max_w | 0.001 | Maximum demand: active, export, in W.
demand_active_export_max_time | timestamptz | demand_active_export_max_time |  | When the maximum demand occurred: active, export.
demand_active_export_max_t1 | bigint | demand_active_export_max_t1_w | 0.001 | Maximum demand: active, export, tariff 1, in W.
demand_active_export_max_t1_time | timestamptz | demand_active_export_max_t1_time |  | When the maximum demand occurred: active, export, tariff 1.
demand_active_export_max_t2 | bigint | demand_active_export_max_t2_w | 0.001 | Maximum demand: active, export, tariff 2, in W.
demand_active_export_max_t2_time | timestamptz | demand_active_export_max_t2_time |  | When the maximum demand occurred: active, export, tariff 2.
demand_active_export_max_t3 | bigint | demand_active_export_max_t3_w | 0.001 | Maximum demand: active, export, tariff 3, in W.
demand_active_export_max_t3_time | timestamptz | demand_active_export_max_t3_time |  | When the maximum demand occurred: active, export, tariff 3.
demand_active_export_max_t4 | bigint | demand_active_export_max_t4_w | 0.001 | Maximum demand: active, export, tariff 4, in W.
demand_active_export_max_t4_time | timestamptz | demand_active_export_max_t4_time |  | When the maximum demand occurred: active, export, tariff 4.
demand_active_export_max_t5 | bigint | demand_active_export_max_t5_w | 0.001 | Maximum demand: active, export, tariff 5, in W.
demand_active_export_max_t5_time | timestamptz | demand_active_export_max_t5_time |  | When the maximum demand occurred: active, export, tariff 5.
demand_active_export_max_t6 | bigint | demand_active_export_max_t6_w | 0.001 | Maximum demand: active, export, tariff 6, in W.
demand_active_export_max_t6_time | timestamptz | demand_active_export_max_t6_time |  | When the maximum demand occurred: active, export, tariff 6.
demand_active_export_max_t7 | bigint | demand_active_export_max_t7_w | 0.001 | Maximum demand: active, export, tariff 7, in W.
demand_active_export_max_t7_time | timestamptz | demand_active_export_max_t7_time |  | When the maximum demand occurred: active, export, tariff 7.
demand_active_export_max_t8 | bigint | demand_active_export_max_t8_w | 0.001 | Maximum demand: active, export, tariff 8, in W.
demand_active_export_max_t8_time | timestamptz | demand_active_export_max_t8_time |  | When the maximum demand occurred: active, export, tariff 8.
demand_reactive_import_max | bigint | demand_reactive_import_max_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), in var.
demand_reactive_import_max_time | timestamptz | demand_reactive_import_max_time |  | When the maximum demand occurred: reactive, import (Q1+Q2).
demand_reactive_import_max_t1 | bigint | demand_reactive_import_max_t1_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 1, in var.
demand_reactive_import_max_t1_time | timestamptz | demand_reactive_import_max_t1_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 1.
demand_reactive_import_max_t2 | bigint | demand_reactive_import_max_t2_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 2, in var.
demand_reactive_import_max_t2_time | timestamptz | demand_reactive_import_max_t2_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 2.
demand_reactive_import_max_t3 | bigint | demand_reactive_import_max_t3_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 3, in var.
demand_reactive_import_max_t3_time | timestamptz | demand_reactive_import_max_t3_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 3.
demand_reactive_import_max_t4 | bigint | demand_reactive_import_max_t4_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 4, in var.
demand_reactive_import_max_t4_time | timestamptz | demand_reactive_import_max_t4_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 4.
demand_reactive_import_max_t5 | bigint | demand_reactive_import_max_t5_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 5, in var.
demand_reactive_import_max_t5_time | timestamptz | demand_reactive_import_max_t5_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 5.
demand_reactive_import_max_t6 | bigint | demand_reactive_import_max_t6_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 6, in var.
demand_reactive_import_max_t6_time | timestamptz | demand_reactive_import_max_t6_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 6.
demand_reactive_import_max_t7 | bigint | demand_reactive_import_max_t7_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 7, in var.
demand_reactive_import_max_t7_time | timestamptz | demand_reactive_import_max_t7_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 7.
demand_reactive_import_max_t8 | bigint | demand_reactive_import_max_t8_var | 0.001 | Maximum demand: reactive, import (Q1+Q2), tariff 8, in var.
demand_reactive_import_max_t8_time | timestamptz | demand_reactive_import_max_t8_time |  | When the maximum demand occurred: reactive, import (Q1+Q2), tariff 8.
demand_reactive_export_max | bigint | demand_reactive_export_max_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), in var.
demand_reactive_export_max_time | timestamptz | demand_reactive_export_max_time |  | When the maximum demand occurred: reactive, export (Q3+Q4).
demand_reactive_export_max_t1 | bigint | demand_reactive_export_max_t1_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 1, in var.
demand_reactive_export_max_t1_time | timestamptz | demand_reactive_export_max_t1_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 1.
demand_reactive_export_max_t2 | bigint | demand_reactive_export_max_t2_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 2, in var.
demand_reactive_export_max_t2_time | timestamptz | demand_reactive_export_max_t2_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 2.
demand_reactive_export_max_t3 | bigint | demand_reactive_export_max_t3_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 3, in var.
demand_reactive_export_max_t3_time | timestamptz | demand_reactive_export_max_t3_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 3.
demand_reactive_export_max_t4 | bigint | demand_reactive_export_max_t4_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 4, in var.
demand_reactive_export_max_t4_time | timestamptz | demand_reactive_export_max_t4_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 4.
demand_reactive_export_max_t5 | bigint | demand_reactive_export_max_t5_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 5, in var.
demand_reactive_export_max_t5_time | timestamptz | demand_reactive_export_max_t5_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 5.
demand_reactive_export_max_t6 | bigint | demand_reactive_export_max_t6_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 6, in var.
demand_reactive_export_max_t6_time | timestamptz | demand_reactive_export_max_t6_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 6.
demand_reactive_export_max_t7 | bigint | demand_reactive_export_max_t7_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 7, in var.
demand_reactive_export_max_t7_time | timestamptz | demand_reactive_export_max_t7_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 7.
demand_reactive_export_max_t8 | bigint | demand_reactive_export_max_t8_var | 0.001 | Maximum demand: reactive, export (Q3+Q4), tariff 8, in var.
demand_reactive_export_max_t8_time | timestamptz | demand_reactive_export_max_t8_time |  | When the maximum demand occurred: reactive, export (Q3+Q4), tariff 8.
demand_apparent_import_max | bigint | demand_apparent_import_max_va | 0.001 | Maximum demand: apparent, import, in VA.
demand_apparent_import_max_time | timestamptz | demand_apparent_import_max_time |  | When the maximum demand occurred: apparent, import.
demand_apparent_import_max_t1 | bigint | demand_apparent_import_max_t1_va | 0.001 | Maximum demand: apparent, import, tariff 1, in VA.
demand_apparent_import_max_t1_time | timestamptz | demand_apparent_import_max_t1_time |  | When the maximum demand occurred: apparent, import, tariff 1.
demand_apparent_import_max_t2 | bigint | demand_apparent_import_max_t2_va | 0.001 | Maximum demand: apparent, import, tariff 2, in VA.
demand_apparent_import_max_t2_time | timestamptz | demand_apparent_import_max_t2_time |  | When the maximum demand occurred: apparent, import, tariff 2.
demand_apparent_import_max_t3 | bigint | demand_apparent_import_max_t3_va | 0.001 | Maximum demand: apparent, import, tariff 3, in VA.
demand_apparent_import_max_t3_time | timestamptz | demand_apparent_import_max_t3_time |  | When the maximum demand occurred: apparent, import, tariff 3.
demand_apparent_import_max_t4 | bigint | demand_apparent_import_max_t4_va | 0.001 | Maximum demand: apparent, import, tariff 4, in VA.
demand_apparent_import_max_t4_time | timestamptz | demand_apparent_import_max_t4_time |  | When the maximum demand occurred: apparent, import, tariff 4.
demand_apparent_import_max_t5 | bigint | demand_apparent_import_max_t5_va | 0.001 | Maximum demand: apparent, import, tariff 5, in VA.
demand_apparent_import_max_t5_time | timestamptz | demand_apparent_import_max_t5_time |  | When the maximum demand occurred: apparent, import, tariff 5.
demand_apparent_import_max_t6 | bigint | demand_apparent_import_max_t6_va | 0.001 | Maximum demand: apparent, import, tariff 6, in VA.
demand_apparent_import_max_t6_time | timestamptz | demand_apparent_import_max_t6_time |  | When the maximum demand occurred: apparent, import, tariff 6.
demand_apparent_import_max_t7 | bigint | demand_apparent_import_max_t7_va | 0.001 | Maximum demand: apparent, import, tariff 7, in VA.
demand_apparent_import_max_t7_time | timestamptz | demand_apparent_import_max_t7_time |  | When the maximum demand occurred: apparent, import, tariff 7.
demand_apparent_import_max_t8 | bigint | demand_apparent_import_max_t8_va | 0.001 | Maximum demand: apparent, import, tariff 8, in VA.
demand_apparent_import_max_t8_time | timestamptz | demand_apparent_import_max_t8_time |  | When the maximum demand occurred: apparent, import, tariff 8.
demand_apparent_export_max | bigint | demand_apparent_export_max_va | 0.001 | Maximum demand: apparent, export, in VA.
demand_apparent_export_max_time | timestamptz | demand_apparent_export_max_time |  | When the maximum demand occurred: apparent, export.
demand_apparent_export_max_t1 | bigint | demand_apparent_export_max_t1_va | 0.001 | Maximum demand: apparent, export, tariff 1, in VA.
demand_apparent_export_max_t1_time | timestamptz | demand_apparent_export_max_t1_time |  | When the maximum demand occurred: apparent, export, tariff 1.
demand_apparent_export_max_t2 | bigint | demand_apparent_export_max_t2_va | 0.001 | Maximum demand: apparent, export, tariff 2, in VA.
demand_apparent_export_max_t2_time | timestamptz | demand_apparent_export_max_t2_time |  | When the maximum demand occurred: apparent, export, tariff 2.
demand_apparent_export_max_t3 | bigint | demand_apparent_export_max_t3_va | 0.001 | Maximum demand: apparent, export, tariff 3, in VA.
demand_apparent_export_max_t3_time | timestamptz | demand_apparent_export_max_t3_time |  | When the maximum demand occurred: apparent, export, tariff 3.
demand_apparent_export_max_t4 | bigint | demand_apparent_export_max_t4_va | 0.001 | Maximum demand: apparent, export, tariff 4, in VA.
demand_apparent_export_max_t4_time | timestamptz | demand_apparent_export_max_t4_time |  | When the maximum demand occurred: apparent, export, tariff 4.
demand_apparent_export_max_t5 | bigint | demand_apparent_export_max_t5_va | 0.001 | Maximum demand: apparent, export, tariff 5, in VA.
demand_apparent_export_max_t5_time | timestamptz | demand_apparent_export_max_t5_time |  | When the maximum demand occurred: apparent, export, tariff 5.
demand_apparent_export_max_t6 | bigint | demand_apparent_export_max_t6_va | 0.001 | Maximum demand: apparent, export, tariff 6, in VA.
demand_apparent_export_max_t6_time | timestamptz | demand_apparent_export_max_t6_time |  | When the maximum demand occurred: apparent, export, tariff 6.
demand_apparent_export_max_t7 | bigint | demand_apparent_export_max_t7_va | 0.001 | Maximum demand: apparent, export, tariff 7, in VA.
demand_apparent_export_max_t7_time | timestamptz | demand_apparent_export_max_t7_time |  | When the maximum demand occurred: apparent, export, tariff 7.
demand_apparent_export_max_t8 | bigint | demand_apparent_export_max_t8_va | 0.001 | Maximum demand: apparent, export, tariff 8, in VA.
demand_apparent_export_max_t8_time | timestamptz | demand_apparent_export_max_t8_time |  | When the maximum demand occurred: apparent, export, tariff 8.
billing_power_on_duration | integer | billing_power_on_duration_min |  | Duration with power in the billing period, in min.
power_failures | integer | power_failures |  | Number of power failures.
power_off_duration | integer | power_off_duration_min |  | Cumulative duration without power, in min.
power_on_duration | integer | power_on_duration_min |  | Cumulative duration with power, in min.
tamper_count | integer | tamper_count |  | Cumulative number of tampers.
billing_count | integer | billing_count |  | Cumulative number of billing periods.
programming_count | integer | programming_count |  | Cumulative number of parameter changes.
load_switch | bigint | load_switch |  | Output of the load switch: 1 connected, 0 disconnected.
load_switch_state | bigint | load_switch_state |  | Control state of the load switch: 0 disconnected, 1 connected, 2 ready to reconnect.
load_limit | bigint | load_limit_w | 0.001 | Limit above which the load switch opens, in W.
tariff | bigint | tariff |  | Number of the tariff in force.
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

insert into dlms.time_tables (table_schema, table_name, time_column, chunk_interval, compress_after, segment_by, order_by)
values ('dlms', 'billing_profile_data', 'captured_at', '366 days', '7 days', '', 'meter_key, captured_at');
