/** What all meters of IS 15959 have in common: identity, clock, counters, events, control, associations. */
import type { Protection } from "../../../protocol/security/security-control.ts";
import type {
  AssociationDescription,
  EventLogDescription,
  ObjectDescription,
  ProfileDescription,
  ValueDescription,
} from "../description.ts";
import type { EventCodes } from "../event-series.ts";
import type { StampStyle } from "../meter-calendar.ts";
import type { MeterIdentity } from "../meter-identity.ts";
import { array, nameOctets, numeric, octets, structure, textOctets, visibleText } from "../typed-values.ts";
import { DISCONNECT_CONTROL } from "./load-switch.ts";
import { otherRegister, type RegisterForms, register } from "./registers.ts";

export const INDIAN_ZONE = { timeZone: "Asia/Kolkata", zoneMinutes: 330 } as const;

/** Four tariffs: morning peak, day, evening peak, night. */
export const INDIAN_TARIFFS = [3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3];
/** Eight tariffs of three hours. */
export const INDIAN_EIGHT_TARIFFS = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7];

export const STAMPS = {
  standard: { deviation: "standard", hundredths: "unspecified", status: "specified" },
  inverted: { deviation: "inverted", hundredths: "unspecified", status: "specified" },
  unspecified: { deviation: "unspecified", hundredths: "unspecified", status: "unspecified" },
} as const satisfies Record<string, StampStyle>;

export type IndianCategory = "D1" | "D2" | "D3";

const CURRENT_RATINGS = { D1: "5-30A", D2: "10-60A", D3: "-/5A" } as const;

/** How a meter of this specification protects its associations. */
export interface IndianSecurity {
  /** Part 1 meters have no ciphering at all. */
  readonly ciphered: boolean;
  readonly meterReader: Protection;
  /** HLS 2 by the specification; some newer utilities ask for GMAC. */
  readonly utilitySetting: "hls" | "hls-gmac";
}

export const CLOCK = "0.0.1.0.0.255";
export const DEVICE_ID = "0.0.96.1.2.255";
export const EVENT_STATUS_WORD = "0.0.94.91.18.255";
export const PUSHES = {
  instant: "0.0.25.9.0.255",
  alert: "0.4.25.9.0.255",
  block: "0.5.25.9.0.255",
  daily: "0.6.25.9.0.255",
  billing: "0.132.25.9.0.255",
  event: "0.134.25.9.0.255",
} as const;
/** The log of which the last event is pushed. */
export const PUSHED_LOG = "others";
export const PUSHED_EVENT_CODE = "0.0.96.11.4.255";

const VOLTAGE_EVENTS: readonly EventCodes[] = [
  [7, 8],
  [9, 10],
  [11, 12],
];
const CURRENT_EVENTS: readonly EventCodes[] = [
  [51, 52],
  [63, 64],
  [67, 68],
  [69, 70],
];

/** The event logs in the order of their profiles 0.0.99.98.0 … 6. */
export const EVENT_LOGS: readonly EventLogDescription[] = [
  { name: "voltage", meanIntervalDays: 6, codes: VOLTAGE_EVENTS },
  { name: "current", meanIntervalDays: 9, codes: CURRENT_EVENTS },
  { name: "power", meanIntervalDays: 12, codes: [[101, 102]] },
  { name: "transaction", meanIntervalDays: 60, codes: [[151], [152], [154], [155]] },
  {
    name: "others",
    meanIntervalDays: 45,
    codes: [
      [201, 202],
      [203, 204],
      [205, 206],
    ],
  },
  { name: "non-rollover", meanIntervalDays: 900, codes: [[251]] },
  { name: "control", meanIntervalDays: 120, codes: [[301, 302]] },
];
const LOG_ENTRIES = [70, 70, 40, 20, 60, 1, 1];

export function data(
  logicalName: string,
  value: ValueDescription,
  writable: readonly number[] = [],
): ObjectDescription {
  return { classId: 1, version: 0, logicalName, attributes: { 2: value }, writable };
}

function counter(logicalName: string, value: Extract<ValueDescription, { type: "measured" }>): ObjectDescription {
  return data(logicalName, value);
}

export function clockObject(style: StampStyle, minutesAhead: number, daylightSaving: boolean): ObjectDescription {
  const begin = Uint8Array.of(0xff, 0xff, 3, 0xfe, 7, 2, 0, 0, 0xff, 0x80, 0, 0);
  const end = Uint8Array.of(0xff, 0xff, 10, 0xfe, 7, 3, 0, 0, 0xff, 0x80, 0, 0);
  return {
    classId: 8,
    version: 0,
    logicalName: CLOCK,
    attributes: {
      2: { type: "stamp", stampOf: "clock" },
      3: numeric("long", style.deviation === "inverted" ? minutesAhead : -minutesAhead),
      4: numeric("unsigned", 0),
      5: octets(begin),
      6: octets(end),
      7: numeric("integer", daylightSaving ? 60 : 0),
      8: { type: "boolean", value: daylightSaving },
      9: numeric("enum", 1),
    },
  };
}

