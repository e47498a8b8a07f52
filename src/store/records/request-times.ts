/** How long people waited for what they asked of meters, for the service levels. */
import type { Queryable } from "../database/database.ts";
import { KeptLater } from "../intake/kept-later.ts";

export interface EndedRequest {
  readonly id: string;
  readonly meterId: string;
  /** `read`, or the type of an order. */
  readonly kind: string;
  readonly askedAt: Date;
  readonly endedAt: Date;
  readonly done: boolean;
  readonly actor: string;
}

const MOST_KEPT = 10_000;

export class RequestTimes extends KeptLater<EndedRequest> {
  constructor(database: Queryable, onLost: (error: unknown) => void) {
    super({ write: (requests) => keepRequests(database, requests), mostKept: MOST_KEPT, onLost });
  }
}

async function keepRequests(database: Queryable, requests: readonly EndedRequest[]): Promise<void> {
  await database.query(
    `insert into dlms.meter_requests (request_id, asked_at, ended_at, meter_id, kind, done, actor)
     select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::text[], $6::boolean[], $7::text[])
     on conflict do nothing`,
    [
      requests.map((each) => each.id),
      requests.map((each) => each.askedAt),
      requests.map((each) => each.endedAt),
      requests.map((each) => each.meterId),
      requests.map((each) => each.kind),
      requests.map((each) => each.done),
      requests.map((each) => each.actor),
    ],
  );
}
