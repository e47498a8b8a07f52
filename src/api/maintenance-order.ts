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

export const maintenanceLineSchema = z.object({
  /** What is told. */
  text: z.string(),
  /** Whether something is wrong that a person should look at. */
  isFault: z.boolean(),
});
export type MaintenanceLine = z.output<typeof maintenanceLineSchema>;
