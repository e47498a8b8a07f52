/** Types that attributes of several interface classes have in common. */
import type { Data } from "../../axdr/data.ts";
import {
  type CaptureObject,
  captureObjectFromData,
  captureObjectToData,
  type PushObject,
  pushObjectsFromData,
} from "../capture-object.ts";
import { requireInteger, typeMismatch } from "../integers.ts";
import { type ObjectListElement, objectListElementToData, objectListFromData } from "../object-list.ts";
import { type ScalerUnit, scalerUnitFromData, scalerUnitToData } from "../scaler-unit.ts";
import { UNITLESS } from "../units.ts";
import {
  dateTime,
  enumeration,
  integer,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  unsigned,
  type ValueType,
  visibleString,
} from "../value-type.ts";

export const scalerUnit: ValueType<ScalerUnit> = {
  text: "structure{integer scaler; enum unit}",
  empty: scalerUnitToData({ scaler: 0, unit: UNITLESS }),
  parse: scalerUnitFromData,
  build: scalerUnitToData,
};

export const captureObject: ValueType<CaptureObject> = {
  text: "structure{long-unsigned class_id; octet-string(6) logical_name; integer attribute_index; long-unsigned data_index}",
  empty: captureObjectToData({ classId: 0, logicalName: "0.0.0.0.0.0", attributeId: 0, dataIndex: 0 }),
  parse: captureObjectFromData,
  build: captureObjectToData,
};

/** A push_object_list of that version of the class: restrictions from version 1 on, columns from version 2. */
export function pushObjectList(version: number): ValueType<readonly PushObject[]> {
  return {
    text: `array of push object (version ${version})`,
    empty: { type: "array", value: [] },
    parse: pushObjectsFromData,
    build: (value) => ({ type: "array", value: value.map((object) => pushObjectToData(object, version)) }),
  };
}

const NO_RESTRICTION: Data = { type: "structure", value: [{ type: "enum", value: 0 }, { type: "null-data" }] };

function pushObjectToData(object: PushObject, version: number): Data {
  const definition = captureObjectToData(object);
  if (definition.type !== "structure" || version === 0) return definition;
  const elements = [...definition.value, object.restriction ?? NO_RESTRICTION];
  if (version >= 2) elements.push({ type: "array", value: object.columns.map(captureObjectToData) });
  return { type: "structure", value: elements };
}

/** An object_list of an association of that version. */
export function objectList(associationVersion: number): ValueType<readonly ObjectListElement[]> {
  return {
    text: "array of object_list_element",
    empty: { type: "array", value: [] },
    parse: (data) => objectListFromData(data, associationVersion),
    build: (value) => ({
      type: "array",
      value: value.map((element) => objectListElementToData(element, associationVersion)),
    }),
  };
}

const NO_OBJECT: ObjectListElement = {
  classId: 0,
  version: 0,
  logicalName: "0.0.0.0.0.0",
  attributes: [],
  methods: [],
};

export function objectListElement(associationVersion: number): ValueType<ObjectListElement> {
  const list = objectList(associationVersion);
  return {
    text: "object_list_element",
    empty: objectListElementToData(NO_OBJECT, associationVersion),
    parse(data) {
      const [element] = list.parse({ type: "array", value: [data] });
      if (element === undefined) throw typeMismatch("object_list_element", data);
      return element;
    },
    build: (value) => objectListElementToData(value, associationVersion),
  };
}

/** The attribute that a threshold, a limiter or an arbitrator watches. */
export const valueDefinition = structure({ classId: longUnsigned, logicalName, attributeIndex: integer });

export const objectDefinition = structure({ classId: longUnsigned, logicalName });

/** A script of a script table. */
export const scriptReference = structure({ scriptLogicalName: logicalName, scriptSelector: longUnsigned });

export const window = structure({ start: dateTime, end: dateTime });

export const userEntry = structure({ id: unsigned, name: visibleString });

const BAUD_RATES = {
  0: "300",
  1: "600",
  2: "1200",
  3: "2400",
  4: "4800",
  5: "9600",
  6: "19200",
  7: "38400",
  8: "57600",
  9: "115200",
} as const;

export const baudRate = enumeration(BAUD_RATES);

/** An option of a protocol that is negotiated by type, length and octets. */
export const protocolOption = structure({ type: unsigned, length: unsigned, data: octetString });

/**
 * The name of an application context or of an authentication mechanism, as dotted object identifier
 * `2.16.756.5.8.1.1`. Meters send it as a structure of seven numbers or as the seven octets of its BER form.
 */
export const objectIdentifier: ValueType<string> = {
  text: "structure{7 numbers} or octet-string(7)",
  empty: { type: "octet-string", value: Uint8Array.of(0x60, 0x85, 0x74, 0x05, 0x08, 0x00, 0x00) },
  parse(data) {
    if (data.type === "octet-string" && data.value.length === 7) return arcs(data.value).join(".");
    if (data.type !== "structure") throw typeMismatch("object identifier", data);
    return data.value.map((arc) => requireInteger(arc, "object identifier")).join(".");
  },
  build: (value) => ({
    type: "structure",
    value: value.split(".").map((arc): Data => {
      const number = Number(arc);
      return number > 255 ? { type: "long-unsigned", value: number } : { type: "unsigned", value: number };
    }),
  }),
};

/** The arcs of 60 85 74 05 08 …: the first octet holds two, 85 74 is one of two octets. */
function arcs(octets: Uint8Array): number[] {
  const numbers: number[] = [];
  let arc = 0;
  for (const octet of octets) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (numbers.length === 0)
      numbers.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else numbers.push(arc);
    arc = 0;
  }
  return numbers;
}
