/** The exact decimal text of mantissa × 10^scaler: `decimalText(12345n, -2)` is `123.45`, `(5n, 1)` is `50`. */
export function decimalText(mantissa: bigint | number, scaler: number): string {
  const whole = BigInt(mantissa);
  if (scaler >= 0) return (whole * 10n ** BigInt(scaler)).toString();
  const sign = whole < 0n ? "-" : "";
  const digits = (whole < 0n ? -whole : whole).toString().padStart(1 - scaler, "0");
  return `${sign}${digits.slice(0, scaler)}.${digits.slice(scaler)}`;
}
