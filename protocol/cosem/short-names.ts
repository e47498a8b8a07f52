/**
 * Short names: which attributes and methods of which objects the sixteen-bit names of a server mean. Attribute n of an
 * object is at its base name + 8·(n-1); where methods begin is the interface class's.
 */
import type { AttributeDescriptor, MethodDescriptor } from "../apdu/descriptors.ts";
import type { ShortNamedMember, ShortNamedMethod } from "../apdu/short-name.ts";
import type { Data } from "../axdr/data.ts";
import { nearestInterfaceClass } from "./classes/registry.ts";
import { requireInteger, typeMismatch } from "./integers.ts";
import { attributeById, type InterfaceClass, methodById } from "./interface-class.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "./obis.ts";

/** One object of a server with short names. */
export interface ShortNamedObject {
  /** 0..65535, a multiple of 8. */
  readonly baseName: number;
  readonly classId: number;
  readonly version: number;
  /** Dotted. */
  readonly logicalName: string;
}

/** Base name of the association that is being used; every server has it. */
export const ASSOCIATION_BASE_NAME = 0xfa00;
const ASSOCIATION_SN = 12;
const CURRENT_ASSOCIATION = "0.0.40.0.0.255";
/** Until the object list says better: the least version that has reply_to_HLS_authentication. */
const ASSOCIATION_VERSION = 1;
const STEP = 8;
const NAMES = 0x1_0000;

/** The objects of one server, by logical name and by short name. */
export class ShortNames {
  /** In ascending order of base names. */
  readonly objects: readonly ShortNamedObject[];
  readonly #byLogicalName = new Map<string, ShortNamedObject>();

  /** Of objects with one class and logical name the first counts. Association SN at FA00 is there in any case. */
  constructor(objects: Iterable<ShortNamedObject>) {
    const known = [...objects];
    const lacksAssociation = known.every((object) => object.baseName !== ASSOCIATION_BASE_NAME);
    if (lacksAssociation) known.push(CURRENT);
    for (const object of known) {
      const key = keyOf(object);
      if (!this.#byLogicalName.has(key)) this.#byLogicalName.set(key, object);
    }
    this.objects = known.sort((one, other) => one.baseName - other.baseName);
  }

  /** Reads the object_list of an Association SN. Throws DATA_TYPE_MISMATCH. */
  static fromObjectList(data: Data): ShortNames {
    if (data.type !== "array") throw typeMismatch("object list", data);
    return new ShortNames(data.value.map(elementFromData));
  }

  /** The object_list as an Association SN would show it. */
  toObjectList(): Data {
    return { type: "array", value: this.objects.map(elementToData) };
  }

  /** The short name of an attribute; undefined for an object that is not here, and for attribute numbers below 1. */
  attribute({ classId, logicalName, attributeId }: AttributeDescriptor): number | undefined {
    const object = this.#find(classId, logicalName);
    return object && attributeId >= 1 ? nameAt(object, STEP * (attributeId - 1)) : undefined;
  }

  /** The short name of a method; undefined where no table says where the methods of the class begin. */
  method({ classId, logicalName, methodId }: MethodDescriptor): ShortNamedMethod | undefined {
    const object = this.#find(classId, logicalName);
    const cosemClass = object && classOf(object);
    if (object === undefined || cosemClass?.methodOffset === undefined || methodId < 1) return undefined;
    const variableName = nameAt(object, cosemClass.methodOffset + STEP * (methodId - 1));
    const returns = methodById(cosemClass, methodId)?.result !== undefined;
    return variableName === undefined ? undefined : { variableName, returns };
  }

  /** The base name of an object, which is also that of its logical_name. */
  baseName({ classId, logicalName }: Pick<AttributeDescriptor, "classId" | "logicalName">): number | undefined {
    return this.#find(classId, logicalName)?.baseName;
  }

  /** What a short name means, or undefined when no object reaches there. Whether the object has it is not said. */
  member(variableName: number): ShortNamedMember | undefined {
    const object = this.objects.findLast(({ baseName }) => baseName <= variableName);
    const offset = object && variableName - object.baseName;
    if (object === undefined || offset === undefined || offset % STEP !== 0) return undefined;
    const { classId } = object;
    const logicalName = logicalNameToOctets(object.logicalName);
    const cosemClass = classOf(object);
    const methodOffset = cosemClass?.methodOffset ?? Number.POSITIVE_INFINITY;
    const attributeId = offset / STEP + 1;
    const isAttribute = offset < methodOffset || (cosemClass && attributeById(cosemClass, attributeId)) !== undefined;
    if (isAttribute) return { type: "attribute", classId, logicalName, attributeId };
    return { type: "method", classId, logicalName, methodId: (offset - methodOffset) / STEP + 1 };
  }

  #find(classId: number, logicalName: Uint8Array): ShortNamedObject | undefined {
    return this.#byLogicalName.get(keyOf({ classId, logicalName: logicalNameFromOctets(logicalName) }));
  }
}

const CURRENT: ShortNamedObject = {
  baseName: ASSOCIATION_BASE_NAME,
  classId: ASSOCIATION_SN,
  version: ASSOCIATION_VERSION,
  logicalName: CURRENT_ASSOCIATION,
};

function classOf({ classId, version }: ShortNamedObject): InterfaceClass | undefined {
  return nearestInterfaceClass(classId, version);
}

function keyOf({ classId, logicalName }: Pick<ShortNamedObject, "classId" | "logicalName">): string {
  return `${classId}:${logicalName}`;
}

function nameAt({ baseName }: ShortNamedObject, offset: number): number | undefined {
  return baseName + offset < NAMES ? baseName + offset : undefined;
}

function elementFromData(data: Data): ShortNamedObject {
  const [baseName, classId, version, logicalName] = data.type === "structure" ? data.value : [];
  if (logicalName?.type !== "octet-string") throw typeMismatch("object list element", data);
  return {
    // The type is a signed one, so names from 8000 on come as negative numbers.
    baseName: requireInteger(baseName) & (NAMES - 1),
    classId: requireInteger(classId),
    version: requireInteger(version),
    logicalName: logicalNameFromOctets(logicalName.value),
  };
}

function elementToData({ baseName, classId, version, logicalName }: ShortNamedObject): Data {
  return {
    type: "structure",
    value: [
      baseNameToData(baseName),
      { type: "long-unsigned", value: classId },
      { type: "unsigned", value: version },
      { type: "octet-string", value: logicalNameToOctets(logicalName) },
    ],
  };
}

/** A base name in the signed type that lists of a meter have it in. */
export function baseNameToData(baseName: number): Data {
  return { type: "long", value: baseName < NAMES / 2 ? baseName : baseName - NAMES };
}
