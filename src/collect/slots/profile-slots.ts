/**
 * From open slots to what a meter is asked for, and from its answer to what that says of slots: which are absent, which
 * were not recorded because the meter was off, and whether the meter captures otherwise than was thought.
 */
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import { raisedBits } from "../../../protocol/cosem/companion/event-meaning.ts";
import type { ProfileLayout } from "../../../protocol/profile/layout.ts";
import { MeterTimes } from "../../../protocol/profile/meter-times.ts";
import type { ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import { slotIntervalS } from "../../store/profiles/slot-interval.ts";
import type { AnswerSpan } from "../read/profile-reader.ts";
import type { ProfileLedger } from "./meter-ledger.ts";
import type { SlotRange } from "./settled-slots.ts";
import { reachMs, type SlotRule, slotAfter, slotOf, slotsBetween } from "./slot-calendar.ts";

const DAY_S = 86_400;
const LEAST_INTERVAL_S = 60;
const HOUR_MS = 3_600_000;
/** Holes of up to so many slots are read over: a request costs more than some rows that are held. */
const READ_OVER_SLOTS = 8;
/** Rows of one profile that one visit asks for at most; the rest waits for the next. */
const SLOTS_A_VISIT = 1500;
/** What the meter overwrites within this part of its reach goes first, whatever the plan says. */
const URGENT_PART = 8;

/** As `slotIntervalS`, of what a layout says. */
export function layoutIntervalS(profile: ProfileKind, { capturePeriod }: ProfileLayout): number | undefined {
  return slotIntervalS(profile, capturePeriod && "seconds" in capturePeriod ? capturePeriod.seconds : undefined);
}

export type ReadingOrder = "newest-first" | "oldest-first";

export interface ChosenSlots {
  /** To be asked for one after the other. */
  readonly ranges: readonly SlotRange[];
  /** How many slots are open, and how many of these are left for another visit. */
  readonly open: number;
  readonly left: number;
}

/** Which open slots this visit asks for: as many as one visit may, in the order of the plan. */
export function chooseSlots(
  { rule, settled, memory }: ProfileLedger,
  { nowMs, order, mostSlots = SLOTS_A_VISIT }: { nowMs: number; order: ReadingOrder; mostSlots?: number },
): ChosenSlots {
  const reach = memory.entries === undefined ? Number.POSITIVE_INFINITY : reachMs(rule, memory.entries);
  // What is older has been overwritten.
  const open = joined(rule, settled.open(rule, nowMs, nowMs - reach));
  const isUrgent = (open[0]?.fromMs ?? nowMs) < nowMs - reach + reach / URGENT_PART;
  if (order === "newest-first" && !isUrgent) open.reverse();
  const ranges: SlotRange[] = [];
  let left = mostSlots;
  for (const range of open) {
    if (left <= 0) break;
    const part = cut(rule, range, { most: left, fromEnd: order === "newest-first" && !isUrgent });
    ranges.push(part);
    left -= countOf(rule, part);
  }
  const count = (list: readonly SlotRange[]) => list.reduce((sum, range) => sum + countOf(rule, range), 0);
  return { ranges, open: count(open), left: count(open) - count(ranges) };
}

/** When the meter overwrites the first open slot of a profile; undefined where none is open, or its depth is not known. */
export function firstLossMs({ rule, settled, memory }: ProfileLedger, nowMs: number): number | undefined {
  const [first] = settled.open(rule, nowMs);
  return first === undefined || memory.entries === undefined ? undefined : first.fromMs + reachMs(rule, memory.entries);
}

function countOf(rule: SlotRule, { fromMs, toMs }: SlotRange): number {
  if (rule.intervalS > 0) return Math.round((toMs - fromMs) / (rule.intervalS * 1000)) + 1;
  return Array.from(slotsBetween(rule, fromMs - 1, toMs)).length;
}

function joined(rule: SlotRule, open: readonly SlotRange[]): SlotRange[] {
  const ranges: SlotRange[] = [];
  for (const range of open) {
    const last = ranges.at(-1);
    if (last !== undefined && countOf(rule, { fromMs: last.toMs, toMs: range.fromMs }) - 2 <= READ_OVER_SLOTS) {
      ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs: range.toMs };
    } else ranges.push(range);
  }
  return ranges;
}

