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
  unique (meter_id, logical_name)
);
comment on table dlms.push_setups is 'Push setup objects of meters: where they send to.';

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

create table dlms.push_schedules (
  push_schedule_id uuid not null default gen_random_uuid() primary key,
  push_setup_id uuid not null references dlms.push_setups (push_setup_id) on delete cascade,
  logical_name text not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (push_setup_id, logical_name)
);
comment on table dlms.push_schedules is 'Single action schedules that start a push.';

create table dlms.schedule_entries (
  push_schedule_id uuid not null references dlms.push_schedules (push_schedule_id) on delete cascade,
  position integer not null,
  at_time text not null,
  at_date text not null,
  primary key (push_schedule_id, position)
);
comment on table dlms.schedule_entries is 'When a schedule fires; * stands for every value, as in 00:*:00.';

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
