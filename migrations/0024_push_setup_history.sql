-- What was done to the push setups of meters: before, after, who, why and when.

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
create index push_setup_history_meter on dlms.push_setup_history (meter_id, setup, change_key desc);
comment on table dlms.push_setup_history is 'Every comparison and change of a meter''s push setup.';
comment on column dlms.push_setup_history.state is 'in-order: nothing to do; differs: shown only; applied: written and read back; restored: failed, and put back as it was; mixed: failed, and some of it could not be put back; refused: nothing was written; unreached: the meter did not answer before anything was written.';
comment on column dlms.push_setup_history.changes is 'Attributes that differ: name, before, after, and whether after is what the meter holds.';
