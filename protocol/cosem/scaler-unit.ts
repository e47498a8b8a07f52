import type { Data } from "../axdr/data.ts";
import { integerOf, typeMismatch } from "./integers.ts";
import { UNITLESS } from "./units.ts";

/** The value of a register is its integer times 10^scaler in the unit (a code of units.ts). */
export interface ScalerUnit {
  readonly scaler: number;
  readonly unit: number;
}

/** Values without a scaler and unit: counts, status words, and registers whose meter answers null-data. */
export const UNSCALED: ScalerUnit = { scaler: 0, unit: UNITLESS };

/** Reads the structure {integer scaler; enum unit}; null-data is unscaled. Throws DATA_TYPE_MISMATCH. */
export function scalerUnitFromData(data: Data): ScalerUnit {
  if (data.type === "null-data") return UNSCALED;
  const [first, second] = data.type === "structure" ? data.value : [];
  const scaler = first === undefined ? undefined : integerOf(first);
  const unit = second === undefined ? undefined : integerOf(second);
  if (data.type !== "structure" || data.value.length !== 2 || scaler === undefined || unit === undefined) {
    throw typeMismatch("scaler_unit", data);
  }
  // A meter that types the scaler as unsigned still means a signed octet.
  return { scaler: scaler > 127 ? scaler - 256 : scaler, unit };
}

export function scalerUnitToData(value: ScalerUnit): Data {
  return {
    type: "structure",
    value: [
      { type: "integer", value: value.scaler },
      { type: "enum", value: value.unit },
    ],
  };
}
