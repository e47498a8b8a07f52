import { expect, test } from "vitest";
import { RejectionBudget } from "../../../../src/push/receive/rejection-budget.ts";

test("rejection budget: a host has so many at once, then so many in a second; the next says how many were not kept", () => {
  const budget = new RejectionBudget({ atOnce: 3, perSecond: 2 });
  expect([1, 2, 3, 4, 5].map(() => budget.spend("a", 0))).toEqual([0, 0, 0, undefined, undefined]);
  expect(budget.spend("b", 0)).toBe(0);
  expect(budget.spend("a", 400)).toBeUndefined();
  expect(budget.spend("a", 600)).toBe(3);
  expect([budget.spend("a", 60_000), budget.spend("a", 60_000), budget.spend("a", 60_000)]).toEqual([0, 0, 0]);
  expect(budget.spend("a", 60_000)).toBeUndefined();
});

test("rejection budget: hosts without number cost no memory without number", () => {
  const budget = new RejectionBudget({ atOnce: 1, perSecond: 0 });
  budget.spend("first", 0);
  expect(budget.spend("first", 0)).toBeUndefined();
  for (let host = 0; host < 10_000; host++) budget.spend(String(host), 0);
  expect(budget.spend("first", 0)).toBe(0);
});
