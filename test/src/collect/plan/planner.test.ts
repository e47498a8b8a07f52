import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { namedZone, UTC } from "../../../../protocol/cosem/time-zone.ts";
import { FAILURE_CAUSES, type FailureCause } from "../../../../src/collect/causes/failure-cause.ts";
import { DueTimes } from "../../../../src/collect/plan/due-times.ts";
import { Planner } from "../../../../src/collect/plan/planner.ts";
import { type Retry, retryAfter } from "../../../../src/collect/plan/retry-rule.ts";
import { nextSlotMs } from "../../../../src/collect/slots/slot.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1, 0, 2);

test("due times: they come out in order, whatever is set again or taken away", () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(1500), dueMs: fc.nat(100) }),
    fc.record({ remove: fc.nat(1500) }),
    fc.record({ take: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const due = new DueTimes();
      const model = new Map<number, number>();
      const [taken, expected]: [number[], number[]] = [[], []];
      for (const each of steps) {
        if ("set" in each) {
          due.set(each.set, each.dueMs);
          model.set(each.set, each.dueMs);
        } else if ("remove" in each) {
          due.delete(each.remove);
          model.delete(each.remove);
        } else {
          const number = due.takeDue(each.take) ?? -1;
          const earliest = Math.min(Infinity, ...model.values());
          taken.push(model.get(number) ?? Infinity);
          expected.push(earliest <= each.take ? earliest : Infinity);
          model.delete(number);
        }
        expect(due.size).toBe(model.size);
        const inOrder = Array.from(due.inOrder(), (number) => model.get(number));
        expect(inOrder).toEqual([...model.values()].sort((a, b) => a - b));
        expect(due.nextMs ?? Infinity).toBe(Math.min(Infinity, ...model.values()));
      }
      expect(taken).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test("slots: the next read is after the boundary, spread, and the same for a name", () => {
  const times = { everyMs: 15 * MINUTE_MS, deadlineMs: 15 * MINUTE_MS };
  const house = { name: "house-1", zone: UTC };
  const now = Date.UTC(2026, 0, 1, 0, 7);
  const next = nextSlotMs(now, times, house);
  expect(next - Date.UTC(2026, 0, 1, 0, 15)).toBeGreaterThanOrEqual(5000);
  expect(next - Date.UTC(2026, 0, 1, 0, 15)).toBeLessThanOrEqual(65_000);
  expect(nextSlotMs(now, times, house)).toBe(next);
  expect(nextSlotMs(next, times, house)).toBe(next + 15 * MINUTE_MS);
});

test("slots: whole days begin at the meter's midnight, through summer time, within the deadline", () => {
  const times = { everyMs: DAY_MS, deadlineMs: 2 * HOUR_MS };
  const house = { name: "house-1", zone: namedZone("Europe/Vienna") };
  const midnights = [Date.UTC(2026, 2, 27, 23), Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22)];
  let now = Date.UTC(2026, 2, 27, 12);
  const offsets = midnights.map((midnight) => {
    now = nextSlotMs(now, times, house);
    return now - midnight;
  });
  expect(new Set(offsets).size).toBe(1);
  expect(offsets[0]).toBeGreaterThanOrEqual(5000);
  expect(offsets[0]).toBeLessThan(times.deadlineMs / 4 + 5001);
});

/** What follows from each of these failures, one after the other. */
function retries(...causes: FailureCause[]): Retry[] {
  const counts = {};
  return causes.map((cause) => retryAfter(counts, cause));
}

function repeated(cause: FailureCause, count: number): FailureCause[] {
  return Array.from({ length: count }, () => cause);
}

test("retries: each cause has its own, and each leads to quarantine only where the meter may be at fault", () => {
  const silent = retries(...repeated("no answer", 11)).map(({ delayMs }) => delayMs);
  expect(silent.slice(0, 4)).toEqual([30_000, 60_000, 120_000, 240_000]);
  expect(silent.at(-1)).toBe(HOUR_MS);
  const wrongKey = retries(...repeated("wrong block key", 3));
  expect(wrongKey[0]?.delayMs).toBe(15 * MINUTE_MS);
  expect(wrongKey.at(-1)).toEqual({ delayMs: DAY_MS, quarantined: true });
  expect(retries("meter busy")[0]?.delayMs).toBe(90_000);
  const causes = Object.keys(FAILURE_CAUSES) as FailureCause[];
  const never = causes.filter((cause) => retries(...repeated(cause, 100)).every(({ quarantined }) => !quarantined));
  expect(never).toEqual(["gateway clock", "not kept", "no counters", "database away", "cancelled", "internal error"]);
});

test("retries: causes of different kinds are counted apart", () => {
  const damaged = retries(...repeated("no answer", 11), "wrong block key").at(-1);
  expect(damaged).toEqual({ delayMs: 15 * MINUTE_MS, quarantined: false });
  const apart = retries(...repeated("no answer", 12), "wrong block key").at(-1);
  expect(apart).toEqual({ delayMs: DAY_MS, quarantined: true });
});

const PLANS = [
  { profile: "block_load" as const, everyMs: 15 * MINUTE_MS, deadlineMs: HOUR_MS },
  { profile: "daily_load" as const, everyMs: DAY_MS, deadlineMs: 6 * HOUR_MS },
];

function planner(meters: readonly string[]): Planner<string> {
  const made = new Planner<string>({ nameOf: (meter) => meter, zoneOf: () => UTC, plansOf: () => PLANS });
  for (const meter of meters) made.add(meter, START_MS);
  return made;
}

test("planner: one job does all that is due, and a meter has no second one meanwhile", () => {
  const plan = planner(["a"]);
  const job = plan.take("scheduled", START_MS);
  expect(job).toEqual({ meter: "a", profiles: ["block_load", "daily_load"] });
  expect(plan.take("scheduled", START_MS + DAY_MS)).toBeUndefined();
  if (job !== undefined) plan.finish(job, { answered: true, more: [] }, START_MS);
  const next = plan.nextMs ?? 0;
  expect(next - START_MS).toBeLessThan(15 * MINUTE_MS);
  expect(plan.take("scheduled", next)).toEqual({ meter: "a", profiles: ["block_load"] });
});

test("planner: what one visit could not bring comes in the backfill lane, or with the next scheduled job", () => {
  const plan = planner(["a", "b"]);
  for (const meter of ["a", "b"]) {
    const job = plan.take("scheduled", START_MS);
    expect(job?.meter).toBe(meter);
    if (job !== undefined) plan.finish(job, { answered: true, more: ["block_load"] }, START_MS);
  }
  const backfill = plan.take("backfill", START_MS);
  expect(backfill).toEqual({ meter: "a", profiles: ["block_load"] });
  expect(plan.take("scheduled", START_MS + HOUR_MS)).toEqual({ meter: "b", profiles: ["block_load", "daily_load"] });
  expect(plan.take("backfill", START_MS + HOUR_MS)).toBeUndefined();
  if (backfill !== undefined) plan.finish(backfill, { answered: true, more: [] }, START_MS + HOUR_MS);
  expect(plan.take("backfill", START_MS + HOUR_MS)).toBeUndefined();
});

test("planner: ten days of fifty meters have each slot of each plan once", () => {
  const meters = Array.from({ length: 50 }, (_, index) => `m${index}`);
  const plan = planner(meters);
  const polls = new Map<string, number>();
  let now = START_MS;
  while (now < START_MS + 10 * DAY_MS) {
    for (let job = plan.take("scheduled", now); job !== undefined; job = plan.take("scheduled", now)) {
      for (const profile of job.profiles)
        polls.set(`${job.meter} ${profile}`, (polls.get(`${job.meter} ${profile}`) ?? 0) + 1);
      plan.finish(job, { answered: true, more: [] }, now);
    }
    now = plan.nextMs ?? Infinity;
  }
  for (const meter of meters) {
    expect(polls.get(`${meter} block_load`)).toBe(1 + 10 * 96);
    expect(polls.get(`${meter} daily_load`)).toBe(1 + 10);
  }
});

test("planner: what is wanted of a meter is asked for when there is room, and not lost while it is at work", () => {
  const planner = new Planner<string>({ nameOf: (meter) => meter, zoneOf: () => UTC, plansOf: () => [] });
  planner.add("a", 0);
  planner.want("nobody", ["instant"], 0);
  expect(planner.take("backfill", 0)).toBeUndefined();
  planner.want("a", ["block_load"], 10);
  const job = planner.take("backfill", 10);
  expect(job).toEqual({ meter: "a", profiles: ["block_load"] });
  planner.want("a", ["events"], 11);
  expect(planner.take("backfill", 11)).toBeUndefined();
  planner.finish(job!, { answered: true, more: [] }, 12);
  expect(planner.take("backfill", 12)).toEqual({ meter: "a", profiles: ["events"] });
});

/** Meters that are all due now, with this deadline by name. */
function plannerOf(deadlines: Readonly<Record<string, number>>): Planner<string> {
  const plansOf = (meter: string) => [
    { profile: "block_load" as const, everyMs: DAY_MS, deadlineMs: deadlines[meter] ?? DAY_MS },
  ];
  const made = new Planner<string>({ nameOf: (meter) => meter, zoneOf: () => UTC, plansOf });
  for (const meter of Object.keys(deadlines)) made.add(meter, START_MS);
  return made;
}

function taken(plan: Planner<string>, lane: "scheduled" | "backfill", nowMs: number): string[] {
  const meters: string[] = [];
  for (let job = plan.take(lane, nowMs); job !== undefined; job = plan.take(lane, nowMs)) meters.push(job.meter);
  return meters;
}

test("planner: of those that are due the one with the nearest deadline goes first", () => {
  const plan = plannerOf({ late: 6 * HOUR_MS, soon: HOUR_MS, between: 2 * HOUR_MS });
  expect(taken(plan, "scheduled", START_MS)).toEqual(["soon", "between", "late"]);
});

test("planner: whose deadline is over waits as if it were due just now, and keeps no other waiting", () => {
  const plan = plannerOf({ over: HOUR_MS, near: 3 * HOUR_MS });
  expect(taken(plan, "scheduled", START_MS + 2.5 * HOUR_MS)).toEqual(["near", "over"]);
});

test("planner: what a meter is about to overwrite goes first, with its next try and as backfill", () => {
  const plan = plannerOf({ a: DAY_MS, b: DAY_MS, c: DAY_MS });
  const losses = new Map([
    ["a", START_MS + 9 * DAY_MS],
    ["b", START_MS + HOUR_MS],
  ]);
  for (let job = plan.take("scheduled", START_MS); job !== undefined; job = plan.take("scheduled", START_MS)) {
    plan.finish(job, { answered: true, more: ["block_load"], lostFromMs: losses.get(job.meter) }, START_MS);
  }
  expect(taken(plan, "backfill", START_MS)).toEqual(["b", "a", "c"]);
  const failing = plannerOf({ a: DAY_MS, b: DAY_MS });
  for (let job = failing.take("scheduled", START_MS); job !== undefined; job = failing.take("scheduled", START_MS)) {
    failing.finish(job, { answered: false, more: [], lostFromMs: losses.get(job.meter) }, START_MS);
  }
  expect(taken(failing, "scheduled", START_MS + 31_000)).toEqual(["b", "a"]);
});

test("planner: meters that are taken on with a spread are due one after the other, none later than its period", () => {
  const plan = planner([]);
  const names = Array.from({ length: 1000 }, (_, index) => `meter-${index}`);
  for (const name of names) plan.add(name, START_MS, 10 * MINUTE_MS);
  expect(taken(plan, "scheduled", START_MS + 5 * MINUTE_MS).length).toBeGreaterThan(400);
  expect(taken(plan, "scheduled", START_MS + 5 * MINUTE_MS)).toEqual([]);
  expect(taken(plan, "scheduled", START_MS + 10 * MINUTE_MS).length).toBeLessThan(600);
  const slow = planner([]);
  for (const name of names) slow.add(name, START_MS, DAY_MS);
  expect(taken(slow, "scheduled", START_MS + 15 * MINUTE_MS)).toHaveLength(1000);
});

test("planner: a meter without a way to it is due for nothing until there is one, and then for what was missed", () => {
  const plan = planner(["a"]);
  plan.pause("a");
  expect(plan.nextMs).toBeUndefined();
  plan.want("a", ["events"], START_MS);
  plan.seen("a", START_MS);
  expect(plan.take("scheduled", START_MS + DAY_MS) ?? plan.take("backfill", START_MS + DAY_MS)).toBeUndefined();
  plan.resume("a", START_MS + DAY_MS);
  const job = plan.take("scheduled", START_MS + DAY_MS);
  expect(job).toEqual({ meter: "a", profiles: ["block_load", "daily_load", "events"] });
  plan.pause("a");
  if (job !== undefined) plan.finish(job, { answered: false, cause: "connection lost", more: [] }, START_MS + DAY_MS);
  expect(plan.take("scheduled", START_MS + 9 * DAY_MS)).toBeUndefined();
  plan.resume("a", START_MS + 2 * DAY_MS);
  expect(plan.take("scheduled", START_MS + 2 * DAY_MS)?.meter).toBe("a");
});

test("planner: a meter that was taken out while its job waited is due when it is back and can be reached", () => {
  const plan = planner(["a"]);
  expect(plan.take("scheduled", START_MS)?.meter).toBe("a");
  plan.remove("a");
  plan.add("a", START_MS);
  plan.pause("a");
  plan.resume("a", START_MS);
  expect(plan.take("scheduled", START_MS)?.meter).toBe("a");
});

test("planner: what comes of a job counts for nothing when its meter was taken out meanwhile", () => {
  const plan = planner(["a", "b"]);
  const before = plan.take("scheduled", START_MS)!;
  plan.remove("a");
  plan.want("a", ["events"], START_MS);
  expect(plan.take("backfill", START_MS)).toBeUndefined();
  plan.add("a", START_MS);
  expect(taken(plan, "scheduled", START_MS)).toEqual(["b", "a"]);
  plan.finish(before, { answered: false, cause: "wrong block key", more: [] }, START_MS);
  expect(plan.take("scheduled", START_MS + DAY_MS)).toBeUndefined();
});

test("planner: a meter that is taken out is not remembered", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const plan = new Planner<object>({ nameOf: () => "a", zoneOf: () => UTC, plansOf: () => PLANS });
  const gone = Array.from({ length: 100 }, () => {
    const meter = {};
    plan.add(meter, START_MS);
    plan.take("scheduled", START_MS);
    plan.remove(meter);
    return new WeakRef(meter);
  });
  // A reference holds until the turn in which it was made is over.
  await nextTurn();
  collect();
  expect(gone.filter((each) => each.deref() !== undefined)).toEqual([]);
  expect(plan.size).toBe(0);
});
