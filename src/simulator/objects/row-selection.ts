/** Selective access to the rows and columns of a profile: by range and by entry. */
import type { SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectFromData,
  captureObjectKey,
  captureObjectsFromData,
} from "../../../protocol/cosem/capture-object.ts";
import { decodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { SelectionDescription } from "../description.ts";
import type { MeterCalendar } from "../meter-calendar.ts";
import { firstRowFrom, type ProfileRows } from "./profile-rows.ts";

/** Rows from the oldest, and columns, that are asked for. */
export interface RowSelection {
  readonly from: number;
  /** The first row that is not part of it. */
  readonly to: number;
  readonly columns: readonly number[];
}

export interface SelectableProfile {
  readonly rows: ProfileRows;
  readonly columns: readonly CaptureObject[];
  readonly calendar: MeterCalendar;
  /** Whether entry 1 is the newest row. */
  readonly lifo: boolean;
  readonly habits?: SelectionDescription;
}

export type SelectionRefusal = "other-reason" | "type-unmatched";

const CLOCK_CLASS = 8;
const BILLING_TIMES: ReadonlySet<string> = new Set(["0.0.0.1.2.255", "1.0.0.1.2.255"]);
/** The selector of a range of time. */
export const BY_RANGE = 1;
const BY_ENTRY = 2;

export function selectRows(access: SelectiveAccess, profile: SelectableProfile): RowSelection | SelectionRefusal {
  const { parameters, selector } = access;
  const fields = parameters.type === "structure" && parameters.value.length === 4 ? parameters.value : undefined;
  if (fields === undefined) return "type-unmatched";
  const { ranges, entries } = profile.habits ?? {};
  if (selector === BY_RANGE) return ranges === "refused" ? "other-reason" : selectRange(fields, profile);
  if (selector !== BY_ENTRY || entries === "refused") return "other-reason";
  return selectEntries(fields, entries === "newest-first" ? { ...profile, lifo: true } : profile);
}

/** Whether a column holds the time of its row. */
export function tellsTime({ classId, logicalName, attributeId }: CaptureObject): boolean {
  return attributeId === 2 && (classId === CLOCK_CLASS || BILLING_TIMES.has(logicalName));
}

/** Both ends belong to the range; an open end has no bound. */
function selectRange(fields: readonly Data[], profile: SelectableProfile): RowSelection | SelectionRefusal {
  const [restricting, fromValue, toValue, selected] = fields;
  if (restricting === undefined || fromValue === undefined || toValue === undefined || selected === undefined) {
    return "type-unmatched";
  }
  const object = captureObjectFromData(restricting);
  const key = captureObjectKey(object);
  const isColumn = profile.columns.some((column) => captureObjectKey(column) === key);
  if (!isColumn || !tellsTime(object)) return "other-reason";
  const [from, to] = [instantOf(fromValue, profile.calendar), instantOf(toValue, profile.calendar)];
  const columns = selectColumns(selected, profile.columns);
  if (from === "none" || to === "none" || columns === undefined) return "type-unmatched";
  const { rows, habits } = profile;
  if (habits?.ranges === "without-deviation" && [fromValue, toValue].some(hasDeviation)) return "type-unmatched";
  return {
    from: from === undefined ? 0 : firstRowFrom(rows, from),
    to: to === undefined ? rows.count : firstRowFrom(rows, to + 1),
    columns,
  };
}

function hasDeviation(data: Data): boolean {
  return (
    "value" in data && data.value instanceof Uint8Array && decodeDateTime(data.value).deviationMinutes !== undefined
  );
}

function instantOf(data: Data, calendar: MeterCalendar): number | undefined | "none" {
  if ((data.type !== "octet-string" && data.type !== "date-time") || data.value.length !== 12) return "none";
  return calendar.instant(data.value);
}

/** An empty list selects all columns; undefined for one that the profile does not have. */
function selectColumns(selected: Data, columns: readonly CaptureObject[]): readonly number[] | undefined {
  const wanted = captureObjectsFromData(selected);
  if (wanted.length === 0) return columns.map((_, index) => index);
  const keys = columns.map(captureObjectKey);
  const indexes = wanted.map((object) => keys.indexOf(captureObjectKey(object)));
  return indexes.includes(-1) ? undefined : indexes;
}

/** Entries count from 1 in the order of the buffer; 0 as an end means the last. */
function selectEntries(fields: readonly Data[], profile: SelectableProfile): RowSelection | SelectionRefusal {
  const [fromEntry, toEntry, fromColumn, toColumn] = fields.map((field) => integerOf(field));
  if (fromEntry === undefined || toEntry === undefined || fromColumn === undefined || toColumn === undefined) {
    return "type-unmatched";
  }
  const { rows, lifo, columns } = profile;
  const first = Math.max(1, fromEntry) - 1;
  const last = toEntry === 0 ? rows.count : Math.min(toEntry, rows.count);
  const firstColumn = Math.max(1, fromColumn) - 1;
  const lastColumn = toColumn === 0 ? columns.length : Math.min(toColumn, columns.length);
  return {
    from: lifo ? rows.count - last : first,
    to: lifo ? rows.count - first : last,
    columns: Array.from({ length: Math.max(0, lastColumn - firstColumn) }, (_, index) => firstColumn + index),
  };
}
