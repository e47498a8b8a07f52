import { toHex } from "../../protocol/bytes/hex.ts";
import { keyFingerprint, type SecretKey } from "../../protocol/security/secret-key.ts";
import type { SystemTitle } from "../../protocol/security/system-title.ts";
import { CounterLease } from "./counter-lease.ts";
import type { CounterReservations } from "./counter-reservations.ts";

/** Counters that are reserved at a time: some visits go by before the next reservation. */
const BLOCK = 128;

/**
 * A lease of invocation counters of one key. It is the key that is named, not the meter: two meters with one key and
 * one client title would else make the same initialisation vectors twice.
 */
export function leaseKeyCounters(
  reservations: CounterReservations,
  key: SecretKey,
  clientSystemTitle: SystemTitle,
): Promise<CounterLease> {
  const name = {
    keyId: toHex(keyFingerprint(key, "invocation counter")),
    systemTitle: clientSystemTitle,
    association: "",
  };
  return CounterLease.open(reservations, name, { block: BLOCK });
}
