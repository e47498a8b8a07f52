import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import { slotAfter } from "./slot-calendar.ts";

/** Meters close a capture a moment after the boundary; asking at once would miss it. */
const SETTLE_MS = 5000;
const LEAST_SPREAD_MS = 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_S = 86_400;
/** FNV-1a, 32 bits. */
const HASH_OFFSET = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** How often something is read, and by when after its slot. */
export interface ReadingTimes {
  readonly everyMs: number;
  readonly deadlineMs: number;
}

/**
 * The next time to read: after the next multiple of the period on the clock of the meter's zone, its midnight for whole
 * days, and spread by the meter's name, so that a fleet does not call at one instant and the deadline is still met.
 */
export function nextSlotMs(nowMs: number, { everyMs, deadlineMs }: ReadingTimes, meter: SlotOwner): number {
  const spread = Math.min(everyMs / 10, deadlineMs / 4, Math.max(LEAST_SPREAD_MS, everyMs / 24));
  const offset = Math.ceil(Math.min(SETTLE_MS, everyMs / 10) + partOf(meter.name) * spread);
  return boundaryAfter(nowMs - offset, everyMs, meter.zone) + offset;
}

export interface SlotOwner {
  readonly name: string;
  readonly zone: TimeZone;
}

function boundaryAfter(instantMs: number, everyMs: number, zone: TimeZone): number {
  if (everyMs % DAY_MS === 0) {
    for (
      let next = slotAfter({ intervalS: DAY_S, zone }, instantMs);
      ;
      next = slotAfter({ intervalS: DAY_S, zone }, next)
    ) {
      const day = Math.round((next + zone.offsetMinutes(next) * MINUTE_MS) / DAY_MS);
      if (day % (everyMs / DAY_MS) === 0) return next;
    }
  }
  const aheadMs = zone.offsetMinutes(instantMs) * MINUTE_MS;
  return (Math.floor((instantMs + aheadMs) / everyMs) + 1) * everyMs - aheadMs;
}

/** From 0 up to below 1, evenly over many names and always the same for one. */
export function partOf(name: string): number {
  let hash = HASH_OFFSET;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), HASH_PRIME) >>> 0;
  return hash / 2 ** 32;
}
