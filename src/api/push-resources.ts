/** What meters sent by themselves, and who sent without being known. */
import { z } from "zod";
import type { Adoption } from "../push/push-reception.ts";
import type { Database } from "../store/database.ts";
import type { EventLogEntry } from "../store/event-log.ts";
import type { UnknownSender } from "../store/held-pushes.ts";
import { ApiError } from "./api-error.ts";
import { type Api, callerOf } from "./http-api.ts";
import { scopeOf } from "./meter-resources.ts";
import { page, pageOf, pageQuery, rangeOf, rangeQuery } from "./paging.ts";

export interface PushParts {
  readonly database: Pick<Database, "query">;
  readonly reception: {
    unknownSenders(): Promise<readonly UnknownSender[]>;
    /** Undefined when nothing is held of the sender. */
    adopt(adoption: Adoption): Promise<{ readonly meter: { readonly name: string } } | undefined>;
  };
  readonly log: (entries: readonly EventLogEntry[]) => Promise<void>;
}

const push = z.object({
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

const sender = z.object({
  sender: z.string().describe("What it is adopted by."),
  names: z.array(z.string()).describe("What it calls itself."),
  hosts: z.array(z.string()),
  transports: z.array(z.string()),
  pushes: z.int(),
  firstReceivedAt: z.iso.datetime(),
  lastReceivedAt: z.iso.datetime(),
  reason: z.string().nullable().describe("Why the last one was not understood."),
});

export function pushResources(api: Api, parts: PushParts): void {
  pushHistory(api, parts);
  unknownSenders(api, parts);
  adoption(api, parts);
}

function pushHistory(api: Api, { database }: PushParts): void {
  api.get(
    "/v1/pushes",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["pushes"],
        summary: "Pushes, newest first",
        querystring: pageQuery
          .extend(rangeQuery.shape)
          .extend({ outcome: z.enum(["stored", "partial", "rejected"]).optional() }),
        response: { 200: pageOf(push) },
      },
    },
    async (request) => {
      const { after, limit, outcome } = request.query;
      const { from, to } = rangeOf(request.query);
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new ApiError("invalid", "after: not the `next` of a page");
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
    async (request) => {
      refuseLimited(request);
      return { items: (await reception.unknownSenders()).map(senderOf) };
    },
  );
}

function adoption(api: Api, { reception, log }: PushParts): void {
  api.post(
    "/v1/pushes/adopt",
    {
      config: { needs: "engineer" },
      schema: {
        tags: ["pushes"],
        summary: "Say which meter an unknown sender is; what it sent is read again",
        body: z.strictObject({
          sender: z.string().min(1).max(128),
          name: z.string().min(1).max(63).describe("Of a meter that is known, or of a new one."),
          number: z.string().min(1).max(64).optional(),
          companion: z.string().max(32).default("none"),
          timeZone: z.string().max(64).default("UTC"),
        }),
        response: { 200: z.object({ meter: z.string() }) },
      },
    },
    async (request) => {
      refuseLimited(request);
      const { actor } = callerOf(request);
      const { body } = request;
      const entry = { event: "senderAdopted", message: "somebody said which meter a sender is", actor, after: body };
      await log([{ occurredAt: new Date(), level: "info", subject: body.name, ...entry }]);
      const adopted = await reception.adopt(body);
      if (adopted === undefined) throw new ApiError("not-found", `nothing is held of a sender ${body.sender}`);
      return { meter: adopted.meter.name };
    },
  );
}

/** Senders that nobody knows belong to nobody's collection. */
function refuseLimited(request: Parameters<typeof callerOf>[0]): void {
  if (callerOf(request).meterKeys !== undefined) throw new ApiError("forbidden", "the token is for some meters only");
}

function pushOf(row: PushRow): z.output<typeof push> {
  const { meter, peer, transport, outcome, reason, protection, marks } = row;
  const [receivedAt, pushSetup] = [row.received_at.toISOString(), row.push_setup];
  return { receivedAt, meter, peer, transport, outcome, reason, pushSetup, protection, marks };
}

function senderOf(found: UnknownSender): z.output<typeof sender> {
  return {
    sender: found.sender,
    names: [...found.names],
    hosts: [...found.hosts],
    transports: [...found.transports],
    pushes: found.pushes,
    firstReceivedAt: found.firstReceivedAt.toISOString(),
    lastReceivedAt: found.lastReceivedAt.toISOString(),
    reason: found.reason ?? null,
  };
}
