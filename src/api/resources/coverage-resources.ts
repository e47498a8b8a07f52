/** Which readings are held and which are not: the ledger by day for many meters at once, and each gap with its reason. */
import { z } from "zod";
import type { Queryable } from "../../store/database/database.ts";
import { type coverageDay, meterCoverage } from "../answers/meters.ts";
import { ApiError } from "../api-error.ts";
import { type GapOrder, type GapRow, gapProfile, gapRowSchema, gapState } from "../gap-order.ts";
import { type Api, callerOf } from "../http-api.ts";
import { LINES, sendLines, severalOf } from "../lines.ts";
import { page, pageOf, pageQuery } from "../paging.ts";
import { meterOf, scopeOf } from "./meter-resources.ts";

export interface GapSource {
  gaps(order: GapOrder): AsyncIterable<GapRow>;
}

const MOST_DAYS = 400;
const MOST_METERS = 200;
const MOST_GAPS = 1000;
const DAY_MS = 86_400_000;

export function coverageResources(api: Api, database: Queryable, source: GapSource): void {
  coverageByDay(api, database);
  gapsOfMeter(api, database, source);
  gapsOfAll(api, source);
}

function coverageByDay(api: Api, database: Queryable): void {
  api.get(
    "/v1/coverage",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["coverage"],
        summary: "How many slots of each day are held, meters by name",
        querystring: pageQuery.extend({
          limit: z.coerce.number().int().min(1).max(MOST_METERS).default(100).describe("Most meters of the page."),
          profile: gapProfile
            .default("block_load")
            .describe("Of daily load and billing, a day is the first of January and counts the slots of its year."),
          from: z.iso.date(),
          to: z.iso.date(),
          search: z.string().max(128).optional().describe("How the name or number of a meter begins."),
        }),
        response: { 200: pageOf(meterCoverage) },
      },
    },
    async (request) => {
      const { after, limit, profile, from, to, search } = request.query;
      if (Date.parse(to) - Date.parse(from) > MOST_DAYS * DAY_MS) {
        throw new ApiError("invalid", `from, to: at most ${MOST_DAYS} days`);
      }
      const meters = await database.query<{ key: number; name: string }>(
        `select meter_key as key, name from public.meters
         where ($1::int[] is null or meter_key = any ($1)) and ($2::text is null or name > $2)
           and ($3::text is null or starts_with(name, $3) or starts_with(meter_number, $3))
         order by name limit $4`,
        [scopeOf(callerOf(request)), after, search, limit + 1],
      );
      const days = await daysOf(database, meters, { profile, from, to });
      return page(meters, limit, {
        item: ({ key, name }) => ({ meter: name, days: days.get(key) ?? [] }),
        place: ({ name }) => name,
      });
    },
  );
}

type CoverageDay = z.output<typeof coverageDay>;

/** By keys, which the ledger is found by: it is never put together of the whole fleet. */
async function daysOf(
  database: Queryable,
  meters: readonly { readonly key: number }[],
  { profile, from, to }: { readonly profile: string; readonly from: string; readonly to: string },
): Promise<ReadonlyMap<number, CoverageDay[]>> {
  const rows = await database.query<{ key: number; days: CoverageDay[] }>(
    `select meter_key as key, jsonb_agg(jsonb_build_object('day', day, 'slots', slots, 'held', held, 'absent', absent,
       'meterOff', meter_off, 'setAside', set_aside) order by day) as days
     from dlms.coverage where meter_key = any ($1::int[]) and profile = $2 and day between $3 and $4
     group by meter_key`,
    [meters.map(({ key }) => key), profile, from, to],
  );
  return new Map(rows.map(({ key, days }) => [key, days]));
}

function gapsOfMeter(api: Api, database: Queryable, source: GapSource): void {
  api.get(
    "/v1/meters/:meter/gaps",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["coverage"],
        summary: "Which readings of a meter are not there, why, and whether they will still come",
        params: z.object({ meter: z.string().min(1).max(128) }),
        querystring: z.object({ from: z.iso.datetime({ offset: true }), to: z.iso.datetime({ offset: true }) }),
        response: { 200: z.object({ items: z.array(gapRowSchema), complete: z.boolean() }) },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      const { name } = await meterOf(database, callerOf(request), request.params.meter);
      const order = { meters: [name], fromMs: Date.parse(from), toMs: Date.parse(to) };
      const items: GapRow[] = [];
      for await (const row of source.gaps(order)) {
        if (items.length === MOST_GAPS) return { items, complete: false };
        items.push(row);
      }
      return { items, complete: true };
    },
  );
}

function gapsOfAll(api: Api, source: GapSource): void {
  api.get(
    "/v1/gaps",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["coverage"],
        summary: "Which readings are not there, of many meters, a gap a line",
        produces: [LINES],
        querystring: z.object({
          meter: severalOf(z.string().max(128)).describe("Names; all meters when left out."),
          profile: severalOf(gapProfile),
          state: severalOf(gapState),
          from: z.iso.datetime({ offset: true }),
          to: z.iso.datetime({ offset: true }),
        }),
      },
    },
    async (request, reply) => {
      const { meter: meters, profile: profiles, state: states, from, to } = request.query;
      const chosen = { ...(meters && { meters }), ...(profiles && { profiles }), ...(states && { states }) };
      return sendLines(reply, source.gaps({ ...chosen, fromMs: Date.parse(from), toMs: Date.parse(to) }));
    },
  );
}
