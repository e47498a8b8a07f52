/** Reports on how well meters are read. */
import { z } from "zod";
import type { ServiceLevelOrder, ServiceLevelRow } from "../store/service-levels.ts";
import { serviceLevel } from "./answers/reports.ts";
import { ApiError } from "./api-error.ts";
import { type Api, callerOf } from "./http-api.ts";
import { scopeOf } from "./meter-resources.ts";

const MOST_DAYS = 92;
const DAY_MS = 86_400_000;

export function reportResources(
  api: Api,
  serviceLevels: (order: ServiceLevelOrder) => Promise<readonly ServiceLevelRow[]>,
): void {
  api.get(
    "/v1/reports/sla",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["reports"],
        summary: "How much block load came within 1, 8 and 24 hours, by group and day",
        querystring: z.object({
          from: z.iso.date(),
          to: z.iso.date().describe("Last day, in UTC."),
          group: z.string().max(128).optional().describe("A collection, or `all`; every one of them when left out."),
        }),
        response: { 200: z.object({ items: z.array(serviceLevel) }) },
      },
    },
    async (request) => {
      const { from, to, group } = request.query;
      const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
      if (days < 0 || days >= MOST_DAYS) throw new ApiError("invalid", `from, to: at most ${MOST_DAYS} days, in order`);
      const rows = await serviceLevels({ from, to, group, scope: scopeOf(callerOf(request)) });
      return { items: rows.map(levelOf) };
    },
  );
}

function levelOf(row: ServiceLevelRow): z.output<typeof serviceLevel> {
  const share = (count: number) => (row.due === 0 ? null : Math.min(1, count / row.due));
  return {
    group: row.group_name,
    day: row.day,
    meters: row.meters,
    due: row.due,
    held: row.held,
    within1h: share(row.within_1h),
    within8h: share(row.within_8h),
    within24h: share(row.within_24h),
    pushes: row.pushes,
  };
}
