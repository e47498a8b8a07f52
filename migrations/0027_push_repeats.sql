-- A meter that wants its push confirmed sends it again until it is: however often it comes, it is kept once.

alter table dlms.push_history add column repeat_key bytea;
comment on column dlms.push_history.repeat_key is 'Of a push that wants to be confirmed: the same for each time that it is sent.';
create index push_history_repeat on dlms.push_history (repeat_key, received_at) where repeat_key is not null;
