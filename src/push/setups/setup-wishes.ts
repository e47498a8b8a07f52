/**
 * A push setup as it is to be, as attributes with values: what is written first cannot silence a meter that sends now.
 * Values take the types that the meter's own have, for many meters refuse the same number in another width.
 */
import type { Data } from "../../../protocol/axdr/data.ts";
import { encodeDate, encodeDateTime, encodeTime } from "../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { dataLike, type PlainValue, saysTheSame } from "../../../protocol/cosem/plain-value.ts";
import type { Config } from "../../config/schema.ts";

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
const SCRIPT_TABLE = 9;
const TRANSPORTS = { tcp: 0, udp: 1 } as const;
const MS_PER_SECOND = 1000;

/**
 * What is sent before where to, and when it starts last: a schedule must find everything else in place. The version is
 * that of the meter's object, at most 2: what came later has the same form.
 */
export function wishesOf(setup: PushSetupConfig, version: number): Wish[] {
  const { attributes = [], objects, window, randomisation, retries, clientSap, destination, schedule } = setup;
  const own = (attributeId: number, value: ((present: Data) => Data) | undefined): Wish[] => {
    return value === undefined ? [] : [{ classId: PUSH_SETUP, logicalName: setup.logicalName, attributeId, value }];
  };
  return [
    ...attributes.map(({ attribute, value }) => attributeWish(attribute, value)),
    ...own(2, objects && ((present) => objectList(objects, version, present))),
    ...own(6, retries === undefined ? undefined : constant(number(retries))),
    ...own(7, repetitionOf(setup)),
    ...own(5, randomisation === undefined ? undefined : constant(number(randomisation / MS_PER_SECOND))),
    ...own(9, clientSap === undefined ? undefined : constant(number(clientSap))),
    ...laterVersions(setup, own),
    ...own(4, window && constant({ type: "array", value: window.map(windowOf) })),
    ...own(
      3,
      destination === undefined ? undefined : (present) => destinationOf(destination, setup.transport, present),
    ),
    ...(schedule === undefined ? [] : scheduleWishes(schedule, setup.logicalName)),
  ];
}

/** What versions 1 and 2 of the class have besides. */
function laterVersions(
  { portReference, operation, confirmation }: PushSetupConfig,
  own: (attributeId: number, value: ((present: Data) => Data) | undefined) => Wish[],
): Wish[] {
  return [
    ...own(8, portReference === undefined ? undefined : constant(octets(logicalNameToOctets(portReference)))),
    ...own(11, operation && constant({ type: "enum", value: OPERATIONS.indexOf(operation) })),
    ...own(12, confirmation && ((present) => confirmationOf(confirmation.interval / MS_PER_SECOND, present))),
  ];
}

const OPERATIONS = ["unconfirmed", "link-confirmed", "confirmed"] as const;

/** From when on a confirmation is wanted stays as the meter has it. */
function confirmationOf(seconds: number, present: Data): Data {
  const [from] = present.type === "structure" ? present.value : [];
  const anyTime = octets(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0x00, 0xff));
  return { type: "structure", value: [from ?? anyTime, { type: "double-long-unsigned", value: seconds }] };
}

function repetitionOf({ repetition, repetitionDelay }: PushSetupConfig): ((present: Data) => Data) | undefined {
  if (repetition !== undefined) {
    const { least, exponent, most } = repetition;
    const value = [least / MS_PER_SECOND, exponent, most / MS_PER_SECOND].map(number);
    return (present) => (present.type === "structure" ? { type: "structure", value } : number(least / MS_PER_SECOND));
  }
  if (repetitionDelay === undefined) return undefined;
  return (present) => delay(repetitionDelay / MS_PER_SECOND, present);
}

/**
 * The script before the schedule that runs it. Some meters hold the number of entries against the type: towards several
 * entries the type goes first, towards one the entries do.
 */
