/**
 * A meter as JSON: its objects with class, version, logical name and the value of every attribute. Such a dump can be
 * written by hand, taken from a virtual meter, or be made of what a real meter was read; loaded, it is a virtual meter
 * that answers with those values. Only its clock runs.
 */
import { z } from "zod";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { nearestInterfaceClass } from "../../protocol/cosem/classes/registry.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { AUTHENTICATION_MECHANISMS, type AuthenticationMechanism } from "../../protocol/security/hls.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type {
  AssociationDescription,
  MeterDescription,
  ObjectDescription,
  SelectionDescription,
  ValueDescription,
} from "./description.ts";
import type { MeterIdentity } from "./meter-identity.ts";
import { dataFromJson, dataToJson, ObjectDumpError, type TypedJson } from "./typed-json.ts";
import type { VirtualMeter } from "./virtual-meter.ts";

const mechanism = z.custom<AuthenticationMechanism>(
  (value) => typeof value === "string" && value in AUTHENTICATION_MECHANISMS,
  `a mechanism is one of ${Object.keys(AUTHENTICATION_MECHANISMS).join(", ")}`,
);
const logicalName = z.string().refine(isLogicalName, "a logical name has six groups, as 1.0.1.8.0.255");
const attributeNumber = z.string().regex(/^-?\d{1,3}$/, "attributes are known by their number");

const associationSchema = z.strictObject({
  name: z.string().min(1),
  clientSap: z.int().min(0).max(0x3fff),
  logicalName,
  mechanism: mechanism.default("none"),
  secret: z.enum(["low-level", "high-level"]).optional(),
  protection: z.enum(["authenticated", "encrypted", "authenticated-encrypted"]).optional(),
  securitySetup: logicalName.optional(),
  invocationCounter: logicalName.optional(),
  /** All objects when absent. */
  objects: z.array(logicalName).optional(),
  write: z.boolean().default(false),
});

const dumpSchema = z.strictObject({
  meter: z.strictObject({
    serial: z.string().min(1),
    manufacturer: z.string().default(""),
    logicalDeviceName: z.string().max(16).default(""),
    systemTitle: z.string().regex(/^[0-9a-f]{16}$/i, "a system title is 16 hexadecimal digits"),
    firmware: z.string().default(""),
    yearOfManufacture: z.int().default(2000),
    timeZone: z.string().refine(isTimeZone, "not a time zone of the tz database").default("UTC"),
    stamps: z
      .strictObject({
        deviation: z.enum(["standard", "inverted", "unspecified"]).default("standard"),
        hundredths: z.enum(["zero", "unspecified"]).default("unspecified"),
        status: z.enum(["specified", "unspecified"]).default("specified"),
      })
      .prefault({}),
    associationVersion: z.int().min(0).max(3).default(1),
    selection: z
      .strictObject({
        ranges: z.enum(["refused", "without-deviation"]).optional(),
        entries: z.enum(["refused", "newest-first"]).optional(),
      })
      .optional(),
  }),
  associations: z
    .array(associationSchema)
    .default([{ name: "public", clientSap: 16, logicalName: "0.0.40.0.1.255", mechanism: "none", write: false }]),
  objects: z.array(
    z.strictObject({
      class: z.int().min(0).max(0xffff),
      version: z.int().min(0).max(255).default(0),
      logicalName,
      /** A meter of which any object has one takes clients with short names only. */
      baseName: z.int().min(0).max(0xfff8).multipleOf(8).optional(),
      /** All that the class has, each with a value that says nothing, when absent. */
      attributes: z.record(attributeNumber, z.unknown()).optional(),
      /** The attributes that are not given have a value that says nothing, instead of being missing. */
      complete: z.boolean().optional(),
      /** Attributes that may be written; what the class says when absent. */
      writable: z.array(z.int()).optional(),
    }),
  ),
});

/** The JSON form, as it is written. */
export type ObjectDump = z.input<typeof dumpSchema>;
type Dump = z.output<typeof dumpSchema>;

export interface LoadedMeter {
  readonly description: MeterDescription;
  readonly identity: MeterIdentity;
}

/** Reads a dump from parsed JSON. Throws ObjectDumpError that names the place and what it wants. */
export function meterFromDump(json: unknown): LoadedMeter {
  const parsed = dumpSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ObjectDumpError(pathText(issue?.path ?? []), issue?.message ?? "not a dump of objects");
  }
  const { meter, associations, objects } = parsed.data;
  return {
    identity: { ...meter, systemTitle: systemTitle(fromHex(meter.systemTitle)) },
    description: {
      model: "dump",
      timeZone: meter.timeZone,
      zoneMinutes: 0,
      stamps: meter.stamps,
      supply: NO_SUPPLY,
      capturePeriodS: 900,
      demandPeriodS: 900,
      logs: [],
      objects: objects.map(objectOf),
      profiles: [],
      associations: associations.map(associationOf),
      associationVersion: meter.associationVersion,
      ...(meter.selection && { selection: selectionOf(meter.selection) }),
      ...shortNamesOf(objects),
    },
  };
}

