/** Constants of descriptions, in the types of the Data CHOICE. */
import type { Data, NumberType } from "../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";

const UTF8 = new TextEncoder();

export function numeric(type: NumberType, value: number): Data {
  return { type, value };
}

export function octets(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

/** Text as meters nearly always have it: an octet-string of ASCII. */
export function textOctets(text: string): Data {
  return octets(UTF8.encode(text));
}

export function visibleText(text: string): Data {
  return { type: "visible-string", value: UTF8.encode(text) };
}

export function structure(...value: readonly Data[]): Data {
  return { type: "structure", value };
}

export function array(...value: readonly Data[]): Data {
  return { type: "array", value };
}

export function nameOctets(logicalName: string): Data {
  return octets(logicalNameToOctets(logicalName));
}
