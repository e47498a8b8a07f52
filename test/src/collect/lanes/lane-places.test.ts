import { expect, test, vi } from "vitest";
import { ANSWERED, INSTANT, loopOver, MINUTE_MS, pause, underFakeTime } from "./loop-over.ts";

underFakeTime();

test("lanes: a bulk run of the whole fleet leaves places for what people ask, at once and in any number of reads", async () => {
  const meters = Array.from({ length: 200 }, (_, index) => `m${index}`);
  const order: string[] = [];
  const begun = new Set<string>();
  const loop = loopOver(
    meters,
    async (meter) => {
      begun.add(meter);
      await pause(1000);
      order.push(meter);
      return ANSWERED;
    },
    { concurrency: 20, plansOf: () => INSTANT },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(500);
  // In the middle of the bulk run: each read starts and ends before any meter that was not yet begun.
  const waits: number[] = [];
  for (let read = 0; read < 40; read++) {
    const askedMs = Date.now();
    const meter = meters.find((each) => !begun.has(each)) ?? "";
    begun.add(meter);
    const asked = loop.readNow(meter, async () => waits.push(Date.now() - askedMs));
    await vi.advanceTimersByTimeAsync(10);
    await asked;
  }
  expect(Math.max(...waits)).toBe(0);
  expect(order.length).toBeLessThan(40);
  const report = loop.laneTimes().get("on_demand");
  expect(report?.jobs).toBe(40);
  const stopped = loop.stop();
  await vi.advanceTimersByTimeAsync(2000);
  await stopped;
});

test("lanes: reads of one busy meter hold no places that other reads need", async () => {
  const loop = loopOver(["busy", "other"], async () => ANSWERED, { concurrency: 4, plansOf: () => INSTANT });
  const first = Promise.withResolvers<string>();
  const reads = Array.from({ length: 10 }, () => loop.readNow("busy", () => first.promise));
  await vi.advanceTimersByTimeAsync(10);
  expect(await loop.readNow("other", async () => "read")).toBe("read");
  first.resolve("done");
  expect(await Promise.all(reads)).toEqual(Array.from({ length: 10 }, () => "done"));
  await loop.stop();
});

test("lanes: backfill leaves half of the places to scheduled work, and goes on while there is none", async () => {
  const running = { scheduled: 0, backfill: 0 };
  let mostBackfill = 0;
  const rounds = new Map<string, number>();
  const loop = loopOver(
    Array.from({ length: 20 }, (_, index) => `m${index}`),
    async (meter) => {
      const round = (rounds.get(meter) ?? 0) + 1;
      rounds.set(meter, round);
      const lane = round === 1 ? "scheduled" : "backfill";
      running[lane]++;
      mostBackfill = Math.max(mostBackfill, running.backfill);
      await pause(1000);
      running[lane]--;
      return round < 4 ? { answered: true, more: ["block_load"] } : ANSWERED;
    },
    { concurrency: 10, plansOf: () => INSTANT },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(mostBackfill).toBe(4);
  expect(Array.from(rounds.values())).toEqual(Array.from({ length: 20 }, () => 4));
  expect(loop.laneTimes().get("backfill")?.jobs).toBe(60);
  await loop.stop();
});

function groupOf(meter: string): string {
  return meter.startsWith("p") ? "pool" : "other";
}

test("poll loop: of a pool no more meters run at a time than it has places, and other meters go on", async () => {
  const pool = { places: 2 };
  const running = new Map<string, number>([
    ["pool", 0],
    ["other", 0],
  ]);
  const most = new Map<string, number>();
  const loop = loopOver(
    Array.from({ length: 20 }, (_, index) => `${index < 10 ? "p" : "o"}${index}`),
    async (meter) => {
      const group = groupOf(meter);
      running.set(group, (running.get(group) ?? 0) + 1);
      most.set(group, Math.max(most.get(group) ?? 0, running.get(group) ?? 0));
      await pause(100);
      running.set(group, (running.get(group) ?? 0) - 1);
      return ANSWERED;
    },
    { concurrency: 10, boundsOf: (meter) => (groupOf(meter) === "pool" ? [pool] : []) },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(most.get("pool")).toBe(2);
  expect(most.get("other")).toBeGreaterThan(2);
  expect(loop.laneTimes().get("scheduled")?.jobs).toBe(20);
  await loop.stop();
});

test("poll loop: what is asked of a meter goes before the bulk that waits for its pool", async () => {
  const order: string[] = [];
  const pool = { places: 1 };
  const loop = loopOver(
    ["a", "b", "c", "d"],
    async (meter) => {
      await pause(1000);
      order.push(meter);
      return ANSWERED;
    },
    { boundsOf: () => [pool] },
  );
  loop.start();
  const asked = loop.readNow("d", async () => order.push("asked d"));
  await vi.advanceTimersByTimeAsync(10_000);
  await asked;
  expect(order.slice(0, 2)).toEqual(["a", "asked d"]);
  expect(order).toHaveLength(5);
  await loop.stop();
});

test("poll loop: a network gets no more new connections in a second than it takes", async () => {
  const starts: number[] = [];
  const loop = loopOver(
    Array.from({ length: 12 }, (_, index) => `m${index}`),
    async () => {
      starts.push(performance.now());
      return ANSWERED;
    },
    { boundsOf: () => BOUND_BY_RATE },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(6000);
  expect(starts).toHaveLength(12);
  const fourAfter = starts.slice(4).map((start, index) => start - (starts[index] ?? 0));
  expect(Math.min(...fourAfter)).toBeGreaterThanOrEqual(999);
  await loop.stop();
});

const BOUND_BY_RATE = [{ places: 100, startsPerSecond: 4 }];

test("poll loop: backfill that waits for a full network leaves the backfill of other meters its places", async () => {
  const network = { places: 1 };
  const polls: string[] = [];
  const loop = loopOver(
    ["slow-1", "slow-2", "slow-3", "slow-4", "other"],
    async (meter, profiles) => {
      polls.push(`${meter}:${profiles.join()}`);
      if (profiles.includes("block_load") && meter.startsWith("slow")) await pause(10 * MINUTE_MS);
      return ANSWERED;
    },
    { concurrency: 8, boundsOf: (meter) => (meter.startsWith("slow") ? [network] : []) },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(5000);
  for (const meter of ["slow-1", "slow-2", "slow-3", "slow-4", "other"]) loop.want(meter, ["block_load"]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(polls.filter((each) => each.endsWith("block_load"))).toEqual(["slow-1:block_load", "other:block_load"]);
  const stopped = loop.stop();
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  await stopped;
});

test("poll loop: other places and starts hold from then on, and what runs goes on", async () => {
  let running = 0;
  let most = 0;
  let begun = 0;
  const meters = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const loop = loopOver(
    meters,
    async () => {
      begun++;
      most = Math.max(most, ++running);
      await pause(10_000);
      running--;
      return ANSWERED;
    },
    { concurrency: 2, startsPerSecond: 100, plansOf: () => INSTANT },
  );
  loop.start();
  await vi.advanceTimersByTimeAsync(5000);
  expect([begun, most]).toEqual([1, 1]);
  loop.widen({ concurrency: 20, startsPerSecond: 4 });
  await vi.advanceTimersByTimeAsync(2000);
  expect(begun).toBeGreaterThan(5);
  expect(begun).toBeLessThan(12);
  await vi.advanceTimersByTimeAsync(4000);
  expect(most).toBe(18);
  loop.widen({ concurrency: 3, startsPerSecond: 100 });
  most = 0;
  await vi.advanceTimersByTimeAsync(11_000);
  expect(running).toBeLessThan(3);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(begun).toBe(40);
});
