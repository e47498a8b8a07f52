/**
 * Reads the rows of a profile from a meter: by range of time where the meter can, else by entry, else whole; which of
 * them works is remembered. Whatever comes is held against the range that was wanted, since meters treat limits each in
 * their own way. A read that breaks off goes on after its last whole row.
 */
import { type DataResult, encodedOctets, type SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { type Data, dataToBytes } from "../../../protocol/axdr/data.ts";
import type { ClockPolicy } from "../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import {
  carryOf,
  type DecodedProfile,
  type DecodeOptions,
  decodeProfileBuffer,
} from "../../../protocol/profile/decode.ts";
import { LIFO, type ProfileLayout } from "../../../protocol/profile/layout.ts";
import { filterRows, joinRows } from "../../../protocol/profile/rows.ts";
import { entryAccess, rangeAccess } from "../../../protocol/profile/selective-access.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import type { ReadRange } from "../../api/read-answer.ts";
import type { ReadOctets } from "../../profiles/batch.ts";
import { BrokenReadError } from "../causes/broken-read.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import { attributeOf, profileAttribute } from "./layout-reader.ts";
import type { ProfileObject, RegisterSet } from "./profile-objects.ts";
import { askedWindow, periodMs, rangeLimit } from "./range-window.ts";

/** How the rows of a profile can be asked for, in the order of trying. */
const WAYS = ["range", "entries", "whole"] as const;
export type RowWay = (typeof WAYS)[number];

/** What is known by now of how a meter's profiles are read, by logical name; kept from visit to visit. */
export type RowWays = Map<string, { way: RowWay; proven: boolean; newestFirst?: boolean }>;

export interface RowsOrder {
  readonly object: ProfileObject;
  readonly layout: ProfileLayout;
  readonly clock: ClockPolicy;
  readonly quirks: ReadonlySet<MeterQuirk>;
  readonly ways: RowWays;
  /** Milliseconds since 1970; the system's when left out. */
  readonly nowMs?: () => number;
  /** A status column, and its bits after which a clock that was left out is not reckoned. */
  readonly clockBreaks?: DecodeOptions["clockBreaks"];
  /** What is wanted; the whole buffer without it. */
  readonly range?: ReadRange;
  /** Asks by another way than the one that is remembered, because that way's answer is doubted. */
  readonly otherwise?: boolean;
  /** Hears what an answer spans. */
  readonly onSpan?: (span: AnswerSpan) => void;
  /** Hears every answer that came whole. */
  readonly keepOctets?: (read: ReadOctets) => void;
}

/** From the oldest row of an answer to its newest, before it is held against what was wanted; ms since 1970. */
export interface AnswerSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** The answer was the whole buffer. */
  readonly isWhole: boolean;
}

/** What meters answer when no row lies in a range, and also when they know no ranges. */
const EMPTY_ANSWERS: ReadonlySet<DataAccessResult> = new Set(["object-unavailable", "other-reason"]);
const RESTARTS = 3;
const ENTRIES_IN_USE = 7;
const PROFILE_CLASS = 7;
const SPARE_ENTRIES = 2;
/** Limits that are taken as the time of another zone are off by less. */
const MOST_OFF_MS = 26 * 3_600_000;

/** The profile's rows in the range, or all of them. Throws AccessRefusedError, BrokenReadError, and what the source does. */
export async function readRows(source: AttributeSource, order: RowsOrder): Promise<DecodedProfile> {
  const { range, layout } = order;
  const clock = layout.columns.find((column) => column.role === "clock" || column.role === "unix-clock");
  if (range === undefined || clock === undefined) return spanned(order, await readWhole(source, order), true);
  if (order.otherwise === true) return within(spanned(order, await readOtherwise(source, { ...order, range })), range);
  for (const way of waysOf(order)) {
    const rows = await tryWay(source, { ...order, range }, way);
    if (rows !== undefined) return within(spanned(order, rows, way === "whole"), range);
  }
  return spanned(order, await readWhole(source, order), true);
}

function spanned({ onSpan }: RowsOrder, rows: DecodedProfile, isWhole = false): DecodedProfile {
  if (onSpan === undefined || rows.clock === undefined) return rows;
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const instantMs of rows.clock.instantsMs) {
    // A row without a time is neither.
    if (instantMs < fromMs) fromMs = instantMs;
    if (instantMs > toMs) toMs = instantMs;
  }
  if (fromMs <= toMs) onSpan({ fromMs, toMs, isWhole });
  return rows;
}

