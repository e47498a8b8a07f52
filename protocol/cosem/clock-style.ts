/**
 * A new time for a meter's clock, with fields as the meter itself writes them: meters refuse a weekday, a deviation,
 * hundredths or a daylight saving bit that they do not use.
 */
import {
  CLOCK_STATUS,
  type ClockPolicy,
  type CosemDateTime,
  type DeviationRule,
  dateTimeAt,
  decodeDateTime,
  encodeDateTime,
  resolveDateTime,
  saysDaylightSaving,
} from "./date-time.ts";
import { fixedZone, standardTimeOf, type TimeZone } from "./time-zone.ts";

const SECOND_MS = 1000;
const HALF_YEAR_MS = 182 * 86_400_000;
const DAYS_A_WEEK = 7;

/** `shown` is what the clock shows now; the instant counts to the nearest second. */
export function clockStampLike(shown: Uint8Array, instantMs: number, policy: ClockPolicy): Uint8Array {
  const style = decodeDateTime(shown);
  const zone = zoneOf(style, policy, instantMs);
  const stamp = dateTimeAt(Math.round(instantMs / SECOND_MS) * SECOND_MS, zone);
  return encodeDateTime({
    ...stamp,
    dayOfWeek: hasTrueWeekday(style) ? stamp.dayOfWeek : undefined,
    hundredths: style.hundredths === undefined ? undefined : 0,
    deviationMinutes: style.deviationMinutes === undefined ? undefined : deviationOf(stamp, style, policy.deviation),
    clockStatus: style.clockStatus === undefined ? undefined : statusOf(stamp, shown, { ...policy, zone }),
  });
}

/** A clock that keeps another offset than its zone ever has, as one on UTC, goes on with it. */
function zoneOf({ deviationMinutes }: CosemDateTime, { deviation, zone }: ClockPolicy, instantMs: number): TimeZone {
  if (deviation !== "standard" || deviationMinutes === undefined) return zone;
  const known = [instantMs, instantMs + HALF_YEAR_MS].some((ms) => zone.offsetMinutes(ms) === -deviationMinutes);
  return known ? zone : fixedZone(-deviationMinutes);
}

function deviationOf(
  { deviationMinutes = 0, clockStatus = 0 }: CosemDateTime,
  style: CosemDateTime,
  rule: DeviationRule,
): number | undefined {
  switch (rule) {
    case "standard":
      return deviationMinutes;
    case "inverted":
      return 0 - deviationMinutes;
    case "without-daylight-saving":
      return saysDaylightSaving(clockStatus) === true ? deviationMinutes + 60 : deviationMinutes;
    case "ignored":
      return style.deviationMinutes;
  }
}

/** Without the bit for a clock that goes without it in its own summer. */
function statusOf({ clockStatus = 0 }: CosemDateTime, shown: Uint8Array, policy: ClockPolicy): number {
  const shownMs = resolveDateTime(shown, policy)?.instantMs;
  const inSummer =
    shownMs !== undefined && policy.zone.offsetMinutes(shownMs) !== standardTimeOf(policy.zone).offsetMinutes(shownMs);
  const { clockStatus: shownStatus = 0 } = decodeDateTime(shown);
  return inSummer && saysDaylightSaving(shownStatus) !== true
    ? clockStatus & ~CLOCK_STATUS.daylightSavingActive
    : clockStatus;
}

function hasTrueWeekday({ year, month, day, dayOfWeek }: CosemDateTime): boolean {
  if (year === undefined || month === undefined || day === undefined || dayOfWeek === undefined) return false;
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() === dayOfWeek % DAYS_A_WEEK;
}