/** Name plate, counters and statuses. */
export function commonObjects(
  identity: MeterIdentity,
  category: IndianCategory,
  stamps: StampStyle,
): ObjectDescription[] {
  return [
    clockObject(stamps, INDIAN_ZONE.zoneMinutes, false),
    data("0.0.42.0.0.255", textOctets(identity.logicalDeviceName)),
    data("0.0.96.1.0.255", visibleText(identity.serial)),
    data("0.0.96.1.1.255", visibleText(identity.manufacturer)),
    data(DEVICE_ID, visibleText(`${identity.logicalDeviceName.slice(0, 3)}${identity.serial}`)),
    data("0.0.96.1.4.255", numeric("long-unsigned", identity.yearOfManufacture)),
    data("1.0.0.2.0.255", visibleText(identity.firmware)),
    data("0.0.94.91.9.255", numeric("unsigned", category === "D1" ? 0 : 1)),
    data("0.0.94.91.11.255", visibleText(category)),
    data("0.0.94.91.12.255", visibleText(CURRENT_RATINGS[category])),
    data("1.0.0.8.0.255", numeric("long-unsigned", 1800), [2]),
    data(
      "1.0.0.8.4.255",
      { type: "measured", as: "long-unsigned", quantity: { of: "state", name: "capture-period" } },
      [2],
    ),
    ...counters(category),
    ...eventObjects(),
    {
      classId: 17,
      version: 0,
      logicalName: "0.0.41.0.0.255",
      attributes: { 2: array(structure(numeric("long-unsigned", 1), textOctets(identity.logicalDeviceName))) },
    },
    {
      classId: 22,
      version: 0,
      logicalName: "0.0.15.0.0.255",
      attributes: {
        2: structure(nameOctets("0.0.10.0.1.255"), numeric("long-unsigned", 1)),
        3: numeric("enum", 1),
        4: array(structure(octets(Uint8Array.of(0, 0, 0, 0)), octets(Uint8Array.of(0xff, 0xff, 0xff, 1, 0xff)))),
      },
    },
    {
      classId: 22,
      version: 0,
      logicalName: "0.0.15.0.4.255",
      attributes: {
        2: structure(nameOctets("0.0.10.0.108.255"), numeric("long-unsigned", 1)),
        3: numeric("enum", 1),
        4: array(structure(octets(Uint8Array.of(0xff, 0, 0, 0)), octets(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)))),
      },
    },
    scriptTable("0.0.10.0.1.255", 1),
    scriptTable("0.0.10.0.108.255", 1),
  ];
}

function counters(category: IndianCategory): ObjectDescription[] {
  const programming = category === "D1" ? "unsigned" : "long-unsigned";
  return [
    counter("0.0.94.91.0.255", {
      type: "measured",
      as: "double-long-unsigned",
      quantity: { of: "event-count", log: "others" },
    }),
    counter("0.0.0.1.0.255", { type: "measured", as: "double-long-unsigned", quantity: { of: "billing-count" } }),
    counter("0.0.96.2.0.255", {
      type: "measured",
      as: programming,
      quantity: { of: "state", name: "programming-count" },
    }),
    counter("0.0.96.7.0.255", { type: "measured", as: "long-unsigned", quantity: { of: "event-count", log: "power" } }),
    otherRegister(
      "0.0.94.91.8.255",
      { of: "event-minutes", log: "power" },
      { as: "double-long-unsigned", scaler: 0, unit: "min" },
    ),
    otherRegister(
      "0.0.94.91.13.255",
      { of: "billing-power-on-minutes" },
      { as: "double-long-unsigned", scaler: 0, unit: "min" },
    ),
    otherRegister(
      "0.0.94.91.14.255",
      { of: "power-on-minutes" },
      { as: "double-long-unsigned", scaler: 0, unit: "min" },
    ),
    {
      classId: 3,
      version: 0,
      logicalName: "0.0.0.1.2.255",
      attributes: {
        2: { type: "stamp", stampOf: "billing" },
        3: structure(numeric("integer", 0), numeric("enum", 255)),
      },
    },
    data("0.0.96.10.1.255", numeric("unsigned", 0)),
    data("0.0.96.15.128.255", {
      type: "measured",
      as: "long-unsigned",
      quantity: { of: "event-count", log: "current" },
    }),
  ];
}

function eventObjects(): ObjectDescription[] {
  const codes = EVENT_LOGS.map(({ name }, index) =>
    data(`0.0.96.11.${index}.255`, {
      type: "measured",
      as: "long-unsigned",
      quantity: { of: "event-code", log: name },
    }),
  );
  const quiet = { type: "bit-string", bitCount: 128, value: new Uint8Array(16) } as const;
  const all = { type: "bit-string", bitCount: 128, value: new Uint8Array(16).fill(0xff) } as const;
  return [...codes, data(EVENT_STATUS_WORD, quiet), data("0.0.94.91.26.255", all, [2])];
}

function scriptTable(logicalName: string, scripts: number): ObjectDescription {
  const list = Array.from({ length: scripts }, (_, index) => structure(numeric("long-unsigned", index + 1), array()));
  return { classId: 9, version: 0, logicalName, attributes: { 2: array(...list) } };
}

