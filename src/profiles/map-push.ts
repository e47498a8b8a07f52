/**
 * From what a meter pushed to values with name, exact decimal and unit, and to rows for the store. Nothing that was in
 * the body is lost: what no list, family or companion names is kept under its place.
 */
import type { Notification } from "../../protocol/association/notifications.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { type CaptureObject, captureObjectKey } from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { CLOCK_STATUS, type ClockPolicy, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets } from "../../protocol/cosem/obis.ts";
import { obisMeaning } from "../../protocol/cosem/obis-dictionary.ts";
import { DlmsError } from "../../protocol/errors.ts";
import type { P1Telegram } from "../../protocol/link/iec62056-21/p1.ts";
import { type CompactTemplate, decodeCompactData } from "../../protocol/profile/compact-data.ts";
import { type LayoutSource, type RegisterScaler, wantsScaler } from "../../protocol/profile/layout.ts";
import type { OtherValue, TimeRule } from "./batch.ts";
import { rulesFor } from "./column-rules.ts";
import { dataSetItems } from "./data-set-items.ts";
import { decimalFromData, otherValue, textOf } from "./other-value.ts";
import { type PushItem, stringOctets, takeApart } from "./push-body.ts";
import { familyScaler, PUSH_FAMILIES, type PushFamily, type PushTraits } from "./push-families.ts";
import { ucumOf } from "./unit-conversion.ts";

/** What is known of the sender, and when the push came. */
export interface PushContext {
  readonly companion: Companion;
  readonly clock: ClockPolicy;
  readonly receivedAt: Date;
  /** The push_object_list of each push setup that has been read, by logical name of the setup. */
  readonly pushLists?: ReadonlyMap<string, readonly CaptureObject[]>;
  /** Scalers and units of the meter's registers. */
  readonly scalers?: readonly RegisterScaler[];
  /** Layouts of the meter's profiles by logical name, for profiles that are pushed whole. */
  readonly profiles?: ReadonlyMap<string, LayoutSource>;
  /** Templates and capture objects of the meter's compact data objects, by logical name. */
  readonly compactData?: ReadonlyMap<string, CompactLayout>;
}

export interface CompactLayout {
  readonly template: CompactTemplate;
  readonly captureObjects: readonly CaptureObject[];
}

/** What the push says of its sender; the caller finds the meter with it. */
export interface PushIdentity {
  /** Meter and device numbers, the most telling first. */
  readonly numbers: readonly string[];
  readonly logicalDeviceName: string | undefined;
  readonly meterType: string | undefined;
  readonly listId: string | undefined;
  readonly pushSetup: string | undefined;
}

export interface PushTime {
  readonly instantMs: number;
  readonly rule: TimeRule;
  /** The 12 octets that were sent, in the body or in its header. */
  readonly stamp: Uint8Array | undefined;
}

export interface PushedValue {
  /** `class:logical name:attribute` (`@raw` when the scaler is not known), or `push[path]` for what has no name. */
  readonly captureObject: string;
  /** Dotted logical name, where there is one. */
  readonly logicalName: string | undefined;
  /** What the object is, in words. */
  readonly name: string | undefined;
  /** The column of the instant table that it goes to. */
  readonly column: string | undefined;
  readonly value: OtherValue;
  readonly isNumber: boolean;
  /** UCUM unit. */
  readonly unit: string | undefined;
}

export interface MappedPush {
  readonly form: PushTraits["form"];
  /** The family whose table gave names or scalers. */
  readonly family: string | undefined;
  readonly identity: PushIdentity;
  readonly time: PushTime;
  readonly values: readonly PushedValue[];
  /** The elements that the values are of, with their scalers. */
  readonly items: readonly PushItem[];
}

/** The part of a DataNotification that matters here. */
export interface PushedData {
  readonly dateTime?: Uint8Array | undefined;
  readonly body: Data;
}

/** The part of an EventNotification that matters here. */
export interface PushedAttribute {
  readonly dateTime?: Uint8Array | undefined;
  readonly attribute: { readonly classId: number; readonly logicalName: Uint8Array; readonly attributeId: number };
  readonly value: Data;
}

