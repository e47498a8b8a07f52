/** The window of time that a meter is asked for, which is wider than the one wanted, and its limits as stamps. */
import {
  CLOCK_STATUS,
  type ClockPolicy,
  type DeviationRule,
  dateTimeAt,
  encodeDateTime,
} from "../../../protocol/cosem/date-time.ts";
import type { CapturePeriod } from "../../../protocol/profile/layout.ts";
import type { ReadRange } from "../../api/read-answer.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LONGEST_MONTH_DAYS = 31;
const SUMMER_MINUTES = 60;

/** The time between two rows at most; an hour for what no clock captures. */
export function periodMs(period: CapturePeriod): number {
  if (period === undefined) return HOUR_MS;
  return "months" in period ? period.months * LONGEST_MONTH_DAYS * DAY_MS : period.seconds * SECOND_MS;
}

/**
 * One period more on either side, and whole hours: some meters leave a row out whose stamp is a limit, some take none
 * but full hours, and a daily row may be stamped with the next day's midnight.
 */
export function askedWindow({ fromMs, toMs }: ReadRange, period: CapturePeriod): ReadRange {
  const more = periodMs(period);
  return {
    fromMs: Math.max(0, Math.floor((fromMs - more) / HOUR_MS) * HOUR_MS),
    toMs: Math.ceil((toMs + more) / HOUR_MS) * HOUR_MS,
  };
}

/** An instant as the meter would stamp it, with the deviation as it means that field. */
export function rangeLimit(instantMs: number, { deviation, zone }: ClockPolicy, withDeviation: boolean): Uint8Array {
  const time = dateTimeAt(instantMs, zone);
  const { deviationMinutes, clockStatus = 0 } = time;
  const summer = (clockStatus & CLOCK_STATUS.daylightSavingActive) !== 0;
  const minutes = withDeviation ? asMeant(deviationMinutes ?? 0, deviation, summer) : undefined;
  return encodeDateTime({ ...time, deviationMinutes: minutes });
}

function asMeant(minutes: number, rule: DeviationRule, summer: boolean): number | undefined {
  switch (rule) {
    case "standard":
      return minutes;
    case "inverted":
      return minutes === 0 ? 0 : -minutes;
    case "without-daylight-saving":
      return summer ? minutes + SUMMER_MINUTES : minutes;
    case "ignored":
      return undefined;
  }
}
