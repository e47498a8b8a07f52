import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UTC } from "../../../protocol/cosem/time-zone.ts";
import { drain, StopDeadline } from "../../../src/collect/drain.ts";
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

test("stop deadline: what hangs is given up at it, and what fails before is told", async () => {
  const deadline = new StopDeadline(GRACE_MS);
  const ended: number[] = [];
  for (const part of [1, 2]) void deadline.bound(new Promise(() => undefined)).then(() => ended.push(part));
  await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual([1, 2]);
  const failing = new StopDeadline(GRACE_MS).bound(Promise.reject(new Error("in time")));
  await expect(failing).rejects.toThrow("in time");
});