/** What the push says of its sender, before anybody knows who that is: costs less than to map it. */
export function pushIdentity({ body }: Pick<PushedData, "body">, context: PushContext): PushIdentity {
  const { items, pushSetup } = takeApart(body, context);
  return identityOf(items, pushSetup);
}

/** Maps a DataNotification. Octets in the result are views into the body. */
export function mapPush(push: PushedData, context: PushContext): MappedPush {
  const { form, items: elements, pushSetup } = takeApart(push.body, context);
  const items = elements.flatMap((item) => openCompactData(item, context));
  const identity = identityOf(items, pushSetup);
  const traits = traitsOf(push.body, form, identity);
  const family = PUSH_FAMILIES.find((each) => each.recognises(traits));
  return mapItems(push.dateTime, { form, family, identity, items: scaled(items, family, context) }, context);
}

const COMPACT_DATA_CLASS = 62;
const BUFFER = 2;

/** The values inside a compact data buffer whose template is known, else the buffer itself. */
function openCompactData(item: PushItem, { compactData }: PushContext): readonly PushItem[] {
  const { object, data, path } = item;
  if (object?.classId !== COMPACT_DATA_CLASS || object.attributeId !== BUFFER) return [item];
  const layout = compactData?.get(object.logicalName);
  if (layout === undefined || data.type !== "octet-string") return [item];
  const row = rowOf(data.value, layout.template);
  if (row?.type !== "structure") return [item];
  return row.value.map((value, index) => {
    return { path: `${path}.${index}`, object: layout.captureObjects[index], data: value, scalerUnit: undefined };
  });
}

