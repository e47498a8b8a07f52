/**
 * COSEM date-time (12 octets), date (5) and time (4) (Blue Book, formats for date and time). Decoding keeps every field
 * as sent, wildcards included, and encoding gives the same octets back; whether a stamp names an instant is decided by
 * `resolveDateTime`, which also knows the ways in which meters bend the deviation field.
 */
import { DATE_LENGTH, DATE_TIME_LENGTH, TIME_LENGTH } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import { instantOfWallClock, type TimeZone, wallClockOfInstant } from "./time-zone.ts";

/** Fields that are not specified are undefined. Month and day may hold the wildcards below. */
export interface CosemDate {
  readonly year: number | undefined;
  /** 1 to 12, DAYLIGHT_SAVINGS_BEGIN or DAYLIGHT_SAVINGS_END. */
  readonly month: number | undefined;
  /** 1 to 31, LAST_DAY or SECOND_LAST_DAY. */
  readonly day: number | undefined;
  /** 1 is Monday. */
  readonly dayOfWeek: number | undefined;
}

export interface CosemTime {
  readonly hour: number | undefined;
  readonly minute: number | undefined;
  readonly second: number | undefined;
  readonly hundredths: number | undefined;
}

export interface CosemDateTime extends CosemDate, CosemTime {
  /** Minutes to add to the local time to get UTC: Central European winter time is -60. */
  readonly deviationMinutes: number | undefined;
  /** Bits of CLOCK_STATUS. */
  readonly clockStatus: number | undefined;
}

export const DAYLIGHT_SAVINGS_END = 0xfd;
export const DAYLIGHT_SAVINGS_BEGIN = 0xfe;
const SECOND_LAST_DAY = 0xfd;
export const LAST_DAY = 0xfe;

/** Bits of the clock status octet. */
export const CLOCK_STATUS = {
  invalidValue: 0x01,
  doubtfulValue: 0x02,
  differentClockBase: 0x04,
  invalidClockStatus: 0x08,
  daylightSavingActive: 0x80,
} as const;

const ANY_8 = 0xff;
const ANY_16 = 0xffff;
const ANY_DEVIATION = 0x8000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Throws DATA_TYPE_MISMATCH unless there are 12 octets. */
export function decodeDateTime(octets: Uint8Array): CosemDateTime {
  wantLength(octets, DATE_TIME_LENGTH, "date-time");
  const deviation = at(octets, 9) * 256 + at(octets, 10);
  return {
    ...dateFields(octets),
    ...timeFields(octets, DATE_LENGTH),
    deviationMinutes: deviation === ANY_DEVIATION ? undefined : (deviation << 16) >> 16,
    clockStatus: specified(at(octets, 11)),
  };
}

/** Throws DATA_TYPE_MISMATCH unless there are 5 octets. */
export function decodeDate(octets: Uint8Array): CosemDate {
  wantLength(octets, DATE_LENGTH, "date");
  return dateFields(octets);
}

/** Throws DATA_TYPE_MISMATCH unless there are 4 octets. */
export function decodeTime(octets: Uint8Array): CosemTime {
  wantLength(octets, TIME_LENGTH, "time");
  return timeFields(octets, 0);
}

export function encodeDateTime(value: CosemDateTime): Uint8Array {
  const deviation = value.deviationMinutes ?? -ANY_DEVIATION;
  return Uint8Array.of(
    ...encodeDate(value),
    ...encodeTime(value),
    (deviation >> 8) & 0xff,
    deviation & 0xff,
    value.clockStatus ?? ANY_8,
  );
}

export function encodeDate(value: CosemDate): Uint8Array {
  const year = value.year ?? ANY_16;
  return Uint8Array.of(year >> 8, year & 0xff, value.month ?? ANY_8, value.day ?? ANY_8, value.dayOfWeek ?? ANY_8);
}

export function encodeTime(value: CosemTime): Uint8Array {
  return Uint8Array.of(value.hour ?? ANY_8, value.minute ?? ANY_8, value.second ?? ANY_8, value.hundredths ?? ANY_8);
}

function dateFields(octets: Uint8Array): CosemDate {
  const year = at(octets, 0) * 256 + at(octets, 1);
  return {
    year: year === ANY_16 ? undefined : year,
    month: specified(at(octets, 2)),
    day: specified(at(octets, 3)),
    dayOfWeek: specified(at(octets, 4)),
  };
}

