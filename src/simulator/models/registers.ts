/**
 * Registers by their OBIS code: which quantity a code means, as a table of the value groups C and D. Types and scalers
 * differ from maker to maker and come from the model.
 */
import type { NumberType } from "../../../protocol/axdr/data.ts";
import { parseObis } from "../../../protocol/cosem/obis.ts";
import { scalerUnitToData } from "../../../protocol/cosem/scaler-unit.ts";
import type { Flow } from "../consumption.ts";
import type { ObjectDescription, Quantity, ValueDescription } from "../description.ts";

/** Type and scaler of a kind of register. */
export interface NumberForm {
  readonly as: NumberType;
  readonly scaler: number;
}

type RegisterKind =
  | "energy"
  | "interval"
  | "demand"
  | "power"
  | "voltage"
  | "current"
  | "factor"
  | "frequency"
  | "angle";
export type RegisterForms = Readonly<Record<RegisterKind, NumberForm>>;

const UNIT = {
  min: 6,
  degree: 8,
  W: 27,
  VA: 28,
  var: 29,
  Wh: 30,
  VAh: 31,
  varh: 32,
  A: 33,
  V: 35,
  Hz: 44,
  none: 255,
} as const;

/** Value group C of what flows: the flow, the unit of its power and of its energy. */
const FLOWS: Readonly<Record<number, { readonly flow: Flow; readonly power: number; readonly energy: number }>> = {
  1: { flow: "active-import", power: UNIT.W, energy: UNIT.Wh },
  2: { flow: "active-export", power: UNIT.W, energy: UNIT.Wh },
  5: { flow: "reactive-q1", power: UNIT.var, energy: UNIT.varh },
  6: { flow: "reactive-q2", power: UNIT.var, energy: UNIT.varh },
  7: { flow: "reactive-q3", power: UNIT.var, energy: UNIT.varh },
  8: { flow: "reactive-q4", power: UNIT.var, energy: UNIT.varh },
  9: { flow: "apparent-import", power: UNIT.VA, energy: UNIT.VAh },
  10: { flow: "apparent-export", power: UNIT.VA, energy: UNIT.VAh },
};

/** Value group C of what is measured in a phase; the total or only phase counts as the first. */
const CURRENT_PHASES: Readonly<Record<number, number>> = { 11: 0, 31: 0, 51: 1, 71: 2 };
const VOLTAGE_PHASES: Readonly<Record<number, number>> = { 12: 0, 32: 0, 52: 1, 72: 2 };
const POWER_PHASES: Readonly<Record<number, number>> = { 21: 0, 41: 1, 61: 2 };
const FACTOR_PHASES: Readonly<Record<number, number>> = { 33: 0, 53: 1, 73: 2 };

/** Value group D: how a quantity is processed. */
const D = {
  billingAverage: 0,
  average: 24,
  maximum: 6,
  instantaneous: 7,
  total: 8,
  blockAverage: 27,
  block: 29,
} as const;
const ANGLES: Readonly<Record<number, number>> = { 1: 120, 12: 120, 2: 240 };

interface Meaning {
  readonly kind: RegisterKind;
  readonly unit: number;
  readonly quantity: Quantity;
}

/** The register of a logical name. Throws for one that the tables do not know: a mistake in a model. */
export function register(logicalName: string, forms: RegisterForms): ObjectDescription {
  const meaning = meaningOf(logicalName);
  if (meaning === undefined) throw new RangeError(`no register ${logicalName} in the tables`);
  const { kind, unit, quantity } = meaning;
  const { as, scaler } = forms[kind];
  const value: ValueDescription = { type: "measured", as, scaler, quantity };
  const scalerUnit = scalerUnitToData({ scaler, unit });
  if (quantity.of !== "maximum-demand") {
    return { classId: 3, version: 0, logicalName, attributes: { 2: value, 3: scalerUnit } };
  }
  const { flow, tariff } = quantity;
  const captureTime = {
    type: "stamp",
    stampOf: "maximum-demand",
    flow,
    ...(tariff !== undefined && { tariff }),
  } as const;
  return {
    classId: 4,
    version: 0,
    logicalName,
    attributes: { 2: value, 3: scalerUnit, 4: { type: "null-data" }, 5: captureTime },
  };
}

