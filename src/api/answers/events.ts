/** What the API answers about what happened. */
import { z } from "zod";

export const meterEvent = z.object({
  meter: z.string(),
  occurredAt: z.iso.datetime(),
  log: z.string(),
  code: z.int(),
  name: z.string().nullable(),
  severity: z.string(),
  kind: z.string().nullable(),
  condition: z.string().nullable(),
  restoredAt: z.iso.datetime().nullable(),
  source: z.string(),
  details: z.unknown(),
});

export const logEntry = z.object({
  entry: z.int().nullable(),
  occurredAt: z.iso.datetime(),
  level: z.string(),
  event: z.string(),
  message: z.string(),
  actor: z.string().nullable(),
  subject: z.string().nullable(),
  details: z.unknown(),
  before: z.unknown(),
  after: z.unknown(),
});

export const notificationLine = z.object({
  destination: z.string(),
  state: z.enum(["waiting", "dead"]),
  notifications: z.int(),
  oldestAt: z.iso.datetime(),
  evidence: z.string().nullable().describe("Why the last one did not arrive."),
});
