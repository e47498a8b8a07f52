/** Values of pushes that tests make: logical names, registers with scaler and unit, times. */
import type { Data } from "../../../protocol/axdr/data.ts";
import { encodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";

/** A register of electricity by its groups C, D and E, as a meter's own list sends it: name, value, scaler and unit. */
export function register(
  code: string,
  value: number,
  { scaler = 0, unit }: { readonly scaler?: number; readonly unit: number },
): Data {
  return structure(
    name(`1.0.${code}.255`),
    { type: "double-long-unsigned", value },
    structure({ type: "integer", value: scaler }, { type: "enum", value: unit }),
  );
}

export function name(logicalName: string): Data {
  return { type: "octet-string", value: logicalNameToOctets(logicalName) };
}

export function structure(...value: Data[]): Data {
  return { type: "structure", value };
}

/** A date-time of twelve octets, in UTC. */
export function utcOctets(ms: number): Uint8Array {
  const at = new Date(ms);
  return encodeDateTime({
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    dayOfWeek: undefined,
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    hundredths: 0,
    deviationMinutes: 0,
    clockStatus: 0,
  });
}