/** Load switch and load limit of whole-current meters. */
export function loadControl(limitW: number): ObjectDescription[] {
  const limit = numeric("double-long-unsigned", limitW);
  return [
    DISCONNECT_CONTROL,
    {
      classId: 71,
      version: 0,
      logicalName: "0.0.17.0.0.255",
      attributes: {
        2: structure(numeric("long-unsigned", 3), nameOctets("1.0.1.7.0.255"), numeric("integer", 2)),
        3: limit,
        4: limit,
        5: limit,
        6: numeric("double-long-unsigned", 60),
        7: numeric("double-long-unsigned", 60),
      },
    },
    scriptTable("0.0.10.0.106.255", 2),
  ];
}

/** The registers that the columns name and that are not described yet. */
export function registersOf(
  columns: readonly string[],
  known: readonly ObjectDescription[],
  forms: RegisterForms,
): ObjectDescription[] {
  const names = new Set(columns.map((column) => column.split("/")[0] ?? ""));
  for (const { logicalName } of known) names.delete(logicalName);
  return [...names].map((logicalName) => register(logicalName, forms));
}

/** Scaler profiles have attribute 3 of the registers of a data profile, each once; clocks and counters have none. */
export function scalerProfile(
  logicalName: string,
  columns: readonly string[],
  objects: readonly ObjectDescription[],
): ProfileDescription {
  const registers = new Set(
    objects.filter(({ classId }) => classId === 3 || classId === 4).map((each) => each.logicalName),
  );
  const scaled = new Set(columns.map((column) => column.split("/")[0] ?? "").filter((name) => registers.has(name)));
  scaled.delete("0.0.0.1.2.255");
  return { logicalName, columns: [...scaled].map((name) => `${name}/3`), capture: { by: "reading" }, entries: 1 };
}

/** The event profiles 0.0.99.98.0 … 6; the last four have no values beside the code. */
export function eventProfiles(values: readonly string[]): ProfileDescription[] {
  return EVENT_LOGS.map(({ name }, index) => {
    const measured = name === "voltage" || name === "current" || name === "others" ? values : [];
    return {
      logicalName: `0.0.99.98.${index}.255`,
      columns: [CLOCK, `0.0.96.11.${index}.255`, ...measured],
      capture: { by: "event", log: name },
      entries: LOG_ENTRIES[index] ?? 1,
    };
  });
}

const PUBLIC_OBJECTS = [
  CLOCK,
  "0.0.41.0.0.255",
  "0.0.42.0.0.255",
  "0.0.96.1.0.255",
  "0.0.43.1.2.255",
  "0.0.43.1.3.255",
  "0.0.43.1.5.255",
];

export function indianAssociations({
  ciphered,
  meterReader,
  utilitySetting,
}: IndianSecurity): AssociationDescription[] {
  const both = ciphered ? ({ protection: "authenticated-encrypted" } as const) : {};
  return [
    {
      name: "PC",
      clientSap: 16,
      logicalName: "0.0.40.0.1.255",
      mechanism: "none",
      access: { objects: PUBLIC_OBJECTS, write: false },
    },
    {
      name: "MR",
      clientSap: 32,
      logicalName: "0.0.40.0.2.255",
      mechanism: "lls",
      secret: "low-level",
      ...(ciphered && {
        protection: meterReader,
        securitySetup: "0.0.43.0.2.255",
        invocationCounter: "0.0.43.1.2.255",
      }),
      access: { objects: "all", write: false },
    },
    {
      name: "US",
      clientSap: 48,
      logicalName: "0.0.40.0.3.255",
      mechanism: utilitySetting,
      secret: "high-level",
      ...both,
      ...(ciphered && { securitySetup: "0.0.43.0.3.255", invocationCounter: "0.0.43.1.3.255" }),
      access: { objects: "all", write: true },
    },
    {
      name: "FU",
      clientSap: 80,
      logicalName: "0.0.40.0.5.255",
      mechanism: utilitySetting,
      secret: "high-level",
      ...both,
      ...(ciphered && { securitySetup: "0.0.43.0.5.255", invocationCounter: "0.0.43.1.5.255" }),
      access: { objects: "all", write: true },
    },
  ];
}

export function securitySetups(
  associations: readonly AssociationDescription[],
  identity: MeterIdentity,
): ObjectDescription[] {
  return associations.flatMap(({ securitySetup, protection }) => {
    if (securitySetup === undefined) return [];
    return [securitySetupObject(securitySetup, protection, identity)];
  });
}

const POLICIES = { authenticated: 1, encrypted: 2, "authenticated-encrypted": 3 } as const;

export function securitySetupObject(
  logicalName: string,
  protection: Protection | undefined,
  identity: MeterIdentity,
): ObjectDescription {
  return {
    classId: 64,
    version: 0,
    logicalName,
    attributes: {
      2: numeric("enum", protection === undefined ? 0 : POLICIES[protection]),
      3: numeric("enum", 0),
      4: octets(new Uint8Array(8)),
      5: octets(identity.systemTitle),
    },
  };
}