/** By entries instead of a range, or by a range so wide that limits may be misunderstood; whole where nothing else goes. */
async function readOtherwise(source: AttributeSource, order: RangedOrder): Promise<DecodedProfile> {
  const { object, quirks, range, nowMs = Date.now } = order;
  const known = order.ways.get(object.logicalName);
  if (known !== undefined && known.way !== "range") return readWhole(source, order);
  // What is tried here says nothing about the way that serves best.
  const apart = { ...order, ways: new Map() };
  const byEntry = quirks.has("entries-refused") ? undefined : await readEntries(source, apart);
  if (byEntry !== undefined && byEntry.rowCount > 0) return byEntry;
  const wide = { fromMs: range.fromMs - MOST_OFF_MS, toMs: Math.max(range.toMs, nowMs()) + MOST_OFF_MS };
  const ranges = quirks.has("range-refused") ? undefined : await readRange(source, { ...apart, range: wide });
  return ranges ?? readWhole(source, order);
}

/** Registers read one by one, as a buffer of one row; what the meter refuses is null-data in it. */
export async function readRegisterRow(
  source: AttributeSource,
  set: RegisterSet,
  keepOctets?: RowsOrder["keepOctets"],
): Promise<Data> {
  const results = await source.getList(set.objects.map(attributeOf));
  const row = results.map((result): Data => (result.type === "data" ? result.data : { type: "null-data" }));
  const buffer: Data = { type: "array", value: [{ type: "structure", value: row }] };
  keepOctets?.({ form: "registers", octets: dataToBytes(buffer) });
  return buffer;
}

type RangedOrder = RowsOrder & { readonly range: ReadRange };

function waysOf({ quirks, ways, object }: RowsOrder): readonly RowWay[] {
  const known = ways.get(object.logicalName)?.way ?? "range";
  return WAYS.slice(WAYS.indexOf(known)).filter((way) => {
    if (way === "range") return !quirks.has("range-refused");
    return way === "whole" || !quirks.has("entries-refused");
  });
}

/** Undefined when the meter does not give rows in that way. */
async function tryWay(source: AttributeSource, order: RangedOrder, way: RowWay): Promise<DecodedProfile | undefined> {
  switch (way) {
    case "range":
      return readRange(source, order);
    case "entries":
      return readEntries(source, order);
    case "whole":
      return readWhole(source, order);
  }
}

function remember({ ways, object }: RowsOrder, way: RowWay, newestFirst?: boolean): void {
  ways.set(object.logicalName, { way, proven: true, ...(newestFirst !== undefined && { newestFirst }) });
}

async function readRange(source: AttributeSource, order: RangedOrder): Promise<DecodedProfile | undefined> {
  const { layout, object, range } = order;
  const parts: DecodedProfile[] = [];
  let window = askedWindow(range, layout.capturePeriod);
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await selected(source, object, accessTo(window, order));
      if (result.type !== "data") return refusedRange(source, order, result.dataAccessResult);
      parts.push(answered(result, order, parts.at(-1)));
      remember(order, "range");
      return joinParts(parts, layout);
    } catch (error) {
      const rest = wholeRows(error, order, parts.at(-1));
      if (rest !== undefined) parts.push(rest);
      if (!(error instanceof SessionFailedError) || parts.length === 0) throw error;
      const next = windowAfter(window, parts, layout);
      if (attempt >= RESTARTS || rest === undefined || next === undefined || error.stage !== "request") {
        throw new BrokenReadError(within(joinParts(parts, layout), range), error);
      }
      window = next;
    }
  }
}

/** A meter that has not negotiated selective access is not asked. */
async function selected(
  source: AttributeSource,
  { logicalName }: ProfileObject,
  access: SelectiveAccess,
): Promise<DataResult> {
  try {
    return await source.get({ ...profileAttribute(logicalName, "buffer"), access });
  } catch (error) {
    if (!(error instanceof DlmsError) || error.code !== "SERVICE_NOT_NEGOTIATED") throw error;
    return { type: "data-access-result", dataAccessResult: "scope-of-access-violated" };
  }
}

function accessTo(window: ReadRange, { layout, clock, quirks }: RowsOrder) {
  const column = layout.columns.find(({ role }) => role === "clock" || role === "unix-clock");
  const restrictingObject = column?.captureObject;
  if (restrictingObject === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { clock: "none" });
  const limit = (instantMs: number) => rangeLimit(instantMs, clock, !quirks.has("range-without-deviation"));
  return rangeAccess({ restrictingObject, from: limit(window.fromMs), to: limit(window.toMs) });
}

