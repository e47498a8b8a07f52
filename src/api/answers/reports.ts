/** What the API answers with reports. */
import { z } from "zod";

const share = z.number().min(0).max(1).nullable();
const slotShare = share.describe("Of the slots that are due; null where none is.");

const requestLevel = z
  .object({
    asked: z.int(),
    done: z.int(),
    p50Ms: z.number().nullable().describe("So long a half of those that are done took at most; null where none is."),
    p95Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
  })
  .describe("Those that have ended, from the moment that somebody asked.");

export const serviceLevel = z.object({
  group: z.string().describe("A collection, or `all`."),
  day: z.iso.date(),
  meters: z.int().describe("Whose intervals are known."),
  due: z.int().describe("Slots of block load that are over."),
  held: z.int(),
  within1h: slotShare,
  within8h: slotShare,
  within24h: slotShare,
  pushes: z.object({
    expected: z.int().describe("By schedules of meters and by the configuration, as they are now."),
    received: z.int().describe("Of those that are expected."),
    share: share.describe("Null where none is expected."),
  }),
  reads: requestLevel,
  disconnects: requestLevel,
  reconnects: requestLevel,
  below: z.array(z.string()).describe("Thresholds of the configuration that the day does not reach."),
});

export const serviceLevelReport = z.object({
  thresholds: z.array(z.string()).describe("What is judged, as the configuration says it."),
  items: z.array(serviceLevel),
});
