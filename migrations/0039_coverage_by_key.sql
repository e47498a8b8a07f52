-- The ledger of some meters is found by their keys; by any other column it is put together of all meters first.

create or replace view dlms.coverage as
select m.id as meter_id, m.meter_number,
  (array['instant', 'block_load', 'daily_load', 'billing'])[b.profile] as profile,
  b.day, b.interval_s,
  length(coalesce(b.held, b.absent, b.meter_off, b.set_aside)) as slots,
  coalesce(bit_count(b.held), 0)::integer as held,
  coalesce(bit_count(b.absent & ~coalesce(b.held, b.absent # b.absent)), 0)::integer as absent,
  coalesce(bit_count(b.meter_off & ~coalesce(b.held, b.meter_off # b.meter_off)), 0)::integer as meter_off,
  coalesce(bit_count(b.set_aside & ~coalesce(b.held, b.set_aside # b.set_aside)), 0)::integer as set_aside,
  b.meter_key
from dlms.coverage_bits b
join public.meters m on m.meter_key = b.meter_key;
comment on column dlms.coverage.meter_key is 'The meter, by the key under which the ledger is found: of one meter, ask by this.';
