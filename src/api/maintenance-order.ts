/** Work on what is stored, as it is asked for, and the lines that tell of it. */
import { z } from "zod";

export const maintenanceOrderSchema = z.strictObject({
  task: z.enum(["coverage-check", "coverage-rebuild", "replay"]),
  /** Names of meters; all when left out. */
  meters: z.array(z.string().max(128)).optional(),
  /** Only what was received since then; for replay. */
  sinceMs: z.number().optional(),
  /** Only this profile; for replay. */
  profile: z.enum(["instant", "block_load", "daily_load", "billing"]).optional(),
});
export type MaintenanceOrder = z.output<typeof maintenanceOrderSchema>;

const toldLine = z.object({
  /** What is told. */
  text: z.string(),
  /** Whether something is wrong that a person should look at. */
  isFault: z.boolean(),
});
export type ToldLine = z.output<typeof toldLine>;

/** Something to be told, or how far the work is. */
export const maintenanceLineSchema = z.union([
  toldLine,
  z.object({ done: z.int(), total: z.int(), of: z.string().describe("What is counted.") }),
]);
export type MaintenanceLine = z.output<typeof maintenanceLineSchema>;
