-- The sums by day as analysts see them: exact at every moment, beside the registers that meters captured at midnight; what a
-- day amounts to by each way of knowing it; and the meters of which these disagree.

create view dlms.daily_load_kept as
select meter_key, day, intervals, covered_s, with_registers, active_import, active_export, reactive_import, reactive_export,
  apparent_import, apparent_export, reactive_q1, reactive_q2, reactive_q3, reactive_q4, active_net, active_absolute,
  active_import_least, active_import_most
from dlms.daily_load_rollup
where intervals > 0;
comment on view dlms.daily_load_kept is 'Sums that are kept, by the rollup or by a continuous aggregate; those of due days are out of date.';

create view dlms.daily_load_days as
select m.id as meter_id, m.meter_number, k.meter_key, k.day,
  dlms.day_start(k.day, m.time_zone) as starts_at, dlms.day_start(k.day + 1, m.time_zone) as ends_at,
  k.intervals, k.covered_s, k.with_registers, k.active_import, k.active_export, k.reactive_import, k.reactive_export,
  k.apparent_import, k.apparent_export, k.reactive_q1, k.reactive_q2, k.reactive_q3, k.reactive_q4, k.active_net,
  k.active_absolute, k.active_import_least, k.active_import_most
from dlms.daily_load_kept k
join public.meters m on m.meter_key = k.meter_key
where not exists (
    select from dlms.daily_load_due d where d.meter_key = k.meter_key and d.day = k.day and not d.summed
  )
  and not exists (
    select from dlms.load_changes c
    cross join unnest(c.meter_keys) as n (meter_key)
    where n.meter_key = k.meter_key and k.day between ((c.from_time - interval '1 microsecond') at time zone m.time_zone)::date
      and ((c.to_time - interval '1 microsecond') at time zone m.time_zone)::date
  )
union all
select m.id, m.meter_number, o.meter_key, o.day,
  dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone),
  s.intervals, s.covered_s, s.with_registers, s.active_import, s.active_export, s.reactive_import, s.reactive_export,
  s.apparent_import, s.apparent_export, s.reactive_q1, s.reactive_q2, s.reactive_q3, s.reactive_q4, s.active_net,
  s.active_absolute, s.active_import_least, s.active_import_most
from (
  select d.meter_key, d.day from dlms.daily_load_due d where not d.summed
  union
  select n.meter_key, day::date
  from dlms.load_changes c
  cross join unnest(c.meter_keys) as k (meter_key)
  join public.meters n on n.meter_key = k.meter_key
  cross join generate_series(
    ((c.from_time - interval '1 microsecond') at time zone n.time_zone)::date::timestamp,
    ((c.to_time - interval '1 microsecond') at time zone n.time_zone)::date::timestamp, interval '1 day'
  ) as day
) o
join public.meters m on m.meter_key = o.meter_key
cross join lateral dlms.block_load_sums(o.meter_key, dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone)) s
where s.intervals > 0;
comment on view dlms.daily_load_days is 'Sums of the block load by meter and local day in fixed units, exact at every moment.';

