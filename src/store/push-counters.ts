/** Where the invocation counters of pushing meters stand: a push that came before is known by its counter. */
import type { PoolClient } from "pg";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { Database } from "./database.ts";

/** A counter that a tag vouches for. */
export interface PushCounter {
  /** Which key, not its octets. */
  readonly keyId: string;
  /** Of the meter. */
  readonly systemTitle: Uint8Array;
  readonly invocationCounter: number;
}

/** Never lowers one. */
export async function keepPushCounters(client: PoolClient, counters: readonly PushCounter[]): Promise<void> {
  const highest = new Map<string, PushCounter>();
  for (const counter of counters) {
    const name = `${counter.keyId} ${toHex(counter.systemTitle)}`;
    if (counter.invocationCounter > (highest.get(name)?.invocationCounter ?? -1)) highest.set(name, counter);
  }
  if (highest.size === 0) return;
  // In one order, for two groups may have counters of the same meters.
  const rows = [...highest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, counter]) => counter);
  await client.query(
    `insert into dlms.push_counters as held (key_id, system_title, highest_counter)
     select * from unnest($1::text[], $2::bytea[], $3::bigint[])
     on conflict (key_id, system_title) do update set highest_counter = excluded.highest_counter, updated_at = now()
       where held.highest_counter < excluded.highest_counter`,
    [
      rows.map(({ keyId }) => keyId),
      rows.map(({ systemTitle }) => Buffer.from(systemTitle)),
      rows.map(({ invocationCounter }) => invocationCounter),
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
