/** Capture objects: which attribute of which object a column of a profile, or an element of a push, holds. */
import type { Data } from "../axdr/data.ts";
import { requireInteger, typeMismatch } from "./integers.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "./obis.ts";

export interface CaptureObject {
  readonly classId: number;
  /** Dotted, as `1.0.1.8.0.255`. */
  readonly logicalName: string;
  /** 0 means all attributes of the object. */
  readonly attributeId: number;
  /** 0 means the whole attribute, else the n-th element of it (or a selection of profile entries above 0FFF). */
  readonly dataIndex: number;
}

/** An element of a push_object_list: from version 1 of the class on with a restriction, from version 2 with columns. */
export interface PushObject extends CaptureObject {
  readonly restriction: Data | undefined;
  readonly columns: readonly CaptureObject[];
}

/** `3:1.0.1.8.0.255:2`, with `#data index` where it is not 0: the key under which a column is known. */
export function captureObjectKey(object: CaptureObject): string {
  const key = `${object.classId}:${object.logicalName}:${object.attributeId}`;
  return object.dataIndex === 0 ? key : `${key}#${object.dataIndex}`;
}

/** Reads one capture object definition; its data index may be absent. Throws DATA_TYPE_MISMATCH. */
export function captureObjectFromData(data: Data): CaptureObject {
  const [classId, logicalName, attributeId, dataIndex] = elementsOf(data, "capture object");
  return {
    classId: requireInteger(classId, "class id"),
    logicalName: logicalNameOf(logicalName),
    attributeId: requireInteger(attributeId, "attribute index"),
    dataIndex: dataIndex === undefined ? 0 : requireInteger(dataIndex, "data index"),
  };
}

/** Reads attribute 3 of a profile. Throws DATA_TYPE_MISMATCH. */
export function captureObjectsFromData(data: Data): CaptureObject[] {
  return arrayOf(data, "capture objects").map(captureObjectFromData);
}

/** Reads a push_object_list of any version of the class. Throws DATA_TYPE_MISMATCH. */
export function pushObjectsFromData(data: Data): PushObject[] {
  return arrayOf(data, "push object list").map((element) => {
    const { classId, logicalName, attributeId, dataIndex } = captureObjectFromData(element);
    const [, , , , restriction, columns] = elementsOf(element, "push object");
    return {
      classId,
      logicalName,
      attributeId,
      dataIndex,
      restriction,
      columns: columns === undefined ? [] : captureObjectsFromData(columns),
    };
  });
}

export function captureObjectToData(object: CaptureObject): Data {
  return {
    type: "structure",
    value: [
      { type: "long-unsigned", value: object.classId },
      { type: "octet-string", value: logicalNameToOctets(object.logicalName) },
      { type: "integer", value: object.attributeId },
      { type: "long-unsigned", value: object.dataIndex },
    ],
  };
}

export function captureObjectsToData(objects: readonly CaptureObject[]): Data {
  return { type: "array", value: objects.map(captureObjectToData) };
}

function arrayOf(data: Data, wanted: string): readonly Data[] {
  if (data.type === "array") return data.value;
  throw typeMismatch(wanted, data);
}

function elementsOf(data: Data, wanted: string): readonly (Data | undefined)[] {
  if (data.type === "structure" && data.value.length >= 3) return data.value;
  throw typeMismatch(wanted, data);
}

function logicalNameOf(data: Data | undefined): string {
  if (data?.type === "octet-string") return logicalNameFromOctets(data.value);
  throw typeMismatch("logical name", data);
}
