/** IS 15959 part 3, category D3: three-phase meter behind current transformers, as a 40-column meter has it. */
import type { MeterDescription } from "../description.ts";
import { numeric } from "../typed-values.ts";
import { demands, energies, namePlate, PHASE_AVERAGES, PHASE_VALUES, QUADRANTS } from "./indian-columns.ts";
import { type IndianOptions, indianMeter } from "./indian-meter.ts";
import { CLOCK, data, INDIAN_EIGHT_TARIFFS } from "./is15959.ts";
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
  "0.0.96.7.0.255",
  "0.0.94.91.8.255",
  "0.0.94.91.0.255",
  "0.0.0.1.0.255",
  "0.0.96.2.0.255",
  "0.0.0.1.2.255",
  "1.0.1.8.0.255",
  "1.0.2.8.0.255",
  ...QUADRANTS,
  "1.0.9.8.0.255",
  "1.0.10.8.0.255",
  ...[1, 9, 2, 10].flatMap((group) => demands(group, [0])),
  "1.0.81.7.1.255",
  "1.0.81.7.12.255",
  "1.0.81.7.2.255",
];
const BLOCK_LOAD = [
  CLOCK,
  ...PHASE_AVERAGES,
  "1.0.1.29.0.255",
  "1.0.2.29.0.255",
  "1.0.5.29.0.255",
  "1.0.6.29.0.255",
  "1.0.7.29.0.255",
  "1.0.8.29.0.255",
  "1.0.9.29.0.255",
  "1.0.10.29.0.255",
  "0.0.96.10.1.255",
];
const DAILY = [
  CLOCK,
  "1.0.1.8.0.255",
  "1.0.2.8.0.255",
  "1.0.9.8.0.255",
  "1.0.10.8.0.255",
  ...QUADRANTS,
  ...[1, 9].flatMap((group) => demands(group, [0])),
];
const TARIFFS = [1, 2, 3, 4, 5, 6, 7, 8];

const BILLING = [
  "0.0.0.1.2.255",
  "1.0.13.0.0.255",
  ...energies(1, [0, ...TARIFFS]),
  ...energies(9, [0, ...TARIFFS]),
  ...demands(1, [0, ...TARIFFS]),
  ...demands(9, [0, ...TARIFFS]),
  "0.0.94.91.13.255",
  "1.0.2.8.0.255",
  "1.0.10.8.0.255",
  ...QUADRANTS,
  ...energies(2, TARIFFS),
  ...energies(10, TARIFFS),
  ...demands(2, [0, ...TARIFFS]),
  ...demands(10, [0, ...TARIFFS]),
  "0.0.96.15.128.255",
];

const FORMS: RegisterForms = {
  energy: { as: "double-long-unsigned", scaler: 0 },
  interval: { as: "double-long-unsigned", scaler: 0 },
  demand: { as: "double-long-unsigned", scaler: 0 },
  power: { as: "double-long", scaler: 0 },
  voltage: { as: "long-unsigned", scaler: -1 },
  current: { as: "long-unsigned", scaler: -2 },
  factor: { as: "integer", scaler: -2 },
  frequency: { as: "long-unsigned", scaler: -2 },
  angle: { as: "long-unsigned", scaler: 0 },
};

export interface D3Options extends IndianOptions {
  readonly solar: boolean;
}

export function is15959D3(options: D3Options): MeterDescription {
  const design = {
    model: "is15959-d3",
    category: "D3",
    forms: FORMS,
    columns: {
      instantaneous: INSTANTANEOUS,
      blockLoad: BLOCK_LOAD,
      daily: DAILY,
      billing: BILLING,
      event: [...PHASE_VALUES, "1.0.1.8.0.255", "1.0.2.8.0.255", "0.0.94.91.0.255"],
      namePlate: namePlate(["1.0.0.4.2.255", "1.0.0.4.3.255"]),
    },
    supply: {
      phaseCount: 3,
      nominalVoltageV: 240,
      consumption: business(280_000),
      ...(options.solar && { generation: solarRoof(90_000) }),
      tariffOfHour: INDIAN_EIGHT_TARIFFS,
    },
    extraObjects: [
      data("1.0.0.4.2.255", numeric("long-unsigned", 40)),
      data("1.0.0.4.3.255", numeric("long-unsigned", 1)),
    ],
  } as const;
  return indianMeter(design, options);
}