function meaningOf(logicalName: string): Meaning | undefined {
  const { c, d, e } = parseObis(logicalName);
  return flowMeaning(c, d, e) ?? networkMeaning(c, d, e);
}

function flowMeaning(c: number, d: number, e: number): Meaning | undefined {
  const known = FLOWS[c];
  const tariff = e === 0 ? {} : { tariff: e - 1 };
  if (c === 3 && d === D.instantaneous)
    return { kind: "power", unit: UNIT.var, quantity: { of: "net-reactive-power" } };
  if (c === 16 && d === D.total) return { kind: "energy", unit: UNIT.Wh, quantity: { of: "net-energy" } };
  if (c === 16 && d === D.block) return { kind: "interval", unit: UNIT.Wh, quantity: { of: "interval-net-energy" } };
  if (known === undefined) return undefined;
  const { flow, power, energy } = known;
  switch (d) {
    case D.total:
      return { kind: "energy", unit: energy, quantity: { of: "energy", flow, ...tariff } };
    case D.block:
      return { kind: "interval", unit: energy, quantity: { of: "interval-energy", flow } };
    case D.maximum:
      return { kind: "demand", unit: power, quantity: { of: "maximum-demand", flow, ...tariff } };
    case D.instantaneous:
      return { kind: "power", unit: power, quantity: { of: "power", flow } };
    default:
      return undefined;
  }
}

function networkMeaning(c: number, d: number, e: number): Meaning | undefined {
  const average = d === D.blockAverage || d === D.average;
  if (!average && d !== D.instantaneous && d !== D.billingAverage) return undefined;
  const voltage = VOLTAGE_PHASES[c];
  if (voltage !== undefined) {
    return { kind: "voltage", unit: UNIT.V, quantity: { of: average ? "average-voltage" : "voltage", phase: voltage } };
  }
  const current = CURRENT_PHASES[c];
  if (current !== undefined) {
    return { kind: "current", unit: UNIT.A, quantity: { of: average ? "average-current" : "current", phase: current } };
  }
  const power = POWER_PHASES[c];
  if (power !== undefined) return { kind: "power", unit: UNIT.W, quantity: { of: "phase-power", phase: power } };
  const factor = FACTOR_PHASES[c];
  if (factor !== undefined)
    return { kind: "factor", unit: UNIT.none, quantity: { of: "phase-power-factor", phase: factor } };
  switch (c) {
    case 13:
      return {
        kind: "factor",
        unit: UNIT.none,
        quantity: { of: d === D.billingAverage ? "billing-power-factor" : "power-factor" },
      };
    case 14:
      return { kind: "frequency", unit: UNIT.Hz, quantity: { of: "frequency" } };
    case 81:
      return { kind: "angle", unit: UNIT.degree, quantity: { of: "constant", value: ANGLES[e] ?? 0 } };
    case 91:
      return { kind: "current", unit: UNIT.A, quantity: { of: "neutral-current" } };
    default:
      return undefined;
  }
}

/** A register of class 3 whose quantity no OBIS group tells. */
export function otherRegister(
  logicalName: string,
  quantity: Quantity,
  { as, scaler, unit }: NumberForm & { readonly unit: keyof typeof UNIT },
): ObjectDescription {
  const value: ValueDescription = { type: "measured", as, scaler, quantity };
  const scalerUnit = scalerUnitToData({ scaler, unit: UNIT[unit] });
  return { classId: 3, version: 0, logicalName, attributes: { 2: value, 3: scalerUnit } };
}
