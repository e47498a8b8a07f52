/** What the API answers about frames that pass. */
import { z } from "zod";
import type { TreeJson } from "../../../protocol/translate/render.ts";

const treeNode: z.ZodType<TreeJson> = z.lazy(() =>
  z.object({
    name: z.string(),
    offset: z.int(),
    length: z.int(),
    value: z.string().exactOptional(),
    octets: z.string().exactOptional(),
    error: z.literal(true).exactOptional(),
    children: z.array(treeNode).exactOptional(),
  }),
);

export const frameLine = z.object({
  type: z.literal("frame"),
  t: z.number().describe("Milliseconds since the session began."),
  dir: z.enum(["tx", "rx"]),
  link: z.enum(["hdlc", "wrapper", "text", "octets"]),
  from: z.string().nullable().describe("SAP, or address of HDLC."),
  to: z.string().nullable(),
  says: z.string().describe("In one line."),
  damaged: z.boolean(),
  octets: z.string().describe("Hexadecimal; those of secrets are blanked."),
  nodes: z.array(treeNode),
});
export type FrameLine = z.output<typeof frameLine>;

const pushLine = z.object({
  type: z.literal("push"),
  meter: z.string().nullable().describe("Null where nobody knows who sent it."),
  at: z.iso.datetime(),
  peer: z.string(),
  transport: z.string(),
  pushSetup: z.string().nullable().describe("Logical name."),
  outcome: z.string(),
  reason: z.string().nullable().describe("Why it was not taken, or not whole."),
  says: z.string().describe("In one line."),
  octets: z.string().describe("The APDU as it came, in hexadecimal."),
  nodes: z.array(treeNode),
});
export type PushLine = z.output<typeof pushLine>;

export const traceLine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("listening"), meter: z.string().nullable() }),
  pushLine,
  z.object({ type: z.literal("session"), meter: z.string(), channel: z.string(), at: z.iso.datetime() }),
  z.object({ type: z.literal("recorded"), line: z.string().describe("A line of a recording.") }),
  frameLine,
  z.object({ type: z.literal("ended"), t: z.number(), by: z.enum(["local", "peer"]) }),
  z.object({
    type: z.literal("missed"),
    lines: z.int().describe("That were not sent to a listener who was too slow."),
  }),
]);
export type TraceLine = z.output<typeof traceLine>;
