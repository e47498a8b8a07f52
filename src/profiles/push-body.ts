/**
 * Takes the body of a push apart: which element holds which attribute, as far as the body itself, the lists that are
 * known of the meter, or its family say. Every element becomes an item; what has no name keeps its place in the body.
 */
import type { Data } from "../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectFromData,
  captureObjectsFromData,
} from "../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../protocol/cosem/companion/companion.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { logicalNameFromOctets } from "../../protocol/cosem/obis.ts";
import { obisMeaning } from "../../protocol/cosem/obis-dictionary.ts";
import { type ScalerUnit, scalerUnitFromData } from "../../protocol/cosem/scaler-unit.ts";
import { unitOf } from "../../protocol/cosem/units.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { textOf } from "./other-value.ts";
import {
  BARE_LAYOUTS,
  CLOCK,
  COMPANION_LISTS,
  DEVICE_ID,
  LIST_ID,
  type PushTraits,
  TRAILING_TEXT,
} from "./push-families.ts";

export interface PushItem {
  /** Place in the body, from 0: `3`, or `1.5` for the sixth element of the second. */
  readonly path: string;
  readonly object: CaptureObject | undefined;
  readonly data: Data;
  readonly scalerUnit: ScalerUnit | undefined;
}

export interface PushBody {
  readonly form: PushTraits["form"];
  readonly items: readonly PushItem[];
  readonly pushSetup: string | undefined;
}

export interface KnownLists {
  readonly companion: Companion;
  /** The push_object_list of each push setup that has been read, by logical name. */
  readonly pushLists?: ReadonlyMap<string, readonly CaptureObject[]>;
}

const LOGICAL_NAME = 6;
const DATE_TIME = 12;
const VALUE = 2;
const PUSH_SETUP = 40;
/** 0-b:25.9.e is a push setup. */
const PUSH_SETUP_NAME = /^0\.\d+\.25\.9\.\d+\.255$/;
/** The push setup's name is at the beginning, behind the device's. */
const PUSH_SETUP_WITHIN = 3;

export function takeApart(body: Data, known: KnownLists): PushBody {
  if (body.type !== "structure" && body.type !== "array") {
    return { form: "opaque", items: [item("0", undefined, body)], pushSetup: undefined };
  }
  const elements = body.value;
  return (
    listedBody(elements) ??
    untaggedBody(elements) ??
    setupBody(elements, known) ??
    namedBody(elements) ??
    bareBody(elements)
  );
}

function item(path: string | number, object: CaptureObject | undefined, data: Data, scalerUnit?: ScalerUnit): PushItem {
  return { path: String(path), object, data, scalerUnit };
}

/** The body begins with its own push_object_list. */
function listedBody(elements: readonly Data[]): PushBody | undefined {
  const [list] = elements;
  if (list?.type !== "array" || list.value.length === 0) return undefined;
  const objects = attempt(() => captureObjectsFromData(list));
  // The list may name itself as its first element.
  const shift = objects === undefined ? -1 : elements.length - objects.length;
  if (objects === undefined || (shift !== 0 && shift !== 1)) return undefined;
  const items = elements.map((data, index) => item(index, objects[index - shift], data));
  const setup = objects.find((object) => object.classId === PUSH_SETUP)?.logicalName;
  return { form: "listed", items: items.slice(1), pushSetup: setup };
}

/** Each element comes with class, name and attribute, as the tagged form of untagged descriptors. */
function untaggedBody(elements: readonly Data[]): PushBody | undefined {
  const list = elements.length === 2 ? elements[1] : undefined;
  if (list?.type !== "array" || list.value.length === 0) return undefined;
  const items: PushItem[] = [];
  for (const [index, element] of list.value.entries()) {
    const value = element.type === "structure" && element.value.length === 4 ? element.value[3] : undefined;
    const object = attempt(() => descriptorOf(element));
    if (value === undefined || object === undefined) return undefined;
    items.push(item(`1.${index}`, object, value));
  }
  const setup = items.find(({ object }) => object?.classId === PUSH_SETUP)?.object?.logicalName;
  return { form: "untagged", items, pushSetup: setup };
}

