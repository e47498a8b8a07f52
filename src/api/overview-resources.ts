/** The fleet at a glance. Counted now and then, not for each who looks. */
import { z } from "zod";
import type { Database } from "../store/database.ts";
import { Cached } from "./cached.ts";
import type { Caller } from "./callers.ts";
import { type Api, callerOf } from "./http-api.ts";
import { scopeOf } from "./meter-resources.ts";

type Queryable = Pick<Database, "query">;

const meterGroup = z.object({
  companion: z.string(),
  meters: z.int(),
  answering: z.int().describe("Their last try succeeded."),
  failing: z.int().describe("Their last try failed."),
});
const coverageDay = z.object({
  day: z.iso.date(),
  due: z.int().describe("Slots of block load that are over."),
  held: z.int(),
});
const overview = z.object({
  countedAt: z.iso.datetime(),
  groups: z.array(meterGroup),
  days: z.array(coverageDay).describe("The last two weeks, oldest first."),
  causes: z
    .array(z.object({ cause: z.string(), meters: z.int(), tries: z.int() }))
    .describe("Of failed tries in the last day."),
  pushes: z.array(z.object({ outcome: z.string(), count: z.int() })).describe("Received in the last day."),
});
type Overview = z.output<typeof overview>;

const COUNTED_MS = 30_000;

export function overviewResources(api: Api, database: Queryable): void {
  const ofAll = new Cached(() => countedOverview(database, null), COUNTED_MS);
  api.get(
    "/v1/overview",
    {
      config: { needs: "reader" },
      schema: { tags: ["meters"], summary: "The fleet at a glance", response: { 200: overview } },
    },
    (request) => overviewFor(callerOf(request), { ofAll, database }),
  );
}

function overviewFor(
  caller: Caller,
  { ofAll, database }: { readonly ofAll: Cached<Overview>; readonly database: Queryable },
): Promise<Overview> {
  return caller.meterKeys === undefined ? ofAll.get() : countedOverview(database, scopeOf(caller));
}

async function countedOverview(database: Queryable, scope: readonly number[] | null): Promise<Overview> {
  const [groups, days, causes, pushes] = await Promise.all([
    database.query<Overview["groups"][number]>(
      `select m.companion, count(*)::int as meters, (count(*) filter (where l.succeeded))::int as answering,
         (count(*) filter (where not l.succeeded))::int as failing
       from public.meters m
       left join lateral (
         select r.succeeded from dlms.read_attempts r where r.meter_id = m.id order by r.started_at desc limit 1
       ) l on true
       where $1::int[] is null or m.meter_key = any ($1) group by m.companion order by 2 desc`,
      [scope],
    ),
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
  return { countedAt: new Date().toISOString(), groups, days, causes, pushes };
}
