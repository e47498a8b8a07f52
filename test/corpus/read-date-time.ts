import { toHex } from "../../protocol/bytes/hex.ts";
import { type CosemDateTime, decodeDateTime, encodeDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { hexInput } from "./input.ts";
import { normaliseDateTime } from "./normalise-services.ts";
import type { LayerReader } from "./reading.ts";

const MINUTE_MS = 60_000;

/** The 12 octets of a COSEM date-time. */
export const dateTimeReader: LayerReader = (each) => {
  const octets = hexInput(each);
  const value = decodeDateTime(octets);
  const dateTime = normaliseDateTime(octets);
  const iso = isoText(octets, value);
  return {
    ...dateTime,
    dateTime,
    hex: toHex(encodeDateTime(value)),
    monthRaw: value.month,
    dayRaw: value.day,
    ...(iso === undefined ? {} : { iso }),
  };
};

/** The stamp as ISO 8601, with the offset only where the stamp has a deviation. */
export function isoText(octets: Uint8Array, { deviationMinutes }: CosemDateTime): string | undefined {
  const resolved = resolveDateTime(octets, { deviation: "standard", zone: UTC });
  if (resolved === undefined) return undefined;
  const ahead = -(deviationMinutes ?? 0);
  const wall = new Date(resolved.instantMs + ahead * MINUTE_MS).toISOString().replace(/\.\d{3}Z$/, "");
  if (deviationMinutes === undefined) return wall;
  const size = Math.abs(ahead);
  return `${wall}${ahead < 0 ? "-" : "+"}${digits(Math.floor(size / 60))}:${digits(size % 60)}`;
}

function digits(part: number): string {
  return String(part).padStart(2, "0");
}
