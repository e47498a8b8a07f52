/** Reads on demand: ask, follow, result. */
import { z } from "zod";
import { messageOf } from "../../observe/message-of.ts";
import type { EventLogEntry } from "../../store/records/event-log.ts";
import { readRequest } from "../answers/readings.ts";
import { ApiError } from "../api-error.ts";
import type { Caller } from "../callers.ts";
import { type Api, callerOf } from "../http-api.ts";
import { followed, type MeterRequest, type MeterRequests, progressOf, type RequestedRead } from "../meter-requests.ts";
import type { ReadAnswer } from "../read-answer.ts";

const LONGEST_WAIT_S = 7 * 86_400;
const instant = z.iso.datetime({ offset: true });

export interface ReadRequestParts {
  /** The name of the meter of that name or number, whether the database is there or not. Throws ApiError. */
  readonly meterNamed: (nameOrNumber: string, caller: Caller) => string;
  /** Throws an Error that lists what can be read. */
  readonly checkWhat: (what: string) => unknown;
  readonly requests: MeterRequests<RequestedRead, ReadAnswer>;
  /** Nobody waits for it: a read changes nothing. */
  readonly log: (entry: EventLogEntry) => void;
}

export function readRequestResources(api: Api, parts: ReadRequestParts): void {
  askForRead(api, parts);
  followRead(api, parts);
}

function askForRead(api: Api, { meterNamed, checkWhat, requests, log }: ReadRequestParts): void {
  api.post(
    "/v1/reads",
    {
      config: { needs: "operator", scoped: true },
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
          waitS: z
            .int()
            .min(0)
            .max(LONGEST_WAIT_S)
            .optional()
            .describe("How long to wait for a meter that calls in and is not connected; not at all when left out."),
        }),
        response: { 202: readRequest },
      },
    },
    async (request, reply) => {
      const { meter, what, from, to, waitS } = request.body;
      const caller = callerOf(request);
      const name = meterNamed(meter, caller);
      understood(checkWhat, what);
      if ((from === undefined) !== (to === undefined)) throw new ApiError("invalid", "from, to: both or none");
      const range = from && to ? { range: { fromMs: Date.parse(from), toMs: Date.parse(to) } } : {};
      const { request: started, isNew } = requests.start(
        { meter: name, what, ...range, ...(waitS !== undefined && { waitMs: waitS * 1000 }) },
        caller,
        request.headers["idempotency-key"],
      );
      if (isNew) log(entryOf(started));
      return reply.status(202).header("location", `/v1/reads/${started.id}`).send(shown(started));
    },
  );
}

function understood(check: ReadRequestParts["checkWhat"], what: string): void {
  try {
    check(what);
  } catch (cause) {
    throw new ApiError("invalid", messageOf(cause), { cause });
  }
}

function followRead(api: Api, { requests }: ReadRequestParts): void {
  api.get(
    "/v1/reads/:id",
    {
      config: { needs: "operator", scoped: true },
      schema: {
        tags: ["reads"],
        summary: "How far a read is, and its result",
        params: followed.params,
        querystring: followed.query,
        response: { 200: readRequest },
      },
    },
    async (request) => shown(await requests.follow(request.params.id, callerOf(request), request.query.wait)),
  );
}

function shown(request: MeterRequest<RequestedRead, ReadAnswer>): z.output<typeof readRequest> {
  const { order, answer: found } = request;
  return {
    ...progressOf(request),
    what: order.what,
    answer:
      found === undefined
        ? null
        : { readAt: found.readAt, columns: [...found.columns], rows: found.rows.map((row) => Array.from(row)) },
  };
}

function entryOf({ id, actor, order, askedAt }: MeterRequest<RequestedRead, ReadAnswer>): EventLogEntry {
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
