/** Meters that answer with nothing now and then: every row is there in the end. */
import { expect, test } from "vitest";
import { polledStreet } from "./polled-street.ts";

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 4, 5, 10, 2);

test("empty answer: a meter that says other-reason once gives all its rows in the end", async () => {
  await using polled = await polledStreet({ count: 1, startMs: START_MS, faults: { 0: "ranges-stumble" } });
  const { street, collector, store, pass, nowMs } = polled;
  const [meter] = polled.meters;
  if (meter === undefined) throw new Error("an empty street");
  // Held, so that it goes on stumbling where it was.
  const stumbling = street.meter(meter.target.name);
  const poll = () => collector.poll(meter, ["block_load"]);
  for (let visit = 0; visit < 8; visit++) {
    expect(await poll()).toMatchObject({ answered: true });
    pass(3 * HOUR_MS);
  }
  await poll();
  expect(stumbling.model).toBeDefined();
  expect(store.absentOf("block_load")).toEqual([]);
  const stamps = store.stampsOf("block_load");
  const [first = 0] = stamps;
  expect(first).toBeLessThanOrEqual(START_MS - DAY_MS + 2 * HOUR_MS);
  const periodMs = (stamps[1] ?? 0) - first;
  expect(periodMs).toBeGreaterThanOrEqual(QUARTER_MS);
  const last = Math.floor(nowMs() / QUARTER_MS) * QUARTER_MS;
  const expected = Array.from(
    { length: Math.floor((last - first) / periodMs) + 1 },
    (_, row) => first + row * periodMs,
  );
  expect(stamps).toEqual(expected);
});
