/** What the API answers about readings, and about reads that somebody asks for. */
import { z } from "zod";

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
const refusal = z.object({ cause: z.string(), evidence: z.string(), nextStep: z.string() });

export const readRequest = z.object({
  id: z.uuid(),
  meter: z.string(),
  what: z.string(),
  state: z.enum(["running", "done", "failed"]),
  askedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  answer: readResult.nullable(),
  refusal: refusal.nullable().describe("Why the meter was not read, and what to do."),
});
