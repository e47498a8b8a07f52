/** What the API answers with reports. */
import { z } from "zod";

const share = z.number().min(0).max(1).nullable().describe("Of the slots that are due; null where none is.");

export const serviceLevel = z.object({
  group: z.string().describe("A collection, or `all`."),
  day: z.iso.date(),
  meters: z.int().describe("Whose intervals are known."),
  due: z.int().describe("Slots of block load that are over."),
  held: z.int(),
  within1h: share,
  within8h: share,
  within24h: share,
  pushes: z.int().describe("That the meters sent by themselves."),
});
