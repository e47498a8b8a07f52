/** What the API answers about readings, and about reads that somebody asks for. */
import { z } from "zod";
import { requestProgress } from "./requests.ts";

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const reading = z.object({
  at: z.iso.datetime().describe("End of the interval, or moment of the capture."),
  values: z
    .record(z.string(), z.string())
    .describe("Exact decimals and times, by column; what was not sent is not there."),
  others: z.unknown().describe("What no column is for, under class:logical name:attribute."),
  about: z
    .record(z.string(), value)
    .describe("How the row came, what the meter's clock showed, length of the interval."),
});
export const readingColumn = z.object({ name: z.string(), unit: z.string(), meaning: z.string() });

const readColumn = z.object({
  name: z.string(),
  meaning: z.string().nullable(),
  unit: z.string().nullable(),
  numeric: z.boolean(),
});
const readResult = z.object({
  readAt: z.string(),
  columns: z.array(readColumn),
  rows: z.array(z.array(z.string().nullable())),
});

export const readRequest = requestProgress.extend({ what: z.string(), answer: readResult.nullable() });
