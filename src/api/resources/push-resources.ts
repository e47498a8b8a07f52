/** What meters sent by themselves, and who sent without being known. */
import { z } from "zod";
import { COMPANIONS } from "../../../protocol/cosem/companion/companion.ts";
import { givenName, meterNumber, timeZone } from "../../config/fields.ts";
import type { PushReception } from "../../push/receive/push-reception.ts";
import type { Queryable } from "../../store/database/database.ts";
import type { UnknownSender } from "../../store/push/held-pushes.ts";
import { adopted, push, replayOutcome, sender, senderConflict } from "../answers/pushes.ts";
import { ApiError } from "../api-error.ts";
import { type Api, callerOf } from "../http-api.ts";
import { keyPageQuery, page, pageOf, rangeOf, rangeQuery } from "../paging.ts";
import { scopeOf } from "./meter-resources.ts";

export interface PushParts {
  readonly database: Queryable;
  readonly reception: Pick<PushReception, "unknownSenders" | "senderConflicts" | "knows" | "adopt" | "replay">;
}

interface PushRow {
  push_key: bigint;
  received_at: Date;
  meter: string | null;
  peer: string;
  transport: string;
  outcome: string;
  reason: string | null;
  push_setup: string | null;
  protection: string | null;
  marks: string[];
}

export function pushResources(api: Api, parts: PushParts): void {
  pushHistory(api, parts);
  unknownSenders(api, parts);
  conflicts(api, parts);
  replaying(api, parts);
  adoption(api, parts);
}

function pushHistory(api: Api, { database }: PushParts): void {
  api.get(
    "/v1/pushes",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["pushes"],
        summary: "Pushes, newest first",
        querystring: keyPageQuery
          .extend(rangeQuery.shape)
          .extend({ outcome: z.enum(["stored", "partial", "rejected"]).optional() }),
        response: { 200: pageOf(push) },
      },
    },
    async (request) => {
      const { after, limit, outcome } = request.query;
      const { from, to } = rangeOf(request.query);
      const rows = await database.query<PushRow>(
        `select p.push_key, p.received_at, m.name as meter, p.peer, p.transport, p.outcome, p.reason, p.push_setup, p.protection, p.marks
         from dlms.push_history p left join public.meters m on m.id = p.meter_id
         where ($1::int[] is null or m.meter_key = any ($1)) and p.received_at > $2 and p.received_at <= $3
           and ($4::text is null or p.outcome = $4) and ($5::bigint is null or p.push_key < $5)
         order by p.push_key desc limit $6`,
        [scopeOf(callerOf(request)), from, to, outcome, after, limit + 1],
      );
      return page(rows, limit, { item: pushOf, place: (row) => String(row.push_key) });
    },
  );
}

function unknownSenders(api: Api, { reception }: PushParts): void {
  api.get(
    "/v1/pushes/unknown",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["pushes"],
        summary: "Who pushes without being known",
        response: { 200: z.object({ items: z.array(sender) }) },
      },
    },
    async () => {
      return { items: (await reception.unknownSenders()).map(senderOf) };
    },
  );
}

function conflicts(api: Api, { reception }: PushParts): void {
  api.get(
    "/v1/pushes/conflicts",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["pushes"],
        summary: "Pushes that point to more than one meter",
        response: { 200: z.object({ items: z.array(senderConflict) }) },
      },
    },
    async () => {
      const items = (await reception.senderConflicts()).map((found) => ({
        meterNumber: found.meterNumber ?? null,
        sender: found.sender,
        otherClue: found.otherClue,
        pushes: found.pushes,
        firstReceivedAt: found.firstReceivedAt.toISOString(),
        lastReceivedAt: found.lastReceivedAt.toISOString(),
      }));
      return { items };
    },
  );
}

function replaying(api: Api, { reception }: PushParts): void {
  api.post(
    "/v1/pushes/replay",
    {
      config: {
        needs: "engineer",
        change: { event: "pushesReplayed", message: "somebody had held pushes read again" },
      },
      schema: {
        tags: ["pushes"],
        summary: "Try held pushes again, with the keys, meters and lists that are known now",
        body: z.strictObject({
          sender: z.string().min(1).max(128).optional().describe("Only of this one."),
          since: z.iso.datetime({ offset: true }).optional().describe("Only what was received since."),
        }),
        response: { 200: replayOutcome },
      },
    },
    async (request) => {
      const { sender: from, since } = request.body;
      const outcome = await reception.replay({
        ...(from !== undefined && { sender: from }),
        ...(since !== undefined && { since: new Date(since) }),
      });
      return { ...outcome };
    },
  );
}

function adoption(api: Api, { reception }: PushParts): void {
  api.post(
    "/v1/pushes/adopt",
    {
      config: {
        needs: "engineer",
        change: { event: "senderAdopted", message: "somebody said which meter a sender is" },
      },
      schema: {
        tags: ["pushes"],
        summary: "Say which meter an unknown sender is; what it sent is read again",
        body: z.strictObject({
          sender: z.string().min(1).max(128),
          name: z
            .string()
            .min(1)
            .max(128)
            .superRefine((name, context) => {
              // One that lost its name to another meter has a name that nobody may give.
              const { error } = reception.knows(name) ? {} : givenName.safeParse(name);
              for (const { message } of error?.issues ?? []) context.addIssue({ code: "custom", message });
            })
            .describe("Of a meter that is known, or of a new one."),
          number: meterNumber.optional(),
          companion: z.enum(COMPANIONS).default("none"),
          timeZone: timeZone.default("UTC"),
        }),
        response: { 200: adopted },
      },
    },
    async (request) => {
      const { sender: wanted } = request.body;
      const found = await reception.adopt(request.body);
      if (found === undefined)
        throw new ApiError("not-found", `nothing is held of a sender ${wanted}: see push unknown`);
      const { meter, keyWanted, held, replayed, stored } = found;
      return { meter: meter.name, number: meter.number, keyWanted, held, replayed, stored };
    },
  );
}

function pushOf(row: PushRow): z.output<typeof push> {
  const { meter, peer, transport, outcome, reason, protection, marks } = row;
  const [receivedAt, pushSetup] = [row.received_at.toISOString(), row.push_setup];
  return { receivedAt, meter, peer, transport, outcome, reason, pushSetup, protection, marks };
}

function senderOf(found: UnknownSender): z.output<typeof sender> {
  return {
    sender: found.sender,
    systemTitle: found.systemTitle ?? null,
    pushSetups: [...found.pushSetups],
    names: [...found.names],
    hosts: [...found.hosts],
    transports: [...found.transports],
    pushes: found.pushes,
    firstReceivedAt: found.firstReceivedAt.toISOString(),
    lastReceivedAt: found.lastReceivedAt.toISOString(),
    reason: found.reason ?? null,
  };
}