function cut(rule: SlotRule, range: SlotRange, { most, fromEnd }: { most: number; fromEnd: boolean }): SlotRange {
  if (countOf(rule, range) <= most) return range;
  const slots = Array.from(slotsBetween(rule, range.fromMs - 1, range.toMs));
  const part = fromEnd ? slots.slice(-most) : slots.slice(0, most);
  return { fromMs: part[0] ?? range.fromMs, toMs: part.at(-1) ?? range.toMs };
}

/** Rows `from` up to below `to` of a batch, as captured with an interval. */
export function partOf(batch: ProfileBatch, [from, to]: readonly [number, number], intervalS: number): ProfileBatch {
  const part = <T>(values: readonly T[]) => values.slice(from, to);
  return {
    ...batch,
    intervalS,
    rowCount: to - from,
    instantsMs: part(batch.instantsMs),
    timeRules: part(batch.timeRules),
    meterTimes: batch.meterTimes && MeterTimes.of(part(batch.meterTimes.toArray())),
    columns: batch.columns.map(({ column, values }) => ({ column, values: values.slice(from, to) })),
    others: batch.others.map(({ captureObject, unit, values }) => ({ captureObject, unit, values: part(values) })),
  };
}

/** Slots that a meter was asked for in one request, and what its answer spans. */
export interface AskedSlots extends SlotRange {
  /** From its oldest row to its newest; undefined for an answer without rows. */
  readonly span: AnswerSpan | undefined;
  /** The slots of which it is the second answer, by another way than the first. */
  readonly again: readonly SlotRange[];
}

export interface AnsweredSlots {
  readonly rule: SlotRule;
  readonly companion: Companion;
  readonly asked: readonly AskedSlots[];
  readonly readAtMs: number;
}

export interface SlotsWithoutRow {
  /** The meter has no row of them, as is proven. */
  readonly absentMs: number[];
  /** Of the same kind, while the meter was off as its status tells. */
  readonly offMs: number[];
  /** Over, and without a row, but the answer proves nothing: to be asked for again by another way. */
  readonly doubted: readonly SlotRange[];
}

/**
 * The asked slots that the answers have no row of. An answer proves that only for what lies between two of its rows, or
 * before its newest if it was the whole buffer or the second answer: meters answer with nothing for many reasons.
 */
export function slotsWithoutRow(
  batches: readonly ProfileBatch[],
  { rule, companion, asked, readAtMs }: AnsweredSlots,
): SlotsWithoutRow {
  const { slots, words } = slotsWithRow(rule, batches);
  // A row may be written late; what is older, or has a newer row after it, is not there any more.
  const surelyOver = readAtMs - Math.max(HOUR_MS, Math.min(2 * rule.intervalS, DAY_S) * 1000);
  const over = Math.max(slots.at(-1) ?? Number.NEGATIVE_INFINITY, surelyOver);
  const absentMs: number[] = [];
  const offMs: number[] = [];
  const doubtedMs: number[] = [];
  for (const range of asked) {
    let missing: number[] = [];
    const settle = (word: bigint | undefined) => {
      if (missing.length === 0) return;
      const told = tellsPowerFailure(companion, word) ? offMs : absentMs;
      for (const slotMs of missing) told.push(slotMs);
      missing = [];
    };
    const endMs = Math.min(range.toMs, over);
    let next = 0;
    for (let slot = slotAfter(rule, range.fromMs - 1); slot <= endMs; slot = slotAfter(rule, slot)) {
      while ((slots[next] ?? Number.POSITIVE_INFINITY) < slot) next++;
      if (slots[next] === slot) settle(words[next]);
      else if (isProven(range, slot)) missing.push(slot);
      else doubtedMs.push(slot);
    }
    while ((slots[next] ?? Number.POSITIVE_INFINITY) <= range.toMs) next++;
    settle(slots[next] === slotAfter(rule, range.toMs) ? words[next] : undefined);
  }
  return { absentMs, offMs, doubted: rangesOf(rule, doubtedMs) };
}

