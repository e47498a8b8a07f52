import { UNITLESS, unitOf } from "../../protocol/cosem/units.ts";
import type { Decimal } from "./decimal.ts";

/** Units that may stand for a column's unit, with the factor that turns them into it, as a fraction. */
const CONVERSIONS: Readonly<Record<string, Readonly<Record<string, readonly [bigint, bigint]>>>> = {
  min: { s: [1n, 60n], h: [60n, 1n], d: [1440n, 1n] },
  "m³": { l: [1n, 1000n] },
  J: { Wh: [3600n, 1n] },
};

/** A value in the unit of a column, or undefined when its unit is of another kind or the result is no exact decimal. */
export function convertUnit(value: Decimal, unitCode: number, columnUnit: string): Decimal | undefined {
  const symbol = unitOf(unitCode)?.symbol;
  if (symbol === undefined) return undefined;
  if (symbol === columnUnit) return value;
  // Meters give ratios and counts in per cent, or without any unit at all.
  if (columnUnit === "") return symbol === "%" ? { ...value, exponent: value.exponent - 2 } : undefined;
  const factor = CONVERSIONS[columnUnit]?.[symbol];
  if (factor === undefined) return undefined;
  const [numerator, denominator] = factor;
  // Three more digits make thousandths exact; what still leaves a rest is not.
  const scaled = value.mantissa * numerator * 1000n;
  if (scaled % denominator !== 0n) return undefined;
  return { mantissa: scaled / denominator, exponent: value.exponent - 3 };
}

/** Whether values in a unit can be put into a column, as far as it depends on the unit. */
export function isConvertible(unitCode: number, columnUnit: string): boolean {
  return convertUnit({ mantissa: 60n, exponent: 0 }, unitCode, columnUnit) !== undefined;
}

/** The UCUM code of a unit, or undefined for none. */
export function ucumOf(unitCode: number | undefined): string | undefined {
  return unitCode === undefined || unitCode === UNITLESS ? undefined : unitOf(unitCode)?.ucum;
}