create view dlms.daily_load_profile as
select d.meter_id,
  d.meter_number,
  d.day,
  d.starts_at,
  d.ends_at,
  d.intervals,
  d.covered_s,
  coalesce(d.covered_s = extract(epoch from d.ends_at - d.starts_at), false)
    or (d.covered_s is null and opening.captured_at is not null and closing.captured_at is not null) as complete,
  coalesce(d.active_import, closing.active_import_total - opening.active_import_total) * 0.001 as active_import_wh,
  coalesce(d.active_export, closing.active_export_total - opening.active_export_total) * 0.001 as active_export_wh,
  coalesce(d.reactive_import, closing.reactive_import_total - opening.reactive_import_total) * 0.001 as reactive_import_varh,
  coalesce(d.reactive_export, closing.reactive_export_total - opening.reactive_export_total) * 0.001 as reactive_export_varh,
  coalesce(d.apparent_import, closing.apparent_import_total - opening.apparent_import_total) * 0.001 as apparent_import_vah,
  coalesce(d.apparent_export, closing.apparent_export_total - opening.apparent_export_total) * 0.001 as apparent_export_vah,
  coalesce(d.reactive_q1, closing.reactive_q1_total - opening.reactive_q1_total) * 0.001 as reactive_q1_varh,
  coalesce(d.reactive_q2, closing.reactive_q2_total - opening.reactive_q2_total) * 0.001 as reactive_q2_varh,
  coalesce(d.reactive_q3, closing.reactive_q3_total - opening.reactive_q3_total) * 0.001 as reactive_q3_varh,
  coalesce(d.reactive_q4, closing.reactive_q4_total - opening.reactive_q4_total) * 0.001 as reactive_q4_varh,
  coalesce(d.active_net, closing.active_net_total - opening.active_net_total) * 0.001 as active_net_wh,
  coalesce(d.active_absolute, closing.active_absolute_total - opening.active_absolute_total) * 0.001 as active_absolute_wh,
  d.active_import_least * 0.001 as active_import_least_wh,
  d.active_import_most * 0.001 as active_import_most_wh,
  c.captured_at,
  c.active_import_total * 0.001 as active_import_total_wh,
  c.active_export_total * 0.001 as active_export_total_wh,
  c.reactive_import_total * 0.001 as reactive_import_total_varh,
  c.reactive_export_total * 0.001 as reactive_export_total_varh,
  c.apparent_import_total * 0.001 as apparent_import_total_vah,
  c.apparent_export_total * 0.001 as apparent_export_total_vah,
  c.reactive_q1_total * 0.001 as reactive_q1_total_varh,
  c.reactive_q2_total * 0.001 as reactive_q2_total_varh,
  c.reactive_q3_total * 0.001 as reactive_q3_total_varh,
  c.reactive_q4_total * 0.001 as reactive_q4_total_varh,
  c.active_net_total * 0.001 as active_net_total_wh,
  c.active_absolute_total * 0.001 as active_absolute_total_wh
from dlms.daily_load_days d
left join dlms.block_load_profile_data opening
  on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = d.starts_at
left join dlms.block_load_profile_data closing
  on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = d.ends_at
left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = d.ends_at
union all
select m.id, m.meter_number, t.day, dlms.day_start(t.day, m.time_zone), dlms.day_start(t.day + 1, m.time_zone), 0, null,
  earlier.captured_at is not null,
  (c.active_import_total - earlier.active_import_total) * 0.001,
  (c.active_export_total - earlier.active_export_total) * 0.001,
  (c.reactive_import_total - earlier.reactive_import_total) * 0.001,
  (c.reactive_export_total - earlier.reactive_export_total) * 0.001,
  (c.apparent_import_total - earlier.apparent_import_total) * 0.001,
  (c.apparent_export_total - earlier.apparent_export_total) * 0.001,
  (c.reactive_q1_total - earlier.reactive_q1_total) * 0.001,
  (c.reactive_q2_total - earlier.reactive_q2_total) * 0.001,
  (c.reactive_q3_total - earlier.reactive_q3_total) * 0.001,
  (c.reactive_q4_total - earlier.reactive_q4_total) * 0.001,
  (c.active_net_total - earlier.active_net_total) * 0.001,
  (c.active_absolute_total - earlier.active_absolute_total) * 0.001,
  null, null, c.captured_at,
  c.active_import_total * 0.001,
  c.active_export_total * 0.001,
  c.reactive_import_total * 0.001,
  c.reactive_export_total * 0.001,
  c.apparent_import_total * 0.001,
  c.apparent_export_total * 0.001,
  c.reactive_q1_total * 0.001,
  c.reactive_q2_total * 0.001,
  c.reactive_q3_total * 0.001,
  c.reactive_q4_total * 0.001,
  c.active_net_total * 0.001,
  c.active_absolute_total * 0.001
from dlms.daily_load_profile_data c
join public.meters m on m.meter_key = c.meter_key
cross join lateral (select ((c.captured_at - interval '1 microsecond') at time zone m.time_zone)::date as day) t
left join dlms.daily_load_profile_data earlier
  on earlier.meter_key = c.meter_key and earlier.captured_at = dlms.day_start(t.day, m.time_zone)
where c.captured_at = dlms.day_start(t.day + 1, m.time_zone)
  and not exists (select from dlms.daily_load_kept k where k.meter_key = c.meter_key and k.day = t.day)
  and not exists (
    select from (
      select from dlms.block_load_profile_data b
      where b.meter_key = c.meter_key and b.captured_at > dlms.day_start(t.day, m.time_zone) and b.captured_at <= c.captured_at
      limit 1
    ) b
  );
