import { z } from "zod";
import { givenName, lineOfText, regularExpression } from "./fields.ts";

const attributeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, "an attribute's name has letters, digits and underscores");

/** What people know about a meter. */
export const meterAttributes = z.record(attributeName, lineOfText(200));

/** A named group of meters: by list, by rule, or both. */
export const collectionSchema = z
  .strictObject({
    name: givenName.describe("Name of the collection.").meta({ examples: ["feeder-7"] }),
    meters: z.array(z.string()).default([]).describe("Names of meters that are in it."),
    pattern: regularExpression
      .max(200)
      .optional()
      .describe("Rule: a regular expression, as PostgreSQL has them, on the meter's number or name.")
      .meta({ examples: ["^SMT"] }),
    attributes: meterAttributes
      .default({})
      .describe("Rule: attributes that a meter must have; with a pattern, both must hold."),
  })
  .refine(
    ({ meters, pattern, attributes }) =>
      meters.length > 0 || pattern !== undefined || Object.keys(attributes).length > 0,
    "a collection needs `meters`, `pattern` or `attributes`",
  );

export type CollectionConfig = z.output<typeof collectionSchema>;