function timeFields(octets: Uint8Array, start: number): CosemTime {
  return {
    hour: specified(at(octets, start)),
    minute: specified(at(octets, start + 1)),
    second: specified(at(octets, start + 2)),
    hundredths: specified(at(octets, start + 3)),
  };
}

function at(octets: Uint8Array, index: number): number {
  return octets[index] ?? 0;
}

function specified(octet: number): number | undefined {
  return octet === ANY_8 ? undefined : octet;
}

function wantLength(octets: Uint8Array, length: number, type: string): void {
  if (octets.length === length) return;
  throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: type, length: octets.length });
}

/**
 * What the deviation field of a meter means. "standard" is the rule of the Blue Book; "inverted" meters send minutes
 * ahead of UTC; "without-daylight-saving" meters leave the daylight saving hour out; "ignored" is for fields that are
 * known to be wrong.
 */
export type DeviationRule = "standard" | "inverted" | "without-daylight-saving" | "ignored";

/** How the stamps of one meter become instants. */
export interface ClockPolicy {
  readonly deviation: DeviationRule;
  /** Rules the stamps that carry no usable deviation. */
  readonly zone: TimeZone;
}

export interface ResolvedTime {
  /** Milliseconds since 1970. */
  readonly instantMs: number;
  readonly rule: "deviation" | "zone";
}

/** The instant that 12 octets name under a meter's policy, or undefined when date, hour or minute are open or wrong. */
export function resolveDateTime(octets: Uint8Array, policy: ClockPolicy): ResolvedTime | undefined {
  wantLength(octets, DATE_TIME_LENGTH, "date-time");
  const wallMs = wallClockMs(octets);
  if (Number.isNaN(wallMs)) return undefined;
  const status = at(octets, 11);
  const minutes = deviationToUtc((at(octets, 9) << 8) | at(octets, 10), status, policy.deviation);
  if (!Number.isNaN(minutes)) return { instantMs: wallMs + minutes * MINUTE_MS, rule: "deviation" };
  return { instantMs: instantOfWallClock(wallMs, policy.zone, saysDaylightSaving(status)), rule: "zone" };
}

/**
 * The wall clock that 12 octets show, as ms since 1970 as if it were UTC; NaN when date, hour or minute are open or
 * wrong. Seconds and hundredths that are open count as 0, and 24:00 is the midnight that ends the day.
 */
