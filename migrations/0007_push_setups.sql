-- How meters are set up to push, and what was done about it: before, after, who, why and when.

create table dlms.push_setups (
  push_setup_id uuid not null default gen_random_uuid() primary key,
  meter_id uuid not null references public.meters (id) on delete cascade,
  logical_name text not null,
  destination text,
  transport text,
  message text,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  randomisation_s integer,
  unique (meter_id, logical_name)
);
comment on table dlms.push_setups is 'Push setup objects of meters: where they send to.';
comment on column dlms.push_setups.push_setup_id is 'Refer to a push setup by this.';
comment on column dlms.push_setups.meter_id is 'The meter: id of public.meters.';
comment on column dlms.push_setups.logical_name is 'Logical name of the push setup object in the meter.';
comment on column dlms.push_setups.destination is 'Where it sends to, as host:port.';
comment on column dlms.push_setups.transport is 'How it sends, as tcp or udp.';
comment on column dlms.push_setups.message is 'What it wraps its data in, as the meter says.';
comment on column dlms.push_setups.enabled is 'Whether it is in use.';
comment on column dlms.push_setups.created_at is 'When it was first read.';
comment on column dlms.push_setups.updated_at is 'When it was last read.';
comment on column dlms.push_setups.randomisation_s is 'Most seconds by which the meter puts a push off by chance; null where it does not say.';

create table dlms.push_objects (
  push_setup_id uuid not null references dlms.push_setups (push_setup_id) on delete cascade,
  position integer not null,
  class_id integer not null,
  logical_name text not null,
  attribute_index integer not null,
  data_index integer not null default 0,
  primary key (push_setup_id, position)
);
comment on table dlms.push_objects is 'What a push setup sends, in order.';
comment on column dlms.push_objects.push_setup_id is 'The push setup.';
comment on column dlms.push_objects.position is 'Place in the list of objects, from 0.';
comment on column dlms.push_objects.class_id is 'Interface class of the object.';
comment on column dlms.push_objects.logical_name is 'Logical name of the object.';
comment on column dlms.push_objects.attribute_index is 'Attribute that is sent; 0 for all.';
comment on column dlms.push_objects.data_index is 'Part of the attribute; 0 for all of it.';

create table dlms.push_schedules (
  push_schedule_id uuid not null default gen_random_uuid() primary key,
  push_setup_id uuid references dlms.push_setups (push_setup_id) on delete cascade,
  logical_name text not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kind text not null default 'schedule' check (kind in ('schedule', 'window', 'expectation')),
  meter_id uuid references public.meters (id) on delete cascade,
  unique (push_setup_id, kind, logical_name),
  constraint push_schedules_of_setup_or_meter check (num_nonnulls(push_setup_id, meter_id) = 1)
);
create index push_schedules_meter on dlms.push_schedules (meter_id) where meter_id is not null;
comment on table dlms.push_schedules is 'When push setups send: schedules that start them, windows in which they may, and what the configuration expects.';
comment on column dlms.push_schedules.push_schedule_id is 'Refer to a schedule by this.';
comment on column dlms.push_schedules.push_setup_id is 'The push setup that it starts; null where any push of the meter is expected.';
comment on column dlms.push_schedules.meter_id is 'Of an expectation of any push: the meter.';
comment on column dlms.push_schedules.logical_name is 'Of the schedule object; for windows and expectations of the setup itself, empty for any.';
comment on column dlms.push_schedules.enabled is 'Whether it is in use.';
comment on column dlms.push_schedules.created_at is 'When it was first read.';
comment on column dlms.push_schedules.updated_at is 'When it was last read.';
comment on column dlms.push_schedules.kind is 'schedule: a single action schedule of the meter; window: the communication window of the setup; expectation: of the configuration.';

create table dlms.schedule_entries (
  push_schedule_id uuid not null references dlms.push_schedules (push_schedule_id) on delete cascade,
  position integer not null,
  at_time text not null,
  at_date text not null,
  until_time text,
  until_date text,
  primary key (push_schedule_id, position)
);
comment on table dlms.schedule_entries is 'When a schedule fires; * stands for every value, as in 00:*:00.';
comment on column dlms.schedule_entries.until_time is 'Of a window: its end.';
comment on column dlms.schedule_entries.at_date is 'year-month-day, then the day of the week from 1 for Monday where that counts; * stands for every value.';

create table dlms.push_setup_history (
  change_key bigint not null generated always as identity primary key,
  meter_id uuid not null references public.meters (id) on delete cascade,
  setup text not null,
  logical_name text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  state text not null check (state in ('in-order', 'differs', 'applied', 'restored', 'mixed', 'refused', 'unreached')),
  changes jsonb not null,
  test_push text not null check (test_push in ('arrived', 'silent', 'refused', 'not-ordered')),
  evidence text,
  who text not null,
  why text not null
);
comment on table dlms.push_setup_history is 'Every comparison and change of a meter''s push setup.';
comment on column dlms.push_setup_history.state is 'in-order: nothing to do; differs: shown only; applied: written and read back; restored: failed, and put back as it was; mixed: failed, and some of it could not be put back; refused: nothing was written; unreached: the meter did not answer before anything was written.';
comment on column dlms.push_setup_history.changes is 'Attributes that differ: name, before, after, and whether after is what the meter holds.';
create index push_setup_history_meter on dlms.push_setup_history (meter_id, setup, change_key desc);
