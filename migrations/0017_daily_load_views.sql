-- The sums by day as analysts see them: exact at every moment, beside the registers that meters captured at midnight; what a
-- day amounts to by each way of knowing it; and the meters of which these disagree.

create view dlms.daily_load_kept as
select * from dlms.daily_load_rollup where intervals > 0;
comment on view dlms.daily_load_kept is 'Sums that are kept, by the rollup or by a continuous aggregate; those of due days are out of date.';

create view dlms.daily_load_days as
select m.id as meter_id, m.meter_number,
  dlms.day_start(k.day, m.time_zone) as starts_at, dlms.day_start(k.day + 1, m.time_zone) as ends_at, k.*
from dlms.daily_load_kept k
join public.meters m on m.meter_key = k.meter_key
where not exists (
    select from dlms.daily_load_due d where d.meter_key = k.meter_key and d.day = k.day and not d.summed
  )
  and not exists (
    select from dlms.load_changes c
    cross join unnest(c.meter_keys) as n (meter_key)
    where n.meter_key = k.meter_key
      and k.day between dlms.day_of(c.from_time, m.time_zone) and dlms.day_of(c.to_time, m.time_zone)
  )
union all
select m.id, m.meter_number, dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone), o.*, s.*
from (
  select d.meter_key, d.day from dlms.daily_load_due d where not d.summed
  union
  select n.meter_key, day::date
  from dlms.load_changes c
  cross join unnest(c.meter_keys) as k (meter_key)
  join public.meters n on n.meter_key = k.meter_key
  cross join generate_series(
    dlms.day_of(c.from_time, n.time_zone)::timestamp, dlms.day_of(c.to_time, n.time_zone)::timestamp, interval '1 day'
  ) as day
) o
join public.meters m on m.meter_key = o.meter_key
cross join lateral dlms.block_load_sums(o.meter_key, dlms.day_start(o.day, m.time_zone), dlms.day_start(o.day + 1, m.time_zone)) s
where s.intervals > 0;
comment on view dlms.daily_load_days is 'Sums of the block load by meter and local day in fixed units, exact at every moment.';

-- What each energy is called in the two views: its columns are named alike everywhere.
do $$
declare
  -- opening and closing: rows of the block load at the ends of the day; earlier and c: captures of the meter there.
  amounts text;
  captured text;
  registers text;
  compared text;
  each record;