/** The rows that came whole before a read broke off; undefined when there are none. */
function wholeRows(error: unknown, order: RowsOrder, before: DecodedProfile | undefined): DecodedProfile | undefined {
  const partial = error instanceof SessionFailedError ? error.failure.partial : undefined;
  if (partial === undefined) return undefined;
  try {
    const options = { ...decodeOptions(order, before), keepWholeRows: true };
    const rows = decodeProfileBuffer(partial, order.layout, options);
    if (rows.rowCount === 0) return undefined;
    order.keepOctets?.({ form: "part", octets: partial });
    return rows;
  } catch (fault) {
    if (fault instanceof DlmsError) return undefined;
    throw fault;
  }
}

/** Octets of rows come with them; those of anything else are made again if they are to be kept. */
function answered(
  result: Extract<DataResult, { type: "data" }>,
  order: RowsOrder,
  before?: DecodedProfile,
): DecodedProfile {
  const octets = encodedOctets(result);
  order.keepOctets?.({ form: "buffer", octets: octets ?? dataToBytes(result.data) });
  return decodeProfileBuffer(octets ?? result.data, order.layout, decodeOptions(order, before));
}

function decodeOptions({ clock, clockBreaks }: RowsOrder, before: DecodedProfile | undefined): DecodeOptions {
  const carry = before && carryOf(before);
  return { clock, ...(clockBreaks && { clockBreaks }), ...(carry && { carry }) };
}

/** What is still to come: from the last whole row on, which comes once more; undefined when its time is not known. */
function windowAfter(
  window: ReadRange,
  parts: readonly DecodedProfile[],
  { sortMethod }: ProfileLayout,
): ReadRange | undefined {
  const lastMs = lastInstant(parts);
  if (lastMs === undefined) return undefined;
  return sortMethod === LIFO ? { ...window, toMs: lastMs } : { ...window, fromMs: lastMs };
}

function lastInstant(parts: readonly DecodedProfile[]): number | undefined {
  const last = parts.at(-1);
  const instantMs = last?.clock?.instantsMs[last.rowCount - 1];
  return instantMs === undefined || Number.isNaN(instantMs) ? undefined : instantMs;
}

/** A part that goes on after another begins with the rows that are held already. */
function joinParts(parts: readonly DecodedProfile[], { sortMethod }: ProfileLayout): DecodedProfile {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const places = parts.flatMap((part, index) => {
    const heldMs = index === 0 ? undefined : lastInstant(parts.slice(0, index));
    const instants = rowNumbers(part).map((row) => part.clock?.instantsMs[row] ?? Number.NaN);
    const isHeld = (instantMs: number) =>
      heldMs !== undefined && (sortMethod === LIFO ? instantMs >= heldMs : instantMs <= heldMs);
    // A row without a time is as new as the rows around it.
    const lastHeld = instants.findLastIndex(isHeld);
    return rowNumbers(part)
      .filter((row) => !isHeld(instants[row] ?? Number.NaN) && row > lastHeld)
      .map((row) => ({ part: index, row }));
  });
  return joinRows(parts, places);
}

/**
 * The same answers mean that no row lies in the range and that ranges are not known. If the rows by another way show
 * that there was one, it is the latter, and the meter is not asked by range again.
 */
async function refusedRange(
  source: AttributeSource,
  order: RangedOrder,
  answer: DataAccessResult,
): Promise<DecodedProfile | undefined> {
  const { ways, object, layout, clock, quirks, range } = order;
  if (!EMPTY_ANSWERS.has(answer)) return undefined;
  const nothing = decodeProfileBuffer({ type: "array", value: [] }, layout, { clock });
  if (ways.get(object.logicalName)?.proven === true) return nothing;
  const known = ways.get(object.logicalName);
  const rows = quirks.has("entries-refused") ? undefined : await readEntries(source, order);
  const found = rows ?? (await readWhole(source, order));
  if (within(found, range).rowCount > 0) return found;
  // Nothing was to be had, so nothing is learned: the next read asks by range again.
  if (known === undefined) ways.delete(object.logicalName);
  else ways.set(object.logicalName, known);
  return nothing;
}

