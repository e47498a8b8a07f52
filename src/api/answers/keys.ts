/** What the API answers about changes of keys and about certificates. No key is ever in an answer. */
import { z } from "zod";

export const keyChange = z.object({
  role: z.string(),
  version: z.int().nullable(),
  state: z.enum(["active", "refused", "kept", "unproven"]),
  evidence: z.string().nullable(),
});
