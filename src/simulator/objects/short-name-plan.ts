/** Gives the objects of a described meter base names, as a maker would: one after the other, each with room for all. */
import { nearestInterfaceClass } from "../../../protocol/cosem/classes/registry.ts";
import type { MeterDescription } from "../description.ts";

const FIRST_NAME = 0x0100;
const STEP = 8;
/** Distances between objects are multiples of this. */
const GRAIN = 0x20;
const DATA_CLASS = 1;
const PROFILE_CLASS = 7;

interface Planned {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: string;
}

/** The same meter with short names instead of logical ones. */
export function withShortNames(description: MeterDescription): MeterDescription {
  const counters = description.associations.flatMap(({ invocationCounter }) => invocationCounter ?? []);
  const objects: Planned[] = [
    ...description.objects,
    ...counters.map((logicalName) => ({ classId: DATA_CLASS, version: 0, logicalName })),
    ...description.profiles.map(({ logicalName }) => ({ classId: PROFILE_CLASS, version: 1, logicalName })),
  ];
  const shortNames: Record<string, number> = {};
  let next = FIRST_NAME;
  for (const object of objects) {
    shortNames[object.logicalName] ??= next;
    next += spanOf(object);
  }
  return { ...description, shortNames };
}

function spanOf({ classId, version }: Planned): number {
  const cosemClass = nearestInterfaceClass(classId, version);
  const attributes = Object.values(cosemClass?.attributes ?? {}).map(({ id }) => STEP * id);
  const methods = Object.values(cosemClass?.methods ?? {}).map(
    (method) => (cosemClass?.methodOffset ?? 0) + STEP * (typeof method === "number" ? method : method.id),
  );
  return Math.ceil(Math.max(STEP, ...attributes, ...methods) / GRAIN) * GRAIN;
}