/** The slots that rows stand for, in the order of time, and the status words of these rows. */
function slotsWithRow(
  rule: SlotRule,
  batches: readonly ProfileBatch[],
): { readonly slots: readonly number[]; readonly words: readonly (bigint | undefined)[] } {
  const slots: number[] = [];
  const words: (bigint | undefined)[] = [];
  let isSorted = true;
  for (const { instantsMs, columns } of batches) {
    const status = columns.find((column) => column.column === "status")?.values;
    for (let row = 0; row < instantsMs.length; row++) {
      const slot = slotOf(rule, instantsMs[row] ?? Number.NaN);
      if (slot === undefined) continue;
      isSorted &&= slot > (slots.at(-1) ?? Number.NEGATIVE_INFINITY);
      slots.push(slot);
      words.push(status?.[row]);
    }
  }
  if (isSorted) return { slots, words };
  const wordOf = new Map(slots.map((slot, at) => [slot, words[at]]));
  const sorted = [...wordOf.keys()].sort((a, b) => a - b);
  return { slots: sorted, words: sorted.map((slot) => wordOf.get(slot)) };
}

function isProven({ span, again }: AskedSlots, slot: number): boolean {
  if (span === undefined || slot > span.toMs) return false;
  return slot > span.fromMs || span.isWhole || again.some(({ fromMs, toMs }) => slot >= fromMs && slot <= toMs);
}

/** Slots in order as ranges of those that follow one another. */
function rangesOf(rule: SlotRule, slotsMs: readonly number[]): SlotRange[] {
  const ranges: { fromMs: number; toMs: number }[] = [];
  for (const slot of slotsMs) {
    const last = ranges.at(-1);
    if (last !== undefined && slotAfter(rule, last.toMs) === slot) last.toMs = slot;
    else ranges.push({ fromMs: slot, toMs: slot });
  }
  return ranges;
}

/** The status word of load profiles in European companions; its bits are in the events' tables. */
const PROFILE_STATUS = "0.0.96.10.1.255";

function tellsPowerFailure(companion: Companion, word: bigint | undefined): boolean {
  if (word === undefined || word < 0n || word > 0xffn) return false;
  const bits = raisedBits(companion, PROFILE_STATUS, { type: "unsigned", value: Number(word) });
  return bits?.some((bit) => bit.condition === "power failure") ?? false;
}

/** Whether stamps can't be those of the interval: beside its slots, or closer together than it. */
export function contradicts(rule: SlotRule, stampsMs: readonly number[]): boolean {
  if (rule.intervalS === 0 || rule.intervalS === DAY_S) return false;
  // Rows mostly come in the order of time.
  const isSorted = stampsMs.every((stampMs, at) => at === 0 || stampMs >= (stampsMs[at - 1] ?? 0));
  const sorted = isSorted ? stampsMs : stampsMs.toSorted((a, b) => a - b);
  return sorted.some((stampMs, at) => {
    const beforeMs = stampMs - (sorted[at - 1] ?? Number.NEGATIVE_INFINITY);
    return (
      slotOf(rule, stampMs) === undefined || (beforeMs > 0 && beforeMs < (rule.intervalS - LEAST_INTERVAL_S) * 1000)
    );
  });
}

/**
 * Rows, from the oldest, of a buffer in which the capture period has changed: the first that was captured with the new
 * one. One row alone tells nothing and counts as new.
 */
export function firstRowOfPeriod(stampsMs: readonly number[], { oldS, newS }: { oldS: number; newS: number }): number {
  const stepsS = stampsMs.slice(1).map((stampMs, row) => Math.round((stampMs - (stampsMs[row] ?? 0)) / 1000));
  if (newS > oldS) {
    const last = stepsS.lastIndexOf(oldS);
    return last < 0 ? 0 : last + 2;
  }
  const first = stepsS.findIndex((stepS) => stepS > 0 && stepS < oldS);
  if (first >= 0) return first === 0 ? 0 : first + 1;
  return stepsS.includes(oldS) ? stampsMs.length : 0;
}