begin
  create temporary table energies (nth integer generated always as identity, name text, unit text, said text) on commit drop;
  insert into pg_temp.energies (name, unit, said) values
    ('active_import', 'Wh', 'Active import'),
    ('active_export', 'Wh', 'Active export'),
    ('reactive_import', 'varh', 'Reactive import'),
    ('reactive_export', 'varh', 'Reactive export'),
    ('apparent_import', 'VAh', 'Apparent import'),
    ('apparent_export', 'VAh', 'Apparent export'),
    ('reactive_q1', 'varh', 'Reactive, quadrant 1'),
    ('reactive_q2', 'varh', 'Reactive, quadrant 2'),
    ('reactive_q3', 'varh', 'Reactive, quadrant 3'),
    ('reactive_q4', 'varh', 'Reactive, quadrant 4'),
    ('active_net', 'Wh', 'Active import less export'),
    ('active_absolute', 'Wh', 'Active import plus export');
  select
    string_agg(format('coalesce(d.%1$s, closing.%1$s_total - opening.%1$s_total) * 0.001 as %1$s_%2$s', name, lower(unit)), ', ' order by nth),
    string_agg(format('(c.%1$s_total - earlier.%1$s_total) * 0.001', name), ', ' order by nth),
    string_agg(format('c.%1$s_total * 0.001 as %1$s_total_%2$s', name, lower(unit)), ', ' order by nth),
    string_agg(format('(%1$L, %2$L, d.%1$s * 0.001, (closing.%1$s_total - opening.%1$s_total) * 0.001,
      (c.%1$s_total - earlier.%1$s_total) * 0.001, c.%1$s * 0.001)', name, unit), ', ' order by nth)
  into amounts, captured, registers, compared
  from pg_temp.energies;

  execute format(
    $sql$
      create view dlms.daily_load_profile as
      select d.meter_id, d.meter_number, d.day, d.starts_at, d.ends_at, d.intervals, d.covered_s,
        coalesce(d.covered_s = extract(epoch from d.ends_at - d.starts_at), false)
          or (d.covered_s is null and opening.captured_at is not null and closing.captured_at is not null) as complete,
        %1$s, d.active_import_least * 0.001 as active_import_least_wh, d.active_import_most * 0.001 as active_import_most_wh,
        c.captured_at, %3$s
      from dlms.daily_load_days d
      left join dlms.block_load_profile_data opening
        on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = d.starts_at
      left join dlms.block_load_profile_data closing
        on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = d.ends_at
      left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = d.ends_at
      union all
      select m.id, m.meter_number, t.day, dlms.day_start(t.day, m.time_zone), dlms.day_start(t.day + 1, m.time_zone), 0, null,
        earlier.captured_at is not null, %2$s, null, null, c.captured_at, %3$s
      from dlms.daily_load_profile_data c
      join public.meters m on m.meter_key = c.meter_key
      cross join lateral (select dlms.day_of(c.captured_at, m.time_zone) as day) t
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
        )
    $sql$, amounts, captured, registers
  );
  for each in select name, unit, lower(unit) as suffix, said from pg_temp.energies loop
    execute format('comment on column dlms.daily_load_profile.%s_%s is %L', each.name, each.suffix,
      format('%s on the day in %s: sum of its intervals, else the difference of registers at its ends.', each.said, each.unit));
    execute format('comment on column dlms.daily_load_profile.%s_total_%s is %L', each.name, each.suffix,
      format('%s: register as captured at the end of the day, in %s.', each.said, each.unit));
  end loop;

  execute format(
    $sql$
      create view dlms.daily_load_comparison as
      select d.meter_id, d.meter_number, d.day, q.quantity, q.unit,
        coalesce(d.covered_s = extract(epoch from d.ends_at - d.starts_at), false) as complete,
        q.interval_sum, q.register_difference, q.captured_difference, q.captured_day,
        greatest(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day)
          - least(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) as spread
      from dlms.daily_load_days d
      left join dlms.block_load_profile_data opening
        on d.with_registers > 0 and opening.meter_key = d.meter_key and opening.captured_at = d.starts_at
      left join dlms.block_load_profile_data closing
        on d.with_registers > 0 and closing.meter_key = d.meter_key and closing.captured_at = d.ends_at
      left join dlms.daily_load_profile_data earlier on earlier.meter_key = d.meter_key and earlier.captured_at = d.starts_at
      left join dlms.daily_load_profile_data c on c.meter_key = d.meter_key and c.captured_at = d.ends_at
      cross join lateral (values %s) as q (quantity, unit, interval_sum, register_difference, captured_difference, captured_day)
      where num_nonnulls(q.interval_sum, q.register_difference, q.captured_difference, q.captured_day) > 1
    $sql$, compared
  );
end
$$;
comment on view dlms.daily_load_profile is 'Consumption of a meter on a day of its own time zone, beside the registers that the meter captured at the end of that day.';
comment on column dlms.daily_load_profile.day is 'Day in the meter''s time zone; it holds the intervals that end after its midnight and not after the next.';
comment on column dlms.daily_load_profile.starts_at is 'First moment of the day.';
comment on column dlms.daily_load_profile.ends_at is 'First moment of the next day.';
comment on column dlms.daily_load_profile.intervals is 'Rows of the block load; 0 where only the meter''s captures tell of the day.';
comment on column dlms.daily_load_profile.covered_s is 'Seconds of the day that intervals with energy tell of.';
comment on column dlms.daily_load_profile.complete is 'Whether the whole day is covered: by intervals, or by registers at both ends.';
comment on column dlms.daily_load_profile.active_import_least_wh is 'Least active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.active_import_most_wh is 'Greatest active import of an interval, in Wh.';
comment on column dlms.daily_load_profile.captured_at is 'When the meter captured its registers at the end of the day.';
comment on column dlms.daily_load_profile.meter_id is 'The meter: id of public.meters.';
comment on column dlms.daily_load_profile.meter_number is 'Serial number of the meter.';

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
