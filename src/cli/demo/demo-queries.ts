/** Questions that an analyst would ask first, each with the query that answers it. */
export interface SampleQuery {
  readonly question: string;
  readonly sql: string;
}

export const SAMPLE_QUERIES: readonly SampleQuery[] = [
  {
    question: "Which readings are there of each kind of meter?",
    sql: `select meter_type, count(distinct meter_number) as meters, count(*) as rows,
  min(captured_at) as first, max(captured_at) as last
from dlms.block_load_profile join public.meters using (meter_number)
group by meter_type order by meter_type`,
  },
  {
    question: "Who used most energy in the last 24 hours?",
    sql: `select meter_number, round(sum(active_import_wh) / 1000, 3) as kwh,
  round(max(active_import_wh * 3600 / interval_s)) as peak_w
from dlms.block_load_profile
where captured_at > now() - interval '24 hours' and active_import_wh is not null
group by meter_number order by kwh desc limit 5`,
  },
  {
    question: "What is the voltage now, and where is it out of 230 V ± 10 %?",
    sql: `select meter_number, captured_at, round(voltage_l1_v, 1) as l1_v, round(voltage_l2_v, 1) as l2_v,
  round(voltage_l3_v, 1) as l3_v, not voltage_l1_v between 207 and 253 as outside
from (select distinct on (meter_number) * from dlms.instant_profile
  order by meter_number, captured_at desc) as newest
order by outside desc, voltage_l1_v limit 5`,
  },
];
