-- What a push was worth: how it was protected, when the meter made it, and everything about it that was out of order.

alter table dlms.push_history
  add column push_setup text,
  add column read_at timestamptz,
  add column protection text,
  add column verified boolean,
  add column marks text[] not null default '{}';
comment on column dlms.push_history.push_setup is 'Logical name of the push setup, where the push says it.';
comment on column dlms.push_history.read_at is 'When the meter held the values; null for what could not be read.';
comment on column dlms.push_history.protection is 'none, authenticated, encrypted or authenticated-encrypted; null for what could not be read.';
comment on column dlms.push_history.verified is 'Whether an authentication tag vouches for sender and content.';
comment on column dlms.push_history.marks is 'What was let pass: deviations, a counter that came before, doubts about the sender.';
