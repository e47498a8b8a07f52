import { expect, test } from "vitest";
import { Calls } from "../../../src/calls/calls.ts";
import type { PolledMeter } from "../../../src/collect/polled-meter.ts";

test("calls: whoever waits for the call of a meter that is taken out waits no longer", async () => {
  const target = { name: "m1", connection: { callsIn: true } };
  const meter = { meterKey: 1, target } as PolledMeter;
  const calls = new Calls([meter]);
  const waited = calls.untilReachable(meter, 7 * 86_400_000);
  calls.remove(meter);
  await waited;
  expect(calls.isReachable(meter)).toBe(true);
});
