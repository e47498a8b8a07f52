/** What is asked about readings that are not there, and what is answered. */
import { z } from "zod";

/** Those with slots. */
export const gapProfile = z.enum(["block_load", "daily_load", "billing"]);
export const gapState = z.enum(["due", "late", "missing", "off", "gone", "set-aside", "unread"]);

export interface GapOrder {
  /** Names of meters; all that are polled when left out. */
  readonly meters?: readonly string[];
  readonly profiles?: readonly z.output<typeof gapProfile>[];
  readonly states?: readonly z.output<typeof gapState>[];
  readonly fromMs: number;
  readonly toMs: number;
}

export const gapRowSchema = z.object({
  meter: z.string(),
  meterNumber: z.string(),
  profile: z.string(),
  from: z.string(),
  to: z.string(),
  slots: z.number().describe("From `from` to `to`; 0 where nobody knows how many."),
  state: z.string(),
  why: z.string(),
  willCome: z.string(),
  nextStep: z.string().nullable(),
});
export type GapRow = z.output<typeof gapRowSchema>;
