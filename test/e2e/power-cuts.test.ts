/** Slots in which a meter had no power are "off", as its log of power failures tells, and none of them is "missing". */
import { expect, test } from "vitest";
import type { GapRow } from "../../src/api/gap-order.ts";
import { gatewayOverStreet } from "./street.ts";

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 25;

/** A house whose rows say it themselves: in the status of the first row after a cut. */
const WITH_STATUS = 3;

test("power cuts: slots in which a meter was off are off, and all others are held", { timeout: 120_000 }, async () => {
  await using over = await gatewayOverStreet(
    { count: 1, faults: { 0: "power-cuts" } },
    {
      configure: (config) => {
        config.plans = [
          { profile: "block_load", every: "15m", history: `${HISTORY_DAYS}d` },
          { profile: "events", every: "1h", history: "60d" },
        ];
      },
    },
  );
  const { gateway, street } = over;
  const [house] = street.meters;
  const model = street.meter(house?.name ?? "").model;
  for (let visit = 0; visit < 3; visit++) await gateway.pollOnce();
  const order = { fromMs: Date.now() - (HISTORY_DAYS - 1) * DAY_MS, toMs: Date.now() - DAY_MS };
  const ofLoad: GapRow[] = [];
  for await (const gap of gateway.gaps(order)) if (gap.profile === "block_load") ofLoad.push(gap);
  expect(ofLoad.length).toBeGreaterThan(0);
  expect(new Set(ofLoad.map(({ state }) => state))).toEqual(new Set(["off"]));
  for (const { from, to } of ofLoad) {
    expect([model.isOff(Date.parse(from)), model.isOff(Date.parse(to))]).toEqual([true, true]);
  }
});

test("power cuts: the status of a row says that the meter was off, without its event log", {
  timeout: 120_000,
}, async () => {
  await using over = await gatewayOverStreet(
    { count: WITH_STATUS + 1, faults: { [WITH_STATUS]: "power-cuts" } },
    {
      configure: (config) => {
        config.plans = [{ profile: "block_load", every: "15m", history: `${HISTORY_DAYS}d` }];
        config.meters = config.meters?.slice(WITH_STATUS);
      },
    },
  );
  const { gateway, street, config } = over;
  const model = street.meter(config.meters[0]?.name ?? "").model;
  for (let visit = 0; visit < 3; visit++) await gateway.pollOnce();
  const order = { fromMs: Date.now() - (HISTORY_DAYS - 1) * DAY_MS, toMs: Date.now() - DAY_MS };
  const gaps: GapRow[] = [];
  for await (const gap of gateway.gaps(order)) gaps.push(gap);
  expect(gaps.length).toBeGreaterThan(0);
  expect(new Set(gaps.map(({ state }) => state))).toEqual(new Set(["off"]));
  for (const { from, to } of gaps) {
    expect([model.isOff(Date.parse(from)), model.isOff(Date.parse(to))]).toEqual([true, true]);
  }
});