function scheduleWishes(schedule: NonNullable<PushSetupConfig["schedule"]>, pushSetup: string): Wish[] {
  const { logicalName, at, script } = schedule;
  const of = (attributeId: number, value: (present: Data) => Data): Wish => {
    return { classId: SCHEDULE, logicalName, attributeId, value };
  };
  const type = of(3, constant(scheduleType(at)));
  const entries = of(4, (present) => times(at, present));
  const when = at.length === 1 ? [entries, type] : [type, entries];
  if (script === undefined) return when;
  const { selector } = script;
  const scripts = (present: Data) => scriptsWith(present, selector, pushSetup);
  const runs: Data = { type: "structure", value: [octets(logicalNameToOctets(script.logicalName)), number(selector)] };
  return [
    { classId: SCRIPT_TABLE, logicalName: script.logicalName, attributeId: 2, value: scripts },
    of(2, constant(runs)),
    ...when,
  ];
}

const EXECUTE = 2;
const PUSH_METHOD = 1;

/** The meter's scripts, of which one orders the push; the others, and what else that one does, stay. */
function scriptsWith(present: Data, selector: number, pushSetup: string): Data {
  const scripts = present.type === "array" ? present.value : [];
  const name = logicalNameToOctets(pushSetup);
  const push: Data = {
    type: "structure",
    value: [
      { type: "enum", value: EXECUTE },
      number(PUSH_SETUP),
      octets(name),
      { type: "integer", value: PUSH_METHOD },
      { type: "integer", value: 0 },
    ],
  };
  const known = scripts.find((script) => selectorOf(script) === selector);
  const actions = known?.type === "structure" && known.value[1]?.type === "array" ? known.value[1].value : [];
  if (actions.some((action) => pushesSetup(action, pushSetup))) return present;
  const own: Data = { type: "structure", value: [number(selector), { type: "array", value: [...actions, push] }] };
  const value = known === undefined ? [...scripts, own] : scripts.map((script) => (script === known ? own : script));
  return { type: "array", value };
}

function selectorOf(script: Data): number | undefined {
  const [id] = script.type === "structure" ? script.value : [];
  return id === undefined ? undefined : integerOf(id);
}

function pushesSetup(action: Data, pushSetup: string): boolean {
  const [, classId, name, index] = action.type === "structure" ? action.value : [];
  return (
    classId !== undefined &&
    integerOf(classId) === PUSH_SETUP &&
    name?.type === "octet-string" &&
    logicalNameFromOctets(name.value) === pushSetup &&
    index !== undefined &&
    integerOf(index) === PUSH_METHOD
  );
}

function attributeWish(attribute: string, value: PlainValue): Wish {
  const [classId = "", logicalName = "", attributeId = ""] = attribute.split(":");
  return {
    classId: Number(classId),
    logicalName,
    attributeId: Number(attributeId),
    value: (present) => dataLike(value, present),
  };
}

function octets(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

/** `class:logical name:attribute`. */
export function nameOfWish({ classId, logicalName, attributeId }: Wish): string {
  return `${classId}:${logicalName}:${attributeId}`;
}

function constant(value: Data): (present: Data) => Data {
  return () => value;
}

function number(value: number): Data {
  return { type: "long-unsigned", value };
}

/** What elements have from versions 1 and 2 of the class on: no restriction, no columns. */
const LATER_MEMBERS: readonly Data[] = [
  { type: "structure", value: [{ type: "enum", value: 0 }, { type: "null-data" }] },
  { type: "array", value: [] },
];

/** What the meter sends already keeps its restriction and columns. */
function objectList(objects: readonly string[], version: number, present: Data): Data {
  const known = present.type === "array" ? present.value : [];
  const value = objects.map((text): Data => {
    const [classId = "", logicalName = "", attributeId = ""] = text.split(":");
    const own: Data[] = [
      { type: "long-unsigned", value: Number(classId) },
      { type: "octet-string", value: logicalNameToOctets(logicalName) },
      { type: "integer", value: Number(attributeId) },
      { type: "long-unsigned", value: 0 },
    ];
    const held = known.map(membersOf).find((members) => own.every((member, at) => isSame(members[at], member)));
    return { type: "structure", value: [...own, ...(held?.slice(own.length) ?? LATER_MEMBERS.slice(0, version))] };
  });
  return { type: "array", value };
}

function membersOf(data: Data): readonly Data[] {
  return data.type === "structure" ? data.value : [];
}

function isSame(held: Data | undefined, member: Data): boolean {
  return held !== undefined && saysTheSame(held, member);
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
