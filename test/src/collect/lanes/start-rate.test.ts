import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StartRate } from "../../../../src/collect/lanes/start-rate.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** So many that want to begin, and when each did. */
function begin(rate: StartRate, count: number): number[] {
  const begunMs: number[] = [];
  const startedMs = performance.now();
  for (let at = 0; at < count; at++) {
    void rate.turn().then(
      () => begunMs.push(performance.now() - startedMs),
      () => undefined,
    );
  }
  return begunMs;
}

test("start rate: so many begin in a second, the others in the next ones, in their order", async () => {
  const begunMs = begin(new StartRate(2), 5);
  await vi.advanceTimersByTimeAsync(3000);
  expect(begunMs).toEqual([0, 0, 1000, 1000, 2000]);
});

test("start rate: another rate holds at once, for those that wait too", async () => {
  const rate = new StartRate(1);
  const begunMs = begin(rate, 4);
  await vi.advanceTimersByTimeAsync(500);
  rate.perSecond = 3;
  await vi.advanceTimersByTimeAsync(1000);
  expect(begunMs).toEqual([0, 500, 500, 1000]);
});

test("start rate: those that wait are refused when it is cleared", async () => {
  const rate = new StartRate(1);
  await rate.turn();
  const waiting = rate.turn();
  rate.clear();
  await expect(waiting).rejects.toThrow("nothing more begins");
  expect(vi.getTimerCount()).toBe(0);
});
