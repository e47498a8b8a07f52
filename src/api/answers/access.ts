/** What the API answers about who may ask. */
import { z } from "zod";

/** Each may do all that those before it may. */
export const ROLES = ["reader", "operator", "engineer", "admin"] as const;

export const token = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  collections: z.array(z.string()).nullable(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
});

export const who = z.object({
  actor: z.string(),
  role: z.enum(ROLES),
  limited: z.boolean().describe("To some meters."),
});
