/**
 * What the columns of a profile's rows are: its capture objects, each with the scaler and unit of its register. Scalers
 * are joined by class and logical name, never by position, because scaler profiles leave out what has no scaler.
 */
import type { Data } from "../axdr/data.ts";
import { type CaptureObject, captureObjectKey } from "../cosem/capture-object.ts";
import { type ScalerUnit, scalerUnitFromData } from "../cosem/scaler-unit.ts";
import { DlmsError } from "../errors.ts";

/** The scaler and unit of one register, as attribute 3 or a scaler profile gave it. */
export interface RegisterScaler {
  readonly classId: number;
  readonly logicalName: string;
  readonly scalerUnit: ScalerUnit;
}

export interface LayoutColumn {
  readonly captureObject: CaptureObject;
  /** Undefined when the object has none or it has not been read. */
  readonly scalerUnit: ScalerUnit | undefined;
  /** What stands in the column: a clock's stamp, which null-data moves on, another time, or any other value. */
  readonly role: "clock" | "unix-clock" | "time" | "value";
}

/** Time between two captures; undefined when the profile is captured by events or the period is not known. */
export type CapturePeriod = { readonly seconds: number } | { readonly months: number } | undefined;

export interface ProfileLayout {
  readonly columns: readonly LayoutColumn[];
  readonly capturePeriod: CapturePeriod;
  /** Attribute 5 of the profile: 1 fifo, 2 lifo; undefined when it has not been read. */
  readonly sortMethod: number | undefined;
  /** Attribute 8: rows that the buffer holds before it overwrites; undefined when it is not known. */
  readonly profileEntries: number | undefined;
  /** Changes when the list of capture objects, a scaler or a unit changes. */
  readonly fingerprint: string;
}

export interface LayoutSource {
  readonly captureObjects: readonly CaptureObject[];
  readonly scalers?: readonly RegisterScaler[];
  /** Attribute 4 in seconds: 0 means captured by events. */
  readonly capturePeriodS?: number;
  /** For profiles that are captured by the calendar although their attribute 4 is 0. */
  readonly capturePeriodMonths?: number;
  readonly sortMethod?: number;
  readonly profileEntries?: number;
}

export const FIFO = 1;
export const LIFO = 2;

/**
 * Attributes that hold a value in a scaler and unit, by class: that of their own object, or for the thresholds of a
 * limiter (71) that of the register which it watches.
 */
const SCALED_ATTRIBUTES: Readonly<Record<number, readonly number[]>> = {
  3: [2],
  4: [2],
  5: [2, 3],
  61: [2],
  67: [7],
  71: [3, 4, 5],
};

/** The attribute that holds the scaler and unit, by class. */
const SCALER_ATTRIBUTES: Readonly<Record<number, number>> = { 3: 3, 4: 3, 5: 4, 61: 4, 67: 8 };

/** Attributes that hold a point in time, by class. */
const TIME_ATTRIBUTES: Readonly<Record<number, readonly number[]>> = { 4: [5], 5: [6, 7], 8: [2], 67: [10] };

/** Data and registers that hold a point in time: the end of a billing period, a local date and time. */
const TIME_NAMES: ReadonlySet<string> = new Set([
  "0.0.0.1.2.255",
  "1.0.0.1.2.255",
  "0.0.94.96.22.255",
  "0.0.94.96.25.255",
]);
const BILLING_TIMES: ReadonlySet<string> = new Set(["0.0.0.1.2.255", "1.0.0.1.2.255"]);

/** Seconds since 1970 as an integer. */
const UNIX_CLOCK = "0.0.1.1.0.255";
const CLOCK_CLASS = 8;
const TIME_ATTRIBUTE = 2;

/** By what they were put together from: a fleet has few, and much is worked out once for each. */
const LAYOUTS = new Map<string, ProfileLayout>();
const REMEMBERED_LAYOUTS = 1024;

/** The layout of a source, the same one for an equal source. Throws DATA_OUT_OF_RANGE for one without capture objects. */
export function profileLayout(source: LayoutSource): ProfileLayout {
  const key = keyOf(source);
  const known = LAYOUTS.get(key);
  if (known !== undefined) return known;
  const layout = newLayout(source);
  if (LAYOUTS.size >= REMEMBERED_LAYOUTS) LAYOUTS.clear();
  LAYOUTS.set(key, layout);
  return layout;
}

function keyOf({ captureObjects, scalers = [], ...rest }: LayoutSource): string {
  let key = `${rest.capturePeriodS} ${rest.capturePeriodMonths} ${rest.sortMethod} ${rest.profileEntries}`;
  for (const object of captureObjects) key += ` ${captureObjectKey(object)}`;
  for (const { classId, logicalName, scalerUnit } of scalers) {
    key += ` ${classId}:${logicalName}=${scalerUnit.scaler},${scalerUnit.unit}`;
  }
  return key;
}

function newLayout(source: LayoutSource): ProfileLayout {
  if (source.captureObjects.length === 0) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { captureObjects: 0 });
  const scalers = scalerIndex(source.scalers ?? []);
  const clock = clockIndex(source.captureObjects);
  const columns = source.captureObjects.map(
    (captureObject, index): LayoutColumn => ({
      captureObject,
      scalerUnit: scalerOf(captureObject, scalers),
      role: index === clock ? clockRole(captureObject) : isTime(captureObject) ? "time" : "value",
    }),
  );
  return {
    columns,
    capturePeriod: periodOf(source),
    sortMethod: source.sortMethod,
    profileEntries: source.profileEntries,
    fingerprint: fingerprintOf(columns),
  };
}

