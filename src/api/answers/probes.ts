/** What the API answers about the road to a meter. */
import { z } from "zod";

export const probeLine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("step"), step: z.string(), says: z.string() }),
  z.object({
    type: z.literal("broken"),
    step: z.string(),
    cause: z.string(),
    says: z.string(),
    evidence: z.string(),
    nextStep: z.string(),
  }),
]);
export type ProbeLine = z.output<typeof probeLine>;
