import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Consumption, type Flow } from "../../src/simulator/consumption.ts";
import type { LoadShape } from "../../src/simulator/load-curve.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const IST = 330;
const INSTALLED = Date.UTC(2023, 3, 1) - IST * MINUTE;
const household: LoadShape = {
  dayWh: 9000,
  hours: [3, 2, 2, 2, 2, 3, 5, 7, 6, 4, 4, 4, 5, 5, 4, 4, 5, 6, 8, 10, 10, 9, 7, 4],
  weekdays: [1, 1, 1, 1, 1, 1.2, 1.2],
  season: 0.2,
  dayNoise: 0.2,
  quarterNoise: 0.45,
};
const roof: LoadShape = {
  ...household,
  dayWh: 6000,
  hours: [0, 0, 0, 0, 0, 0, 1, 3, 5, 7, 9, 10, 10, 9, 8, 6, 4, 2, 0, 0, 0, 0, 0, 0],
};
const tariffOfHour = [3, 3, 3, 3, 3, 3, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3];

function consumption(seed: number): Consumption {
  return new Consumption({
    seed,
    phaseCount: 3,
    nominalVoltageV: 230,
    consumption: household,
    generation: roof,
    tariffOfHour,
    zoneMinutes: IST,
    installedMs: INSTALLED,
  });
}
const FLOWS: Flow[] = ["active-import", "active-export", "apparent-import", "reactive-q1", "reactive-q4"];
const anyFlow = fc.constantFrom(...FLOWS);
const anySeed = fc.integer({ min: 0, max: 1_000_000 });
const anyInstant = fc.integer({ min: INSTALLED, max: INSTALLED + 5 * 365 * DAY });

test("consumption: no register ever falls, and tariffs sum to the total", () => {
  fc.assert(
    fc.property(anySeed, anyFlow, anyInstant, fc.integer({ min: 0, max: 3 * DAY }), (seed, flow, atMs, laterMs) => {
      const meter = consumption(seed);
      for (const tariff of [undefined, 0, 1, 2, 3]) {
        expect(meter.energy(flow, atMs + laterMs, 1, tariff)).toBeGreaterThanOrEqual(
          meter.energy(flow, atMs, 1, tariff),
        );
      }
      const sum = [0, 1, 2, 3].reduce((total, tariff) => total + meter.energy(flow, atMs, 1, tariff), 0);
      expect(meter.energy(flow, atMs, 1)).toBe(sum);
    }),
    { numRuns: 300 },
  );
});

test("consumption: only the tariff of the hour counts", () => {
  const meter = consumption(7);
  const noon = INSTALLED + 400 * DAY + 12 * 60 * MINUTE;
  for (const tariff of [0, 1, 2, 3]) {
    const counted =
      meter.energy("active-import", noon + 60 * MINUTE, 1, tariff) - meter.energy("active-import", noon, 1, tariff);
    expect(counted > 0, `tariff ${tariff}`).toBe(tariff === 1);
  }
});

test("consumption: apparent energy of an interval is at least the active energy", () => {
  fc.assert(
    fc.property(anySeed, anyInstant, (seed, atMs) => {
      const meter = consumption(seed);
      const grown = (flow: Flow) => meter.energy(flow, atMs + 30 * MINUTE, 0.001) - meter.energy(flow, atMs, 0.001);
      expect(grown("apparent-import")).toBeGreaterThanOrEqual(grown("active-import"));
    }),
    { numRuns: 200 },
  );
});

test("consumption: the maximum demand is that of the greatest interval", () => {
  fc.assert(
    fc.property(anySeed, fc.integer({ min: 0, max: 1000 }), fc.constantFrom(15, 30, 60), (seed, day, minutes) => {
      const meter = consumption(seed);
      const [fromMs, periodMs] = [INSTALLED + day * DAY, minutes * MINUTE];
      const toMs = fromMs + 31 * DAY + 5 * MINUTE;
      let [units, atMs] = [0, 0];
      for (let endMs = fromMs + periodMs; endMs <= toMs; endMs += periodMs) {
        const wh = meter.energy("active-import", endMs, 1) - meter.energy("active-import", endMs - periodMs, 1);
        const power = (wh * 60) / minutes;
        if (power > units) [units, atMs] = [power, endMs];
      }
      expect(meter.maximumDemand("active-import", { fromMs, toMs, periodMs }, 1)).toEqual({ units, atMs });
    }),
    { numRuns: 30 },
  );
});

test("consumption: voltages, currents and powers are plausible and agree with each other", () => {
  fc.assert(
    fc.property(anySeed, anyInstant, (seed, atMs) => {
      const meter = consumption(seed);
      let apparent = 0;
      for (const phase of [0, 1, 2]) {
        expect(meter.voltageV(phase, atMs)).toBeGreaterThan(230 * 0.96);
        expect(meter.voltageV(phase, atMs)).toBeLessThan(230 * 1.04);
        expect(meter.currentA(phase, atMs)).toBeGreaterThanOrEqual(0);
        apparent += meter.voltageV(phase, atMs) * meter.currentA(phase, atMs);
      }
      expect(apparent).toBeCloseTo(meter.power("apparent-import", atMs) + meter.power("apparent-export", atMs), 6);
      expect(meter.powerFactor(atMs)).toBeGreaterThan(0.3);
      expect(Math.abs(meter.frequencyHz(atMs) - 50)).toBeLessThan(0.1);
    }),
    { numRuns: 200 },
  );
});

test("consumption: a household's year is near its mean", () => {
  const meter = consumption(3);
  const year = meter.energy("active-import", INSTALLED + 365 * DAY, 1);
  expect(year / (365 * household.dayWh)).toBeGreaterThan(0.98);
  expect(year / (365 * household.dayWh)).toBeLessThan(1.02);
});