function descriptorOf(element: Data): CaptureObject | undefined {
  if (element.type !== "structure") return undefined;
  return captureObjectFromData({ type: "structure", value: element.value.slice(0, 3) });
}

/** The body says which push setup it is of; the setup's list says what the elements are. */
function setupBody(elements: readonly Data[], { companion, pushLists }: KnownLists): PushBody | undefined {
  const at = elements.findIndex((each, index) => index < PUSH_SETUP_WITHIN && setupName(each) !== undefined);
  const element = elements[at];
  const pushSetup = element === undefined ? undefined : setupName(element);
  if (pushSetup === undefined) return undefined;
  const read = pushLists?.get(pushSetup);
  // A list that has changed since it was read would give the values wrong names.
  const fitting = read?.length === elements.length ? read : undefined;
  const objects = fitting ?? COMPANION_LISTS[companion][pushSetup] ?? COMPANION_LISTS.none[pushSetup] ?? [];
  const items = elements.map((data, index) => {
    return item(index, objects[index] ?? usualObject(data, index - at, pushSetup), data);
  });
  return { form: "listed", items, pushSetup };
}

/** Around the name of its setup a push has who sends it and when, whatever follows. */
function usualObject(data: Data, behindSetup: number, pushSetup: string): CaptureObject | undefined {
  if (behindSetup === 0) return { classId: PUSH_SETUP, logicalName: pushSetup, attributeId: 1, dataIndex: 0 };
  if (behindSetup === -1 && stringOctets(data) !== undefined) return DEVICE_ID;
  return behindSetup === 1 && isStamp(data) ? CLOCK : undefined;
}

function setupName(data: Data): string | undefined {
  const name = nameOf(data);
  return name !== undefined && PUSH_SETUP_NAME.test(name) ? name : undefined;
}

/** Values with their logical names: side by side, or in structures of two or three with scaler and unit. */
function namedBody(elements: readonly Data[]): PushBody | undefined {
  const items: PushItem[] = [];
  for (let index = 0; index < elements.length; ) {
    const taken = nestedItem(elements, index) ?? adjacentItem(elements, index);
    if (taken === undefined) {
      items.push(item(index, undefined, elements[index] ?? NULL));
      index += 1;
    } else {
      items.push(taken.item);
      index += taken.length;
    }
  }
  const named = items.filter((each) => each.object !== undefined);
  if (named.length === 0) return undefined;
  const form = named.some((each) => each.scalerUnit !== undefined) ? "complete" : "named";
  return { form, items: withPlaces(items), pushSetup: undefined };
}

const NULL: Data = { type: "null-data" };

interface TakenItem {
  readonly item: PushItem;
  /** How many elements it took. */
  readonly length: number;
}

function nestedItem(elements: readonly Data[], index: number): TakenItem | undefined {
  const element = elements[index];
  if (element?.type !== "structure" || element.value.length < 2 || element.value.length > 3) return undefined;
  const taken = adjacentItem(element.value, 0);
  if (taken === undefined || taken.length !== element.value.length) return undefined;
  return { item: { ...taken.item, path: String(index) }, length: 1 };
}

/** A name, a value, and perhaps a scaler and unit behind or around it. */
function adjacentItem(elements: readonly Data[], index: number): TakenItem | undefined {
  const element = elements[index];
  const value = elements[index + 1];
  const logicalName = element === undefined ? undefined : nameOf(element);
  if (logicalName === undefined || value === undefined || !isKnownName(logicalName)) return undefined;
  const object = valueOf(logicalName, value);
  const [inner, innerUnit] = value.type === "structure" && value.value.length === 2 ? value.value : [];
  const enclosed = innerUnit === undefined ? undefined : scalerUnitOf(innerUnit);
  if (inner !== undefined && enclosed !== undefined) {
    return { item: item(index + 1, object, inner, enclosed), length: 2 };
  }
  const following = elements[index + 2];
  const behind = following === undefined ? undefined : scalerUnitOf(following);
  return { item: item(index + 1, object, value, behind), length: behind === undefined ? 2 : 3 };
}

