/** Events of meters on their way into the database: each once, whoever tells it, with its end where that is known. */
import type { PoolClient } from "pg";
import { SUMMARIES } from "../../../protocol/cosem/companion/european-events.ts";
import type { EventLogStore } from "../../collect/keeping/collector-store.ts";
import type { ReadingSource } from "../../profiles/batch.ts";
import type { SeenEvent, SeenEvents } from "../../profiles/seen-events.ts";
import { type Database, whileThere } from "../database/database.ts";
import { storableText, storableValue } from "../database/storable-text.ts";
import { timeOutOfRange } from "../profiles/profile-rows.ts";

export interface MeterSeenEvents extends SeenEvents {
  readonly meterId: string;
  readonly source: ReadingSource;
}

/** Where events that logs tell are kept, and up to when each log has been read. */
export function eventLogStore(database: Database): EventLogStore {
  return {
    readUpTo: (meterId) =>
      whileThere(async () => {
        const rows = await database.query<{ log: string; read_up_to: Date }>(
          "select log, read_up_to from dlms.event_log_reads where meter_id = $1::uuid",
          [meterId],
        );
        return new Map(rows.map((row) => [row.log, row.read_up_to.getTime()]));
      }),
    async keep(meterId, events, readUpTo) {
      if (readUpTo.size === 0) return 0;
      const keep = () =>
        database.transaction(async (client) => {
          const kept = await keepSeenEvents(client, [{ meterId, source: "poll", events, words: [] }]);
          await client.query(
            `insert into dlms.event_log_reads (meter_id, log, read_up_to)
           select $1::uuid, * from unnest($2::text[], $3::timestamptz[])
           on conflict (meter_id, log) do update set read_up_to = excluded.read_up_to`,
            [meterId, [...readUpTo.keys()], Array.from(readUpTo.values(), (ms) => new Date(ms))],
          );
          return kept;
        });
      return await whileThere(keep);
    },
  };
}

/** In a transaction of the caller's; returns how many are new. Those of a clock that shows no time of rows are left out. */
export async function keepSeenEvents(
  client: Pick<PoolClient, "query">,
  seen: readonly MeterSeenEvents[],
): Promise<number> {
  const possible = seen.map(({ events, words, ...rest }) => ({
    ...rest,
    events: events.filter(({ occurredAt }) => !timeOutOfRange(occurredAt.getTime())),
    words: words.filter(({ at }) => !timeOutOfRange(at.getTime())),
  }));
  if (possible.every(({ events, words }) => events.length + words.length === 0)) return 0;
  const all = {
    summaries: SUMMARIES,
    words: possible.flatMap(({ meterId, source, words }) =>
      words.map(({ at, log, latched, bits }) => {
        return { meter_id: meterId, at, log, latched, codes: bits.map((bit) => bit.code), source };
      }),
    ),
    bits: possible.flatMap(({ meterId, source, words }) =>
      words.flatMap(({ bits }) => bits.map((bit) => rowOf(bit, meterId, source))),
    ),
    events: possible.flatMap(({ meterId, source, events }) => events.map((event) => rowOf(event, meterId, source))),
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
