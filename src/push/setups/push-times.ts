/** When a meter pushes by its schedule: entries of time and date with wildcards, on the meter's own clock. */
import { LAST_DAY } from "../../../protocol/cosem/date-time.ts";
import { instantOfWallClock, type TimeZone } from "../../../protocol/cosem/time-zone.ts";
import type { PushEntry } from "./push-schedule.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A date that a schedule never comes to, as the 30th of February, is not looked for any longer. */
const LONGEST_DAYS = 400;
const HOURS = range(24);
const SIXTY = range(60);

/** The first moment after an instant at which one of the entries fires; undefined when none does within a year. */
export function nextPushMs(entries: readonly PushEntry[], zone: TimeZone, afterMs: number): number | undefined {
  let first: number | undefined;
  for (const entry of entries) {
    const next = nextOf(entry, zone, afterMs);
    if (next !== undefined && (first === undefined || next < first)) first = next;
  }
  return first;
}

function nextOf(entry: PushEntry, zone: TimeZone, afterMs: number): number | undefined {
  const wallMs = afterMs + zone.offsetMinutes(afterMs) * MINUTE_MS;
  const today = Math.floor(wallMs / DAY_MS);
  // An entry of before is not looked for on each day to come.
  if (entry.year !== undefined && entry.year < new Date(wallMs).getUTCFullYear()) return undefined;
  for (let day = today; day < today + LONGEST_DAYS; day++) {
    if (!isOn(entry, day)) continue;
    const next = nextOn(entry, { day, zone, afterMs });
    if (next !== undefined) return next;
  }
  return undefined;
}

function isOn({ year, month, day, dayOfWeek }: PushEntry, days: number): boolean {
  const date = new Date(days * DAY_MS);
  const ofWeek = date.getUTCDay() === 0 ? 7 : date.getUTCDay();
  return (
    fits(year, date.getUTCFullYear()) &&
    fits(month, date.getUTCMonth() + 1) &&
    isDay(day, date) &&
    fits(dayOfWeek, ofWeek)
  );
}

/** The last day of a month has a number of its own. */
function isDay(wanted: number | undefined, date: Date): boolean {
  if (wanted !== LAST_DAY) return fits(wanted, date.getUTCDate());
  return new Date(date.getTime() + DAY_MS).getUTCDate() === 1;
}

function fits(wanted: number | undefined, value: number): boolean {
  return wanted === undefined || wanted === value;
}

interface Day {
  readonly day: number;
  readonly zone: TimeZone;
  readonly afterMs: number;
}

/** Hours and minutes in their order; a second that is left open stands for the first of the minute. */
function nextOn({ hour, minute, second }: PushEntry, { day, zone, afterMs }: Day): number | undefined {
  for (const each of hour === undefined ? HOURS : [hour]) {
    if (instantOfWallClock(day * DAY_MS + (each * 60 + 59) * MINUTE_MS + 59_999, zone, false) <= afterMs) continue;
    for (const other of minute === undefined ? SIXTY : [minute]) {
      const wall = day * DAY_MS + (each * 60 + other) * MINUTE_MS + (second ?? 0) * 1000;
      const instant = instantOfWallClock(wall, zone);
      if (instant > afterMs) return instant;
    }
  }
  return undefined;
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
