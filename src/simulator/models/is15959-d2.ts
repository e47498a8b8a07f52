/** IS 15959 part 2, category D2: three-phase whole-current smart meter. */
import type { MeterDescription } from "../description.ts";
import { type IndianOptions, indianMeter } from "./indian-meter.ts";
import { CLOCK, DEVICE_ID, INDIAN_TARIFFS } from "./is15959.ts";
import { business, solarRoof } from "./load-shapes.ts";
import type { RegisterForms } from "./registers.ts";

const PHASE_VALUES = [
  "1.0.31.7.0.255",
  "1.0.51.7.0.255",
  "1.0.71.7.0.255",
  "1.0.32.7.0.255",
  "1.0.52.7.0.255",
  "1.0.72.7.0.255",
  "1.0.33.7.0.255",
  "1.0.53.7.0.255",
  "1.0.73.7.0.255",
];
const QUADRANTS = ["1.0.5.8.0.255", "1.0.6.8.0.255", "1.0.7.8.0.255", "1.0.8.8.0.255"];
const INSTANTANEOUS = [
  CLOCK,
  ...PHASE_VALUES,
  "1.0.13.7.0.255",
  "1.0.14.7.0.255",
  "1.0.9.7.0.255",
  "1.0.1.7.0.255",
  "1.0.3.7.0.255",
  "1.0.1.8.0.255",
  "1.0.2.8.0.255",
  "1.0.9.8.0.255",
  "1.0.10.8.0.255",
  "1.0.1.6.0.255",
  "1.0.1.6.0.255/5",
  "1.0.9.6.0.255",
  "1.0.9.6.0.255/5",
  "0.0.94.91.14.255",
  "0.0.94.91.0.255",
  "0.0.0.1.0.255",
  "0.0.96.2.0.255",
  "0.0.0.1.2.255",
  ...QUADRANTS,
  "0.0.96.3.10.255",
  "0.0.17.0.0.255/3",
];
const BLOCK_LOAD = [
  CLOCK,
  "1.0.31.27.0.255",
  "1.0.51.27.0.255",
  "1.0.71.27.0.255",
  "1.0.32.27.0.255",
  "1.0.52.27.0.255",
  "1.0.72.27.0.255",
  "1.0.1.29.0.255",
  "1.0.2.29.0.255",
  "1.0.9.29.0.255",
  "1.0.10.29.0.255",
];
const DAILY = [CLOCK, "1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.9.8.0.255", "1.0.10.8.0.255"];
const TARIFFS = [1, 2, 3, 4];
const BILLING = [
  "0.0.0.1.2.255",
  "1.0.13.0.0.255",
  "1.0.1.8.0.255",
  ...TARIFFS.map((tariff) => `1.0.1.8.${tariff}.255`),
  "1.0.9.8.0.255",
  ...TARIFFS.map((tariff) => `1.0.9.8.${tariff}.255`),
  ...[0, ...TARIFFS].flatMap((tariff) => [`1.0.1.6.${tariff}.255`, `1.0.1.6.${tariff}.255/5`]),
  ...[0, ...TARIFFS].flatMap((tariff) => [`1.0.9.6.${tariff}.255`, `1.0.9.6.${tariff}.255/5`]),
  "0.0.94.91.13.255",
  "1.0.2.8.0.255",
  "1.0.10.8.0.255",
  ...QUADRANTS,
];
const NAME_PLATE = [
  "0.0.96.1.0.255",
  DEVICE_ID,
  "0.0.96.1.1.255",
  "1.0.0.2.0.255",
  "0.0.94.91.9.255",
  "0.0.94.91.11.255",
  "0.0.94.91.12.255",
  "0.0.96.1.4.255",
];

const FORMS: RegisterForms = {
  energy: { as: "double-long-unsigned", scaler: 0 },
  interval: { as: "double-long-unsigned", scaler: 0 },
  demand: { as: "double-long-unsigned", scaler: 0 },
  power: { as: "double-long", scaler: 0 },
  voltage: { as: "long-unsigned", scaler: -2 },
  current: { as: "long-unsigned", scaler: -2 },
  factor: { as: "integer", scaler: -2 },
  frequency: { as: "long-unsigned", scaler: -2 },
  angle: { as: "long-unsigned", scaler: 0 },
};

export interface D2Options extends IndianOptions {
  readonly solar: boolean;
}

export function is15959D2(options: D2Options): MeterDescription {
  const design = {
    model: "is15959-d2",
    category: "D2",
    forms: FORMS,
    columns: {
      instantaneous: INSTANTANEOUS,
      blockLoad: BLOCK_LOAD,
      daily: DAILY,
      billing: BILLING,
      event: [...PHASE_VALUES, "1.0.1.8.0.255"],
      namePlate: NAME_PLATE,
    },
    supply: {
      phaseCount: 3,
      nominalVoltageV: 230,
      consumption: business(32_000),
      ...(options.solar && { generation: solarRoof(18_000) }),
      tariffOfHour: INDIAN_TARIFFS,
    },
    loadLimitW: 20_000,
  } as const;
  return indianMeter(design, options);
}
