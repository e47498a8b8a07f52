import { expect, test } from "vitest";
import type { ProfileBatch } from "../../../../src/profiles/batch.ts";
import { changedRanges } from "../../../../src/store/profiles/load-changes.ts";

const SLOT_MS = 900_000;
const START_MS = Date.UTC(2026, 5, 1);

function batch(meterKey: number, instantsMs: readonly number[], changes: Partial<ProfileBatch> = {}): ProfileBatch {
  return {
    meterKey,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "layout",
    readAt: new Date(START_MS + 86_400_000),
    rowCount: instantsMs.length,
    instantsMs,
    timeRules: [],
    meterTimes: undefined,
    intervalS: 900,
    columns: [],
    others: [],
    ...changes,
  };
}

test("load changes: meters with the same times share a range", () => {
  const times = [START_MS, START_MS + SLOT_MS];
  expect(changedRanges([batch(1, times), batch(2, times), batch(3, [START_MS])])).toEqual([
    { fromMs: START_MS, toMs: START_MS + SLOT_MS, meterKeys: [1, 2] },
    { fromMs: START_MS, toMs: START_MS, meterKeys: [3] },
  ]);
});

test("load changes: rows in any order are one range, and one years apart is a range of its own", () => {
  const long = START_MS - 20 * 365 * 86_400_000;
  expect(changedRanges([batch(1, [START_MS + 2 * SLOT_MS, START_MS, long, START_MS + SLOT_MS])])).toEqual([
    { fromMs: START_MS, toMs: START_MS + 2 * SLOT_MS, meterKeys: [1] },
    { fromMs: long, toMs: long, meterKeys: [1] },
    { fromMs: START_MS + SLOT_MS, toMs: START_MS + SLOT_MS, meterKeys: [1] },
  ]);
});

test("load changes: what can't be held is not noted", () => {
  const ahead = START_MS + 3 * 86_400_000;
  const batches = [
    batch(1, [Number.NaN, 5, ahead]),
    batch(2 ** 40, [START_MS]),
    batch(3, [START_MS], { profile: "instant" }),
  ];
  expect(changedRanges(batches)).toEqual([]);
});