/** A dump of a virtual meter as it stands: what the client with the most rights reads, rows of profiles included. */
export function dumpMeter(meter: VirtualMeter): ObjectDump {
  const { identity, description } = meter;
  return {
    meter: {
      serial: identity.serial,
      manufacturer: identity.manufacturer,
      logicalDeviceName: identity.logicalDeviceName,
      systemTitle: toHex(identity.systemTitle),
      firmware: identity.firmware,
      yearOfManufacture: identity.yearOfManufacture,
      timeZone: description.timeZone,
      stamps: description.stamps,
      associationVersion: description.associationVersion,
    },
    associations: description.associations.map(associationJson),
    objects: meter.objects.list().map((object) => objectJson(meter, object)),
  };
}

function objectJson(meter: VirtualMeter, object: DumpedObject): ObjectDump["objects"][number] {
  const { classId, version, logicalName, writableIds } = object;
  const baseName = meter.description.shortNames?.[logicalName];
  return {
    class: classId,
    version,
    logicalName,
    ...(baseName !== undefined && { baseName }),
    attributes: Object.fromEntries(attributesOf(meter, object)),
    writable: [...writableIds],
  };
}

function associationJson({
  access,
  ...association
}: AssociationDescription): NonNullable<ObjectDump["associations"]>[number] {
  const objects = access.objects === "all" ? {} : { objects: [...access.objects] };
  return { ...association, ...objects, write: access.write };
}

type DumpedObject = ReturnType<VirtualMeter["objects"]["list"]>[number];

function attributesOf(
  meter: VirtualMeter,
  { classId, logicalName, attributeIds }: DumpedObject,
): [string, TypedJson][] {
  const moment = meter.objects.now();
  return attributeIds.flatMap((attributeId): [string, TypedJson][] => {
    const value = meter.objects.value({ classId, logicalName, attributeId }, moment);
    return value === undefined ? [] : [[String(attributeId), dataToJson(value)]];
  });
}

function selectionOf({ ranges, entries }: NonNullable<Dump["meter"]["selection"]>): SelectionDescription {
  return { ...(ranges && { ranges }), ...(entries && { entries }) };
}

function shortNamesOf(objects: Dump["objects"]): Pick<MeterDescription, "shortNames"> {
  const named = objects.flatMap(({ logicalName, baseName }): [string, number][] =>
    baseName === undefined ? [] : [[logicalName, baseName]],
  );
  return named.length === 0 ? {} : { shortNames: Object.fromEntries(named) };
}

const LOGICAL_NAME = 1;
const CLOCK_CLASS = 8;
const CLOCK_TIME = 2;

function objectOf(object: Dump["objects"][number], index: number): ObjectDescription {
  const { attributes: given = {}, complete = object.attributes === undefined } = object;
  const attributes = Object.entries(given).map(([id, value]): [string, ValueDescription] => {
    // A clock that stands still would be a wrong clock.
    if (object.class === CLOCK_CLASS && Number(id) === CLOCK_TIME) return [id, { type: "stamp", stampOf: "clock" }];
    return [id, dataFromJson(value, `objects[${index}].attributes.${id}`)];
  });
  return {
    classId: object.class,
    version: object.version,
    logicalName: object.logicalName,
    attributes: { ...(complete && emptyAttributes(object)), ...Object.fromEntries(attributes) },
    ...(object.writable && { writable: object.writable }),
  };
}

/** Every attribute that the class has, with a value that says nothing; the clock of a Clock runs. */
function emptyAttributes({ class: classId, version }: Dump["objects"][number]): Record<string, ValueDescription> {
  const members = Object.values(nearestInterfaceClass(classId, version)?.attributes ?? {});
  return Object.fromEntries(
    members
      .filter(({ id }) => id !== LOGICAL_NAME)
      .map(({ id, type }): [string, ValueDescription] =>
        classId === CLOCK_CLASS && id === CLOCK_TIME
          ? [String(id), { type: "stamp", stampOf: "clock" }]
          : [String(id), type.empty],
      ),
  );
}

function associationOf(association: Dump["associations"][number]): AssociationDescription {
  const { objects, write, secret, protection, securitySetup, invocationCounter, ...rest } = association;
  return {
    ...rest,
    ...(secret && { secret }),
    ...(protection && { protection }),
    ...(securitySetup !== undefined && { securitySetup }),
    ...(invocationCounter !== undefined && { invocationCounter }),
    access: { objects: objects ?? "all", write },
  };
}

/** Nothing is measured. */
const NO_LOAD = {
  dayWh: 0,
  hours: Array.from({ length: 24 }, () => 1),
  weekdays: Array.from({ length: 7 }, () => 1),
  season: 0,
  dayNoise: 0,
  quarterNoise: 0,
};
const NO_SUPPLY = {
  phaseCount: 1,
  nominalVoltageV: 230,
  consumption: NO_LOAD,
  tariffOfHour: Array.from({ length: 24 }, () => 0),
};

function isLogicalName(text: string): boolean {
  try {
    return logicalNameToOctets(text).join(".") === text;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    namedZone(name);
    return true;
  } catch {
    return false;
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return (
    path
      .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
      .join("")
      .replace(/^\./, "") || "dump"
  );
}
