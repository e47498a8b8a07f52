const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 3_600_000;
/** Meters close a capture a moment after the boundary; asking at once would miss it. */
const SETTLE_MS = 5000;
const LONGEST_SPREAD_MS = 60_000;
/** FNV-1a, 32 bits. */
const HASH_OFFSET = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/**
 * The next time to read a profile that is captured every `everyMs`: after the next multiple of the period, and spread
 * by the meter's name over up to a tenth of it, so that a fleet does not call at one instant.
 */
export function nextSlotMs(nowMs: number, everyMs: number, name: string): number {
  const spread = Math.min(everyMs / 10, LONGEST_SPREAD_MS);
  const offset = Math.min(SETTLE_MS, everyMs / 10) + (hashOf(name) / 2 ** 32) * spread;
  const slot = (Math.floor((nowMs - offset) / everyMs) + 1) * everyMs;
  return Math.ceil(slot + offset);
}

/** Half a minute, doubled with each failure in a row, never longer than an hour or the period. */
export function retryDelayMs(failures: number, everyMs: number): number {
  return Math.min(
    FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20),
    LONGEST_RETRY_MS,
    Math.max(everyMs, FIRST_RETRY_MS),
  );
}

function hashOf(name: string): number {
  let hash = HASH_OFFSET;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), HASH_PRIME) >>> 0;
  return hash;
}
