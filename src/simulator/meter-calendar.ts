import {
  CLOCK_STATUS,
  type CosemDateTime,
  dateTimeAt,
  encodeDateTime,
  resolveDateTime,
} from "../../protocol/cosem/date-time.ts";
import { instantOfWallClock, type TimeZone, wallClockOfInstant } from "../../protocol/cosem/time-zone.ts";

/** How a meter writes its stamps. Indian meters often have the sign of the deviation wrong, or leave it open. */
export interface StampStyle {
  readonly deviation: "standard" | "inverted" | "unspecified";
  readonly hundredths: "zero" | "unspecified";
  readonly status: "specified" | "unspecified";
}

const DAY_MS = 86_400_000;
const UNSPECIFIED_STAMP = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 0x80, 0, 255);

/** A meter's clock face and calendar: stamps of instants, and the ends of its days and months. */
export class MeterCalendar {
  readonly zone: TimeZone;
  readonly style: StampStyle;

  constructor(zone: TimeZone, style: StampStyle) {
    this.zone = zone;
    this.style = style;
  }

  /** The twelve octets that the meter shows for an instant, or all open for none. */
  stamp(instantMs: number | undefined): Uint8Array {
    if (instantMs === undefined) return UNSPECIFIED_STAMP;
    const standard = dateTimeAt(instantMs, this.zone);
    const styled: CosemDateTime = {
      ...standard,
      deviationMinutes: this.#deviation(standard.deviationMinutes),
      hundredths: this.style.hundredths === "zero" ? standard.hundredths : undefined,
      clockStatus: this.style.status === "specified" ? standard.clockStatus : undefined,
    };
    return encodeDateTime(styled);
  }

  /** The instant that a client's twelve octets mean to this meter, or undefined when they are open. */
  instant(octets: Uint8Array): number | undefined {
    const { deviation } = this.style;
    const rule = deviation === "unspecified" ? "ignored" : deviation;
    return resolveDateTime(octets, { deviation: rule, zone: this.zone })?.instantMs;
  }

  daylightSaving(instantMs: number): boolean {
    return ((dateTimeAt(instantMs, this.zone).clockStatus ?? 0) & CLOCK_STATUS.daylightSavingActive) !== 0;
  }

  /** Number of the local day that an instant falls on. */
  dayOf(instantMs: number): number {
    return Math.floor(wallClockOfInstant(instantMs, this.zone) / DAY_MS);
  }

  /** The midnight at which a local day begins. */
  dayStart(day: number): number {
    return instantOfWallClock(day * DAY_MS, this.zone);
  }

  /** Months from year 0 to the local month that an instant falls on. */
  monthOf(instantMs: number): number {
    const wall = new Date(wallClockOfInstant(instantMs, this.zone));
    return wall.getUTCFullYear() * 12 + wall.getUTCMonth();
  }

  monthStart(month: number): number {
    return instantOfWallClock(Date.UTC(Math.floor(month / 12), month % 12, 1), this.zone);
  }

  /** The last end of a period of standard time at or before an instant; periods are aligned to the local midnight. */
  periodEnd(instantMs: number, periodMs: number): number {
    const offsetMs = this.zone.offsetMinutes(instantMs) * 60_000;
    return Math.floor((instantMs + offsetMs) / periodMs) * periodMs - offsetMs;
  }

  #deviation(standard: number | undefined): number | undefined {
    if (this.style.deviation === "unspecified" || standard === undefined) return undefined;
    return this.style.deviation === "inverted" ? -standard : standard;
  }
}
