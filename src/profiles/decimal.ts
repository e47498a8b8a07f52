/** Exact decimals: an integer times a power of ten. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Scalers are signed octets; a power of ten beyond that is nobody's measured value. */
const MAX_EXPONENT = 512;

function power(exponent: number): bigint {
  return 10n ** BigInt(Math.min(exponent, MAX_EXPONENT));
}

/** The integer that stands for the value at another exponent, or undefined when there is none. */
export function rescale({ mantissa, exponent }: Decimal, to: number): bigint | undefined {
  const steps = exponent - to;
  if (steps >= 0) return mantissa * power(steps);
  const divisor = power(-steps);
  return mantissa % divisor === 0n ? mantissa / divisor : undefined;
}

/** Plain digits with a point where one is needed: `-0.05`, `1200`. */
export function formatDecimal({ mantissa, exponent }: Decimal): string {
  if (exponent >= 0) return String(mantissa * power(exponent));
  const digits = String(mantissa < 0n ? -mantissa : mantissa).padStart(1 - exponent, "0");
  const whole = digits.slice(0, exponent);
  const fraction = digits.slice(exponent).replace(/0+$/, "");
  const sign = mantissa < 0n ? "-" : "";
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** The decimal that a floating-point number prints as; undefined for NaN and the infinities. */
export function decimalOf(value: number, bits: 32 | 64 = 64): Decimal | undefined {
  const match = NUMBER.exec(bits === 32 ? shortest32(value) : String(value));
  if (match === null) return undefined;
  const [, sign = "", whole = "0", fraction = "", exponent = "0"] = match;
  const mantissa = BigInt(whole + fraction);
  return { mantissa: sign === "-" ? -mantissa : mantissa, exponent: Number(exponent) - fraction.length };
}

/** The fewest digits that give the same 32-bit number back. */
function shortest32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
}
