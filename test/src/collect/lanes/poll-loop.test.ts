import { expect, test, vi } from "vitest";
import { systemClock } from "../../../../drivers/clock.ts";
import { ANSWERED, FAILED, INSTANT, loopOver, MINUTE_MS, pause, underFakeTime } from "./loop-over.ts";

underFakeTime();

test("poll loop: every meter is polled at once for all plans, then each plan in its period", async () => {
  const polls: string[] = [];
  const loop = loopOver(["a", "b"], async (meter, profiles) => {
    polls.push(`${meter}:${profiles.join("+")}`);
    return ANSWERED;
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

test("poll loop: when the clock is set, far ahead or back again, meters are due within a minute", async () => {
  const polls: string[] = [];
  const setBy: number[] = [];
  let aheadMs = 0;
  const loop = loopOver(
    ["a"],
    async () => {
      polls.push("a");
      return ANSWERED;
    },
    {
      onClockSet: (byMs) => setBy.push(byMs),
      clock: { ...systemClock, now: () => Date.now() + aheadMs },
    },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
  const years = 700 * 24 * 60 * MINUTE_MS;
  for (const ahead of [years, 0]) {
    polls.length = 0;
    aheadMs = ahead;
    await vi.advanceTimersByTimeAsync(MINUTE_MS + 1000);
    expect(polls).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(15 * MINUTE_MS);
    expect(polls).toEqual(["a", "a"]);
  }
  expect(setBy).toEqual([years, -years]);
  await loop.stop();
});

test("poll loop: a failing meter is tried again with growing delays and harms no other", async () => {
  const attempts: number[] = [];
  const good: number[] = [];
  const started = Date.now();
  const loop = loopOver(["good", "bad"], async (meter) => {
    (meter === "bad" ? attempts : good).push(Math.round((Date.now() - started) / 1000));
    return meter === "good" ? ANSWERED : FAILED;
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
    return ANSWERED;
  });
  loop.start();
  const asked = loop.readNow("m0", () => work("m0", "asked"));
  await vi.advanceTimersByTimeAsync(10_000);
  await asked;
  // Three of the eight run at once; what is asked does not wait for the others.
  expect(trace.indexOf("asked")).toBeLessThan(6);
  expect(trace).toHaveLength(9);
  await loop.stop();
});

test("poll loop: after stop nothing new starts and what runs has ended", async () => {
  let ended = 0;
  const loop = loopOver(
    Array.from({ length: 20 }, (_, index) => `m${index}`),
    async () => {
      await pause(1000);
      ended++;
      return ANSWERED;
    },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(500);
  const stopped = loop.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  await stopped;
  // One place of the four is kept for what people ask.
  expect(ended).toBe(3);
});

test("poll loop: meters of one line are worked one after the other and leave the others' places free", async () => {
  const running = new Set<string>();
  const seen: string[] = [];
  const loop = loopOver(
    ["l-1", "l-2", "l-3", "l-4", "a", "b"],
    async (meter) => {
      running.add(meter);
      seen.push(meter);
      expect(Array.from(running).filter((each) => each.startsWith("l")).length).toBeLessThan(2);
      await pause(1000);
      running.delete(meter);
      return ANSWERED;
    },
    { plansOf: () => INSTANT, lineOf: (meter) => (meter.startsWith("l") ? "/dev/serial/by-id/x" : undefined) },
  );
  const all = loop.pollOnce();
  await vi.advanceTimersByTimeAsync(100);
  expect(Array.from(running).toSorted()).toEqual(["a", "b", "l-1"]);
  const now = loop.readNow("l-4", async () => seen.push("asked"));
  await vi.advanceTimersByTimeAsync(5000);
  await Promise.all([all, now]);
  expect(seen.filter((each) => !/^[ab]$/.test(each))).toEqual(["l-1", "asked", "l-2", "l-3", "l-4"]);
});

test("poll loop: on one line a silent meter, and all that is asked of another, make none of the rest starve", async () => {
  const polls = new Map<string, number>();
  const loop = loopOver(
    ["a", "b", "c", "silent"],
    async (meter) => {
      polls.set(meter, (polls.get(meter) ?? 0) + 1);
      await pause(meter === "silent" ? 2 * MINUTE_MS : 1000);
      return meter === "silent" ? FAILED : ANSWERED;
    },
    { lineOf: () => "bus", plansOf: () => INSTANT },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(8 * 60 * MINUTE_MS);
  // 33 slots in eight hours, and each is read.
  for (const meter of ["a", "b", "c"]) expect(polls.get(meter)).toBe(33);
  expect(polls.get("silent")).toBeGreaterThan(5);
  const served: string[] = [];
  const read = (meter: string) =>
    loop.readNow(meter, async () => {
      served.push(meter);
      await pause(1000);
    });
  const reads = ["a", "a", "a", "a", "b", "c", "b"].map(read);
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
  await Promise.all(reads);
  expect(served).toEqual(["a", "a", "b", "c", "a", "b", "a"]);
  await loop.stop();
});

test("poll loop: a stop refuses what waits for a line", async () => {
  const loop = loopOver(["a", "b"], async () => ANSWERED, { plansOf: () => INSTANT, lineOf: () => "line" });
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
  const loop = loopOver(
    ["a"],
    async (meter) => {
      polls.push(meter);
      return ANSWERED;
    },
    { plansOf: () => [] },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(polls).toEqual([]);
  await loop.stop();
});

test("quarantine: a meter that keeps failing is set apart and comes back by itself when it sends or answers", async () => {
  const told: string[] = [];
  const attempts: number[] = [];
  let answers = false;
  const started = Date.now();
  const loop = loopOver(
    ["bad"],
    async () => {
      attempts.push(Math.round((Date.now() - started) / MINUTE_MS));
      return answers ? ANSWERED : { answered: false, cause: "wrong password", more: [] };
    },
    { plansOf: () => INSTANT, onQuarantine: (meter, quarantined) => told.push(`${meter} ${quarantined}`) },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(30 * 60 * MINUTE_MS);
  // At once, after 15 minutes, an hour later; then once a day.
  expect(attempts).toEqual([0, 15, 75, 1515]);
  expect(told).toEqual(["bad true"]);
  const sinceMs = started + 75 * MINUTE_MS;
  const nextTryMs = started + (1515 + 24 * 60) * MINUTE_MS;
  expect(Array.from(loop.quarantined())).toEqual([{ meter: "bad", sinceMs, nextTryMs, cause: "wrong password" }]);
  answers = true;
  loop.seen("bad");
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual(["bad true", "bad false"]);
  expect(attempts).toHaveLength(5);
  expect(Array.from(loop.quarantined())).toEqual([]);
  await loop.stop();
});

test("poll loop: scheduled work goes on when what was asked for had the last place", async () => {
  const polls: string[] = [];
  const loop = loopOver(
    ["a", "b"],
    async (meter) => {
      polls.push(meter);
      await pause(1000);
      return ANSWERED;
    },
    { concurrency: 1 },
  );
  loop.start();
  const asked = loop.readNow("a", () => pause(10));
  await vi.advanceTimersByTimeAsync(5000);
  await asked;
  expect(polls).toEqual(["a", "b"]);
  await loop.stop();
});

test("poll loop: other plans try no failing meter earlier, and no meter beside its own poll", async () => {
  const polls: string[] = [];
  const answer = Promise.withResolvers<void>();
  const loop = loopOver(["failing", "busy"], async (meter) => {
    polls.push(meter);
    if (meter === "failing") return FAILED;
    await answer.promise;
    return ANSWERED;
  });
  loop.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(polls).toEqual(["failing", "busy"]);
  loop.replan(["failing", "busy"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(polls).toEqual(["failing", "busy"]);
  answer.resolve();
  await vi.advanceTimersByTimeAsync(15 * MINUTE_MS);
  expect(polls.filter((each) => each === "failing").length).toBeGreaterThan(1);
  await loop.stop();
});

test("poll loop: what runs, what waits and for what, and what comes next is told, by lane and meter", async () => {
  const loop = loopOver(
    ["a", "b", "c", "d", "e"],
    async (meter) => {
      await pause(1000);
      return meter === "e" ? FAILED : ANSWERED;
    },
    { concurrency: 3, plansOf: () => INSTANT },
  );
  const told = () =>
    Array.from(loop.openJobs(), ({ meter, lane, what, stage }) => [meter, lane, what, stage].join(" "));
  const upcoming = (of?: string) =>
    Array.from(loop.upcomingJobs(of), ({ meter, lane, profiles, dueMs }) => {
      return {
        meter,
        job: `${lane} ${profiles.join("+")}`,
        inS: dueMs === undefined ? undefined : (dueMs - Date.now()) / 1000,
      };
    });
  loop.start();
  await vi.advanceTimersByTimeAsync(10);
  // Two of the three places are for what is planned, one is for what people ask.
  const [one = "", other = ""] = Array.from(loop.openJobs(), ({ meter }) => meter);
  const [third = "", fourth = "", fifth = ""] = upcoming().map(({ meter }) => meter);
  const switched = [third, fourth].map((meter) =>
    loop.readNow(meter, () => pause(1000), { lane: "control", what: "switch" }),
  );
  const read = loop.readNow(one, () => pause(1000));
  await vi.advanceTimersByTimeAsync(0);
  expect(told()).toEqual([
    `${one} scheduled instant running`,
    `${other} scheduled instant running`,
    `${third} control switch running`,
    `${fourth} control switch place`,
    `${one} on_demand read line`,
  ]);
  expect(upcoming(fifth)).toEqual([{ meter: fifth, job: "scheduled instant", inS: expect.closeTo(0, 1) }]);
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all([...switched, read]);
  expect(told()).toEqual([]);
  // The next quarter of an hour is far, the meter that failed is tried again after half a minute.
  const [failed, ...answered] = upcoming();
  expect(failed).toMatchObject({ meter: "e", job: "scheduled instant" });
  expect(failed?.inS).toBeLessThan(30);
  expect(answered.map(({ meter }) => meter).sort()).toEqual(["a", "b", "c", "d"]);
  await loop.stop();
  loop.want("a", ["billing"]);
  expect(upcoming("a").at(-1)).toEqual({ meter: "a", job: "backfill billing", inS: undefined });
});
