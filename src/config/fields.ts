/** What fields of the configuration are made of. */
import { z } from "zod";
import { parseObis } from "../../protocol/cosem/obis.ts";
import type { PlainValue, TypedValue } from "../../protocol/cosem/plain-value.ts";

const DURATION_UNITS_MS = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const LONGEST_DURATION_MS = 3650 * 86_400_000;
const DURATION = /^(\d+)(ms|s|m|h|d)$/;

/** `30s`, `15m`, `1h`, `1d` → milliseconds. */
export const duration = z
  .string()
  .regex(DURATION, "a duration is a number and a unit: 500ms, 30s, 15m, 1h, 1d")
  .transform((text) => {
    const [, digits = "0", unit = "ms"] = DURATION.exec(text) ?? [];
    return Number(digits) * (DURATION_UNITS_MS.get(unit) ?? 1);
  })
  .refine((durationMs) => durationMs > 0, "a duration is more than nothing")
  .refine((durationMs) => durationMs <= LONGEST_DURATION_MS, "a duration is at most 3650d");

const SIZE_UNITS = new Map([
  ["MB", 1e6],
  ["GB", 1e9],
]);
const SIZE = /^(\d{1,6})(MB|GB)$/;

/** `500MB`, `2GB` → octets. */
export const size = z
  .string()
  .regex(SIZE, "a size is a number and a unit: 500MB, 2GB")
  .transform((text) => {
    const [, digits = "0", unit = "MB"] = SIZE.exec(text) ?? [];
    return Number(digits) * (SIZE_UNITS.get(unit) ?? 1);
  })
  .refine((octets) => octets > 0, "a size is more than nothing");

/** What people call a thing, in files and on the command line. */
export const givenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a name has letters, digits, dots, dashes and underscores");

/** One line of what people write; the database has no place for a NUL, and lists none for a line's end. */
export function lineOfText(most: number, least = 0) {
  return z
    .string()
    .min(least)
    .max(most)
    .refine((text) => !/\p{Cc}/u.test(text), "a text has no control characters");
}

/** As printed on the meter. */
export const meterNumber = lineOfText(64, 1);

export const regularExpression = z.string().refine(isExpression, "not a regular expression");

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

export const secretReference = z
  .string()
  .regex(
    /^(env|file|credential|command):.+$/,
    "a secret is a reference: env:NAME, file:/path, credential:NAME or command:/program, never the secret itself",
  );

/** See STORED_KEY for what `stored` means. */
export const meterSecretReference = z
  .string()
  .regex(
    /^(stored|(env|file|credential|command):.+)$/,
    "a meter's secret is a reference: stored (in the sealed key store), env:NAME, file:/path, credential:NAME or command:/program",
  );

export const timeZone = z
  .string()
  .refine(isTimeZone, "not a time zone of the tz database, like Asia/Kolkata or Europe/Vienna");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const MAX_PORT = 65_535;
export const hostPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):\d{1,5}$/, "an address is host:port, or [IPv6 address]:port")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= MAX_PORT, `a port is at most ${MAX_PORT}`);

export const systemTitle = z.string().regex(/^[0-9a-fA-F]{16}$/, "a system title is 8 octets: 16 hexadecimal digits");

/** Types that a value may be given with their names, with the least and greatest number. */
const NUMBER_TYPES = {
  enum: [0, 0xff],
  unsigned: [0, 0xff],
  "long-unsigned": [0, 0xffff],
  "double-long-unsigned": [0, 0xffff_ffff],
  integer: [-0x80, 0x7f],
  long: [-0x8000, 0x7fff],
  "double-long": [-0x8000_0000, 0x7fff_ffff],
} as const;

/** What an attribute is to hold; its types are those of what the meter has. */
export const plainValue: z.ZodType<PlainValue> = z.lazy(() =>
  z.union([z.number(), z.string().max(1024), z.boolean(), z.array(plainValue), typedValue]),
);
const typedValue: z.ZodType<TypedValue> = z.lazy(() =>
  z.union([
    z.strictObject({ structure: z.array(plainValue) }),
    z.strictObject({ array: z.array(plainValue) }),
    ...Object.entries(NUMBER_TYPES).map(([type, [least, most]]) =>
      z.strictObject({ [type]: z.int().min(least).max(most) }),
    ),
  ]),
);

export const logicalName = z
  .string()
  .refine(isLogicalName, "not a logical name, like 0.0.43.1.0.255 or 0-0:43.1.0*255");

function isLogicalName(text: string): boolean {
  try {
    return parseObis(text) !== undefined;
  } catch {
    return false;
  }
}
