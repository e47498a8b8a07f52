/** Reads on demand: ask, follow, result. */
import { z } from "zod";
import type { Database } from "../store/database.ts";
import type { EventLogEntry } from "../store/event-log.ts";
import { ApiError } from "./api-error.ts";
import type { Ask, Asks } from "./asks.ts";
import { type Api, callerOf } from "./http-api.ts";
import { meterOf } from "./meter-resources.ts";

const answer = z.object({
  readAt: z.string(),
  columns: z.array(
    z.object({ name: z.string(), meaning: z.string().nullable(), unit: z.string().nullable(), numeric: z.boolean() }),
  ),
  rows: z.array(z.array(z.string().nullable())),
});
const refusal = z.object({ cause: z.string(), evidence: z.string(), nextStep: z.string() });
const ask = z.object({
  id: z.uuid(),
  meter: z.string(),
  what: z.string(),
  state: z.enum(["running", "done", "failed"]),
  askedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  answer: answer.nullable(),
  refusal: refusal.nullable().describe("Why the meter was not read, and what to do."),
});

const instant = z.iso.datetime({ offset: true });

export interface AskParts {
  readonly database: Pick<Database, "query">;
  readonly asks: Asks;
  readonly log: (entries: readonly EventLogEntry[]) => Promise<void>;
}

export function askResources(api: Api, { database, asks, log }: AskParts): void {
  api.post(
    "/v1/reads",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["reads"],
        summary: "Read a meter now, before scheduled work",
        description: "With the header `Idempotency-Key` the same order is carried out once, however often it is sent.",
        headers: z.object({ "idempotency-key": z.string().min(1).max(128).optional() }),
        body: z.strictObject({
          meter: z.string().min(1).max(128).describe("Name or number."),
          what: z.string().min(1).max(128).describe("`clock`, a profile, or a logical name with class and attribute."),
          from: instant.optional(),
          to: instant.optional(),
        }),
        response: { 202: ask },
      },
    },
    async (request, reply) => {
      const { meter, what, from, to } = request.body;
      const caller = callerOf(request);
      const { name } = await meterOf(database, caller, meter);
      if ((from === undefined) !== (to === undefined)) throw new ApiError("invalid", "from, to: both or none");
      const range = from && to ? { range: { fromMs: Date.parse(from), toMs: Date.parse(to) } } : {};
      const { ask: started, isNew } = asks.ask(
        { meter: name, what, ...range },
        caller.actor,
        request.headers["idempotency-key"],
      );
      if (isNew) await log([entryOf(started)]);
      return reply.status(202).header("location", `/v1/reads/${started.id}`).send(shown(started));
    },
  );
  api.get(
    "/v1/reads/:id",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["reads"],
        summary: "How far a read is, and its result",
        params: z.object({ id: z.uuid() }),
        response: { 200: ask },
      },
    },
    async (request) => {
      const found = asks.find(request.params.id);
      if (found === undefined || found.actor !== callerOf(request).actor) {
        throw new ApiError("not-found", "there is no such read, or it was asked for more than an hour ago");
      }
      return shown(found);
    },
  );
}

function shown({ id, order, askedAt, endedAt, answer: found, refusal: refused }: Ask): z.output<typeof ask> {
  const ended = found === undefined ? "failed" : "done";
  return {
    id,
    meter: order.meter,
    what: order.what,
    state: endedAt === undefined ? "running" : ended,
    askedAt: askedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    answer:
      found === undefined
        ? null
        : { readAt: found.readAt, columns: [...found.columns], rows: found.rows.map((row) => [...row]) },
    refusal: refused ?? null,
  };
}

function entryOf({ id, actor, order, askedAt }: Ask): EventLogEntry {
  return {
    occurredAt: askedAt,
    level: "info",
    event: "readAsked",
    message: "somebody asked for a read",
    actor,
    subject: order.meter,
    details: { id, what: order.what, ...order.range },
  };
}
