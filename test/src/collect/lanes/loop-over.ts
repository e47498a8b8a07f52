/** A loop over meters that are only names, under a clock of the test. */
import { afterEach, beforeEach, vi } from "vitest";
import { UTC } from "../../../../protocol/cosem/time-zone.ts";
import { PollLoop, type PollLoopOptions } from "../../../../src/collect/lanes/poll-loop.ts";
import type { JobOutcome } from "../../../../src/collect/plan/planner.ts";
import type { ReadingKind } from "../../../../src/profiles/batch.ts";

export const MINUTE_MS = 60_000;
export const ANSWERED: JobOutcome = { answered: true, more: [] };
export const FAILED: JobOutcome = { answered: false, cause: "no answer", more: [] };
export const INSTANT = [{ profile: "instant" as const, everyMs: 15 * MINUTE_MS, deadlineMs: 15 * MINUTE_MS }];
const INSTANT_AND_BILLING = [
  ...INSTANT,
  { profile: "billing" as const, everyMs: 1440 * MINUTE_MS, deadlineMs: 1440 * MINUTE_MS },
];

export function underFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 2) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export function loopOver(
  meters: readonly string[],
  poll: (meter: string, profiles: readonly ReadingKind[]) => Promise<JobOutcome>,
  options: Partial<PollLoopOptions<string>> = {},
) {
  return new PollLoop({
    meters,
    nameOf: (meter) => meter,
    zoneOf: () => UTC,
    plansOf: () => INSTANT_AND_BILLING,
    concurrency: 4,
    startsPerSecond: 1000,
    poll,
    ...options,
  });
}

/** A job that takes a while. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
