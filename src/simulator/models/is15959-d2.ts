/** IS 15959 part 2, category D2: three-phase whole-current smart meter. */
import type { MeterDescription } from "../description.ts";
import { demands, energies, namePlate, PHASE_AVERAGES, PHASE_VALUES, QUADRANTS } from "./indian-columns.ts";
import { type IndianOptions, indianMeter } from "./indian-meter.ts";
import { CLOCK, INDIAN_TARIFFS } from "./is15959.ts";
import { business, solarRoof } from "./load-shapes.ts";
import type { RegisterForms } from "./registers.ts";

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
const BLOCK_LOAD = [CLOCK, ...PHASE_AVERAGES, "1.0.1.29.0.255", "1.0.2.29.0.255", "1.0.9.29.0.255", "1.0.10.29.0.255"];
const DAILY = [CLOCK, "1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.9.8.0.255", "1.0.10.8.0.255"];
const TARIFFS = [0, 1, 2, 3, 4];
const BILLING = [
  "0.0.0.1.2.255",
  "1.0.13.0.0.255",
  ...energies(1, TARIFFS),
  ...energies(9, TARIFFS),
  ...demands(1, TARIFFS),
  ...demands(9, TARIFFS),
  "0.0.94.91.13.255",
  "1.0.2.8.0.255",
  "1.0.10.8.0.255",
  ...QUADRANTS,
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
      namePlate: namePlate(),
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
