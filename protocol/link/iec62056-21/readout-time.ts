/** Times and dates as readouts write them: `hh:mm:ss` and `YY-MM-DD`, or the same digits without anything between. */
import type { P1Time } from "./p1.ts";

const TIME = /^(\d\d):?(\d\d)(?::?(\d\d))?$/;
const DATE = /^(\d\d(?:\d\d(?=-))?)-?(\d\d)-?(\d\d)$/;
/** Date and time in one value, with a space, a comma or nothing between, and perhaps the season behind. */
const BOTH = /^(\d{6}|\d\d(?:\d\d)?-\d\d-\d\d)[ ,]?(\d{4}(?:\d\d)?|\d\d:\d\d(?::\d\d)?)([SW]?)$/;
const CENTURY = 2000;

/** Undefined for what is no date and time, or none that there is. */
export function parseReadoutTime(written: string): P1Time | undefined {
  const [, date, time, season] = BOTH.exec(written) ?? [];
  const joined = date === undefined || time === undefined ? undefined : joinReadoutTime(date, time);
  return joined && { ...joined, season: season === "S" ? "summer" : season === "W" ? "winter" : undefined };
}

/** Date and time that stand in two values. */
export function joinReadoutTime(date: string, time: string): P1Time | undefined {
  const [year, month = 0, day = 0] = numbersOf(DATE, date);
  const [hour, minute = 0, second = 0] = numbersOf(TIME, time);
  if (year === undefined || hour === undefined) return undefined;
  const full = year < CENTURY ? CENTURY + year : year;
  const there = new Date(Date.UTC(full, month - 1, day));
  const real = there.getUTCMonth() === month - 1 && there.getUTCDate() === day;
  if (!real || hour > 23 || minute > 59 || second > 59) return undefined;
  return { year: full, month, day, hour, minute, second, season: undefined };
}

function numbersOf(form: RegExp, written: string): number[] {
  const found: readonly (string | undefined)[] = form.exec(written)?.slice(1) ?? [];
  return found.map((digits) => Number(digits ?? 0));
}
