import { expect, test } from "vitest";
import { UTC } from "../../../../protocol/cosem/time-zone.ts";
import { type LedgerPage, MeterLedger, type ProfileMemory } from "../../../../src/collect/slots/meter-ledger.ts";
import {
  chooseSlots,
  contradicts,
  firstRowOfPeriod,
  partOf,
  slotsWithoutRow,
} from "../../../../src/collect/slots/profile-slots.ts";
import { type Gap, gapsOf, outagesOf } from "../../../../src/collect/slots/slot-states.ts";
import { blockLoad, SLOT_MS, START_MS, slots } from "../../../db/profile-batches.ts";

const DAY = START_MS / 86_400_000;
const RULE = { intervalS: 900, zone: UTC };
const MEMORY: ProfileMemory = { profile: "block_load", validFromMs: START_MS - 1, intervalS: 900, entries: 60 };

function slotMs(slot: number): number {
  return START_MS + slot * SLOT_MS;
}

function bits(places: readonly number[] | undefined): string | null {
  if (places === undefined) return null;
  const ones = new Set(places);
  return slots(0, 96)
    .map((slot) => (ones.has(slot) ? "1" : "0"))
    .join("");
}

/** A page of the first day with ones at these slots. */
function page(states: Partial<Record<"held" | "absent" | "off" | "setAside", readonly number[]>>): LedgerPage {
  return {
    profile: "block_load",
    day: DAY,
    intervalS: 900,
    held: bits(states.held),
    absent: bits(states.absent),
    off: bits(states.off),
    setAside: bits(states.setAside),
  };
}

function shortly(gaps: readonly Gap[]): string[] {
  return gaps.map(({ state, fromMs, toMs, slots: count }) => {
    return `${state} ${(fromMs - START_MS) / SLOT_MS}-${(toMs - START_MS) / SLOT_MS} ${count}`;
  });
}

test("gaps: each open slot has its reason, and slots with the same one are told together", () => {
  const record = {
    calendar: { zone: UTC },
    memories: [MEMORY],
    pages: [page({ held: slots(0, 10), absent: [20, 21, 30], off: [22], setAside: [23] })],
  };
  const order = {
    fromMs: START_MS - 1,
    toMs: slotMs(200),
    nowMs: slotMs(80) + 1,
    deadlineMs: () => 4 * SLOT_MS,
    outages: [{ fromMs: slotMs(29) + 1, toMs: slotMs(30) }],
  };
  expect(shortly(gapsOf(record, order))).toEqual([
    "gone 10-19 10",
    "missing 20-21 2",
    "off 22-22 1",
    "set-aside 23-23 1",
    "late 24-29 6",
    "off 30-30 1",
    "late 31-76 46",
    "due 77-80 4",
  ]);
});

test("gaps: where the capture period changed, slots are expected of each period in its time", () => {
  const noon = slotMs(48);
  const changed = { ...MEMORY, validFromMs: noon - 1, intervalS: 1800 };
  const record = { calendar: { zone: UTC }, memories: [MEMORY, changed], pages: [page({ held: slots(0, 47) })] };
  const order = { fromMs: START_MS, toMs: slotMs(52), nowMs: slotMs(60), deadlineMs: () => 0, outages: [] };
  expect(gapsOf(record, order).map(({ intervalS, slots: count }) => [intervalS, count])).toEqual([
    [900, 1],
    [1800, 3],
  ]);
});

test("outages: events pair, repeated ones count once, and one without an end lasts until now", () => {
  const events = [
    { atMs: 5, isOff: false },
    { atMs: 10, isOff: true },
    { atMs: 12, isOff: true },
    { atMs: 20, isOff: false },
    { atMs: 30, isOff: true },
  ];
  expect(outagesOf(events.toReversed(), 50)).toEqual([
    { fromMs: 10, toMs: 20 },
    { fromMs: 30, toMs: 50 },
  ]);
});

function ledgerWith(pages: readonly LedgerPage[], memory = MEMORY) {
  const ledger = new MeterLedger({ zone: UTC }, { memories: [memory], pages });
  const found = ledger.of("block_load");
  if (found === undefined) throw new Error("the ledger knows no block load");
  return { ledger, found };
}

function ranges(chosen: { readonly ranges: readonly { fromMs: number; toMs: number }[] }): [number, number][] {
  return chosen.ranges.map(({ fromMs, toMs }) => [(fromMs - START_MS) / SLOT_MS, (toMs - START_MS) / SLOT_MS]);
}

test("chosen slots: only what is open is asked for, near holes together, in the order of the plan", () => {
  const { found } = ledgerWith([page({ held: [...slots(0, 10), ...slots(12, 14), ...slots(40, 70)], absent: [30] })]);
  const nowMs = slotMs(75);
  const endless = { ...found, memory: { ...found.memory, entries: undefined } };
  expect(ranges(chooseSlots(endless, { nowMs, order: "oldest-first" }))).toEqual([
    [10, 39],
    [70, 75],
  ]);
  expect(ranges(chooseSlots(endless, { nowMs, order: "newest-first", mostSlots: 10 }))).toEqual([
    [70, 75],
    [36, 39],
  ]);
  // Of 60 rows the oldest is that of slot 16.
  expect(ranges(chooseSlots(found, { nowMs, order: "oldest-first" }))).toEqual([
    [16, 39],
    [70, 75],
  ]);
});

