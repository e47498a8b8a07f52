import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PollLoop } from "../../../src/collect/poll-loop.ts";
import { nextSlotMs, retryDelayMs } from "../../../src/collect/slot.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";

const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 2) });
});
afterEach(() => {
  vi.useRealTimers();
});

function loopOver(
  meters: readonly string[],
  poll: (meter: string, profiles: readonly ProfileKind[]) => Promise<boolean>,
) {
  return new PollLoop({
    meters,
    nameOf: (meter) => meter,
    plans: [
      { profile: "instant", everyMs: 15 * MINUTE_MS },
      { profile: "billing", everyMs: 1440 * MINUTE_MS },
    ],
    concurrency: 4,
    startsPerSecond: 1000,
    poll,
  });
}

test("poll loop: every meter is polled at once for all plans, then each plan in its period", async () => {
  const polls: string[] = [];
  const loop = loopOver(["a", "b"], async (meter, profiles) => {
    polls.push(`${meter}:${profiles.join("+")}`);
    return true;
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(polls).toEqual(["a:instant+billing", "b:instant+billing"]);
  polls.length = 0;
  await vi.advanceTimersByTimeAsync(46 * MINUTE_MS);
  expect(polls.toSorted((x, y) => x.localeCompare(y))).toEqual(
    ["a", "a", "a", "b", "b", "b"].map((meter) => `${meter}:instant`),
  );
  await loop.stop();
});

test("poll loop: a failing meter is tried again with growing delays and harms no other", async () => {
  const attempts: number[] = [];
  const good: number[] = [];
  const started = Date.now();
  const loop = loopOver(["good", "bad"], async (meter) => {
    (meter === "bad" ? attempts : good).push(Math.round((Date.now() - started) / 1000));
    return meter === "good";
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
  expect(attempts).toEqual([0, 30, 90, 210]);
  expect(good).toEqual([0]);
  await loop.stop();
});

test("poll loop: a read that is asked for goes before waiting scheduled ones, never beside its own meter's poll", async () => {
  const trace: string[] = [];
  const running = new Set<string>();
  const work = async (meter: string, label: string) => {
    if (running.has(meter)) trace.push(`${meter} worked twice at once`);
    running.add(meter);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    running.delete(meter);
    trace.push(label);
  };
  const meters = Array.from({ length: 8 }, (_, index) => `m${index}`);
  const loop = loopOver(meters, async (meter) => {
    await work(meter, meter);
    return true;
  });
  loop.start();
  const asked = loop.readNow("m0", () => work("m0", "asked"));
  await vi.advanceTimersByTimeAsync(10_000);
  await asked;
  expect(trace.indexOf("asked")).toBeLessThan(trace.indexOf("m7"));
  expect(trace).toHaveLength(9);
  await loop.stop();
});

test("poll loop: after stop nothing new starts and what runs has ended", async () => {
  let ended = 0;
  const loop = loopOver(
    Array.from({ length: 20 }, (_, index) => `m${index}`),
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      ended++;
      return true;
    },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(500);
  const stopped = loop.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  await stopped;
  expect(ended).toBe(4);
});

test("slots: the next read is after the boundary, within a tenth of the period, and the same for a name", () => {
  const now = Date.UTC(2026, 0, 1, 0, 7);
  const next = nextSlotMs(now, 15 * MINUTE_MS, "house-1");
  expect(next - Date.UTC(2026, 0, 1, 0, 15)).toBeGreaterThanOrEqual(5000);
  expect(next - Date.UTC(2026, 0, 1, 0, 15)).toBeLessThanOrEqual(65_000);
  expect(nextSlotMs(now, 15 * MINUTE_MS, "house-1")).toBe(next);
  expect(nextSlotMs(next, 15 * MINUTE_MS, "house-1")).toBe(next + 15 * MINUTE_MS);
});

test("slots: retries double and stay within an hour and the period", () => {
  expect([1, 2, 3, 4].map((n) => retryDelayMs(n, 900_000))).toEqual([30_000, 60_000, 120_000, 240_000]);
  expect(retryDelayMs(50, 86_400_000)).toBe(3_600_000);
  expect(retryDelayMs(50, 1000)).toBe(30_000);
});

test("poll loop: meters of one line are worked one after the other and leave the others' places free", async () => {
  const running = new Set<string>();
  const seen: string[] = [];
  const meters = ["l-1", "l-2", "l-3", "l-4", "a", "b", "c"];
  const loop = new PollLoop({
    meters,
    nameOf: (meter) => meter,
    lineOf: (meter) => (meter.startsWith("l") ? "/dev/serial/by-id/x" : undefined),
    plans: [{ profile: "instant", everyMs: 15 * MINUTE_MS }],
    concurrency: 4,
    startsPerSecond: 1000,
    poll: async (meter) => {
      running.add(meter);
      seen.push(meter);
      expect([...running].filter((each) => each.startsWith("l")).length).toBeLessThan(2);
      await new Promise((resolve) => {
        setTimeout(resolve, 1000);
      });
      running.delete(meter);
      return true;
    },
  });
  const all = loop.pollOnce();
  await vi.advanceTimersByTimeAsync(100);
  expect([...running].toSorted()).toEqual(["a", "b", "c", "l-1"]);
  const now = loop.readNow("l-4", async () => seen.push("asked"));
  await vi.advanceTimersByTimeAsync(5000);
  await Promise.all([all, now]);
  expect(seen.filter((each) => !/^[abc]$/.test(each))).toEqual(["l-1", "asked", "l-2", "l-3", "l-4"]);
});

test("poll loop: a stop refuses what waits for a line", async () => {
  const loop = new PollLoop({
    meters: ["a", "b"],
    nameOf: (meter) => meter,
    lineOf: () => "line",
    plans: [{ profile: "instant", everyMs: MINUTE_MS }],
    concurrency: 4,
    startsPerSecond: 1000,
    poll: async () => true,
  });
  const first = Promise.withResolvers<string>();
  const running = loop.readNow("a", () => first.promise);
  const waiting = loop.readNow("b", async () => "never");
  await vi.advanceTimersByTimeAsync(10);
  const stopped = loop.stop();
  await expect(waiting).rejects.toThrow("cleared");
  first.resolve("done");
  await stopped;
  expect(await running).toBe("done");
});

test("poll loop: without plans no meter is called", async () => {
  const polls: string[] = [];
  const loop = new PollLoop({
    meters: ["a"],
    nameOf: (meter) => meter,
    plans: [],
    concurrency: 1,
    startsPerSecond: 10,
    poll: async (meter) => polls.push(meter) > 0,
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(polls).toEqual([]);
  await loop.stop();
});
