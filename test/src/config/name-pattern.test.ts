import { expect, test } from "vitest";
import { namePattern } from "../../../src/config/name-pattern.ts";

test.each([
  ["feeder-7", ["feeder-7"], ["feeder-71", "afeeder-7", ""]],
  ["*", ["", "a", "feeder-7"], []],
  ["feeder-*", ["feeder-", "feeder-7"], ["feeder", "a-feeder-7"]],
  ["*-7", ["feeder-7", "-7"], ["feeder-7a"]],
  ["a*a", ["aa", "aba"], ["a"]],
  ["a*b*c", ["abc", "a-b-b-c"], ["acb", "ac", "a-c-b"]],
  ["a.c", ["a.c"], ["abc"]],
])("name pattern: %s", (pattern, fits, others) => {
  const isMeant = namePattern(pattern);
  expect(fits.filter((name) => !isMeant(name))).toEqual([]);
  expect(others.filter(isMeant)).toEqual([]);
});

test("name pattern: many stars end, whatever the name", () => {
  expect(namePattern(`${"a*".repeat(40)}b`)("a".repeat(63))).toBe(false);
});
