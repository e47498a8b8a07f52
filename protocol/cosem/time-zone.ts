/** Wall clocks and instants: time zones with daylight saving, and calendar arithmetic in them. */
import { DlmsError } from "../errors.ts";

export interface TimeZone {
  readonly name: string;
  /** Minutes that the zone's wall clock is ahead of UTC at an instant (ms since 1970); NaN beyond the end of Date. */
  offsetMinutes(instantMs: number): number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Days from 1970 to the end of Date, and back to its begin. */
const LAST_DAY = 1e8;
/** Days whose offset is remembered per zone; a fleet's load profiles span a few hundred. */
const REMEMBERED_DAYS = 4096;

/** A zone without daylight saving, so many minutes ahead of UTC. */
export function fixedZone(minutesAhead: number): TimeZone {
  return { name: `fixed ${minutesAhead} min`, offsetMinutes: () => minutesAhead };
}

/** The zone without its daylight saving, for clocks that never turn to it. */
export function standardTimeOf(zone: TimeZone): TimeZone {
  const winterMinutes = (instantMs: number) => {
    const year = new Date(instantMs).getUTCFullYear();
    return Math.min(zone.offsetMinutes(Date.UTC(year, 0, 1)), zone.offsetMinutes(Date.UTC(year, 6, 1)));
  };
  return { name: `${zone.name}, standard time`, offsetMinutes: winterMinutes };
}

export const UTC: TimeZone = fixedZone(0);

/** By name: a fleet has few, and each takes some memory. */
const ZONES = new Map<string, TimeZone>();

/** A zone of the IANA data base, as `Europe/Amsterdam`. Throws DATA_OUT_OF_RANGE for a name that it does not have. */
export function namedZone(name: string): TimeZone {
  const known = ZONES.get(name) ?? newZone(name);
  ZONES.set(name, known);
  return known;
}

/** The offsets of a day: one up to an instant, and another from it on where the clock is changed. */
interface OffsetsOfDay {
  readonly before: number;
  readonly changeMs: number;
  readonly after: number;
}

function newZone(name: string): TimeZone {
  const format = zoneFormat(name);
  const days = new Map<number, OffsetsOfDay>();
  const offsetsOf = (day: number): OffsetsOfDay => {
    const known = days.get(day);
    if (known !== undefined) return known;
    const found = offsetsBetween(format, day * DAY_MS, (day + 1) * DAY_MS);
    if (days.size >= REMEMBERED_DAYS) days.clear();
    days.set(day, found);
    return found;
  };
  // Mostly it is the same day as before.
  let lastDay = Number.NaN;
  let last: OffsetsOfDay | undefined;
  return {
    name,
    offsetMinutes: (instantMs) => {
      const day = Math.floor(instantMs / DAY_MS);
      if (!(Math.abs(day) < LAST_DAY)) return Number.NaN;
      if (last === undefined || day !== lastDay) [lastDay, last] = [day, offsetsOf(day)];
      return instantMs < last.changeMs ? last.before : last.after;
    },
  };
}

/** No zone changes its offset twice in a day; where it does, the change is at a full minute. */
function offsetsBetween(format: Intl.DateTimeFormat, fromMs: number, toMs: number): OffsetsOfDay {
  const before = offsetBy(format, fromMs);
  const after = offsetBy(format, toMs);
  if (before === after) return { before, changeMs: toMs, after };
  let [first, last] = [fromMs, toMs];
  while (last - first > MINUTE_MS) {
    const middle = first + Math.floor((last - first) / (2 * MINUTE_MS)) * MINUTE_MS;
    if (offsetBy(format, middle) === before) first = middle;
    else last = middle;
  }
  return { before, changeMs: last, after };
}

function zoneFormat(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { timeZone: name }, { cause });
  }
}

function offsetBy(format: Intl.DateTimeFormat, instantMs: number): number {
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const part of format.formatToParts(instantMs)) fields[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  return Math.round((wall - Math.floor(instantMs / 1000) * 1000) / MINUTE_MS);
}

/**
 * The instant at which the zone's wall clock shows `wallMs` (ms since 1970 as if the wall clock were UTC). A wall time
 * that occurs twice is the one with daylight saving unless `daylightSaving` is false; one that is skipped is read with
 * the offset before the change.
 */
export function instantOfWallClock(wallMs: number, zone: TimeZone, daylightSaving?: boolean): number {
  const before = zone.offsetMinutes(wallMs - DAY_MS);
  const after = zone.offsetMinutes(wallMs + DAY_MS);
  const first = wallMs - before * MINUTE_MS;
  if (before === after) return first;
  const second = wallMs - after * MINUTE_MS;
  if (zone.offsetMinutes(second) !== after) return first;
  if (zone.offsetMinutes(first) !== before) return second;
  return daylightSaving === false ? Math.max(first, second) : Math.min(first, second);
}

/** The later of the two instants when the wall time occurs twice, or undefined when it does not. */
export function secondOccurrence(wallMs: number, zone: TimeZone): number | undefined {
  const first = instantOfWallClock(wallMs, zone, true);
  const second = instantOfWallClock(wallMs, zone, false);
  return second > first ? second : undefined;
}

/** What the zone's wall clock shows at an instant, as ms since 1970 as if it were UTC. */
export function wallClockOfInstant(instantMs: number, zone: TimeZone): number {
  return instantMs + zone.offsetMinutes(instantMs) * MINUTE_MS;
}

/** Moves by whole calendar days and months in the zone; a day that the month does not have becomes its last. */
export function addCalendar(instantMs: number, step: { months: number; days: number }, zone: TimeZone): number {
  const wall = new Date(wallClockOfInstant(instantMs, zone));
  const month = wall.getUTCMonth() + step.months;
  const lastDay = new Date(Date.UTC(wall.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(wall.getUTCDate(), lastDay) + step.days;
  const moved = Date.UTC(wall.getUTCFullYear(), month, day) + (wall.getTime() - floorToDay(wall.getTime()));
  return instantOfWallClock(moved, zone);
}

function floorToDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
