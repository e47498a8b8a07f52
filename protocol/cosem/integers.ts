import type { Data } from "../axdr/data.ts";

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
