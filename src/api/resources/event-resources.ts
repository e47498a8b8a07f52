/** What happened: events of meters, and the gateway's own log with what people changed. */
import { z } from "zod";
import type { Queryable } from "../../store/database/database.ts";
import { logEntry, meterEvent } from "../answers/events.ts";
import { ApiError } from "../api-error.ts";
import { type Api, callerOf } from "../http-api.ts";
import { keyPageQuery, page, pageOf, pageQuery, rangeOf, rangeQuery } from "../paging.ts";
import { meterOf, scopeOf } from "./meter-resources.ts";

interface MeterEventRow {
  meter: string;
  occurred_at: Date;
  log: string;
  code: number;
  name: string | null;
  severity: string;
  kind: string | null;
  condition: string | null;
  restored_at: Date | null;
  source: string;
  details: unknown;
}

interface LogRow {
  event_log_key: bigint | null;
  occurred_at: Date;
  level: string;
  event: string;
  message: string;
  actor: string | null;
  subject: string | null;
  details: unknown;
  before: unknown;
  after: unknown;
}

export function eventResources(api: Api, database: Queryable): void {
  meterEvents(api, database);
  gatewayLog(api, database);
}

function meterEvents(api: Api, database: Queryable): void {
  api.get(
    "/v1/events",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["events"],
        summary: "Events of meters, newest first",
        querystring: pageQuery.extend(rangeQuery.shape).extend({
          meter: z.string().max(128).optional(),
          severity: z.string().max(32).optional(),
        }),
        response: { 200: pageOf(meterEvent) },
      },
    },
    async (request) => {
      const { after, limit, meter, severity } = request.query;
      const caller = callerOf(request);
      const { from, to } = rangeOf(request.query);
      const only = meter === undefined ? undefined : await meterOf(database, caller, meter);
      const place = after === undefined ? undefined : placeOf(after);
      const rows = await database.query<MeterEventRow>(
        `select m.name as meter, e.occurred_at, e.log, e.code, e.name, e.severity, e.kind, e.condition, e.restored_at, e.source, e.details
         from public.meter_events e join public.meters m on m.id = e.meter_id
         where ($1::int[] is null or m.meter_key = any ($1)) and ($2::uuid is null or e.meter_id = $2)
           and e.occurred_at > $3 and e.occurred_at <= $4 and ($5::text is null or e.severity = $5)
           and ($6::timestamptz is null or (e.occurred_at, m.name, e.log, e.code) < ($6, $7, $8, $9))
         order by e.occurred_at desc, m.name desc, e.log desc, e.code desc limit $10`,
        [scopeOf(caller), only?.id, from, to, severity, place?.at, place?.meter, place?.log, place?.code, limit + 1],
      );
      return page(rows, limit, {
        item: meterEventOf,
        place: (row) => JSON.stringify([row.occurred_at, row.meter, row.log, row.code]),
      });
    },
  );
}

function gatewayLog(api: Api, database: Queryable): void {
  api.get(
    "/v1/log",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["events"],
        summary: "What happened in the gateway and what people changed, newest first",
        querystring: keyPageQuery.extend(rangeQuery.shape).extend({ changes: z.stringbool().optional() }),
        response: { 200: pageOf(logEntry) },
      },
    },
    async (request) => {
      const { after, limit, changes } = request.query;
      const { from, to } = rangeOf(request.query);
      const rows = await database.query<LogRow>(
        `select event_log_key, occurred_at, level, event, message, actor, subject, details, before, after
         from dlms.event_logs where occurred_at > $1 and occurred_at <= $2
           and ($3::bigint is null or event_log_key < $3) and ($4::boolean is not true or actor is not null)
         order by event_log_key desc limit $5`,
        [from, to, after, changes, limit + 1],
      );
      return page(rows, limit, { item: logEntryOf, place: (row) => String(row.event_log_key) });
    },
  );
}

const eventPlace = z.tuple([z.iso.datetime(), z.string(), z.string(), z.int()]);

function placeOf(after: string) {
  try {
    const [at, meter, log, code] = eventPlace.parse(JSON.parse(after));
    return { at, meter, log, code };
  } catch (cause) {
    throw new ApiError("invalid", "after: not the `next` of a page", { cause });
  }
}

function meterEventOf(row: MeterEventRow): z.output<typeof meterEvent> {
  const { occurred_at: occurredAt, restored_at: restoredAt, ...rest } = row;
  return { ...rest, occurredAt: occurredAt.toISOString(), restoredAt: restoredAt?.toISOString() ?? null };
}

function logEntryOf(row: LogRow): z.output<typeof logEntry> {
  const { event_log_key: key, occurred_at: occurredAt, ...rest } = row;
  return { ...rest, entry: key === null ? null : Number(key), occurredAt: occurredAt.toISOString() };
}
