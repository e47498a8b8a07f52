import { expect, test } from "vitest";
import { decimalText } from "../../../protocol/cosem/decimal.ts";

test.each([
  [12345n, -2, "123.45"],
  [5, 1, "50"],
  [-5, -3, "-0.005"],
  [0, -2, "0.00"],
  [18446744073709551615n, 3, "18446744073709551615000"],
  [18446744073709551615n, -19, "1.8446744073709551615"],
  [-1n, 0, "-1"],
] as const)("decimal: %s times 10^%s is %s", (mantissa, scaler, text) => {
  expect(decimalText(mantissa, scaler)).toBe(text);
});
