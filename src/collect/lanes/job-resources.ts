/** What a gateway works at now, what waits for its turn and why, and what comes next. */
import { z } from "zod";
import { type job, jobList } from "../../api/answers/work.ts";
import type { Caller } from "../../api/callers.ts";
import { type Api, callerOf } from "../../api/http-api.ts";
import type { JobElsewhere } from "../../jobs/jobs-elsewhere.ts";
import type { UpcomingJob } from "../plan/planner.ts";
import type { PolledMeter } from "../polled-meter.ts";
import { LANES } from "./lane-queue.ts";
import type { JobStage, OpenJob } from "./open-jobs.ts";
import type { PollLoop } from "./poll-loop.ts";

type Job = z.output<typeof job>;
type Loop = Pick<PollLoop<PolledMeter>, "openJobs" | "upcomingJobs" | "heldCount" | "quarantinedCount">;

export interface JobParts {
  readonly loop: Loop;
  /** What other gateways have been asked for, so many at most. */
  readonly elsewhere: (most: number) => Promise<readonly JobElsewhere[]>;
  readonly meterOf: (name: string) => PolledMeter;
  /** The name of a meter that the caller may see. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Whether a meter of that name is there for the caller. */
  readonly isSeen: (name: string, caller: Caller) => boolean;
}

/** Of what comes next, over all pages; of what other gateways were asked for. */
const MOST = { listed: 10_000, elsewhere: 1000, aPage: 1000 };
const WAITS_FOR: Readonly<Record<JobStage, string | null>> = {
  limit: "a place within the limit of its network or pool",
  line: "another job of its meter, or of the line that it shares",
  place: "a free place, or its turn to connect",
  running: null,
};

export function jobResources(api: Api, parts: JobParts): void {
  const { loop, elsewhere, meterOf, nameOf, isSeen } = parts;
  api.get(
    "/v1/jobs",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["gateways"],
        summary: "What this gateway works at now, what waits and for what, and what comes next",
        description: `In this order; of what comes next the first ${MOST.listed} are looked at. What other gateways were asked for is among what waits.`,
        querystring: z.object({
          lane: z.enum(LANES).optional(),
          state: z.enum(["running", "waiting", "next"]).optional(),
          meter: z.string().min(1).max(128).optional().describe("Name or number."),
          limit: z.coerce.number().int().min(1).max(MOST.aPage).default(100).describe("Most items of the page."),
          after: z.coerce.number().int().min(0).max(MOST.listed).default(0).describe("`next` of the page before."),
        }),
        response: { 200: jobList },
      },
    },
    async (request) => {
      const { lane, state, limit, after } = request.query;
      const caller = callerOf(request);
      const meter = request.query.meter === undefined ? undefined : meterOf(nameOf(request.query.meter, caller));
      const open = Array.from(loop.openJobs(), openJob);
      // While the database is away nobody knows of others.
      const asked = await elsewhere(MOST.elsewhere).catch(() => []);
      const isWanted = (each: Job) =>
        (lane ?? each.lane) === each.lane &&
        (state ?? each.state) === each.state &&
        (meter?.target.name ?? each.meter) === each.meter &&
        isSeen(each.meter, caller);
      // However few are wanted, no more are looked at: each is a step through the whole fleet.
      const upcoming = Iterator.from(loop.upcomingJobs(meter)).take(MOST.listed).map(nextJob);
      const items = chained([...open, ...asked.map(askedJob)], upcoming)
        .filter(isWanted)
        .drop(after)
        .take(limit + 1)
        .toArray();
      const next = items.length > limit ? String(after + limit) : null;
      return { counts: countsOf(loop, open), items: items.slice(0, limit), next };
    },
  );
}

function* chained<Item>(...parts: readonly Iterable<Item>[]): Generator<Item> {
  for (const part of parts) yield* part;
}

function countsOf({ heldCount, quarantinedCount }: Loop, open: readonly Job[]): z.output<typeof jobList>["counts"] {
  const running = open.filter(({ state }) => state === "running").length;
  return { running, waiting: open.length - running, meters: heldCount, quarantined: quarantinedCount };
}

function openJob({ meter, lane, what, stage, sinceMs }: OpenJob<PolledMeter>): Job {
  const state = stage === "running" ? "running" : "waiting";
  const since = new Date(sinceMs).toISOString();
  return { state, lane, meter: meter.target.name, what, since, due: null, waitsFor: WAITS_FOR[stage] };
}

function askedJob({ meter, kind, askedAt, gateway }: JobElsewhere): Job {
  const waitsFor = gateway === null ? "the gateway that works the meter" : `gateway ${gateway}, which is at it`;
  return { state: "waiting", lane: "on_demand", meter, what: kind, since: askedAt.toISOString(), due: null, waitsFor };
}

function nextJob({ meter, lane, profiles, dueMs }: UpcomingJob<PolledMeter>): Job {
  const due = dueMs === undefined ? null : new Date(dueMs).toISOString();
  return { state: "next", lane, meter: meter.target.name, what: profiles.join(" "), since: null, due, waitsFor: null };
}