comment on view dlms.daily_load_profile is 'Consumption of a meter on a day of its own time zone, beside the registers that the meter captured at the end of that day.';
comment on column dlms.daily_load_profile.day is 'Day in the meter''s time zone; it holds the intervals that end after its midnight and not after the next.';
comment on column dlms.daily_load_profile.starts_at is 'First moment of the day.';
comment on column dlms.daily_load_profile.ends_at is 'First moment of the next day.';
comment on column dlms.daily_load_profile.intervals is 'Rows of the block load; 0 where only the meter''s captures tell of the day.';
comment on column dlms.daily_load_profile.covered_s is 'Seconds of the day that intervals with energy tell of.';
comment on column dlms.daily_load_profile.complete is 'Whether the whole day is covered: by intervals, or by registers at both ends.';
comment on column dlms.daily_load_profile.active_import_wh is 'Active import on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_export_wh is 'Active export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_import_varh is 'Reactive import on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_export_varh is 'Reactive export on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.apparent_import_vah is 'Apparent import on the day in VAh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.apparent_export_vah is 'Apparent export on the day in VAh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q1_varh is 'Reactive, quadrant 1 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q2_varh is 'Reactive, quadrant 2 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q3_varh is 'Reactive, quadrant 3 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.reactive_q4_varh is 'Reactive, quadrant 4 on the day in varh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_net_wh is 'Active import less export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_absolute_wh is 'Active import plus export on the day in Wh: sum of its intervals, else the difference of registers at its ends.';
comment on column dlms.daily_load_profile.active_import_least_wh is 'Least active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.active_import_most_wh is 'Greatest active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.captured_at is 'When the meter captured its registers at the end of the day.';
comment on column dlms.daily_load_profile.active_import_total_wh is 'Active import: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.active_export_total_wh is 'Active export: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.reactive_import_total_varh is 'Reactive import: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_export_total_varh is 'Reactive export: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.apparent_import_total_vah is 'Apparent import: register as captured at the end of the day, in VAh.';
comment on column dlms.daily_load_profile.apparent_export_total_vah is 'Apparent export: register as captured at the end of the day, in VAh.';
comment on column dlms.daily_load_profile.reactive_q1_total_varh is 'Reactive, quadrant 1: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q2_total_varh is 'Reactive, quadrant 2: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q3_total_varh is 'Reactive, quadrant 3: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.reactive_q4_total_varh is 'Reactive, quadrant 4: register as captured at the end of the day, in varh.';
comment on column dlms.daily_load_profile.active_net_total_wh is 'Active import less export: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.active_absolute_total_wh is 'Active import plus export: register as captured at the end of the day, in Wh.';
comment on column dlms.daily_load_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_profile.meter_number is 'Serial number of the meter.';

create view dlms.daily_load_comparison as
select d.meter_id,
  d.meter_number,
  d.day,
  q.quantity,
  q.unit,
  coalesce(d.covered_s = extract(epoch from d.ends_at - d.starts_at), false) as complete,
  q.interval_sum,
  q.register_difference,
  q.captured_difference,
  q.captured_day,
  greatest(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day)
    - least(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) as spread
from dlms.daily_load_days d
left join dlms.block_load_profile_data opening
  on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = d.starts_at
left join dlms.block_load_profile_data closing
  on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = d.ends_at
