/** Finds out what the rows of a profile are: capture objects, scalers and units, capture period, order. */
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectKey,
  captureObjectsFromData,
} from "../../../protocol/cosem/capture-object.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { scalerUnitFromData } from "../../../protocol/cosem/scaler-unit.ts";
import {
  type ProfileLayout,
  profileLayout,
  type RegisterScaler,
  scalerAttribute,
  scalersFromProfile,
} from "../../../protocol/profile/layout.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import { AccessRefusedError } from "../session/access-refused.ts";
import type { AttributeSource } from "../session/attribute-source.ts";
import type { ProfileObject } from "./profile-objects.ts";

const PROFILE_CLASS = 7;
const HOUR_S = 3600;
export const PROFILE_ATTRIBUTES = {
  buffer: 2,
  captureObjects: 3,
  capturePeriod: 4,
  sortMethod: 5,
  profileEntries: 8,
} as const;

/** The reference of an attribute, by dotted logical name. */
export function attributeOf(object: Omit<CaptureObject, "dataIndex">): AttributeReference {
  const { classId, logicalName, attributeId } = object;
  return { attribute: { classId, logicalName: logicalNameToOctets(logicalName), attributeId }, access: undefined };
}

export function profileAttribute(logicalName: string, attribute: keyof typeof PROFILE_ATTRIBUTES): AttributeReference {
  return attributeOf({ classId: PROFILE_CLASS, logicalName, attributeId: PROFILE_ATTRIBUTES[attribute] });
}

/** The value of an attribute. Throws AccessRefusedError with what the meter answered. */
export async function readValue(source: AttributeSource, reference: AttributeReference): Promise<Data> {
  return valueOf(reference, await source.get(reference));
}

function valueOf(reference: AttributeReference, result: DataResult): Data {
  if (result.type === "data") return result.data;
  throw new AccessRefusedError(reference, result.dataAccessResult);
}

/** Hears that a part of a layout is not to be had at the moment; the layout is made without it. */
export type OnMissing = (error: AccessRefusedError) => void;

/** What a meter can't tell at the moment is no reason to go without. */
const refuseTemporary: OnMissing = (error) => {
  if (error.result === "temporary-failure") throw error;
};

/** Answers after which the same question may be answered another time. */
const FOR_NOW: ReadonlySet<DataAccessResult> = new Set([
  "temporary-failure",
  "hardware-fault",
  "data-block-unavailable",
  "long-get-aborted",
  "other-reason",
]);

export async function readLayout(
  source: AttributeSource,
  object: ProfileObject,
  quirks: ReadonlySet<MeterQuirk>,
  onMissing: OnMissing = refuseTemporary,
): Promise<ProfileLayout> {
  const references = (["captureObjects", "capturePeriod", "sortMethod", "profileEntries"] as const).map((attribute) =>
    profileAttribute(object.logicalName, attribute),
  );
  const [objects, period, sort, entries] = await source.getList(references);
  const [objectsReference] = references;
  if (objects === undefined || objectsReference === undefined) throw new RangeError("a list read lost its results");
  const captureObjects = captureObjectsFromData(valueOf(objectsReference, objects));
  for (const [index, result] of [objects, period, sort, entries].entries()) {
    tellMissing(references[index], result, onMissing);
  }
  return profileLayout({
    captureObjects,
    scalers: await readScalers(source, { object, onMissing }, captureObjects),
    ...periodIn(period, quirks),
    ...(numberIn(sort) === undefined ? {} : { sortMethod: numberIn(sort) ?? 0 }),
    ...(numberIn(entries) === undefined ? {} : { profileEntries: numberIn(entries) ?? 0 }),
    ...(object.capturePeriodMonths === undefined ? {} : { capturePeriodMonths: object.capturePeriodMonths }),
  });
}

/** 0 says that events capture the rows, except where it is known to stand for an hour: that is never guessed. */
function periodIn(result: DataResult | undefined, quirks: ReadonlySet<MeterQuirk>): { capturePeriodS?: number } {
  const seconds = numberIn(result);
  if (seconds === undefined) return {};
  return { capturePeriodS: seconds === 0 && quirks.has("zero-period-is-an-hour") ? HOUR_S : seconds };
}

/** A layout of registers that are read one by one. */
export async function readRegisterLayout(
  source: AttributeSource,
  captureObjects: readonly CaptureObject[],
  onMissing: OnMissing = refuseTemporary,
): Promise<ProfileLayout> {
  return profileLayout({ captureObjects, scalers: await readRegisterScalers(source, captureObjects, onMissing) });
}

function tellMissing(
  reference: AttributeReference | undefined,
  result: DataResult | undefined,
  onMissing: OnMissing,
): void {
  if (reference === undefined || result === undefined || result.type === "data") return;
  const { dataAccessResult } = result;
  if (FOR_NOW.has(dataAccessResult)) onMissing(new AccessRefusedError(reference, dataAccessResult));
}

async function readScalers(
  source: AttributeSource,
  { object, onMissing }: { readonly object: ProfileObject; readonly onMissing: OnMissing },
  captureObjects: readonly CaptureObject[],
): Promise<RegisterScaler[]> {
  const fromProfile = object.scalerProfile === undefined ? [] : await readScalerProfile(source, object.scalerProfile);
  const known = new Set(fromProfile.map((scaler) => scaler.logicalName));
  const missing = captureObjects.filter((each) => !known.has(each.logicalName));
  return [...fromProfile, ...(await readRegisterScalers(source, missing, onMissing))];
}

/** A meter without the scaler profile of its companion still has the scalers in its registers. */
async function readScalerProfile(source: AttributeSource, logicalName: string): Promise<RegisterScaler[]> {
  const [objects, buffer] = await source.getList([
    profileAttribute(logicalName, "captureObjects"),
    profileAttribute(logicalName, "buffer"),
  ]);
  if (objects?.type !== "data" || buffer?.type !== "data") return [];
  const [row] = buffer.data.type === "array" ? buffer.data.value : [];
  return row === undefined ? [] : scalersFromProfile(captureObjectsFromData(objects.data), row);
}

/**
 * Scalers and units of registers, read one by one; what the meter refuses is missing. Throws AccessRefusedError for what it
 * refuses for now: without its scaler a column would pass as another one for a day.
 */
export async function readRegisterScalers(
  source: AttributeSource,
  captureObjects: readonly CaptureObject[],
  onMissing: OnMissing = refuseTemporary,
): Promise<RegisterScaler[]> {
  const wanted = new Map<string, CaptureObject>();
  for (const object of captureObjects) {
    const attribute = scalerAttribute(object);
    if (attribute !== undefined) wanted.set(captureObjectKey(attribute), attribute);
  }
  const attributes = [...wanted.values()];
  const references = attributes.map(attributeOf);
  const results = await source.getList(references);
  for (const [index, reference] of references.entries()) tellMissing(reference, results[index], onMissing);
  return attributes.flatMap(({ classId, logicalName }, index) => {
    const result = results[index];
    return result?.type === "data" ? [{ classId, logicalName, scalerUnit: scalerUnitFromData(result.data) }] : [];
  });
}

function numberIn(result: DataResult | undefined): number | undefined {
  if (result?.type !== "data" || !("value" in result.data)) return undefined;
  return typeof result.data.value === "number" ? result.data.value : undefined;
}
