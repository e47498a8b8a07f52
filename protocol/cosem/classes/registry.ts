/** Every interface class that the tables know, by number and version. A new class is one more line here. */
import type { InterfaceClass } from "../interface-class.ts";
import * as associations from "./associations.ts";
import * as clockAndTariff from "./clock-and-tariff.ts";
import * as control from "./control.ts";
import * as internet from "./internet.ts";
import * as localPorts from "./local-ports.ts";
import * as mBus from "./m-bus.ts";
import * as meshNetworks from "./mesh-networks.ts";
import { NAMED_CLASSES } from "./named-classes.ts";
import * as payment from "./payment.ts";
import * as powerLine from "./power-line.ts";
import * as profiles from "./profiles.ts";
import * as push from "./push.ts";
import * as registers from "./registers.ts";
import * as security from "./security.ts";

const FAMILIES: readonly Readonly<Record<string, unknown>>[] = [
  registers,
  profiles,
  clockAndTariff,
  associations,
  security,
  push,
  control,
  localPorts,
  internet,
  mBus,
  payment,
  powerLine,
  meshNetworks,
];

/** All classes in the order of their numbers and versions. */
export const INTERFACE_CLASSES: readonly InterfaceClass[] = [
  ...FAMILIES.flatMap((family) => Object.values(family).filter(isInterfaceClass)),
  ...NAMED_CLASSES,
].sort((one, other) => one.classId - other.classId || one.version - other.version);

const BY_KEY = new Map(INTERFACE_CLASSES.map((each) => [key(each.classId, each.version), each]));

function isInterfaceClass(value: unknown): value is InterfaceClass {
  return typeof value === "object" && value !== null && "classId" in value && "attributes" in value;
}

function key(classId: number, version: number): string {
  return `${classId}/${version}`;
}

/** The class with exactly that version, or undefined. */
export function interfaceClassOf(classId: number, version: number): InterfaceClass | undefined {
  return BY_KEY.get(key(classId, version));
}

/**
 * The class in the newest version that is not newer than asked for, or its oldest: object lists name versions that do
 * not exist, and an attribute rarely changes between versions. Undefined when the number is not known at all.
 */
export function nearestInterfaceClass(classId: number, version: number): InterfaceClass | undefined {
  const versions = INTERFACE_CLASSES.filter((each) => each.classId === classId);
  return versions.findLast((each) => each.version <= version) ?? versions[0];
}
