/** A gateway whose own clock is wrong: nothing is read, settled or lost until it is right. */
import { expect, test } from "vitest";
import { systemClock } from "../../drivers/clock.ts";
import { SYSTEM_ENVIRONMENT } from "../../src/collect/session/visit-environment.ts";
import { polledStreet } from "./polled-street.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 4, 5, 10, 2);

test.each([
  ["of the year in which computers begin", -START_MS],
  ["of some days ago", -5 * DAY_MS],
])("gateway clock: with a clock %s polling waits, and goes on when it is right", async (_, backMs) => {
  await using polled = await polledStreet({ count: 1, startMs: START_MS });
  const { collector, store, pass, events } = polled;
  const [meter] = polled.meters;
  if (meter === undefined) throw new Error("an empty street");
  expect(await collector.poll(meter, ["block_load"])).toMatchObject({ answered: true });
  const held = store.stampsOf("block_load");
  pass(backMs);
  for (let time = 0; time < 3; time++) {
    expect(await collector.poll(meter, ["block_load"])).toMatchObject({ answered: false, cause: "gateway clock" });
  }
  expect(events.filter(({ event }) => event === "gatewayClockWrong")).toHaveLength(1);
  expect(store.stampsOf("block_load")).toEqual(held);
  pass(-backMs + 2 * HOUR_MS);
  expect(await collector.poll(meter, ["block_load"])).toMatchObject({ answered: true });
  expect(store.stampsOf("block_load").length).toBeGreaterThan(held.length);
});

test("gateway clock: with one far ahead nothing is given up, and all is read when it is right again", async () => {
  let aheadMs = 0;
  await using polled = await polledStreet(
    { count: 1, startMs: START_MS },
    { environment: { ...SYSTEM_ENVIRONMENT, clock: { ...systemClock, now: () => polled.nowMs() + aheadMs } } },
  );
  const { collector, store, pass } = polled;
  const [meter] = polled.meters;
  if (meter === undefined) throw new Error("an empty street");
  await collector.poll(meter, ["block_load"]);
  const held = store.stampsOf("block_load");
  pass(2 * HOUR_MS);
  aheadMs = 700 * DAY_MS;
  // The meter has no rows of those days.
  for (let time = 0; time < 3; time++)
    expect(await collector.poll(meter, ["block_load"])).toMatchObject({ answered: true });
  aheadMs = 0;
  expect(await collector.poll(meter, ["block_load"])).toMatchObject({ answered: true });
  const newest = (held.at(-1) ?? 0) + 2 * HOUR_MS;
  expect(store.stampsOf("block_load").at(-1)).toBe(newest);
  expect(store.absentOf("block_load")).toEqual([]);
});

test("gateway clock: one that was set back by some hours holds nothing up", async () => {
  await using polled = await polledStreet({ count: 1, startMs: START_MS });
  const [meter] = polled.meters;
  if (meter === undefined) throw new Error("an empty street");
  await polled.collector.poll(meter, ["block_load"]);
  polled.pass(-3 * HOUR_MS);
  expect(await polled.collector.poll(meter, ["block_load", "instant"])).toMatchObject({ answered: true });
});
