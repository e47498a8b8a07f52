/** Decoded values in words: numbers, names, flags, and what octets look like. */
import { invokeIdAndPriority, longInvokeIdAndPriority } from "../apdu/invoke-id.ts";
import type { Data } from "../axdr/data.ts";
import { DATE_TIME_LENGTH } from "../axdr/data.ts";
import { toHex } from "../bytes/hex.ts";
import { nearestInterfaceClass } from "../cosem/classes/registry.ts";
import { type CosemDateTime, DAYLIGHT_SAVINGS_END, decodeDateTime, formatDateTime } from "../cosem/date-time.ts";
import { attributeById, methodById } from "../cosem/interface-class.ts";
import { formatObis, LOGICAL_NAME_LENGTH } from "../cosem/obis.ts";

const NEWEST_VERSION = 255;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** A field in words; `classId` is that of the descriptor around it. Undefined when its octets say all there is. */
export function fieldText(name: string, value: unknown, classId?: number): string | undefined {
  const known = typeof value === "number" ? numberText(name, value, classId) : octetsText(name, value);
  return known ?? anyText(value);
}

function numberText(name: string, value: number, classId: number | undefined): string | undefined {
  switch (name) {
    case "invokeIdAndPriority": {
      const { invokeId, confirmed, highPriority } = invokeIdAndPriority(value);
      return `id ${invokeId}, ${confirmed ? "confirmed" : "unconfirmed"}, ${highPriority ? "high" : "normal"} priority`;
    }
    case "longInvokeIdAndPriority": {
      const { longInvokeId, ...flags } = longInvokeIdAndPriority(value);
      return [`id ${longInvokeId}`, ...setFlags(flags)].join(", ");
    }
    case "classId":
      return withName(value, nearestInterfaceClass(value, NEWEST_VERSION)?.name);
    case "attributeId":
    case "methodId": {
      const cosemClass = classId === undefined ? undefined : nearestInterfaceClass(classId, NEWEST_VERSION);
      const find = name === "methodId" ? methodById : attributeById;
      return withName(value, cosemClass && find(cosemClass, value)?.name);
    }
    case "variableName":
    case "vaaName":
      return `0x${value.toString(16).padStart(4, "0")}`;
    default:
      return undefined;
  }
}

function octetsText(name: string, value: unknown): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  if (name === "logicalName") return logicalNameText(value);
  if (name === "dateTime" && value.length === DATE_TIME_LENGTH) return formatDateTime(decodeDateTime(value));
  return octetHint(value) ?? hexText(value);
}

const SHOWN_OCTETS = 64;

function hexText(octets: Uint8Array): string {
  if (octets.length <= SHOWN_OCTETS) return toHex(octets);
  return `${toHex(octets.subarray(0, SHOWN_OCTETS))}… (${octets.length} octets)`;
}

function withName(value: number, name: string | undefined): string {
  return name === undefined ? `${value}` : `${value} (${name})`;
}

/** The flags that are set, in words: `highPriority` is "high priority". */
function setFlags(flags: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(flags)
    .filter(([, set]) => set)
    .map(([name]) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
}

function anyText(value: unknown): string | undefined {
  if (value === undefined || value instanceof Uint8Array) return undefined;
  if (value instanceof Set) return [...value].join(", ");
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  if (typeof value !== "object" || value === null) return undefined;
  const parts = Object.entries(value).filter(([, part]) => typeof part === "boolean" || typeof part === "number");
  return parts.length === 0 ? undefined : parts.map(([name, part]) => `${name} ${part}`).join(", ");
}

/** A simple value of the Data CHOICE in words, with its type. */
export function dataText(data: Data): string {
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return data.type;
    case "array":
    case "structure":
      return `${data.type} of ${data.value.length}`;
    case "compact-array":
      return `${data.type}, ${data.contents.length} octets`;
    case "bit-string":
      return `${data.type} ${bitText(data.value, data.bitCount)}`;
    case "octet-string":
    case "date":
    case "time":
      return [data.type, octetHint(data.value) ?? hexText(data.value)].join(" ").trimEnd();
    case "date-time":
      return `${data.type} ${formatDateTime(decodeDateTime(data.value))}`;
    case "visible-string":
      return `${data.type} ${JSON.stringify(latin1.decode(data.value))}`;
    case "utf8-string":
      return `${data.type} ${JSON.stringify(utf8.decode(data.value))}`;
    default:
      return `${data.type} ${data.value}`;
  }
}

function bitText(octets: Uint8Array, count: number): string {
  const bits = Array.from(octets, (octet) => octet.toString(2).padStart(8, "0")).join("");
  return bits.slice(0, count);
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/** What octets without a type of their own look like: a text, a date-time, a logical name. */
function octetHint(octets: Uint8Array): string | undefined {
  const text = latin1.decode(octets);
  if (PRINTABLE.test(text)) return `${toHex(octets)} ${JSON.stringify(text)}`;
  if (octets.length === DATE_TIME_LENGTH) {
    const dateTime = decodeDateTime(octets);
    if (isPlausible(dateTime)) return `${toHex(octets)} ${formatDateTime(dateTime)}`;
  }
  if (octets.length === LOGICAL_NAME_LENGTH && (octets[5] ?? 0) >= 0x64)
    return `${toHex(octets)} ${logicalNameText(octets)}`;
  return undefined;
}

function logicalNameText(octets: Uint8Array): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = octets;
  return formatObis({ a, b, c, d, e, f });
}

function isPlausible(value: CosemDateTime): boolean {
  const { year = 2000, month = 1, day = 1, hour = 0, minute = 0, second = 0, deviationMinutes = 0 } = value;
  return (
    year >= 1990 &&
    year < 2200 &&
    month >= 1 &&
    (month <= 12 || month >= DAYLIGHT_SAVINGS_END) &&
    day >= 1 &&
    hour <= 24 &&
    minute <= 59 &&
    second <= 59 &&
    Math.abs(deviationMinutes) <= 840
  );
}
