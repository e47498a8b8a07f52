import { expect, test } from "vitest";
import type { SetupConnection } from "../../../../src/push/setups/setup-execution.ts";
import { SetupRepairs } from "../../../../src/push/setups/setup-repairs.ts";
import type { SetupRecord } from "../../../../src/store/push/push-setup-history.ts";
import { campaigns, EVERYTHING, order, run, SCHEDULE, SetupMeter } from "../setup-meter.ts";

/** A meter that was cut in two visits at its third write. */
async function leftMixed() {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  let isBadDay = true;
  const all = campaigns({
    meters: [meter],
    visit: async () => {
      if (isBadDay) meter.cutAt = meter.written.length === 0 ? 2 : meter.written.length;
    },
  });
  const [result] = await run(all.running, order);
  expect(result?.state).toBe("mixed");
  meter.cutAt = Infinity;
  isBadDay = false;
  return { meter, before, ...all };
}

test("push setup repairs: a meter that was left between two states goes forward when it is on the line again", async () => {
  const { meter, running, repairs, kept } = await leftMixed();
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(kept.map(({ state, who }) => [state, who])).toEqual([
    ["mixed", "somebody"],
    ["applied", "gateway"],
  ]);
  const writes = meter.written.length;
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(meter.written).toHaveLength(writes);
  expect((await run(running, order))[0]?.state).toBe("in-order");
});

test("push setup repairs: where that is refused it goes back, also when the gateway was started anew in between", async () => {
  const { meter, before, kept } = await leftMixed();
  meter.refused.add(`22:${SCHEDULE}:4`);
  const [left] = kept;
  const later: SetupRecord[] = [];
  const repairs = new SetupRepairs<SetupConnection>(
    {
      setups: () => [EVERYTHING],
      keep: async (record) => later.push(record),
      relearn: async () => undefined,
      events: () => undefined,
    },
    [JSON.parse(JSON.stringify(left))],
  );
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(later.map(({ state }) => state)).toEqual(["restored"]);
  expect(meter.values).toEqual(before);
});

test("push setup repairs: where it stays away and the meter is gone, the next visit takes back what was written", async () => {
  const meter = new SetupMeter();
  const before = new Map(meter.values);
  const { running, repairs, kept } = campaigns({
    meters: [meter],
    setup: { test: true },
    arrives: false,
    visit: async () => {
      if (meter.pushed > 0) throw new Error("no answer");
    },
  });
  expect(await run(running, order)).toMatchObject([{ state: "mixed", testPush: "silent" }]);
  expect(meter.values).not.toEqual(before);
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(kept.at(-1)).toMatchObject({ state: "restored", testPush: "silent", who: "gateway" });
  expect(meter.values).toEqual(before);
});

test("push setup repairs: a meter that is only looked at, refuses, or is put back as it was found, is not forgotten", async () => {
  const { meter, before, running, repairs } = await leftMixed();
  const stateOf = async (dryRun: boolean) => (await run(running, { ...order, dryRun }))[0]?.state;
  expect(await stateOf(true)).toBe("differs");
  meter.refused.add(`22:${SCHEDULE}:4`);
  expect(await stateOf(false)).toBe("restored");
  expect(meter.values).not.toEqual(before);
  await repairs.repair({ meterId: "id-0", name: "m0" }, meter);
  expect(meter.values).toEqual(before);
});
