-- Reading plans that people add while gateways run, before those of the configuration.

create table dlms.reading_plans (
  reading_plan_key integer not null generated always as identity primary key,
  profile text not null,
  group_name text,
  every_ms bigint not null check (every_ms > 0),
  deadline_ms bigint check (deadline_ms > 0),
  history_ms bigint not null check (history_ms > 0),
  read_order text not null,
  added_at timestamptz not null default now(),
  added_by text not null,
  unique nulls not distinct (profile, group_name)
);
comment on table dlms.reading_plans is 'What is read how often, besides the plans of the configuration; of a meter''s plans the first counts, those here before the configuration''s.';
comment on column dlms.reading_plans.group_name is 'Group of the configuration or collection that the plan is for; null for all meters.';
comment on column dlms.reading_plans.deadline_ms is 'How long after its slot a reading may come; as long as the period when null.';
comment on column dlms.reading_plans.history_ms is 'How far back to go for a meter that has no reading yet.';
comment on column dlms.reading_plans.read_order is 'oldest-first or newest-first.';
