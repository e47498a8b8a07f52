/** The part of the configuration's schema that says what is read how often, and of which meters. */
import { z } from "zod";
import { COMPANIONS } from "../../protocol/cosem/companion/companion.ts";
import { READING_KINDS } from "../store/profiles/profile-tables.ts";
import { duration, givenName } from "./fields.ts";

export const planSchema = z.strictObject({
  profile: z
    .enum(READING_KINDS)
    .describe("What to read: a profile, or the event logs.")
    .meta({ examples: ["block_load"] }),
  group: z
    .string()
    .optional()
    .describe(
      "Name of the group or collection that the plan is for; all meters when left out. Of a meter's plans the first counts.",
    )
    .meta({ examples: ["large-customers"], alternative: true }),
  every: duration.meta({
    examples: ["15m"],
    description: "How often: at multiples of it on the meter's own clock, at its midnight for whole days.",
  }),
  deadline: duration
    .optional()
    .describe("How long after its slot a reading may come before it is late; as long as `every` when left out.")
    .meta({ examples: ["1h"] }),
  history: duration.prefault("7d").describe("How far back to go for a meter that has no reading yet."),
  order: z
    .enum(["oldest-first", "newest-first"])
    .default("oldest-first")
    .describe(
      "Which missing readings go first when one visit can't bring all. What the meter is about to overwrite goes first anyway.",
    ),
});

export const groupSchema = z
  .strictObject({
    name: givenName.describe("Name of the group.").meta({ examples: ["large-customers"] }),
    meters: z
      .array(z.string().max(128))
      .optional()
      .describe("Names of meters; `*` stands for any letters.")
      .meta({ examples: [["feeder-*"]] }),
    types: z
      .array(z.string().max(64))
      .optional()
      .describe("Types of meters.")
      .meta({ examples: [["three-phase"]] }),
    companions: z
      .array(z.enum(COMPANIONS))
      .optional()
      .describe("Companion specifications of meters.")
      .meta({ examples: [["is15959"]] }),
  })
  .describe("Meters for which all that is said here holds.");
