/** What the API answers about everything that is asked of a meter now, and followed to its end. */
import { z } from "zod";

const refusal = z.object({ cause: z.string(), evidence: z.string(), nextStep: z.string() });

export const requestProgress = z.object({
  id: z.uuid(),
  meter: z.string(),
  state: z.enum(["running", "done", "failed"]),
  askedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  refusal: refusal.nullable().describe("Why the meter was not reached or did not answer, and what to do."),
});
