/**
 * A push setup as it is to be, as attributes with values: what is written first cannot silence a meter that sends now.
 * Values take the types that the meter's own have, for many meters refuse the same number in another width.
 */
import type { Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { encodeDate, encodeDateTime, encodeTime } from "../../protocol/cosem/date-time.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import type { Config } from "../config/schema.ts";

export type PushSetupConfig = Config["push"]["setups"][number];

/** One attribute with the value that it is to have; made of the present one where only a part is to change. */
export interface Wish {
  readonly classId: number;
  readonly logicalName: string;
  readonly attributeId: number;
  readonly value: (present: Data) => Data;
}

const PUSH_SETUP = 40;
const SCHEDULE = 22;
const TRANSPORTS = { tcp: 0, udp: 1 } as const;
const MS_PER_SECOND = 1000;

/** What is sent before where to, and when it starts last: a schedule must find everything else in place. */
export function wishesOf(setup: PushSetupConfig): Wish[] {
  const { objects, window, randomisation, retries, repetitionDelay, clientSap, destination, schedule } = setup;
  const wish = (attributeId: number, value: (present: Data) => Data): Wish => {
    return { classId: PUSH_SETUP, logicalName: setup.logicalName, attributeId, value };
  };
  return [
    ...(objects === undefined ? [] : [wish(2, (present) => objectList(objects, present))]),
    ...(retries === undefined ? [] : [wish(6, constant(number(retries)))]),
    ...(repetitionDelay === undefined ? [] : [wish(7, (present) => delay(repetitionDelay / MS_PER_SECOND, present))]),
    ...(randomisation === undefined ? [] : [wish(5, constant(number(randomisation / MS_PER_SECOND)))]),
    ...(clientSap === undefined ? [] : [wish(9, constant(number(clientSap)))]),
    ...(window === undefined ? [] : [wish(4, constant({ type: "array", value: window.map(windowOf) }))]),
    ...(destination === undefined ? [] : [wish(3, (present) => destinationOf(destination, setup.transport, present))]),
    ...(schedule === undefined
      ? []
      : [
          {
            classId: SCHEDULE,
            logicalName: schedule.logicalName,
            attributeId: 3,
            value: constant(scheduleType(schedule.at)),
          },
          {
            classId: SCHEDULE,
            logicalName: schedule.logicalName,
            attributeId: 4,
            value: (present: Data) => times(schedule.at, present),
          },
        ]),
  ];
}

/** `class:logical name:attribute`. */
export function nameOfWish({ classId, logicalName, attributeId }: Wish): string {
  return `${classId}:${logicalName}:${attributeId}`;
}

/** The wanted value in the types of the present one, wherever it fits them. */
export function inTypesOf(present: Data, wanted: Data): Data {
  if (isSmallInteger(wanted) && isSmallInteger(present)) return { type: present.type, value: wanted.value };
  if ((wanted.type === "structure" || wanted.type === "array") && present.type === wanted.type) {
    const [first] = present.value;
    const value = wanted.value.map((element, index) => {
      const own = present.value[index] ?? (wanted.type === "array" ? first : undefined);
      return own === undefined ? element : inTypesOf(own, element);
    });
    return { type: wanted.type, value };
  }
  return wanted;
}

interface SmallInteger {
  readonly type: (typeof SMALL_INTEGERS)[number];
  readonly value: number;
}

const SMALL_INTEGERS = [
  "integer",
  "long",
  "double-long",
  "unsigned",
  "long-unsigned",
  "double-long-unsigned",
  "enum",
] as const;
const SMALL: ReadonlySet<string> = new Set(SMALL_INTEGERS);

function isSmallInteger(data: Data): data is Data & SmallInteger {
  return SMALL.has(data.type);
}

/** Whether two values say the same, in whatever types of numbers. */
export function saysTheSame(a: Data, b: Data): boolean {
  return JSON.stringify(readable(a)) === JSON.stringify(readable(b));
}

/** A value for people and for comparison: numbers, texts, octets as 0x…, lists of these. */
export function readable(data: Data): unknown {
  const digits = integerOf(data);
  if (digits !== undefined) return digits;
  switch (data.type) {
    case "array":
    case "structure":
      return data.value.map(readable);
    case "octet-string":
    case "visible-string":
    case "utf8-string":
    case "date-time":
    case "date":
    case "time": {
      const text = Buffer.from(data.value).toString("latin1");
      return /^[\x20-\x7e]+$/.test(text) ? text : `0x${toHex(data.value)}`;
    }
    case "bit-string":
      return `0b${toHex(data.value)}/${data.bitCount}`;
    case "boolean":
      return data.value;
    default:
      return data.type;
  }
}

function constant(value: Data): (present: Data) => Data {
  return () => value;
}

function number(value: number): Data {
  return { type: "long-unsigned", value };
}

/** Elements have as many members as those that the meter has now: later versions of the class have more. */
function objectList(objects: readonly string[], present: Data): Data {
  const [sample] = present.type === "array" ? present.value : [];
  const members = sample?.type === "structure" ? sample.value : [];
  const value = objects.map((text): Data => {
    const [classId = "", logicalName = "", attributeId = ""] = text.split(":");
    const own: Data[] = [
      { type: "long-unsigned", value: Number(classId) },
      { type: "octet-string", value: logicalNameToOctets(logicalName) },
      { type: "integer", value: Number(attributeId) },
      { type: "long-unsigned", value: 0 },
    ];
    return { type: "structure", value: [...own, ...members.slice(own.length)] };
  });
  return { type: "array", value };
}

/** Version 2 has least delay, exponent and most delay: the same for all repetitions. */
function delay(seconds: number, present: Data): Data {
  if (present.type !== "structure") return number(seconds);
  return { type: "structure", value: [number(seconds), number(100), number(seconds)] };
}

function destinationOf(destination: string, transport: keyof typeof TRANSPORTS, present: Data): Data {
  const message = present.type === "structure" ? present.value[2] : undefined;
  return {
    type: "structure",
    value: [
      { type: "enum", value: TRANSPORTS[transport] },
      { type: "octet-string", value: new Uint8Array(Buffer.from(destination, "latin1")) },
      message ?? { type: "enum", value: 0 },
    ],
  };
}

const ANY_DATE = { year: undefined, month: undefined, day: undefined, dayOfWeek: undefined } as const;

function windowOf({ from, to }: { readonly from: string; readonly to: string }): Data {
  return { type: "structure", value: [daily(from), daily(to)] };
}

function daily(text: string): Data {
  const [hour = 0, minute = 0] = text.split(":").map(Number);
  const time = { hour, minute, second: 0, hundredths: 0, deviationMinutes: undefined, clockStatus: undefined };
  return { type: "octet-string", value: encodeDateTime({ ...ANY_DATE, ...time }) };
}

/** 1 for one time, 5 for several; both with wildcards in the date. */
function scheduleType(at: readonly string[]): Data {
  return { type: "enum", value: at.length === 1 ? 1 : 5 };
}

/** Hundredths as the meter writes them: some refuse the other way. */
function times(at: readonly string[], present: Data): Data {
  const [sample] = present.type === "array" ? present.value : [];
  const [sampleTime] = sample?.type === "structure" ? sample.value : [];
  const hundredths = sampleTime?.type === "octet-string" && sampleTime.value[3] === 0xff ? undefined : 0;
  const value = at.map((text): Data => {
    const [hour = "*", minute = "0"] = text.split(":");
    const time = { hour: hour === "*" ? undefined : Number(hour), minute: Number(minute), second: 0, hundredths };
    return {
      type: "structure",
      value: [
        { type: "octet-string", value: encodeTime(time) },
        { type: "octet-string", value: encodeDate(ANY_DATE) },
      ],
    };
  });
  return { type: "array", value };
}
