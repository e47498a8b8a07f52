-- Names may pass from meter to meter within one transaction, when a meter is exchanged or two are swapped.

alter table public.meters drop constraint meters_name_key;
alter table public.meters add constraint meters_name_key unique (name) deferrable initially immediate;
