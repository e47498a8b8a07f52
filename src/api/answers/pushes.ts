/** What the API answers about pushes, and about what meters are to push. */
import { z } from "zod";

export const push = z.object({
  receivedAt: z.iso.datetime(),
  meter: z.string().nullable(),
  peer: z.string(),
  transport: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  pushSetup: z.string().nullable(),
  protection: z.string().nullable(),
  marks: z.array(z.string()),
});

export const sender = z.object({
  sender: z.string().describe("What it is adopted by."),
  systemTitle: z.string().nullable(),
  names: z.array(z.string()).describe("What it calls itself."),
  hosts: z.array(z.string()),
  transports: z.array(z.string()),
  pushSetups: z.array(z.string()),
  pushes: z.int(),
  firstReceivedAt: z.iso.datetime(),
  lastReceivedAt: z.iso.datetime(),
  reason: z.string().nullable().describe("Why the last one was not understood."),
});

export const senderConflict = z.object({
  meterNumber: z.string().nullable().describe("The meter that it was taken for; null for none."),
  sender: z.string(),
  otherClue: z.string().describe("What points to another meter."),
  pushes: z.int(),
  firstReceivedAt: z.iso.datetime(),
  lastReceivedAt: z.iso.datetime(),
});

export const replayOutcome = z.object({
  held: z.int().describe("Held pushes that were tried again."),
  replayed: z.int().describe("Understood better than before."),
  stored: z.int().describe("Understood whole."),
});
export const adopted = replayOutcome.extend({
  meter: z.string(),
  number: z.string(),
  keyWanted: z.boolean().describe("The sender ciphers, and its keys are not known."),
});

export const expectedPush = z.object({
  meter: z.string(),
  pushSetup: z.string().nullable(),
  silent: z.boolean(),
  expectedAt: z.iso.datetime(),
  lastAt: z.iso.datetime().nullable(),
});

export const pushSetup = z.object({
  name: z.string(),
  logicalName: z.string(),
  destination: z.string().nullable(),
  meters: z.array(z.string()),
});

const change = z.object({
  attribute: z.string(),
  before: z.unknown(),
  after: z.unknown(),
  held: z.boolean().nullable().describe("Whether it was found so when it was read again."),
});
export const setupResult = z.object({
  meter: z.string(),
  setup: z.string(),
  state: z.string(),
  testPush: z.string(),
  changes: z.array(change),
  evidence: z.string().nullable(),
});
/** How an execution goes on. */
export const setupLine = z.discriminatedUnion("line", [
  z.object({ line: z.literal("begun"), executions: z.int() }),
  setupResult.extend({ line: z.literal("result") }),
  z.object({ line: z.literal("ended"), left: z.int().describe("Not begun, because of a stop.") }),
]);
export const setupExecution = setupResult.extend({
  startedAt: z.iso.datetime(),
  who: z.string(),
  why: z.string(),
});
