/** What a gateway works at and what waits in it, in the form in which people and other gateways are told. */
import { z } from "zod";
import { job, jobCounts } from "../../api/answers/work.ts";
import type { UpcomingJob } from "../plan/planner.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { JobStage, OpenJob } from "./open-jobs.ts";
import type { PollLoop } from "./poll-loop.ts";

/** The question of one gateway to another, and its answer. */
export const JOBS_QUESTION = "jobs";
export const jobsQuestion = z.object({ meter: z.string().optional() });
export const gatewayJobs = z.object({ counts: jobCounts, items: z.array(job) });

export type Job = z.output<typeof job>;
export type JobLoop = Pick<PollLoop<PolledMeter>, "openJobs" | "upcomingJobs" | "heldCount" | "quarantinedCount">;

/** Of open jobs, so many are told to another gateway. */
const MOST_TOLD = 1000;
const WAITS_FOR: Readonly<Record<JobStage, string | null>> = {
  limit: "a place within the limit of its network or pool",
  line: "another job of its meter, or of the line that it shares",
  place: "a free place, or its turn to connect",
  running: null,
};

/** For another gateway: jobs that are open, and of one meter also what comes next. */
export function jobsForOthers(loop: JobLoop, gateway: string, meter?: PolledMeter): z.output<typeof gatewayJobs> {
  const { counts, items } = openJobs(loop, gateway);
  const wanted = items.filter((each) => (meter?.target.name ?? each.meter) === each.meter).slice(0, MOST_TOLD);
  const upcoming = meter === undefined ? [] : Array.from(loop.upcomingJobs(meter), (each) => nextJob(each, gateway));
  return { counts, items: [...wanted, ...upcoming] };
}

/** Those that run, then those that wait. */
export function openJobs(loop: JobLoop, gateway: string): z.output<typeof gatewayJobs> {
  const items = Array.from(loop.openJobs(), (each) => openJob(each, gateway));
  const running = items.filter(({ state }) => state === "running").length;
  const { heldCount: meters, quarantinedCount: quarantined } = loop;
  return { counts: { running, waiting: items.length - running, meters, quarantined }, items };
}

function openJob({ meter, lane, what, stage, sinceMs }: OpenJob<PolledMeter>, gateway: string): Job {
  const state = stage === "running" ? "running" : "waiting";
  const since = new Date(sinceMs).toISOString();
  return { gateway, state, lane, meter: meter.target.name, what, since, due: null, waitsFor: WAITS_FOR[stage] };
}

export function nextJob({ meter, lane, profiles, dueMs }: UpcomingJob<PolledMeter>, gateway: string): Job {
  const due = dueMs === undefined ? null : new Date(dueMs).toISOString();
  const what = profiles.join(" ");
  return { gateway, state: "next", lane, meter: meter.target.name, what, since: null, due, waitsFor: null };
}
