/** Events of meters on their way into the database: each once, whoever tells it, with its end where that is known. */
import type { PoolClient } from "pg";
import type { ReadingSource } from "../profiles/batch.ts";
import type { SeenEvent, SeenEvents } from "../profiles/seen-events.ts";
import { storableText, storableValue } from "./storable-text.ts";

export interface MeterSeenEvents extends SeenEvents {
  readonly meterId: string;
  readonly source: ReadingSource;
}

/** In a transaction of the caller's; returns how many are new. */
export async function keepSeenEvents(
  client: Pick<PoolClient, "query">,
  seen: readonly MeterSeenEvents[],
): Promise<number> {
  if (seen.every(({ events, words }) => events.length + words.length === 0)) return 0;
  const all = {
    words: seen.flatMap(({ meterId, source, words }) =>
      words.map(({ at, log, latched, bits }) => {
        return { meter_id: meterId, at, log, latched, codes: bits.map((bit) => bit.code), source };
      }),
    ),
    bits: seen.flatMap(({ meterId, source, words }) =>
      words.flatMap(({ bits }) => bits.map((bit) => rowOf(bit, meterId, source))),
    ),
    events: seen.flatMap(({ meterId, source, events }) => events.map((event) => rowOf(event, meterId, source))),
  };
  const { rows } = await client.query<{ kept: number }>("select dlms.keep_meter_events($1::jsonb) as kept", [
    JSON.stringify(all),
  ]);
  return rows[0]?.kept ?? 0;
}

function rowOf(event: SeenEvents["events"][number], meterId: string, source: ReadingSource) {
  const { occurredAt, name, details, ...rest } = event;
  return {
    meter_id: meterId,
    occurred_at: occurredAt,
    source,
    ...(name !== undefined && { name: storableText(name) }),
    ...(details !== undefined && { details: storableDetails(details) }),
    ...rest,
  };
}

function storableDetails(details: NonNullable<SeenEvent["details"]>): SeenEvent["details"] {
  return Object.fromEntries(
    Object.entries(details).map(([key, { value, ...rest }]) => [key, { value: storableValue(value), ...rest }]),
  );
}
