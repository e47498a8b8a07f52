/**
 * Columns of readings as reading types of IEC 61968-9, Annex C: eighteen numbers, of which each says one thing. Columns
 * that tell of no measured quantity have none.
 */
import type { ProfileColumn } from "../profiles/columns.ts";
import type { ReadingViewName } from "./reading-rows.ts";

/** The numbers that are not 0 for all that meters of electricity give. */
interface ReadingTypeParts {
  readonly macroPeriod?: number;
  readonly aggregate?: number;
  readonly measuringPeriod?: number;
  readonly accumulation: number;
  readonly flowDirection?: number;
  readonly measurementKind: number;
  readonly tariff?: number;
  readonly phases?: number;
  readonly unit: number;
}

const MACRO_PERIODS: Readonly<Record<ReadingViewName, number>> = {
  instant: 0,
  "block-load": 0,
  "daily-load": 11,
  "daily-captures": 11,
  billing: 8,
};
/** By seconds. */
const MEASURING_PERIODS: Readonly<Record<number, number>> = {
  60: 3,
  120: 10,
  180: 14,
  300: 6,
  600: 1,
  900: 2,
  1200: 31,
  1800: 5,
  3600: 7,
  86_400: 4,
};
const AGGREGATES = { average: 2, maximum: 8 } as const;
const ACCUMULATIONS = { bulkQuantity: 1, deltaData: 4, indicating: 6, instantaneous: 12 } as const;
const KINDS = {
  current: 4,
  demand: 8,
  energy: 12,
  frequency: 15,
  power: 37,
  powerFactor: 38,
  temperature: 46,
  voltage: 54,
};
const UNITS: Readonly<Record<string, number>> = {
  A: 5,
  "°C": 23,
  V: 29,
  Hz: 33,
  W: 38,
  VA: 61,
  var: 63,
  VAh: 71,
  Wh: 72,
  varh: 73,
};
const POWER_FACTOR_UNIT = 65;
const ELECTRICITY = 1;
const FLOWS: Readonly<Record<string, number>> = {
  import: 1,
  export: 19,
  net: 4,
  absolute: 20,
  q1: 15,
  q2: 16,
  q3: 17,
  q4: 18,
};
/** Reactive energy has no direction but quadrants: import is Q1+Q2, export Q3+Q4. */
const REACTIVE_FLOWS: Readonly<Record<string, number>> = { ...FLOWS, import: 5, export: 13 };
const PHASES: Readonly<Record<string, number>> = { l1: 128, l2: 64, l3: 32, n: 16, total: 224 };
const PHASES_TO_NEUTRAL: Readonly<Record<string, number>> = { l1: 129, l2: 65, l3: 33 };

const ENERGY = /^(active|reactive|apparent)_(import|export|q[1-4]|net|absolute)(?:_(total)|_t(\d))?$/;
const POWER = /^(active|reactive|apparent)_power_(import|export|q[1-4]|net|absolute)(?:_(l[1-3]))?$/;
const DEMAND = /^demand_(active|reactive|apparent)_(import|export|q[1-4])(_max)?(?:_t(\d))?$/;
const PHASED = /^(voltage|current|power_factor)(?:_(l[1-3]|n|total))?$/;

/** As `0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0`; undefined for a column that none says. */
export function readingTypeOf(
  column: Pick<ProfileColumn, "name" | "unit">,
  kind: ReadingViewName,
  intervalS: number | undefined,
): string | undefined {
  const parts = partsOf(column, kind);
  if (parts === undefined) return undefined;
  const measuringPeriod = kind === "block-load" ? (MEASURING_PERIODS[intervalS ?? 0] ?? 0) : 0;
  const { aggregate = 0, accumulation, flowDirection = 0, measurementKind, tariff = 0, phases = 0, unit } = parts;
  const before = [
    MACRO_PERIODS[kind],
    aggregate,
    measuringPeriod,
    accumulation,
    flowDirection,
    ELECTRICITY,
    measurementKind,
  ];
  // Neither harmonics nor arguments, no critical peaks or tiers; values are in the unit itself, in no currency.
  return [...before, 0, 0, 0, 0, tariff, 0, 0, phases, 0, unit, 0].join(".");
}

function partsOf(
  { name, unit: symbol }: Pick<ProfileColumn, "name" | "unit">,
  kind: ReadingViewName,
): ReadingTypeParts | undefined {
  const unit = UNITS[symbol] ?? 0;
  const energy = ENERGY.exec(name);
  if (energy !== null) {
    const [, quantity, direction, total, tariff] = energy;
    const isRegister = total !== undefined || tariff !== undefined;
    const accumulation = isRegister ? ACCUMULATIONS.bulkQuantity : ACCUMULATIONS.deltaData;
    return { accumulation, ...flowOf(quantity, direction), ...tariffOf(tariff), measurementKind: KINDS.energy, unit };
  }
  const power = POWER.exec(name);
  if (power !== null) {
    const [, quantity, direction, phase = ""] = power;
    const flow = flowOf(quantity, direction);
    return { ...momentary(kind), ...flow, phases: PHASES[phase] ?? 0, measurementKind: KINDS.power, unit };
  }
  const demand = DEMAND.exec(name);
  if (demand !== null) {
    const [, quantity, direction, isMaximum, tariff] = demand;
    const aggregate = isMaximum === undefined ? AGGREGATES.average : AGGREGATES.maximum;
    const said = { accumulation: ACCUMULATIONS.indicating, aggregate, measurementKind: KINDS.demand };
    return { ...said, ...flowOf(quantity, direction), ...tariffOf(tariff), unit };
  }
  return phasedParts(name, unit, kind);
}

function phasedParts(name: string, unit: number, kind: ReadingViewName): ReadingTypeParts | undefined {
  if (name === "frequency") return { ...momentary(kind), measurementKind: KINDS.frequency, unit };
  if (name === "temperature") return { ...momentary(kind), measurementKind: KINDS.temperature, unit };
  const [, what, phase = ""] = PHASED.exec(name) ?? [];
  switch (what) {
    case "voltage":
      return { ...momentary(kind), phases: PHASES_TO_NEUTRAL[phase] ?? 0, measurementKind: KINDS.voltage, unit };
    case "current":
      return { ...momentary(kind), phases: PHASES[phase] ?? 0, measurementKind: KINDS.current, unit };
    case "power_factor":
      return {
        ...momentary(kind),
        phases: PHASES[phase] ?? 0,
        measurementKind: KINDS.powerFactor,
        unit: POWER_FACTOR_UNIT,
      };
    default:
      return undefined;
  }
}

/** At the moment of an instant row; in the others it is an average of the interval. */
function momentary(kind: ReadingViewName): Pick<ReadingTypeParts, "accumulation" | "aggregate"> {
  if (kind === "instant") return { accumulation: ACCUMULATIONS.instantaneous };
  return { accumulation: ACCUMULATIONS.indicating, aggregate: AGGREGATES.average };
}

function flowOf(quantity = "", direction = ""): Pick<ReadingTypeParts, "flowDirection"> {
  const flows = quantity === "reactive" ? REACTIVE_FLOWS : FLOWS;
  return { flowDirection: flows[direction] ?? 0 };
}

function tariffOf(tariff: string | undefined): Pick<ReadingTypeParts, "tariff"> {
  return tariff === undefined ? {} : { tariff: Number(tariff) };
}
