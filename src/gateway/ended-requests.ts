/** Keeps how long people waited for what they asked of meters. */
import type { RequestEnded } from "../api/meter-requests.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import type { Database } from "../store/database/database.ts";
import { RequestTimes } from "../store/records/request-times.ts";
import type { FleetMeters } from "./fleet-meters.ts";

export interface EndedRequestsParts {
  readonly database: Database;
  readonly meters: FleetMeters;
  readonly events: EventSink;
  /** How long it may take to write the last of them. */
  readonly lastMs: () => number;
}

/** Keeps them until the stack ends. */
export function keepEndedRequests(
  { database, meters, events, lastMs }: EndedRequestsParts,
  stack: AsyncDisposableStack,
): RequestEnded {
  const onLost = (error: unknown) => events({ event: "requestTimeLost", reason: messageOf(error) });
  const times = stack.adopt(new RequestTimes(database, onLost), (each) => each.stop(lastMs()));
  return ({ id, order, actor, askedAt, endedAt = new Date() }, { kind, done }) => {
    const meterId = meters.get(order.meter)?.meterId;
    if (meterId !== undefined) times.add({ id, meterId, kind, askedAt, endedAt, done, actor });
  };
}
