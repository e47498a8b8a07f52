/** When push setups send: entries of schedules and windows, as they are read of meters, kept and configured. */
import type { Data } from "../../../protocol/axdr/data.ts";
import {
  type CosemDate,
  type CosemTime,
  decodeDate,
  decodeDateTime,
  decodeTime,
} from "../../../protocol/cosem/date-time.ts";
import { DlmsError } from "../../../protocol/errors.ts";

/** A moment, or many: what is undefined stands for every value. */
export type PushEntry = CosemDate & Pick<CosemTime, "hour" | "minute" | "second">;

/** Times at which a schedule starts a push, or windows in which the setup may send. */
export interface PushSchedule {
  readonly kind: "schedule" | "window" | "expectation";
  /** Of the schedule, or of the push setup itself. */
  readonly logicalName: string;
  readonly entries: readonly ScheduleEntry[];
}

export interface ScheduleEntry {
  readonly from: PushEntry;
  /** Of a window: its end. */
  readonly to?: PushEntry;
}

/** A push every few minutes, each time with an entry of its own; what an entry costs it costs with every push. */
const MOST_ENTRIES = 256;

const ANY_DATE = { year: undefined, month: undefined, day: undefined, dayOfWeek: undefined } as const;

/** `hh:mm`, or `*:mm` for every hour, on every day. */
export function dailyEntry(text: string): PushEntry {
  const [hour = "*", minute = "0"] = text.split(":");
  return { ...ANY_DATE, hour: hour === "*" ? undefined : Number(hour), minute: Number(minute), second: 0 };
}

/** Attribute 4 of a single action schedule (class 22); undefined for what is none. */
export function scheduleFromData(data: Data): ScheduleEntry[] | undefined {
  return entriesOf(data, (element) => {
    const [time, date] = element;
    if (time?.type !== "octet-string" || date?.type !== "octet-string") return undefined;
    return { from: { ...decodeDate(date.value), ...decodeTime(time.value) } };
  });
}

/** The communication window of a push setup; undefined for what is none. */
export function windowsFromData(data: Data): ScheduleEntry[] | undefined {
  return entriesOf(data, (element) => {
    const [from, to] = element;
    if (from?.type !== "octet-string" || to?.type !== "octet-string") return undefined;
    return { from: decodeDateTime(from.value), to: decodeDateTime(to.value) };
  });
}

function entriesOf(
  data: Data,
  read: (element: readonly Data[]) => ScheduleEntry | undefined,
): ScheduleEntry[] | undefined {
  if (data.type !== "array") return undefined;
  try {
    const entries = data.value
      .slice(0, MOST_ENTRIES)
      .map((each) => (each.type === "structure" ? read(each.value) : undefined));
    return entries.some((each) => each === undefined) ? undefined : entries.filter((each) => each !== undefined);
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}

const TWO = 2;
const FOUR = 4;

/** `12:*:00`. */
export function timeText({ hour, minute, second }: PushEntry): string {
  return [hour, minute, second].map((part) => partText(part, TWO)).join(":");
}

/** `2026-*-01`, and behind it the day of the week from 1 for Monday where that counts: `*-*-* 1`. */
export function dateText({ year, month, day, dayOfWeek }: PushEntry): string {
  const date = [partText(year, FOUR), partText(month, TWO), partText(day, TWO)].join("-");
  return dayOfWeek === undefined ? date : `${date} ${dayOfWeek}`;
}

function partText(part: number | undefined, width: number): string {
  return part === undefined ? "*" : String(part).padStart(width, "0");
}

/** From what `timeText` and `dateText` made. */
export function entryFromTexts(time: string, date: string): PushEntry {
  const [hour, minute, second] = time.split(":").map(partFromText);
  const [ymd = "", ofWeek] = date.split(" ");
  const [year, month, day] = ymd.split("-").map(partFromText);
  return { year, month, day, dayOfWeek: ofWeek === undefined ? undefined : Number(ofWeek), hour, minute, second };
}

function partFromText(text: string): number | undefined {
  return text === "*" ? undefined : Number(text);
}