/** The newest entries, as many as reach back to the range's begin. Undefined when the meter gives none by entry. */
async function readEntries(source: AttributeSource, order: RangedOrder): Promise<DecodedProfile | undefined> {
  const { object, quirks, layout, ways } = order;
  const reference = attributeOf({
    classId: PROFILE_CLASS,
    logicalName: object.logicalName,
    attributeId: ENTRIES_IN_USE,
  });
  const inUse = await source.get(reference);
  const count = inUse.type === "data" ? integerOf(inUse.data) : undefined;
  if (count === undefined || count < 1) return undefined;
  const known = ways.get(object.logicalName)?.newestFirst;
  const newestFirst = known ?? (quirks.has("entries-newest-first") || layout.sortMethod === LIFO);
  const rows = await newestEntries(source, order, { count, newestFirst });
  if (rows === undefined) return undefined;
  if (rows.rowCount > 0 && (known !== undefined || !endsBefore(rows, order.range.fromMs))) return rows;
  // Older than what is wanted: perhaps the meter counts from the other end. None: it has fewer entries than it says.
  const others = await newestEntries(source, order, { count, newestFirst: !newestFirst });
  const fits =
    others !== undefined && (rows.rowCount > 0 ? !endsBefore(others, order.range.fromMs) : reaches(others, order));
  if (fits) {
    remember(order, "entries", !newestFirst);
    return others;
  }
  if (rows.rowCount > 0) return rows;
  ways.delete(object.logicalName);
  return undefined;
}

/** Whether rows go up to the end of what is wanted, or nearly. */
function reaches(rows: DecodedProfile, { range, layout, nowMs = Date.now }: RangedOrder): boolean {
  const endMs = Math.min(range.toMs, nowMs());
  return rows.rowCount > 0 && !endsBefore(rows, endMs - SPARE_ENTRIES * periodMs(layout.capturePeriod));
}

interface Entries {
  readonly count: number;
  readonly newestFirst: boolean;
}

async function newestEntries(
  source: AttributeSource,
  order: RangedOrder,
  { count, newestFirst }: Entries,
): Promise<DecodedProfile | undefined> {
  const { layout, range, object, nowMs = Date.now } = order;
  const spanMs = Math.max(nowMs(), range.toMs) - range.fromMs;
  let wanted = Math.min(count, Math.ceil(spanMs / periodMs(layout.capturePeriod)) + SPARE_ENTRIES);
  for (;;) {
    const access = newestFirst ? entryAccess(1, wanted) : entryAccess(count - wanted + 1, count);
    const result = await selected(source, object, access);
    if (result.type !== "data") return undefined;
    const rows = answered(result, order);
    if (rows.rowCount > 0) remember(order, "entries", newestFirst);
    if (wanted >= count || !beginsAfter(rows, range.fromMs)) return rows;
    wanted = Math.min(count, 2 * wanted);
  }
}

async function readWhole(source: AttributeSource, order: RowsOrder): Promise<DecodedProfile> {
  const reference = profileAttribute(order.object.logicalName, "buffer");
  try {
    const result = await source.get(reference);
    if (result.type !== "data") throw new AccessRefusedError(reference, result.dataAccessResult);
    const rows = answered(result, order);
    if (order.range !== undefined && rows.rowCount > 0) remember(order, "whole");
    return rows;
  } catch (error) {
    const rows = wholeRows(error, order, undefined);
    if (rows === undefined || !(error instanceof SessionFailedError)) throw error;
    throw new BrokenReadError(rows, error);
  }
}

/** Rows without a time are kept: whoever reads them has to see that they are there. */
function within(rows: DecodedProfile, { fromMs, toMs }: ReadRange): DecodedProfile {
  const { clock } = rows;
  if (clock === undefined) return rows;
  return filterRows(rows, (row) => {
    const instantMs = clock.instantsMs[row] ?? Number.NaN;
    return Number.isNaN(instantMs) || (instantMs >= fromMs && instantMs <= toMs);
  });
}

function endsBefore(rows: DecodedProfile, atMs: number): boolean {
  return rows.rowCount > 0 && instantsOf(rows).every((instantMs) => instantMs < atMs);
}

function beginsAfter(rows: DecodedProfile, atMs: number): boolean {
  return rows.rowCount > 0 && instantsOf(rows).every((instantMs) => instantMs > atMs);
}

function instantsOf({ clock }: DecodedProfile): readonly number[] {
  return clock === undefined ? [] : [...clock.instantsMs].filter((instantMs) => !Number.isNaN(instantMs));
}

function rowNumbers({ rowCount }: DecodedProfile): number[] {
  return Array.from({ length: rowCount }, (_, row) => row);
}
