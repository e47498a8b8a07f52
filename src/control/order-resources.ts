/** Orders to meters over the API: given, followed to their end, and kept in the log of changes with what was and is. */
import { z } from "zod";
import { orderRequest } from "../api/answers/orders.ts";
import type { Caller } from "../api/callers.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { followed, type MeterRequest, MeterRequests, progressOf, type RequestEnded } from "../api/meter-requests.ts";
import { messageOf } from "../observe/message-of.ts";
import type { EventLogEntry } from "../store/records/event-log.ts";
import { type MeterOrder, meterOrderSchema } from "./meter-order.ts";
import type { OrderResult } from "./order-execution.ts";

export interface OrderParts {
  /** The name of a meter that the caller may touch. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Throws ReadRefusedError where the meter was not told. */
  readonly give: (meter: string, order: MeterOrder) => Promise<OrderResult>;
  readonly log: (entry: EventLogEntry) => void;
  readonly onRequestEnded: RequestEnded;
}

interface GivenOrder {
  readonly meter: string;
  readonly order: MeterOrder;
  readonly why: string;
}

const tags = ["orders"];
/** The meter does what was ordered, as far as it can be told from afar. */
const OBEYED: ReadonlySet<OrderResult["state"]> = new Set(["done", "unchanged", "ready"]);

export function orderResources(api: Api, parts: OrderParts): void {
  const requests = new MeterRequests(
    (given: GivenOrder, actor) => giveAndLog(given, actor, parts),
    (request) => {
      const done = request.answer !== undefined && OBEYED.has(request.answer.state);
      parts.onRequestEnded(request, { kind: request.order.order.type, done });
    },
  );
  api.post(
    "/v1/orders",
    {
      config: {
        needs: "engineer",
        scoped: true,
        change: { event: "meterOrdered", message: "somebody gave a meter an order" },
      },
      schema: {
        tags,
        summary: "Order a meter to do something, before all other work",
        description: "With the header `Idempotency-Key` the same order is given once, however often it is sent.",
        headers: z.object({ "idempotency-key": z.string().min(1).max(128).optional() }),
        body: z.strictObject({
          meter: z.string().min(1).max(128).describe("Name or number."),
          order: meterOrderSchema,
          why: z.string().min(1).max(1000).describe("For the log of changes."),
        }),
        response: { 202: orderRequest },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const given = { ...request.body, meter: parts.nameOf(request.body.meter, caller) };
      const { request: started } = requests.start(given, caller, request.headers["idempotency-key"]);
      return reply.status(202).header("location", `/v1/orders/${started.id}`).send(shown(started));
    },
  );
  api.get(
    "/v1/orders/:id",
    {
      config: { needs: "engineer", scoped: true },
      schema: {
        tags,
        summary: "How far an order is, and what has come of it",
        params: followed.params,
        querystring: followed.query,
        response: { 200: orderRequest },
      },
    },
    async (request) => shown(await requests.follow(request.params.id, callerOf(request), request.query.wait)),
  );
}

function shown(request: MeterRequest<GivenOrder, OrderResult>): z.output<typeof orderRequest> {
  return { ...progressOf(request), order: request.order.order.type, result: request.answer ?? null };
}

async function giveAndLog({ meter, order, why }: GivenOrder, actor: string, parts: OrderParts): Promise<OrderResult> {
  const { give, log } = parts;
  const entry = { event: "orderCarriedOut", actor, subject: meter };
  try {
    const { before, after, state, evidence } = await give(meter, order);
    const details = { order, why, state, evidence };
    const message = `an order to a meter: ${state}`;
    log({ ...entry, occurredAt: new Date(), level: "info", message, details, before, after });
    return { before, after, state, evidence };
  } catch (error) {
    const details = { order, why, reason: messageOf(error) };
    log({ ...entry, occurredAt: new Date(), level: "warn", message: "a meter could not be given an order", details });
    throw error;
  }
}
