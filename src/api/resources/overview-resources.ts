/** The fleet at a glance. Counted now and then, not for each who looks. */
import type { z } from "zod";
import type { Queryable } from "../../store/database/database.ts";
import { overview } from "../answers/meters.ts";
import { CachedAnswers } from "../cached.ts";
import { type Api, callerOf } from "../http-api.ts";
import { scopeOf } from "./meter-resources.ts";

type Overview = z.output<typeof overview>;

/** Counting steps through the fleet: nobody waits for it who can have what was counted minutes ago, and is told when. */
const KEPT_FOR = { freshMs: 30_000, usableMs: 600_000 };

type GrandTotal = Omit<Overview["groups"][number], "by"> & { readonly by: null };
const NO_METERS: GrandTotal = { by: null, name: null, meters: 0, answering: 0, failing: 0, current: 0 };

/** Where nobody said who made a meter, the first three octets of its system title do: the maker's letters. */
const COUNT_METERS = `
  with each_meter as (
    select m.companion, n.network, l.succeeded, c.holds_last,
      coalesce(m.maker, encode(substring(m.system_title for 3), 'escape')) as maker
    from public.meters m
    left join lateral (
      select r.succeeded from dlms.read_attempts r where r.meter_id = m.id order by r.started_at desc limit 1
    ) l on true
    left join lateral (
      select k.network from dlms.associations a join dlms.connections k using (connection_key)
      where a.meter_id = m.id order by a.updated_at desc limit 1
    ) n on true
    left join (
      select b.meter_key, bool_or(get_bit(b.held, ended.slot) = 1) as holds_last
      from dlms.coverage_bits b
      cross join lateral (
        select floor(extract(epoch from now() - (b.day::timestamp at time zone 'UTC')) / b.interval_s)::int as slot
      ) ended
      where b.profile = 2 and b.day = (now() at time zone 'UTC')::date and ended.slot < length(b.held)
      group by b.meter_key
    ) c using (meter_key)
    where $1::int[] is null or m.meter_key = any ($1)
  )
  select case when grouping(network) = 0 then 'network' when grouping(maker) = 0 then 'maker'
      when grouping(companion) = 0 then 'companion' end as by,
    coalesce(network, maker, companion) as name, count(*)::int as meters,
    (count(*) filter (where succeeded))::int as answering, (count(*) filter (where not succeeded))::int as failing,
    (count(*) filter (where holds_last))::int as current
  from each_meter group by grouping sets ((network), (maker), (companion), ()) order by meters desc, name`;

export function overviewResources(api: Api, database: Queryable): void {
  const counted = new CachedAnswers<Overview>(KEPT_FOR);
  api.get(
    "/v1/overview",
    {
      config: { needs: "reader", scoped: true },
      schema: { tags: ["meters"], summary: "The fleet at a glance", response: { 200: overview } },
    },
    (request) => {
      const caller = callerOf(request);
      const scope = scopeOf(caller);
      return counted.get(scope === null ? "all" : caller.id, () => countedOverview(database, scope));
    },
  );
}

async function countedOverview(database: Queryable, scope: readonly number[] | null): Promise<Overview> {
  const [counts, days, causes, pushes] = await Promise.all([
    database.query<Overview["groups"][number] | GrandTotal>(COUNT_METERS, [scope]),
    database.query<Overview["days"][number]>(
      `select c.day::text, sum(least(c.slots, greatest(0, floor(
           extract(epoch from now() - (c.day::timestamp at time zone 'UTC')) / nullif(c.interval_s, 0)))))::int as due,
         sum(c.held)::int as held
       from dlms.coverage c join public.meters m on m.id = c.meter_id
       where c.profile = 'block_load' and c.day > current_date - 14 and ($1::int[] is null or m.meter_key = any ($1))
       group by c.day order by c.day`,
      [scope],
    ),
    database.query<Overview["causes"][number]>(
      `select coalesce(r.cause, 'unknown') as cause, count(distinct r.meter_id)::int as meters, count(*)::int as tries
       from dlms.read_attempts r join public.meters m on m.id = r.meter_id
       where not r.succeeded and r.started_at > now() - interval '1 day' and ($1::int[] is null or m.meter_key = any ($1))
       group by 1 order by 2 desc, 1`,
      [scope],
    ),
    database.query<Overview["pushes"][number]>(
      `select p.outcome, count(*)::int as count from dlms.push_history p left join public.meters m on m.id = p.meter_id
       where p.received_at > now() - interval '1 day' and ($1::int[] is null or m.meter_key = any ($1))
       group by p.outcome order by 2 desc`,
      [scope],
    ),
  ]);
  const groups = counts.filter((group) => group.by !== null);
  const { by: _, name: __, ...fleet } = counts.find((group) => group.by === null) ?? NO_METERS;
  return { countedAt: new Date().toISOString(), fleet, groups, days, causes, pushes };
}