function nameOf(data: Data): string | undefined {
  return data.type === "octet-string" && data.value.length === LOGICAL_NAME
    ? logicalNameFromOctets(data.value)
    : undefined;
}

/** A text of six characters could be taken for a name: groups A and F of names have few values. */
const MEDIA: ReadonlySet<string> = new Set(["0", "1", "4", "5", "6", "7", "8", "9"]);

function isKnownName(logicalName: string): boolean {
  const [a = "", , , , , f = ""] = logicalName.split(".");
  return (MEDIA.has(a) && (f === "255" || Number(f) <= 126)) || obisMeaning(logicalName) !== undefined;
}

function valueOf(logicalName: string, value: Data): CaptureObject {
  const usual = logicalName.startsWith("0.") || stringOctets(value) !== undefined ? DATA_CLASS : REGISTER_CLASS;
  const classId = obisMeaning(logicalName)?.classId ?? usual;
  return { classId, logicalName, attributeId: VALUE, dataIndex: 0 };
}

const DATA_CLASS = 1;
const REGISTER_CLASS = 3;

function scalerUnitOf(data: Data): ScalerUnit | undefined {
  if (data.type !== "structure" || data.value.length !== 2 || data.value[1]?.type !== "enum") return undefined;
  const read = attempt(() => scalerUnitFromData(data));
  return read !== undefined && unitOf(read.unit) !== undefined ? read : undefined;
}

/** Nameless elements that say by their place what they are: a list's name, a time, a meter's number at the end. */
function withPlaces(items: readonly PushItem[]): PushItem[] {
  return items.map((each, index) => {
    if (each.object !== undefined) return each;
    if (index === 0 && isStamp(each.data)) return item(each.path, CLOCK, each.data);
    const isText = stringOctets(each.data) !== undefined && textOf(stringOctets(each.data) ?? EMPTY) !== undefined;
    if (index === 0 && isText) return item(each.path, LIST_ID, each.data);
    return index === items.length - 1 && isText ? item(each.path, TRAILING_TEXT, each.data) : each;
  });
}

const EMPTY = new Uint8Array(0);

function isStamp(data: Data): boolean {
  return (data.type === "octet-string" || data.type === "date-time") && data.value.length === DATE_TIME;
}

export function stringOctets(data: Data): Uint8Array | undefined {
  switch (data.type) {
    case "octet-string":
    case "visible-string":
    case "utf8-string":
      return data.value;
    default:
      return undefined;
  }
}

/** Values without names, at places that a family's table knows. */
function bareBody(elements: readonly Data[]): PushBody {
  const [first] = elements;
  const octets = first === undefined ? undefined : stringOctets(first);
  const traits: PushTraits = {
    form: "bare",
    elementCount: elements.length,
    startsWithTime: first !== undefined && isStamp(first),
    listId: octets === undefined ? undefined : textOf(octets),
    logicalDeviceName: undefined,
    meterType: undefined,
    pushSetup: undefined,
  };
  const layout = BARE_LAYOUTS.find((each) => each.fits(traits) && each.objects.every(matches(elements)));
  const items = elements.map((data, index) => item(index, layout?.objects[index], data));
  return { form: "bare", items, pushSetup: undefined };
}

/** Registers hold numbers; only then is it the table's list. */
function matches(elements: readonly Data[]): (object: CaptureObject, index: number) => boolean {
  return ({ classId }, index) => {
    const element = elements[index];
    return element !== undefined && (classId !== REGISTER_CLASS || integerOf(element) !== undefined);
  };
}

/** What cannot be read as such is something else. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}
