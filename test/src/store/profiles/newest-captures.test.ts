import { expect, test } from "vitest";
import { NewestCaptures } from "../../../../src/store/profiles/newest-captures.ts";

test("newest captures: the later time of a meter stays", () => {
  const newest = new NewestCaptures();
  expect([newest.get(1), newest.get(1_000_000)]).toEqual([undefined, undefined]);
  newest.add(1, 20);
  newest.add(1, 10);
  newest.add(1_000_000, Number.NEGATIVE_INFINITY);
  expect([newest.get(1), newest.get(2), newest.get(1_000_000)]).toEqual([20, undefined, Number.NEGATIVE_INFINITY]);
});

test("newest captures: what they take is bounded, also by keys that no meter has", () => {
  const newest = new NewestCaptures();
  for (const key of [-1, 0.5, Number.NaN, 2 ** 24, 2 ** 31 - 1]) {
    newest.add(key, 1);
    expect(newest.get(key)).toBeUndefined();
  }
  newest.add(2 ** 24 - 1, 1);
  expect(newest.get(2 ** 24 - 1)).toBe(1);
});
