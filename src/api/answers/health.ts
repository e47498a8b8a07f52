/** Whether the gateway lives, and whether what it depends on does. */
import { z } from "zod";

export const health = z.object({
  ok: z.boolean(),
  version: z.string(),
  dependencies: z.array(z.object({ name: z.string(), ok: z.boolean(), says: z.string() })),
});
