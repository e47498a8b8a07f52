import { expect, test } from "vitest";
import { type GatewayEvent, withoutRepeats } from "../../../src/observe/events.ts";
import { JumpingClock } from "../collect/jumping-clock.ts";

const REFUSED: GatewayEvent = { event: "jobsFailed", reason: "ECONNREFUSED" };

test("events: what is tried again each second is told every 5 minutes, with how often it was", () => {
  const clock = new JumpingClock(0);
  const told: GatewayEvent[] = [];
  const sink = withoutRepeats((event) => told.push(event), clock);
  for (let second = 0; second < 600; second++) {
    sink(REFUSED);
    clock.advance(1000);
  }
  expect(told).toEqual([REFUSED, { ...REFUSED, untold: 299 }]);
});

test("events: another reason, another event, and events that are no retries are told at once", () => {
  const told: GatewayEvent[] = [];
  const sink = withoutRepeats((event) => told.push(event), new JumpingClock(0));
  const others: readonly GatewayEvent[] = [
    { ...REFUSED, reason: "ETIMEDOUT" },
    { event: "spoolRetried", reason: "ECONNREFUSED", retryMs: 5000 },
    { event: "noticeLost", reason: "full" },
    { event: "noticeLost", reason: "full" },
  ];
  for (const event of [REFUSED, ...others]) sink(event);
  expect(told).toEqual([REFUSED, ...others]);
});