function wallClockMs(octets: Uint8Array): number {
  const date = (at(octets, 0) << 24) | (at(octets, 1) << 16) | (at(octets, 2) << 8) | at(octets, 3);
  return dayMs(date >>> 0) + timeOfDayMs(at(octets, 5), at(octets, 6), at(octets, 7), at(octets, 8));
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Midnight of the date whose first four octets (year, month, day) make up `word`, as ms since 1970 as if it were UTC;
 * NaN when it is open or there is no such day.
 */
export function dayMs(word: number): number {
  const year = word >>> 16;
  const month = (word >>> 8) & 0xff;
  const day = word & 0xff;
  const days = DAYS_OF_MONTH[month - 1];
  // Date.UTC would take the years below 100 for those after 1900.
  if (year === ANY_16 || year < 100 || days === undefined || day < 1) return Number.NaN;
  if (day > days && !(month === 2 && day === 29 && isLeapYear(year))) return Number.NaN;
  return Date.UTC(year, month - 1, day);
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Milliseconds since midnight, or NaN when hour or minute are open or a field is out of its range. */
export function timeOfDayMs(hour: number, minute: number, second: number, hundredths: number): number {
  const seconds = second === ANY_8 ? 0 : second;
  const parts = hundredths === ANY_8 ? 0 : hundredths;
  if (minute > 59 || seconds > 59 || parts > 99) return Number.NaN;
  if (hour > 23 && (hour !== 24 || minute + seconds + parts > 0)) return Number.NaN;
  return hour * HOUR_MS + minute * MINUTE_MS + seconds * 1000 + parts * 10;
}

/** Minutes to add to the local time to get UTC, or NaN when the field does not say or may not be believed. */
export function deviationToUtc(field: number, status: number, rule: DeviationRule): number {
  if (field === ANY_DEVIATION || rule === "ignored") return Number.NaN;
  const minutes = (field << 16) >> 16;
  if (minutes < -MAX_DEVIATION || minutes > MAX_DEVIATION) return Number.NaN;
  if (rule === "standard") return minutes;
  if (rule === "inverted") return -minutes;
  return saysDaylightSaving(status) === true ? minutes - 60 : minutes;
}

/** The book allows 720; zones up to UTC+14 exist. */
const MAX_DEVIATION = 840;

/** Whether a clock status octet says that daylight saving is active; undefined when it is not specified. */
export function saysDaylightSaving(status: number): boolean | undefined {
  return status === ANY_8 ? undefined : (status & CLOCK_STATUS.daylightSavingActive) !== 0;
}

/** The stamp that a clock in `zone` shows at an instant, with deviation and daylight saving bit as the book wants. */
export function dateTimeAt(instantMs: number, zone: TimeZone, status = 0): CosemDateTime {
  const wallMs = wallClockOfInstant(instantMs, zone);
  const wall = new Date(wallMs);
  const offset = zone.offsetMinutes(instantMs);
  const winter = Math.min(zone.offsetMinutes(yearStart(wall, 0)), zone.offsetMinutes(yearStart(wall, 6)));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    dayOfWeek: wall.getUTCDay() === 0 ? 7 : wall.getUTCDay(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    hundredths: Math.floor(wall.getUTCMilliseconds() / 10),
    deviationMinutes: offset === 0 ? 0 : -offset,
    clockStatus: offset > winter ? status | CLOCK_STATUS.daylightSavingActive : status,
  };
}

function yearStart(wall: Date, month: number): number {
  return Date.UTC(wall.getUTCFullYear(), month, 1);
}

/**
 * Which deviation rule makes a stamp that was read just now agree with the true time: the first of the rules within
 * `toleranceMs`, or undefined when none does and the clock is simply wrong.
 */
export function deviationRuleFor(
  octets: Uint8Array,
  truth: { instantMs: number; toleranceMs: number; zone: TimeZone },
): DeviationRule | undefined {
  const rules: readonly DeviationRule[] = ["standard", "inverted", "without-daylight-saving", "ignored"];
  return rules.find((deviation) => {
    const resolved = resolveDateTime(octets, { deviation, zone: truth.zone });
    return resolved !== undefined && Math.abs(resolved.instantMs - truth.instantMs) <= truth.toleranceMs;
  });
}

/** The stamp as text: `2024-10-15 12:30:00.00 UTC+01:00 status 80`, with `*` for open fields. */
export function formatDateTime(value: CosemDateTime): string {
  const date = `${digits(value.year, 4)}-${formatMonth(value.month)}-${formatDay(value.day)}`;
  const time = `${digits(value.hour, 2)}:${digits(value.minute, 2)}:${digits(value.second, 2)}`;
  const parts = [date, value.hundredths === undefined ? time : `${time}.${digits(value.hundredths, 2)}`];
  if (value.deviationMinutes !== undefined) parts.push(formatDeviation(value.deviationMinutes));
  if (value.clockStatus !== undefined && value.clockStatus !== 0) {
    parts.push(`status ${value.clockStatus.toString(16).padStart(2, "0")}`);
  }
  return parts.join(" ");
}

function formatMonth(month: number | undefined): string {
  if (month === DAYLIGHT_SAVINGS_BEGIN) return "dst-begin";
  return month === DAYLIGHT_SAVINGS_END ? "dst-end" : digits(month, 2);
}

function formatDay(day: number | undefined): string {
  if (day === LAST_DAY) return "last";
  return day === SECOND_LAST_DAY ? "second-last" : digits(day, 2);
}

/** The offset as ISO 8601 writes it: a deviation of -60 is UTC+01:00. */
function formatDeviation(minutes: number): string {
  const ahead = -minutes;
  const size = Math.abs(ahead);
  return `UTC${ahead < 0 ? "-" : "+"}${digits(Math.floor(size / 60), 2)}:${digits(size % 60, 2)}`;
}

function digits(value: number | undefined, width: number): string {
  return value === undefined ? "*".repeat(width) : String(value).padStart(width, "0");
}
