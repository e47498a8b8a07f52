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
comment on column dlms.jobs.kind is 'What is to be done: read, collect or setup.';
comment on column dlms.jobs.what is 'The order in full.';
comment on column dlms.jobs.taken_by is 'The gateway that is at it, in the run taken_run.';
comment on column dlms.jobs.tries is 'How often it was taken; three times at most.';
comment on column dlms.jobs.answer is 'What came of it: answer, refusal or error.';

-- What people want to know of the others comes with every sign of life.
create or replace function dlms.renew_gateway(p_gateway uuid, p_incarnation bigint, p_meters integer, p_seen bigint) returns jsonb
language plpgsql
as $$
declare
  found_it boolean;
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(6142023918440519);
  update dlms.gateways set beat = beat + 1, renewed_at = clock_timestamp(), meters = p_meters
  where gateway_id = p_gateway and incarnation = p_incarnation and left_at is null;
  found_it := found;
  return jsonb_build_object(
    'known', found_it,
    'gateways', (
      select coalesce(jsonb_agg(jsonb_build_object('id', gateway_id, 'name', name, 'beat', beat,
        'incarnation', incarnation, 'networks', networks, 'meters', meters, 'version', version, 'silenceMs', silence_ms, 'awayMs', away_ms, 'fleet', fleet,
        'ageMs', floor(extract(epoch from clock_timestamp() - renewed_at) * 1000))), '[]')
      from dlms.gateways where left_at is null
    ),
    'blocks', (
      select coalesce(jsonb_agg(jsonb_build_array(network, block, holder, epoch, change) order by change), '[]')
      from dlms.meter_blocks where change > p_seen
        and network = any (array(select unnest(networks) from dlms.gateways where gateway_id = p_gateway))
    )
  );
end
$$;