left join dlms.daily_load_profile_data earlier on earlier.meter_key = d.meter_key and earlier.captured_at = d.starts_at
left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = d.ends_at
cross join lateral (
  values
    ('active_import', 'Wh', d.active_import * 0.001, (closing.active_import_total - opening.active_import_total) * 0.001, (c.active_import_total - earlier.active_import_total) * 0.001, c.active_import * 0.001),
    ('active_export', 'Wh', d.active_export * 0.001, (closing.active_export_total - opening.active_export_total) * 0.001, (c.active_export_total - earlier.active_export_total) * 0.001, c.active_export * 0.001),
    ('reactive_import', 'varh', d.reactive_import * 0.001, (closing.reactive_import_total - opening.reactive_import_total) * 0.001, (c.reactive_import_total - earlier.reactive_import_total) * 0.001, c.reactive_import * 0.001),
    ('reactive_export', 'varh', d.reactive_export * 0.001, (closing.reactive_export_total - opening.reactive_export_total) * 0.001, (c.reactive_export_total - earlier.reactive_export_total) * 0.001, c.reactive_export * 0.001),
    ('apparent_import', 'VAh', d.apparent_import * 0.001, (closing.apparent_import_total - opening.apparent_import_total) * 0.001, (c.apparent_import_total - earlier.apparent_import_total) * 0.001, c.apparent_import * 0.001),
    ('apparent_export', 'VAh', d.apparent_export * 0.001, (closing.apparent_export_total - opening.apparent_export_total) * 0.001, (c.apparent_export_total - earlier.apparent_export_total) * 0.001, c.apparent_export * 0.001),
    ('reactive_q1', 'varh', d.reactive_q1 * 0.001, (closing.reactive_q1_total - opening.reactive_q1_total) * 0.001, (c.reactive_q1_total - earlier.reactive_q1_total) * 0.001, c.reactive_q1 * 0.001),
    ('reactive_q2', 'varh', d.reactive_q2 * 0.001, (closing.reactive_q2_total - opening.reactive_q2_total) * 0.001, (c.reactive_q2_total - earlier.reactive_q2_total) * 0.001, c.reactive_q2 * 0.001),
    ('reactive_q3', 'varh', d.reactive_q3 * 0.001, (closing.reactive_q3_total - opening.reactive_q3_total) * 0.001, (c.reactive_q3_total - earlier.reactive_q3_total) * 0.001, c.reactive_q3 * 0.001),
    ('reactive_q4', 'varh', d.reactive_q4 * 0.001, (closing.reactive_q4_total - opening.reactive_q4_total) * 0.001, (c.reactive_q4_total - earlier.reactive_q4_total) * 0.001, c.reactive_q4 * 0.001),
    ('active_net', 'Wh', d.active_net * 0.001, (closing.active_net_total - opening.active_net_total) * 0.001, (c.active_net_total - earlier.active_net_total) * 0.001, c.active_net * 0.001),
    ('active_absolute', 'Wh', d.active_absolute * 0.001, (closing.active_absolute_total - opening.active_absolute_total) * 0.001, (c.active_absolute_total - earlier.active_absolute_total) * 0.001, c.active_absolute * 0.001)
) as q (quantity, unit, interval_sum, register_difference, captured_difference, captured_day)
where num_nonnulls(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) > 1;
comment on view dlms.daily_load_comparison is 'What a meter''s day amounts to by each way of knowing it, where there are two or more.';
comment on column dlms.daily_load_comparison.complete is 'Whether intervals cover the whole day; else their sum has to be too small.';
comment on column dlms.daily_load_comparison.interval_sum is 'Sum of the block load''s intervals.';
comment on column dlms.daily_load_comparison.register_difference is 'Difference of the registers in the block load at both ends of the day.';
comment on column dlms.daily_load_comparison.captured_difference is 'Difference of the registers that the meter captured at both midnights.';
comment on column dlms.daily_load_comparison.captured_day is 'What the meter''s daily profile itself says the day amounted to.';
comment on column dlms.daily_load_comparison.spread is 'Greatest less least of the four.';
comment on column dlms.daily_load_comparison.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_comparison.meter_number is 'Serial number of the meter.';
comment on column dlms.daily_load_comparison.day is 'Day in the meter''s time zone.';
comment on column dlms.daily_load_comparison.quantity is 'Name of the energy, as active_import.';
comment on column dlms.daily_load_comparison.unit is 'Unit of the amounts.';

create view dlms.daily_load_disagreements as
select meter_id, meter_number, quantity, unit, count(*) as days, min(day) as first_day, max(day) as last_day,
  max(spread) as greatest_spread
from dlms.daily_load_comparison
where complete and spread > greatest(20, 0.002 * abs(greatest(interval_sum, register_difference, captured_difference, captured_day)))
group by meter_id, meter_number, quantity, unit;
comment on view dlms.daily_load_disagreements is 'Meters whose complete days amount to different energies by more than 20 units and 0.2 %: more than rounding of registers explains.';
comment on column dlms.daily_load_disagreements.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_disagreements.meter_number is 'Serial number of the meter.';
comment on column dlms.daily_load_disagreements.quantity is 'Name of the energy, as active_import.';
comment on column dlms.daily_load_disagreements.unit is 'Unit of the spread.';
comment on column dlms.daily_load_disagreements.days is 'Days that disagree.';
comment on column dlms.daily_load_disagreements.first_day is 'The first of them.';
comment on column dlms.daily_load_disagreements.last_day is 'The last of them.';
comment on column dlms.daily_load_disagreements.greatest_spread is 'By how much at most.';
