/** Where the invocation counters of pushing meters stand: a push that came before is known by its counter. */
import type { PoolClient } from "pg";
import { toHex } from "../../../protocol/bytes/hex.ts";
import type { Database } from "../database/database.ts";

/** A counter that a tag vouches for. */
export interface PushCounter {
  /** Which key, not its octets. */
  readonly keyId: string;
  /** Of the meter. */
  readonly systemTitle: Uint8Array;
  readonly invocationCounter: number;
}

/** A counter with what it came in. */
export interface CountedPush {
  readonly receivedAt: Date;
  readonly counter: PushCounter | undefined;
}

interface HeardCounter {
  readonly name: string;
  readonly highest: number;
  readonly heardAt: Date;
}

/**
 * Which of the pushes have come before, to whichever gateway. Groups are not written in the order in which they came: what
 * came before the push with the higher counter is none.
 */
export async function replayedAmong<Push extends CountedPush>(
  client: PoolClient,
  pushes: readonly Push[],
): Promise<Set<Push>> {
  const counters = pushes.flatMap(({ counter }) => counter ?? []);
  if (counters.length === 0) return new Set();
  const { rows } = await client.query<HeardCounter>(
    `select key_id || ' ' || encode(system_title, 'hex') as name, highest_counter::float8 as highest, updated_at as "heardAt"
     from dlms.push_counters
     where (key_id, system_title) in (select * from unnest($1::text[], $2::bytea[]))
     order by key_id, system_title for update`,
    [counters.map(({ keyId }) => keyId), counters.map(({ systemTitle }) => Buffer.from(systemTitle))],
  );
  const heard = new Map(rows.map((row) => [row.name, row]));
  return new Set(
    pushes.filter(({ counter, receivedAt }) => {
      const before = counter && heard.get(nameOf(counter));
      if (before === undefined || counter === undefined || counter.invocationCounter > before.highest) return false;
      return counter.invocationCounter === before.highest || receivedAt > before.heardAt;
    }),
  );
}

function nameOf({ keyId, systemTitle }: PushCounter): string {
  return `${keyId} ${toHex(systemTitle)}`;
}

/** Never lowers one. */
export async function keepPushCounters(client: PoolClient, pushes: readonly CountedPush[]): Promise<void> {
  const highest = new Map<string, PushCounter & { readonly heardAt: Date }>();
  for (const { counter, receivedAt: heardAt } of pushes) {
    if (counter === undefined) continue;
    const name = nameOf(counter);
    if (counter.invocationCounter > (highest.get(name)?.invocationCounter ?? -1))
      highest.set(name, { ...counter, heardAt });
  }
  if (highest.size === 0) return;
  // In one order, for two groups may have counters of the same meters.
  const rows = [...highest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, counter]) => counter);
  await client.query(
    `insert into dlms.push_counters as held (key_id, system_title, highest_counter, updated_at)
     select * from unnest($1::text[], $2::bytea[], $3::bigint[], $4::timestamptz[])
     on conflict (key_id, system_title) do update
       set highest_counter = excluded.highest_counter, updated_at = excluded.updated_at
       where held.highest_counter < excluded.highest_counter`,
    [
      rows.map(({ keyId }) => keyId),
      rows.map(({ systemTitle }) => Buffer.from(systemTitle)),
      rows.map(({ invocationCounter }) => invocationCounter),
      rows.map(({ heardAt }) => heardAt),
    ],
  );
}

/** Of all meters. Throws StoreError. */
export async function loadPushCounters(database: Database): Promise<PushCounter[]> {
  const rows = await database.query<{ key_id: string; system_title: Uint8Array; highest_counter: bigint }>(
    "select key_id, system_title, highest_counter from dlms.push_counters",
  );
  return rows.map(({ key_id: keyId, system_title: systemTitle, highest_counter: highest }) => {
    return { keyId, systemTitle, invocationCounter: Number(highest) };
  });
}
