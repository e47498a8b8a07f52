/** What the API answers about changes of keys and about certificates. No key is ever in an answer. */
import { z } from "zod";

export const keyChange = z.object({
  role: z.string(),
  version: z.int().nullable(),
  state: z.enum(["active", "refused", "kept", "unproven"]),
  evidence: z.string().nullable(),
});

export const certificateAnswer = z.object({
  certificates: z.array(z.object({ entity: z.string(), purpose: z.string(), serialNumber: z.string() })),
  pem: z.string().nullable(),
});