test("chosen slots: what the meter is about to overwrite goes first, whatever the plan says", () => {
  const { found, ledger } = ledgerWith([page({ held: slots(0, 20) })]);
  const chosen = chooseSlots(found, { nowMs: slotMs(78), order: "newest-first", mostSlots: 5 });
  expect(ranges(chosen)).toEqual([[20, 24]]);
  expect(chosen).toMatchObject({ open: 59, left: 54 });
  // What it has overwritten is asked for no more: 60 rows reach back to slot 30.
  expect(ranges(chooseSlots(found, { nowMs: slotMs(90), order: "oldest-first" }))).toEqual([[31, 90]]);
  // That was by our clock, which may have been ahead.
  ledger.forgetOverwritten("block_load");
  expect(ranges(chooseSlots(found, { nowMs: slotMs(78), order: "oldest-first" }))).toEqual([[20, 78]]);
  ledger.settle("block_load", 900, [slotMs(90)]);
  ledger.forgetOverwritten("block_load");
  expect(ranges(chooseSlots(found, { nowMs: slotMs(90), order: "oldest-first" }))).toEqual([[31, 89]]);
  expect(found.settled.throughMs).toBe(slotMs(30));
});

test("ledger in memory: what became durable is settled, of the right period only", () => {
  const { found, ledger } = ledgerWith([]);
  ledger.settle("block_load", 900, slots(0, 50).map(slotMs));
  ledger.settle("block_load", 1800, slots(50, 60).map(slotMs));
  ledger.settle("daily_load", 86_400, [slotMs(96)]);
  expect(ranges(chooseSlots(found, { nowMs: slotMs(52), order: "oldest-first" }))).toEqual([[50, 52]]);
});

function span(from: number, to: number, isWhole = false) {
  return { fromMs: slotMs(from), toMs: slotMs(to), isWhole };
}

function range(from: number, to: number) {
  return { fromMs: slotMs(from), toMs: slotMs(to) };
}

test("answers: slots between two rows are absent, and off where the status says so", () => {
  const batch = blockLoad(1, [0, 1, 5, 6, 9], {
    columns: [{ column: "status", values: [0n, 0n, 0x80n, 0n, 0n] }],
  });
  const asked = [{ ...range(0, 11), span: span(0, 9), again: [] }];
  const answered = { rule: RULE, companion: "idis" as const, asked, readAtMs: slotMs(11) };
  const { absentMs, offMs, doubted } = slotsWithoutRow([batch], answered);
  expect(offMs).toEqual([2, 3, 4].map(slotMs));
  // Slots 10 and 11 may come yet.
  expect(absentMs).toEqual([7, 8].map(slotMs));
  expect(doubted).toEqual([]);
  const later = slotsWithoutRow([batch], { ...answered, readAtMs: slotMs(20) });
  expect(later).toMatchObject({ absentMs: [7, 8].map(slotMs), doubted: [range(10, 11)] });
});

test("answers: what lies beyond the rows of an answer is doubted until another way says the same", () => {
  const answered = { rule: RULE, companion: "idis" as const, readAtMs: slotMs(40) };
  const nothing = { ...range(0, 5), span: undefined, again: [] };
  expect(slotsWithoutRow([], { ...answered, asked: [nothing] })).toEqual({
    absentMs: [],
    offMs: [],
    doubted: [range(0, 5)],
  });
  // Nothing by any way proves nothing either.
  const twice = { ...nothing, again: [range(0, 5)] };
  expect(slotsWithoutRow([], { ...answered, asked: [twice] }).doubted).toEqual([range(0, 5)]);
  const rows = blockLoad(1, [4, 5]);
  const first = { ...nothing, span: span(4, 5) };
  expect(slotsWithoutRow([rows], { ...answered, asked: [first] })).toMatchObject({
    absentMs: [],
    doubted: [range(0, 3)],
  });
  const second = { ...first, again: [range(0, 2)] };
  expect(slotsWithoutRow([rows], { ...answered, asked: [second] })).toMatchObject({
    absentMs: [0, 1, 2].map(slotMs),
    doubted: [range(3, 3)],
  });
  const whole = { ...nothing, span: span(4, 5, true) };
  expect(slotsWithoutRow([rows], { ...answered, asked: [whole] })).toMatchObject({
    absentMs: slots(0, 4).map(slotMs),
    doubted: [],
  });
  // Rows outside of what was wanted prove as much: a hole of one slot between rows that are held.
  const hole = { ...range(2, 2), span: span(1, 3), again: [] };
  expect(slotsWithoutRow([], { ...answered, asked: [hole] }).absentMs).toEqual([slotMs(2)]);
});

test("answers: rows beside the slots, or closer than the period, tell that it has changed", () => {
  expect(contradicts(RULE, slots(0, 5).map(slotMs))).toBe(false);
  expect(contradicts({ ...RULE, intervalS: 1800 }, slots(0, 5).map(slotMs))).toBe(true);
  expect(contradicts(RULE, [slotMs(0), slotMs(1) + 400_000])).toBe(true);
});

test("answers: a buffer in which the period changed is split where it did", () => {
  const stamps = [0, 2, 4, 5, 6].map(slotMs);
  expect(firstRowOfPeriod(stamps, { oldS: 1800, newS: 900 })).toBe(3);
  expect(firstRowOfPeriod([0, 1, 2, 4, 6].map(slotMs), { oldS: 900, newS: 1800 })).toBe(3);
  expect(firstRowOfPeriod([slotMs(0), slotMs(2)], { oldS: 1800, newS: 900 })).toBe(2);
  expect(firstRowOfPeriod([slotMs(0)], { oldS: 1800, newS: 900 })).toBe(0);
  const part = partOf(blockLoad(1, slots(0, 5)), [3, 5], 900);
  expect(part).toMatchObject({ rowCount: 2, intervalS: 900, instantsMs: [slotMs(3), slotMs(4)] });
  expect(part.columns.map((column) => column.values.length)).toEqual([2, 2]);
});
