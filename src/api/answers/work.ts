/** What the API answers about how meters are worked. */
import { z } from "zod";

export const plan = z.object({
  profile: z.string(),
  group: z.string().nullable().describe("All meters when null."),
  everyMs: z.int(),
  deadlineMs: z.int(),
  historyMs: z.int(),
  order: z.string(),
  from: z.enum(["configuration", "added"]),
});

/** Whoever may see some meters learns nothing of how many others there are. */
const ofAll = z.int().nullable().describe("Null for a token that is for some meters only.");

export const gateway = z.object({
  name: z.string(),
  isMe: z.boolean(),
  networks: z.array(z.string()),
  meters: ofAll,
  blocks: ofAll,
  version: z.string(),
  ageMs: z.number().describe("Since its last sign of life."),
  silenceMs: z.number(),
  awayMs: z.number(),
});

export const quarantinedMeter = z.object({
  meter: z.string(),
  since: z.iso.datetime(),
  cause: z.string().nullable().describe("Why it was not read last."),
  nextStep: z.string().nullable(),
  nextTry: z.iso.datetime().describe("It is tried sooner when it sends something by itself."),
});

export const job = z.object({
  gateway: z.string().describe("Name of the gateway that works it; of what nobody has taken, of the one that asks."),
  state: z.enum(["running", "waiting", "next"]),
  lane: z.string(),
  meter: z.string(),
  what: z.string().describe("Readings, or what somebody asked for."),
  since: z.iso.datetime().nullable().describe("Of what runs: when it began; of what waits: when it was asked for."),
  due: z.iso.datetime().nullable().describe("Of what comes next; null for what is done when there is room."),
  waitsFor: z.string().nullable(),
});

export const jobCounts = z
  .object({ running: z.int(), waiting: z.int(), meters: z.int(), quarantined: z.int() })
  .describe("Of all gateways that answered, whatever is listed.");

export const jobList = z.object({
  counts: jobCounts.nullable().describe("Null for a token that is for some meters only."),
  unanswered: z.array(z.string()).describe("Names of other gateways that work meters and did not answer in time."),
  items: z.array(job),
  next: z.string().nullable().describe("`after` of the next page."),
});

const percentiles = z.object({ p50: z.number(), p99: z.number() });
export const lanes = z.record(z.string(), z.object({ jobs: ofAll, waitMs: percentiles, runMs: percentiles }));
