import type { Data } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";

/** The number in any integer type that fits 53 bits, or undefined: meters send other widths than the object model says. */
export function integerOf(data: Data): number | undefined {
  switch (data.type) {
    case "integer":
    case "long":
    case "double-long":
    case "unsigned":
    case "long-unsigned":
    case "double-long-unsigned":
    case "enum":
    case "bcd":
      return data.value;
    case "long64":
    case "long64-unsigned":
      return data.value <= Number.MAX_SAFE_INTEGER && data.value >= Number.MIN_SAFE_INTEGER
        ? Number(data.value)
        : undefined;
    default:
      return undefined;
  }
}

/** The number where one must be; `wanted` says which. Throws DATA_TYPE_MISMATCH. */
export function requireInteger(data: Data | undefined, wanted = "integer"): number {
  const value = data === undefined ? undefined : integerOf(data);
  if (value === undefined) throw typeMismatch(wanted, data);
  return value;
}

/** The error for a value that is of another type than the object model says. */
export function typeMismatch(wanted: string, data: Data | undefined): DlmsError {
  return new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted, type: data?.type ?? "nothing" });
}
