/** What gateways work at now, what waits for its turn and why, and what comes next. */
import { z } from "zod";
import { jobList } from "../../api/answers/work.ts";
import type { Caller } from "../../api/callers.ts";
import { type Api, callerOf } from "../../api/http-api.ts";
import { countPage, countPageQuery } from "../../api/paging.ts";
import type { GatewayQuestions } from "../../jobs/gateway-questions.ts";
import type { UntakenJob } from "../../jobs/untaken-jobs.ts";
import type { PolledMeter } from "../polled-meter.ts";
import { gatewayJobs, JOBS_QUESTION, type Job, type JobLoop, nextJob, openJobs } from "./gateway-jobs.ts";
import { LANES } from "./lane-queue.ts";

export interface JobParts {
  readonly loop: JobLoop;
  /** Of this gateway among those that share the meters. */
  readonly gateway: string;
  readonly questions: Pick<GatewayQuestions, "ask">;
  /** What gateways have asked of others and nobody has taken, so many at most. */
  readonly untaken: (most: number) => Promise<readonly UntakenJob[]>;
  readonly meterOf: (name: string) => PolledMeter;
  /** The name of a meter that the caller may see. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Whether a meter of that name is there for the caller. */
  readonly isSeen: (name: string, caller: Caller) => boolean;
}

/** Of what comes next, over all pages; of what nobody has taken. */
const MOST = { listed: 10_000, untaken: 1000 };

export function jobResources(api: Api, parts: JobParts): void {
  const { loop, gateway, meterOf, nameOf, isSeen } = parts;
  api.get(
    "/v1/jobs",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["gateways"],
        summary: "What the gateways work at now, what waits and for what, and what comes next",
        description: `In this order; of what comes next the first ${MOST.listed} of this gateway are looked at, and those of one meter wherever it is worked.`,
        querystring: countPageQuery.extend({
          lane: z.enum(LANES).optional(),
          state: z.enum(["running", "waiting", "next"]).optional(),
          meter: z.string().min(1).max(128).optional().describe("Name or number."),
        }),
        response: { 200: jobList },
      },
    },
    async (request) => {
      const { lane, state } = request.query;
      const caller = callerOf(request);
      const meter = request.query.meter === undefined ? undefined : meterOf(nameOf(request.query.meter, caller));
      const { counts, items: open, unanswered } = await jobsOfAll(parts, meter);
      const isWanted = (each: Job) =>
        (lane ?? each.lane) === each.lane &&
        (state ?? each.state) === each.state &&
        (meter?.target.name ?? each.meter) === each.meter &&
        isSeen(each.meter, caller);
      // However few are wanted, no more are looked at: each is a step through the whole fleet.
      const upcoming = Iterator.from(loop.upcomingJobs(meter))
        .take(MOST.listed)
        .map((each) => nextJob(each, gateway));
      const told = caller.meterKeys === undefined ? counts : null;
      return { counts: told, unanswered, ...countPage(inOrder(open, upcoming).filter(isWanted), request.query) };
    },
  );
}

/** Without what comes next for the meters of this gateway. */
async function jobsOfAll(
  { loop, gateway, questions, untaken }: JobParts,
  meter: PolledMeter | undefined,
): Promise<z.output<typeof gatewayJobs> & { readonly unanswered: string[] }> {
  const { counts, items } = openJobs(loop, gateway);
  const unanswered: string[] = [];
  // While the database is away nobody knows of others.
  const [others, waiting] = await Promise.all([
    questions.ask(JOBS_QUESTION, { meter: meter?.target.name }).catch(() => []),
    untaken(MOST.untaken).catch(() => []),
  ]);
  for (const other of others) {
    const { data } = gatewayJobs.safeParse(other.answer);
    if (data === undefined) unanswered.push(other.gateway);
    else {
      items.push(...data.items);
      for (const what of ["running", "waiting", "meters", "quarantined"] as const) counts[what] += data.counts[what];
    }
  }
  return { counts, items: [...items, ...waiting.map(untakenJob)], unanswered };
}

function* inOrder(told: readonly Job[], upcoming: Iterable<Job>): Generator<Job> {
  for (const state of ["running", "waiting", "next"]) for (const each of told) if (each.state === state) yield each;
  yield* upcoming;
}

function untakenJob({ meter, kind, askedAt, askedBy }: UntakenJob): Job {
  const waitsFor = "the gateway that works the meter";
  const since = askedAt.toISOString();
  return { gateway: askedBy, state: "waiting", lane: "on_demand", meter, what: kind, since, due: null, waitsFor };
}
