-- What one gateway asks of another: work for a meter that is asked for where it is not held. The holder of the meter's
-- block takes it; what a gateway has taken when it loses the block is taken again by the next holder.

create table dlms.jobs (
  job_key bigint not null generated always as identity primary key,
  network text not null,
  block smallint not null,
  meter_name text not null,
  kind text not null,
  what jsonb not null,
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null,
  taken_by uuid,
  taken_run bigint,
  tries smallint not null default 0,
  answered_at timestamptz,
  answer jsonb
);
create index jobs_open on dlms.jobs (network, block) where answered_at is null;
create index jobs_expires on dlms.jobs (expires_at);
comment on table dlms.jobs is 'Work for single meters that one gateway asks of another; kept for a day after it has ended.';
comment on column dlms.jobs.kind is 'What is to be done: read, order, setup, keys and others.';
comment on column dlms.jobs.what is 'The order in full.';
comment on column dlms.jobs.taken_by is 'The gateway that is at it, in the run taken_run.';
comment on column dlms.jobs.tries is 'How often it was taken; three times at most.';
comment on column dlms.jobs.answer is 'What came of it: answer, refusal or error.';
