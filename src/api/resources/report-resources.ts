/** Reports on how well meters are read. */
import { z } from "zod";
import type { ServiceThreshold } from "../../config/service-level-schema.ts";
import type { RequestLevel, ServiceLevel, ServiceLevelOrder } from "../../store/records/service-levels.ts";
import { type serviceLevel, serviceLevelReport } from "../answers/reports.ts";
import { ApiError } from "../api-error.ts";
import { CachedAnswers } from "../cached.ts";
import { type Api, callerOf } from "../http-api.ts";
import { scopeOf } from "./meter-resources.ts";

type Answer = z.output<typeof serviceLevel>;

export interface ReportParts {
  readonly serviceLevels: (order: ServiceLevelOrder) => Promise<readonly ServiceLevel[]>;
  readonly thresholds: readonly ServiceThreshold[];
}

/** Who looks at a page again does not have the whole fleet counted again. */
const KEPT_FOR = { freshMs: 60_000, usableMs: 60_000 };
const MOST_DAYS = 92;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the configuration calls requests, and their kinds. */
const REQUEST_KINDS = { reads: "read", disconnects: "disconnect", reconnects: "reconnect" } as const;
const NOTHING_ASKED: RequestLevel = { asked: 0, done: 0, ms: null, within: [] };

export function reportResources(api: Api, { serviceLevels, thresholds }: ReportParts): void {
  const counted = new CachedAnswers<readonly ServiceLevel[]>(KEPT_FOR);
  const limitsMs = thresholds.map(({ withinMs }) => withinMs ?? 0);
  api.get(
    "/v1/reports/sla",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["reports"],
        summary: "How much came in time, and how long people waited, by group and day",
        querystring: z.object({
          from: z.iso.date(),
          to: z.iso.date().describe("Last day, in UTC."),
          group: z.string().max(128).optional().describe("A collection, or `all`; every one of them when left out."),
        }),
        response: { 200: serviceLevelReport },
      },
    },
    async (request) => {
      const { from, to, group } = request.query;
      const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
      if (days < 0 || days >= MOST_DAYS) throw new ApiError("invalid", `from, to: at most ${MOST_DAYS} days, in order`);
      const caller = callerOf(request);
      const scope = scopeOf(caller);
      const question = JSON.stringify([scope === null ? "all" : caller.id, from, to, group]);
      const levels = await counted.get(question, () => serviceLevels({ from, to, group, scope, limitsMs }));
      const items = levels.map((level) => shown(level, belowOf(level, thresholds, Date.now())));
      return { thresholds: thresholds.map(({ text }) => text), items };
    },
  );
}

function shown(
  { due, within1h, within8h, within24h, pushes, requests, ...level }: ServiceLevel,
  below: string[],
): Answer {
  return {
    ...level,
    due,
    within1h: shareOf(within1h, due),
    within8h: shareOf(within8h, due),
    within24h: shareOf(within24h, due),
    pushes: { ...pushes, share: shareOf(pushes.received, pushes.expected) },
    reads: timesOf(requests.get(REQUEST_KINDS.reads)),
    disconnects: timesOf(requests.get(REQUEST_KINDS.disconnects)),
    reconnects: timesOf(requests.get(REQUEST_KINDS.reconnects)),
    below,
  };
}

function timesOf({ asked, done, ms }: RequestLevel = NOTHING_ASKED): Answer["reads"] {
  const [p50Ms = null, p95Ms = null, p99Ms = null] = (ms ?? []).map(Math.round);
  return { asked, done, p50Ms, p95Ms, p99Ms };
}

function belowOf(level: ServiceLevel, thresholds: readonly ServiceThreshold[], nowMs: number): string[] {
  return thresholds.flatMap((threshold, place) => {
    const share = judgedShare(level, threshold, { place, nowMs });
    return share !== null && share * 100 < threshold.percent ? [threshold.text] : [];
  });
}

/** Null where there is nothing to judge, or what is missing may still come in time. */
function judgedShare(
  { day, due, pushes, requests, ...slots }: ServiceLevel,
  { subject, withinMs = 0 }: ServiceThreshold,
  { place, nowMs }: { readonly place: number; readonly nowMs: number },
): number | null {
  const isOver = Date.parse(day) + DAY_MS + withinMs <= nowMs;
  if (subject === "pushes") return isOver ? shareOf(pushes.received, pushes.expected) : null;
  if (subject !== "slots") {
    const { asked, within } = requests.get(REQUEST_KINDS[subject]) ?? NOTHING_ASKED;
    return shareOf(within[place] ?? 0, asked);
  }
  if (!isOver) return null;
  if (withinMs === HOUR_MS) return shareOf(slots.within1h, due);
  return shareOf(withinMs === DAY_MS ? slots.within24h : slots.within8h, due);
}

function shareOf(count: number, whole: number): number | null {
  return whole === 0 ? null : Math.min(1, count / whole);
}