/** What a layout was put together from, so that it can be kept and put together again. */
export function layoutSource({ columns, capturePeriod, sortMethod, profileEntries }: ProfileLayout): LayoutSource {
  return {
    captureObjects: columns.map((column) => column.captureObject),
    scalers: columns.flatMap(({ captureObject: { classId, logicalName }, scalerUnit }) =>
      scalerUnit === undefined ? [] : [{ classId, logicalName, scalerUnit }],
    ),
    ...(capturePeriod !== undefined && "seconds" in capturePeriod && { capturePeriodS: capturePeriod.seconds }),
    ...(capturePeriod !== undefined && "months" in capturePeriod && { capturePeriodMonths: capturePeriod.months }),
    ...(sortMethod !== undefined && { sortMethod }),
    ...(profileEntries !== undefined && { profileEntries }),
  };
}

function periodOf({ capturePeriodS = 0, capturePeriodMonths = 0 }: LayoutSource): CapturePeriod {
  if (capturePeriodMonths > 0) return { months: capturePeriodMonths };
  return capturePeriodS > 0 ? { seconds: capturePeriodS } : undefined;
}

function scalerIndex(scalers: readonly RegisterScaler[]): ReadonlyMap<string, ScalerUnit> {
  const index = new Map<string, ScalerUnit>();
  for (const { classId, logicalName, scalerUnit } of scalers) {
    index.set(`${classId}:${logicalName}`, scalerUnit);
    // A scaler profile that names another class than the profile still means the register of that name.
    if (!index.has(logicalName)) index.set(logicalName, scalerUnit);
  }
  return index;
}

function scalerOf(object: CaptureObject, scalers: ReadonlyMap<string, ScalerUnit>): ScalerUnit | undefined {
  if (SCALED_ATTRIBUTES[object.classId]?.includes(object.attributeId) !== true) return undefined;
  return scalers.get(`${object.classId}:${object.logicalName}`) ?? scalers.get(object.logicalName);
}

/** Whether the object's value is in a scaler and unit that would have to be read. */
export function wantsScaler(object: CaptureObject): boolean {
  return SCALED_ATTRIBUTES[object.classId]?.includes(object.attributeId) === true;
}

/** The attribute to read for the scaler and unit of a capture object, or undefined when its class has none. */
export function scalerAttribute(object: CaptureObject): CaptureObject | undefined {
  const attributeId = SCALER_ATTRIBUTES[object.classId];
  return attributeId === undefined || !wantsScaler(object) ? undefined : { ...object, attributeId, dataIndex: 0 };
}

/**
 * The scalers of a scaler profile (IS 15959): its capture objects name the scaler attributes, its one row holds them.
 * Columns that hold something else are passed over. Throws DATA_TYPE_MISMATCH when the row has another width.
 */
export function scalersFromProfile(captureObjects: readonly CaptureObject[], row: Data): RegisterScaler[] {
  const cells = row.type === "structure" || row.type === "array" ? row.value : [];
  if (cells.length !== captureObjects.length) {
    throw new DlmsError("PROFILE_ROW_WIDTH", "peer", { wanted: captureObjects.length, width: cells.length });
  }
  const scalers: RegisterScaler[] = [];
  for (const [index, { classId, logicalName, attributeId }] of captureObjects.entries()) {
    const cell = cells[index];
    if (cell?.type !== "structure" || SCALER_ATTRIBUTES[classId] !== attributeId) continue;
    scalers.push({ classId, logicalName, scalerUnit: scalerUnitFromData(cell) });
  }
  return scalers;
}

/** The clock is found by what it is, wherever it stands: the clock object, the UNIX clock, or the billing date. */
function clockIndex(objects: readonly CaptureObject[]): number {
  const clock = objects.findIndex((each) => each.classId === CLOCK_CLASS && each.attributeId === TIME_ATTRIBUTE);
  if (clock >= 0) return clock;
  const unix = objects.findIndex((each) => each.logicalName === UNIX_CLOCK && each.attributeId === TIME_ATTRIBUTE);
  if (unix >= 0) return unix;
  return objects.findIndex((each) => BILLING_TIMES.has(each.logicalName) && each.attributeId === TIME_ATTRIBUTE);
}

function clockRole(object: CaptureObject): "clock" | "unix-clock" {
  return object.logicalName === UNIX_CLOCK ? "unix-clock" : "clock";
}

/** Whether the capture object holds a point in time. */
function isTime({ classId, logicalName, attributeId }: CaptureObject): boolean {
  if (TIME_ATTRIBUTES[classId]?.includes(attributeId) === true) return true;
  return attributeId === TIME_ATTRIBUTE && TIME_NAMES.has(logicalName);
}

function fingerprintOf(columns: readonly LayoutColumn[]): string {
  const text = columns.map(({ captureObject, scalerUnit }) => {
    const key = captureObjectKey(captureObject);
    return scalerUnit === undefined ? key : `${key}=${scalerUnit.scaler},${scalerUnit.unit}`;
  });
  return fnv1a64(text.join(";"));
}

/** FNV-1a with 64 bits, as 16 hexadecimal digits: enough to tell layouts apart, not to defend against anybody. */
function fnv1a64(text: string): string {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = 0; i < text.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100_0000_01b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