/** A buffer of another template, or one that does not fit, stays what it is. */
function rowOf(buffer: Uint8Array, template: CompactTemplate): Data | undefined {
  try {
    return decodeCompactData(buffer, template);
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}

/** Maps what a server said unasked; undefined for an information report, whose short names only the meter's list knows. */
export function mapNotification(notification: Notification, context: PushContext): MappedPush | undefined {
  switch (notification.apdu) {
    case "data-notification":
      return mapPush(notification.body, context);
    case "event-notification-request":
      return mapEvent(notification.body, context);
    case "information-report-request":
      return undefined;
  }
}

/** Maps an EventNotification: one attribute with its name. */
export function mapEvent(event: PushedAttribute, context: PushContext): MappedPush {
  const { classId, logicalName, attributeId } = event.attribute;
  const object = { classId, logicalName: logicalNameFromOctets(logicalName), attributeId, dataIndex: 0 };
  const items = scaled([{ path: "0", object, data: event.value, scalerUnit: undefined }], undefined, context);
  return mapItems(
    event.dateTime,
    { form: "listed", family: undefined, identity: identityOf(items, undefined), items },
    context,
  );
}

/** Maps a telegram of a P1 port. */
export function mapTelegram(telegram: P1Telegram, context: PushContext): MappedPush {
  const items = dataSetItems(telegram);
  const identity = { ...identityOf(items, undefined), meterType: telegram.identification };
  return mapItems(undefined, { form: "complete", family: undefined, identity, items }, context);
}

interface Parts {
  readonly form: PushTraits["form"];
  readonly family: PushFamily | undefined;
  readonly identity: PushIdentity;
  readonly items: readonly PushItem[];
}

function mapItems(header: Uint8Array | undefined, parts: Parts, context: PushContext): MappedPush {
  const { form, family, identity, items } = parts;
  const columnOf = rulesFor(context.companion, "instant");
  return {
    form,
    family: family?.name,
    identity,
    time: timeOf(header, items, context),
    values: items.flatMap((item) =>
      valueOf(item, item.object === undefined ? undefined : columnOf(item.object)?.columns[0], context.companion),
    ),
    items,
  };
}

/** Null-data has nothing to say. */
function valueOf(
  { path, object, data, scalerUnit }: PushItem,
  column: string | undefined,
  companion: Companion,
): PushedValue[] {
  const value = otherValue(data, scalerUnit?.scaler);
  if (value === undefined) return [];
  const isRaw = object !== undefined && scalerUnit === undefined && wantsScaler(object);
  return [
    {
      captureObject: object === undefined ? placeName(path) : `${captureObjectKey(object)}${isRaw ? "@raw" : ""}`,
      logicalName: object?.logicalName,
      name: object === undefined ? undefined : obisMeaning(object.logicalName, object.classId, companion)?.name,
      column: isRaw ? undefined : column,
      value,
      isNumber: decimalFromData(data) !== undefined,
      unit: ucumOf(scalerUnit?.unit),
    },
  ];
}

/** Under which a value without a name is kept. */
export function placeName(path: string): string {
  return `push[${path}]`;
}

function scaled(items: readonly PushItem[], family: PushFamily | undefined, context: PushContext): PushItem[] {
  const known = new Map(context.scalers?.map((each) => [`${each.classId}:${each.logicalName}`, each.scalerUnit]));
  return items.map((item) => {
    const { object } = item;
    if (item.scalerUnit !== undefined || object === undefined || !wantsScaler(object)) return item;
    const scalerUnit = known.get(`${object.classId}:${object.logicalName}`) ?? familyScaler(family, object.logicalName);
    return { path: item.path, object, data: item.data, scalerUnit };
  });
}

const CLOCK_CLASS = 8;
const STATUS_OCTET = 11;

/** The clock in the body, else the header's date-time, else the time of reception. */
function timeOf(
  header: Uint8Array | undefined,
  items: readonly PushItem[],
  { clock, receivedAt }: PushContext,
): PushTime {
  const stamp = clockStamp(items) ?? header;
  const status = stamp?.[STATUS_OCTET] ?? 0xff;
  const isInvalid = status !== 0xff && (status & CLOCK_STATUS.invalidValue) !== 0;
  const resolved = stamp === undefined || isInvalid ? undefined : resolveDateTime(stamp, clock);
  if (resolved === undefined) return { instantMs: receivedAt.getTime(), rule: "received", stamp };
  return { ...resolved, stamp };
}

function clockStamp(items: readonly PushItem[]): Uint8Array | undefined {
  const item = items.find(({ object }) => object?.classId === CLOCK_CLASS && object.attributeId === 2);
  if (item?.data.type !== "octet-string" && item?.data.type !== "date-time") return undefined;
  return item.data.value.length === STATUS_OCTET + 1 ? item.data.value : undefined;
}

/** Objects whose value says who the sender is, the most telling first. */
const NUMBERS = ["0.0.96.1.0.255", "1.1.0.0.5.255", "0.0.96.1.1.255", "0.0.96.1.2.255"] as const;
const TYPES = ["0.0.96.1.7.255", "1.1.96.1.1.255"] as const;
const LIST_IDS = ["1.1.0.2.129.255", "1.0.0.2.129.255"] as const;
const LOGICAL_DEVICE_NAME = "0.0.42.0.0.255";
const PUSH_SETUP_CLASS = 40;

/** Whether the object says who sends or why, rather than what was measured. */
export function isIdentity({ classId, logicalName }: CaptureObject): boolean {
  const names: readonly string[] = [...NUMBERS, ...TYPES, ...LIST_IDS, LOGICAL_DEVICE_NAME];
  return classId === PUSH_SETUP_CLASS || names.includes(logicalName);
}

function identityOf(items: readonly PushItem[], pushSetup: string | undefined): PushIdentity {
  const texts = new Map<string, string>();
  for (const { object, data } of items) {
    const octets = stringOctets(data);
    const text = octets === undefined ? undefined : textOf(octets);
    if (object !== undefined && text !== undefined && text !== "") texts.set(object.logicalName, text);
  }
  const first = (names: readonly string[]): string | undefined =>
    names.map((name) => texts.get(name)).find((text) => text !== undefined);
  return {
    numbers: NUMBERS.flatMap((name) => texts.get(name) ?? []),
    logicalDeviceName: texts.get(LOGICAL_DEVICE_NAME),
    meterType: first(TYPES),
    listId: first(LIST_IDS),
    pushSetup,
  };
}

function traitsOf(body: Data, form: PushTraits["form"], identity: PushIdentity): PushTraits {
  const elements = body.type === "structure" || body.type === "array" ? body.value : [];
  const [first] = elements;
  const { listId, logicalDeviceName, meterType, pushSetup } = identity;
  return {
    form,
    elementCount: elements.length,
    startsWithTime: first?.type === "octet-string" && first.value.length === STATUS_OCTET + 1,
    listId,
    logicalDeviceName,
    meterType,
    pushSetup,
  };
}
