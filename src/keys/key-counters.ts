import { toHex } from "../../protocol/bytes/hex.ts";
import { keyFingerprint, type SecretKey } from "../../protocol/security/secret-key.ts";
import type { SystemTitle } from "../../protocol/security/system-title.ts";
import { CounterLease, type CounterLeaseOptions } from "./counter-lease.ts";
import type { CounterName, CounterReservations } from "./counter-reservations.ts";

/** Counters of a key's first reservation: some visits go by before the next. */
const BLOCK = 128;
/** At least half of it is there when the database goes away: for a week of visits, see docs/spool.md. */
const RESERVE = 8192;

/**
 * A lease of invocation counters of one key. It is the key that is named, not the meter: two meters with one key and
 * one client title would else make the same initialisation vectors twice.
 */
export function leaseKeyCounters(
  reservations: CounterReservations,
  { key, clientSystemTitle }: KeyOfSender,
  options: Pick<CounterLeaseOptions, "onFew" | "onLow" | "now"> = {},
): Promise<CounterLease> {
  const name = keyCounterName({ key, clientSystemTitle });
  return CounterLease.open(reservations, name, { block: BLOCK, reserve: RESERVE, ...options });
}

/** A key, and the title under which we use it. */
export interface KeyOfSender {
  readonly key: SecretKey;
  readonly clientSystemTitle: SystemTitle;
}

/** What the counters of a key are remembered by. */
export function keyCounterName({ key, clientSystemTitle }: KeyOfSender): CounterName {
  const keyId = toHex(keyFingerprint(key, "invocation counter"));
  return { keyId, systemTitle: clientSystemTitle, association: "" };
}
