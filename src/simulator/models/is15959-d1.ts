/** IS 15959 part 2, category D1: single-phase whole-current smart meter. */
import type { MeterDescription } from "../description.ts";
import { demands, energies, namePlate } from "./indian-columns.ts";
import { type IndianOptions, indianMeter } from "./indian-meter.ts";
import { CLOCK, INDIAN_TARIFFS } from "./is15959.ts";
import { household, solarRoof } from "./load-shapes.ts";
import type { RegisterForms } from "./registers.ts";

const INSTANTANEOUS = [
  CLOCK,
  "1.0.12.7.0.255",
  "1.0.11.7.0.255",
  "1.0.91.7.0.255",
  "1.0.13.7.0.255",
  "1.0.14.7.0.255",
  "1.0.9.7.0.255",
  "1.0.1.7.0.255",
  "1.0.1.8.0.255",
  "1.0.9.8.0.255",
  "1.0.1.6.0.255",
  "1.0.1.6.0.255/5",
  "1.0.9.6.0.255",
  "1.0.9.6.0.255/5",
  "0.0.94.91.14.255",
  "0.0.94.91.0.255",
  "0.0.0.1.0.255",
  "0.0.96.2.0.255",
  "1.0.2.8.0.255",
  "1.0.10.8.0.255",
  "0.0.96.3.10.255",
  "0.0.17.0.0.255/3",
];
const BLOCK_LOAD = [CLOCK, "1.0.12.27.0.255", "1.0.1.29.0.255", "1.0.9.29.0.255", "1.0.2.29.0.255", "1.0.10.29.0.255"];
/** An amendment adds average current and meter health. */
const BLOCK_LOAD_AMENDED = [...BLOCK_LOAD, "1.0.11.27.0.255", "0.0.96.10.1.255"];
const DAILY = [CLOCK, "1.0.1.8.0.255", "1.0.9.8.0.255", "1.0.2.8.0.255", "1.0.10.8.0.255"];
const TARIFFS = [0, 1, 2, 3, 4];
const BILLING = [
  "0.0.0.1.2.255",
  "1.0.13.0.0.255",
  ...energies(1, TARIFFS),
  ...energies(9, TARIFFS),
  ...demands(1, [0]),
  ...demands(9, [0]),
  "0.0.94.91.13.255",
  "1.0.2.8.0.255",
  "1.0.10.8.0.255",
];
const EVENT_VALUES = ["1.0.11.7.0.255", "1.0.12.7.0.255", "1.0.13.7.0.255", "1.0.1.8.0.255", "0.0.94.91.0.255"];

/** Some makers count in units of ten watt-hours. */
function forms(energyScaler: number): RegisterForms {
  return {
    energy: { as: "double-long-unsigned", scaler: energyScaler },
    interval: { as: "double-long-unsigned", scaler: energyScaler },
    demand: { as: "long-unsigned", scaler: 0 },
    power: { as: "double-long-unsigned", scaler: 0 },
    voltage: { as: "long-unsigned", scaler: -2 },
    current: { as: "long-unsigned", scaler: -2 },
    factor: { as: "integer", scaler: -2 },
    frequency: { as: "long-unsigned", scaler: -1 },
    angle: { as: "long-unsigned", scaler: 0 },
  };
}

export interface D1Options extends IndianOptions {
  readonly energyScaler: 0 | 1;
  readonly solar: boolean;
  readonly amended: boolean;
}

export function is15959D1(options: D1Options): MeterDescription {
  const design = {
    model: "is15959-d1",
    category: "D1",
    forms: forms(options.energyScaler),
    columns: {
      instantaneous: INSTANTANEOUS,
      blockLoad: options.amended ? BLOCK_LOAD_AMENDED : BLOCK_LOAD,
      daily: DAILY,
      billing: BILLING,
      event: EVENT_VALUES,
      namePlate: namePlate(),
    },
    supply: {
      phaseCount: 1,
      nominalVoltageV: 230,
      consumption: household(7000),
      ...(options.solar && { generation: solarRoof(5000) }),
      tariffOfHour: INDIAN_TARIFFS,
    },
    loadLimitW: 5000,
  } as const;
  return indianMeter(design, options);
}
