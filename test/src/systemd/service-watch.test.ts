import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EventCounts } from "../../../src/observe/event-counts.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import type { Vitals } from "../../../src/observe/vitals.ts";
import { ServiceWatch } from "../../../src/systemd/service-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const WELL: Vitals = {
  meters: 7,
  quarantined: 1,
  overdueMs: 2400,
  stalledMs: { planner: 0, rows: 0, pushes: 59_000 },
  waitingRows: 0,
  waitingPushes: 0,
  pushConnections: 0,
  spool: { octets: 12_300_000, quota: 1e9, engaged: false },
};

function watched(initial?: Vitals) {
  const notified: string[] = [];
  const told: GatewayEvent[] = [];
  const state = { vitals: initial };
  const counts = new EventCounts();
  const watch = new ServiceWatch({
    notify: (text) => notified.push(text),
    watchdogMs: 30_000,
    vitals: () => state.vitals,
    counts,
    events: (event) => told.push(event),
  });
  return { watch, notified, told, state, counts };
}

test("service watch: signs of life come thrice in the watchdog's time, with the rates of the last minute", () => {
  using stack = new DisposableStack();
  const { watch, notified, counts } = watched(WELL);
  stack.use(watch);
  for (const _ of [1, 2, 3]) counts.sink({ event: "meterPolled", meter: "m", profiles: [], rows: 1, durationMs: 1 });
  vi.advanceTimersByTime(30_000);
  expect(notified).toHaveLength(4);
  expect(notified.at(-1)).toBe(
    "WATCHDOG=1\nSTATUS=7 meters; in the last minute 3 read, 0 failed, 0 pushes; due work 2 s late",
  );
  vi.advanceTimersByTime(60_000);
  expect(notified.at(-1)).toContain("in the last minute 0 read");
});

test("service watch: a part that stands still keeps the sign of life back, and is told once", () => {
  using stack = new DisposableStack();
  const { watch, notified, told, state } = watched(WELL);
  stack.use(watch);
  state.vitals = {
    ...WELL,
    stalledMs: { planner: 0, rows: 61_000, pushes: 0 },
    spool: { ...WELL.spool, engaged: true },
  };
  vi.advanceTimersByTime(30_000);
  expect(notified.slice(1).filter((text) => text.includes("WATCHDOG"))).toEqual([]);
  expect(notified.at(-1)).toMatch(/; rows stalled for 61 s; the database is away or slow, spool 12 MB$/);
  expect(told).toEqual([{ event: "partStalled", part: "rows", forMs: 61_000 }]);
  state.vitals = WELL;
  vi.advanceTimersByTime(10_000);
  expect(notified.at(-1)).toContain("WATCHDOG=1");
});

test("service watch: a start tells what it waits for", () => {
  using stack = new DisposableStack();
  const { watch, notified } = watched();
  stack.use(watch);
  expect(notified).toEqual(["WATCHDOG=1\nSTATUS=starts"]);
  watch.sink({ event: "databaseAway", reason: "refused", nextStep: "start it", goesOn: false, retryMs: 1000 });
  expect(notified.at(-1)).toBe("WATCHDOG=1\nSTATUS=waits for the database: refused");
});
