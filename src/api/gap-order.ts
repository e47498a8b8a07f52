/** What is asked about readings that are not there, and what is answered: the words of both ends of the control socket. */
import { z } from "zod";

const PROFILES = ["block_load", "daily_load", "billing"] as const;
const STATES = ["due", "late", "missing", "off", "gone", "set-aside", "unread"] as const;

export const gapOrderSchema = z.strictObject({
  /** Names of meters; all of the configuration when left out. */
  meters: z.array(z.string().max(128)).optional(),
  profiles: z.array(z.enum(PROFILES)).optional(),
  states: z.array(z.enum(STATES)).optional(),
  fromMs: z.number(),
  toMs: z.number(),
});
export type GapOrderForm = z.output<typeof gapOrderSchema>;

export const gapRowSchema = z.object({
  meter: z.string(),
  meterNumber: z.string(),
  profile: z.string(),
  from: z.string(),
  to: z.string(),
  /** Slots from `from` to `to`; 0 where nobody knows how many. */
  slots: z.number(),
  state: z.string(),
  why: z.string(),
  willCome: z.string(),
  nextStep: z.string().nullable(),
});
export type GapRow = z.output<typeof gapRowSchema>;
