import { expect, test } from "vitest";
import { INTERFACE_CLASSES } from "../../../protocol/cosem/classes/registry.ts";
import { attributeById, methodById } from "../../../protocol/cosem/interface-class.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { ShortNames } from "../../../protocol/cosem/short-names.ts";
import { DlmsError } from "../../../protocol/errors.ts";

const CLOCK = { baseName: 0x0be0, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" };
const PROFILE = { baseName: 0x6270, classId: 7, version: 1, logicalName: "1.0.99.1.0.255" };
const SECURITY = { baseName: 0x8000, classId: 64, version: 1, logicalName: "0.0.43.0.0.255" };
const UNKNOWN = { baseName: 0x9000, classId: 8192, version: 0, logicalName: "0.0.128.0.0.255" };
const ASSOCIATION = { baseName: 0xfa00, classId: 12, version: 3, logicalName: "0.0.40.0.0.255" };
const names = new ShortNames([UNKNOWN, ASSOCIATION, CLOCK, SECURITY, PROFILE]);

function attribute(logicalName: string, classId: number, attributeId: number): number | undefined {
  return names.attribute({ classId, logicalName: logicalNameToOctets(logicalName), attributeId });
}

function method(logicalName: string, classId: number, methodId: number): object | undefined {
  return names.method({ classId, logicalName: logicalNameToOctets(logicalName), methodId });
}

// Offsets of attributes and methods: Blue Book, "Definition of SN interface classes"; clock and profile by their tables.
test("short names: attributes are eight apart, methods begin where the class says", () => {
  expect(attribute("0.0.1.0.0.255", 8, 1)).toBe(0x0be0);
  expect(attribute("0.0.1.0.0.255", 8, 2)).toBe(0x0be8);
  expect(attribute("1.0.99.1.0.255", 7, 8)).toBe(0x6270 + 0x38);
  expect(method("1.0.99.1.0.255", 7, 1)).toEqual({ variableName: 0x6270 + 0x58, returns: false });
  expect(method("0.0.1.0.0.255", 8, 6)).toEqual({ variableName: 0x0be0 + 0x60 + 0x28, returns: false });
  expect(method("0.0.43.0.0.255", 64, 3)).toEqual({ variableName: 0x8040, returns: true });
  expect(method("0.0.40.0.0.255", 12, 8)).toEqual({ variableName: 0xfa58, returns: true });
});

test("short names: what the list does not have, and methods that no table knows, have no name", () => {
  expect(attribute("1.0.1.8.0.255", 3, 2)).toBeUndefined();
  expect(attribute("0.0.1.0.0.255", 3, 2)).toBeUndefined();
  expect(attribute("0.0.1.0.0.255", 8, 0)).toBeUndefined();
  expect(method("0.0.128.0.0.255", 8192, 1)).toBeUndefined();
  expect(method("0.0.1.0.0.255", 8, 0)).toBeUndefined();
});

test("short names: the current association is known without any list", () => {
  const bare = new ShortNames([]);
  expect(bare.member(0xfa08)).toMatchObject({ type: "attribute", classId: 12, attributeId: 2 });
  expect(bare.member(0xfa58)).toMatchObject({ type: "method", classId: 12, methodId: 8 });
});

test("short names: every attribute and method of every class is found again by its name", () => {
  for (const { classId, version, attributes, methods, methodOffset } of INTERFACE_CLASSES) {
    const object = { baseName: 0x4000, classId, version, logicalName: "1.1.1.1.1.255" };
    const logicalName = logicalNameToOctets(object.logicalName);
    const one = new ShortNames([object]);
    for (const { id } of Object.values(attributes)) {
      const variableName = one.attribute({ classId, logicalName, attributeId: id }) ?? 0;
      expect(one.member(variableName)).toEqual({ type: "attribute", classId, logicalName, attributeId: id });
    }
    if (methodOffset === undefined) continue;
    for (const each of Object.values(methods)) {
      const methodId = typeof each === "number" ? each : each.id;
      const { variableName = 0 } = one.method({ classId, logicalName, methodId }) ?? {};
      expect(one.member(variableName)).toEqual({ type: "method", classId, logicalName, methodId });
    }
  }
  expect(INTERFACE_CLASSES.length).toBeGreaterThan(25);
});

test("short names: attributes and methods of one class never share a name", () => {
  for (const each of INTERFACE_CLASSES) {
    if (each.methodOffset === undefined) continue;
    for (let methodId = 1; methodId < 20; methodId++) {
      const attributeId = each.methodOffset / 8 + methodId;
      const both = methodById(each, methodId) !== undefined && attributeById(each, attributeId) !== undefined;
      expect({ class: each.classId, version: each.version, methodId, both }).toMatchObject({ both: false });
    }
  }
});

test("short names: a name between objects, between steps or below all of them means nothing", () => {
  expect(names.member(0x0bdf)).toBeUndefined();
  expect(names.member(0x0be4)).toBeUndefined();
  expect(names.member(0x9008)).toMatchObject({ type: "attribute", classId: 8192, attributeId: 2 });
});

test("short names: an object list passes both ways, with base names that are negative numbers", () => {
  const list = names.toObjectList();
  if (list.type !== "array") throw new Error("no array");
  expect(list.value.at(-1)).toEqual({
    type: "structure",
    value: [
      { type: "long", value: 0xfa00 - 0x1_0000 },
      { type: "long-unsigned", value: 12 },
      { type: "unsigned", value: 3 },
      { type: "octet-string", value: logicalNameToOctets("0.0.40.0.0.255") },
    ],
  });
  expect(ShortNames.fromObjectList(list).objects).toEqual(names.objects);
  expect(() => ShortNames.fromObjectList({ type: "array", value: [{ type: "null-data" }] })).toThrow(DlmsError);
  expect(() => ShortNames.fromObjectList({ type: "null-data" })).toThrow("DATA_TYPE_MISMATCH");
});

test("short names: the base name goes with class and logical name", () => {
  const clock = { classId: 8, logicalName: logicalNameToOctets("0.0.1.0.0.255") };
  expect(names.baseName(clock)).toBe(0x0be0);
  expect(names.baseName({ ...clock, classId: 7 })).toBeUndefined();
});
