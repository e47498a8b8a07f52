import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UTC } from "../../../protocol/cosem/time-zone.ts";
import { drain } from "../../../src/collect/drain.ts";
import { PollLoop } from "../../../src/collect/lanes/poll-loop.ts";
import { BatchQueue } from "../../../src/store/intake/batch-queue.ts";

const PLANS = [{ profile: "instant" as const, everyMs: 60_000, deadlineMs: 60_000 }];
const GRACE_MS = 30_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("drain: a poll that waits for a database that is away is given up, not waited for", async () => {
  const unreachable = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  const rows = new BatchQueue<{ rowCount: number }, undefined>({
    write: () => Promise.reject(unreachable),
    writers: 1,
  });
  const outcomes: string[] = [];
  const loop = new PollLoop({
    meters: ["m"],
    nameOf: (meter) => meter,
    zoneOf: () => UTC,
    plansOf: () => PLANS,
    concurrency: 1,
    startsPerSecond: 10,
    poll: async () => {
      const { written } = await rows.put({ rowCount: 1 });
      const outcome = await written.then(
        () => "written",
        () => "given up",
      );
      outcomes.push(outcome);
      return { answered: false, more: [] };
    },
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(1000);
  let ended = false;
  void drain({ loop, sessions: { abort: () => outcomes.push("cut") }, rows }, GRACE_MS).then(() => {
    ended = true;
  });
  await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
  expect(outcomes).toEqual([]);
  await vi.advanceTimersByTimeAsync(GRACE_MS + 1);
  expect(outcomes).toEqual(["cut", "given up"]);
  expect(ended).toBe(true);
});
