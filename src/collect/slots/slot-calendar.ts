/**
 * Which moments a profile is captured at: the multiples of its period on the meter's own clock, its midnights, or its
 * billing dates. Days of 23 and 25 hours follow from the zone. The bits of the ledger's pages are counted here too.
 */
import { instantOfWallClock, type TimeZone } from "../../../protocol/cosem/time-zone.ts";

export interface SlotRule {
  /** Seconds between two slots: a divisor of the day, 86400 for midnights, 0 for billing dates. */
  readonly intervalS: number;
  readonly zone: TimeZone;
  /** Day of the month on whose midnight a billing period ends; 1 when left out. */
  readonly billingDay?: number;
}

const MINUTE_MS = 60_000;
const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;
const HOUR_MS = 3_600_000;
/** Zones differ from UTC by multiples of this, and so do slots. */
const ZONE_STEP_S = 900;
const MOST_BESIDE_S = 60;

/** The first slot after an instant, ms since 1970. */
export function slotAfter(rule: SlotRule, instantMs: number): number {
  if (rule.intervalS === 0) return billingDateAfter(rule, instantMs);
  if (rule.intervalS === DAY_S) return midnightAfter(rule, instantMs);
  const stepMs = rule.intervalS * 1000;
  const aheadMs = rule.zone.offsetMinutes(instantMs) * MINUTE_MS;
  const next = (Math.floor((instantMs + aheadMs) / stepMs) + 1) * stepMs - aheadMs;
  const aheadThenMs = rule.zone.offsetMinutes(next) * MINUTE_MS;
  if (aheadThenMs === aheadMs) return next;
  const moved = Math.floor((next + aheadThenMs) / stepMs) * stepMs - aheadThenMs;
  return moved > instantMs ? moved : moved + stepMs;
}

/** The last slot that is not after an instant. */
export function slotUpTo(rule: SlotRule, instantMs: number): number {
  const spanMs = rule.intervalS === 0 ? 32 * DAY_MS : rule.intervalS === DAY_S ? 26 * HOUR_MS : rule.intervalS * 1000;
  let slot = slotAfter(rule, instantMs - spanMs - HOUR_MS);
  for (let next = slot; next <= instantMs; next = slotAfter(rule, next)) slot = next;
  return slot;
}

/** The slots after one instant up to another. */
export function* slotsBetween(rule: SlotRule, afterMs: number, toMs: number): Generator<number> {
  for (let slot = slotAfter(rule, afterMs); slot <= toMs; slot = slotAfter(rule, slot)) yield slot;
}

/** The slot that a stamp counts for, the same that the ledger counts it for; undefined for a stamp beside all slots. */
export function slotOf(rule: SlotRule, stampMs: number): number | undefined {
  // Most stamps are slots.
  if (slotAfter(rule, stampMs - 1) === stampMs) return stampMs;
  const besideMs =
    rule.intervalS === 0 || rule.intervalS === DAY_S
      ? HOUR_MS
      : Math.min(MOST_BESIDE_S, greatestDivisor(rule.intervalS, ZONE_STEP_S) / 4) * 1000;
  const slot = slotAfter(rule, stampMs - besideMs - 1);
  return slot <= stampMs + besideMs ? slot : undefined;
}

/** Where the ledger has a slot: the page's first day in days since 1970, and the bit from the left. */
export function placeOf(rule: SlotRule, slotMs: number): { readonly day: number; readonly bit: number } {
  if (rule.intervalS > 0 && rule.intervalS < DAY_S) {
    const day = Math.floor(slotMs / DAY_MS);
    return { day, bit: Math.floor((slotMs - day * DAY_MS) / (rule.intervalS * 1000)) };
  }
  const wall = new Date(wallMs(rule.zone, slotMs));
  const yearMs = Date.UTC(wall.getUTCFullYear(), 0, 1);
  const bit = rule.intervalS === 0 ? wall.getUTCMonth() : Math.floor((wall.getTime() - yearMs) / DAY_MS);
  return { day: yearMs / DAY_MS, bit };
}

/** The slot of a bit. */
export function slotAt(rule: SlotRule, { day, bit }: { readonly day: number; readonly bit: number }): number {
  if (rule.intervalS > 0 && rule.intervalS < DAY_S)
    return slotAfter(rule, day * DAY_MS + bit * rule.intervalS * 1000 - 1);
  const year = new Date(day * DAY_MS).getUTCFullYear();
  const wall = rule.intervalS === 0 ? Date.UTC(year, bit, rule.billingDay ?? 1) : Date.UTC(year, 0, 1 + bit);
  return instantOfWallClock(wall, rule.zone);
}

/** How long a buffer of so many rows reaches back, in milliseconds. */
export function reachMs({ intervalS }: SlotRule, entries: number): number {
  return entries * (intervalS === 0 ? 28 * DAY_S : intervalS) * 1000;
}

function wallMs(zone: TimeZone, instantMs: number): number {
  return instantMs + zone.offsetMinutes(instantMs) * MINUTE_MS;
}

function midnightAfter({ zone }: SlotRule, instantMs: number): number {
  const day = Math.floor(wallMs(zone, instantMs) / DAY_MS);
  // A midnight that daylight saving repeats, or moves, may still lie before.
  for (let next = day; ; next++) {
    const midnight = instantOfWallClock(next * DAY_MS, zone);
    if (midnight > instantMs) return midnight;
  }
}

function billingDateAfter({ zone, billingDay = 1 }: SlotRule, instantMs: number): number {
  const wall = new Date(wallMs(zone, instantMs));
  for (let month = wall.getUTCMonth(); ; month++) {
    const date = instantOfWallClock(Date.UTC(wall.getUTCFullYear(), month, billingDay), zone);
    if (date > instantMs) return date;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
