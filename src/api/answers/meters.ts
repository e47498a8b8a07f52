/** What the API answers about meters and the fleet. */
import { z } from "zod";

export const attempt = z.object({
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  what: z.string(),
  succeeded: z.boolean(),
  rows: z.int(),
  cause: z.string().nullable(),
  evidence: z.string().nullable(),
  nextStep: z.string().nullable(),
});

export const meter = z.object({
  id: z.uuid(),
  name: z.string(),
  number: z.string(),
  type: z.string(),
  maker: z.string().nullable(),
  model: z.string().nullable(),
  firmware: z.string().nullable(),
  systemTitle: z.string().nullable().describe("Sixteen hexadecimal digits."),
  companion: z.string(),
  timeZone: z.string(),
  attributes: z.record(z.string(), z.string()),
  isKnown: z.boolean().describe("Of the configuration, or added: this gateway asks no other."),
  lastAttempt: attempt.nullable(),
});

const meterCounts = {
  meters: z.int(),
  answering: z.int().describe("Their last try succeeded."),
  failing: z.int().describe("Their last try failed."),
  current: z.int().describe("The block load of the interval that ended last is held."),
};
const meterGroup = z.object({
  by: z.enum(["network", "maker", "companion"]),
  name: z.string().nullable().describe("Null where it is not known."),
  ...meterCounts,
});
const dueDay = z.object({
  day: z.iso.date(),
  due: z.int().describe("Slots of block load that are over."),
  held: z.int(),
});
export const overview = z.object({
  countedAt: z.iso.datetime(),
  fleet: z.object(meterCounts),
  groups: z.array(meterGroup).describe("The largest first."),
  days: z.array(dueDay).describe("The last two weeks, oldest first."),
  causes: z
    .array(z.object({ cause: z.string(), meters: z.int(), tries: z.int() }))
    .describe("Of failed tries in the last day."),
  pushes: z.array(z.object({ outcome: z.string(), count: z.int() })).describe("Received in the last day."),
});

export const coverageDay = z.object({
  day: z.iso.date(),
  slots: z.int().describe("Slots that the day has; not all need be over."),
  held: z.int(),
  absent: z.int().describe("Asked for; the meter has no row of them."),
  meterOff: z.int(),
  setAside: z.int(),
});
export const meterCoverage = z.object({ meter: z.string(), days: z.array(coverageDay) });

export const addedMeters = z.object({
  added: z.array(z.string()).describe("Names; none when something is wrong with one of them."),
  problems: z.array(
    z.object({
      index: z.int().describe("Place in the order, from 0."),
      path: z.string().describe("What of the meter is wrong, as connection.tcp."),
      message: z.string(),
    }),
  ),
});
