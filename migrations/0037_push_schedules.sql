-- When meters push: schedules and windows as they were read of them, and what the configuration expects.

alter table dlms.push_setups add column randomisation_s integer;
comment on column dlms.push_setups.randomisation_s is 'Most seconds by which the meter puts a push off by chance; null where it does not say.';

alter table dlms.push_schedules
  add column kind text not null default 'schedule' check (kind in ('schedule', 'window', 'expectation')),
  drop constraint push_schedules_push_setup_id_logical_name_key,
  add unique (push_setup_id, kind, logical_name);
comment on table dlms.push_schedules is 'When push setups send: schedules that start them, windows in which they may, and what the configuration expects.';
comment on column dlms.push_schedules.kind is 'schedule: a single action schedule of the meter; window: the communication window of the setup; expectation: of the configuration.';
comment on column dlms.push_schedules.logical_name is 'Of the schedule object; for windows and expectations of the setup itself.';

alter table dlms.schedule_entries add column until_time text, add column until_date text;
comment on column dlms.schedule_entries.until_time is 'Of a window: its end.';
comment on column dlms.schedule_entries.at_date is 'year-month-day, then the day of the week from 1 for Monday where that counts; * stands for every value.';
