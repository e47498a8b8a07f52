import { expect, test } from "vitest";
import { dataFromBytes, dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import {
  captureObjectKey,
  captureObjectsFromData,
  captureObjectsToData,
  pushObjectsFromData,
} from "../../../protocol/cosem/capture-object.ts";
import {
  objectListElementFromData,
  objectListElementToData,
  objectListFromData,
} from "../../../protocol/cosem/object-list.ts";
import { scalerUnitFromData, scalerUnitToData, UNSCALED } from "../../../protocol/cosem/scaler-unit.ts";

/** Clock in an object list, rights as Association LN writes them up to version 2. */
const CLOCK =
  "0204 120008 1100 09060000010000ff 0202 0102 0203 0f01 1601 00 0203 0f02 1606 01020f010f02 0101 0202 0f06 1602";

test("object-list: rights of an association of version 1", () => {
  const data = dataFromBytes(fromHex(CLOCK));
  const element = objectListElementFromData(data, 1);
  expect(element).toMatchObject({ classId: 8, version: 0, logicalName: "0.0.1.0.0.255" });
  expect(element.attributes[0]).toMatchObject({ id: 1, read: true, write: false, request: [] });
  expect(element.attributes[1]).toMatchObject({
    read: true,
    write: true,
    request: ["authenticated"],
    selectors: [1, 2],
  });
  expect(element.methods[0]).toMatchObject({ id: 6, invoke: true, request: ["authenticated"] });
  expect(toHex(dataToBytes(objectListElementToData(element, 1)))).toBe(toHex(fromHex(CLOCK)));
});

test("object-list: version 3 reads modes as masks, found from the association in the list", () => {
  const association = "0204 12000f 1103 09060000280000ff 0202 0101 0203 0f02 1635 00 0101 0202 0f01 1609";
  const list = objectListFromData(dataFromBytes(fromHex(`0102 ${CLOCK} ${association}`)));
  expect(list[1]?.attributes[0]).toMatchObject({
    read: true,
    write: false,
    request: ["authenticated", "signed"],
    response: ["authenticated"],
  });
  expect(list[1]?.methods[0]).toMatchObject({ invoke: true, read: false, request: ["encrypted"] });
  expect(list[0]?.attributes[1]).toMatchObject({ read: false, write: true, request: ["authenticated"] });
});

test("object-list: version 0 has booleans for methods, and selective access by class leaves rights out", () => {
  const withBoolean = dataFromBytes(
    fromHex("0204 120009 1100 090600000a0064ff 0202 0101 0203 0f02 1601 00 0101 0202 0f01 03ff"),
  );
  expect(objectListElementFromData(withBoolean, 0).methods[0]).toMatchObject({ id: 1, mode: 1, invoke: true });
  const bare = dataFromBytes(fromHex("0203 120008 1100 09060000010000ff"));
  expect(objectListElementFromData(bare, 0)).toMatchObject({ classId: 8, attributes: [], methods: [] });
});

test.for(["00", "0200", "0202 120008 1100", "0203 120008 1100 0905 0000010000"])(
  "object-list: %s is a typed error",
  (hex) => {
    expect(() => objectListElementFromData(dataFromBytes(fromHex(hex)), 0)).toThrow(
      expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" }),
    );
  },
);

test("capture-object: a list decodes and encodes back; the data index shows in the key", () => {
  const bytes = fromHex("0102 0204 120008 09060000010000ff 0f02 120000 0204 120003 09060100010800ff 0f02 120001");
  const objects = captureObjectsFromData(dataFromBytes(bytes));
  expect(objects.map(captureObjectKey)).toEqual(["8:0.0.1.0.0.255:2", "3:1.0.1.8.0.255:2#1"]);
  expect(toHex(dataToBytes(captureObjectsToData(objects)))).toBe(toHex(bytes));
});

test("capture-object: push objects of newer versions carry a restriction and columns", () => {
  const bytes = fromHex("0101 0206 120007 09060100630100ff 0f02 120000 0202 1600 00 0100");
  expect(pushObjectsFromData(dataFromBytes(bytes))).toEqual([
    {
      classId: 7,
      logicalName: "1.0.99.1.0.255",
      attributeId: 2,
      dataIndex: 0,
      restriction: { type: "structure", value: [{ type: "enum", value: 0 }, { type: "null-data" }] },
      columns: [],
    },
  ]);
});

test("scaler-unit: hundredths of a volt; nothing, and unsigned scalers", () => {
  const bytes = fromHex("0202 0ffe 1623");
  expect(scalerUnitFromData(dataFromBytes(bytes))).toEqual({ scaler: -2, unit: 35 });
  expect(toHex(dataToBytes(scalerUnitToData({ scaler: -2, unit: 35 })))).toBe(toHex(bytes));
  expect(scalerUnitFromData({ type: "null-data" })).toEqual(UNSCALED);
  expect(scalerUnitFromData(dataFromBytes(fromHex("0202 11fe 1123")))).toEqual({ scaler: -2, unit: 35 });
  expect(() => scalerUnitFromData(dataFromBytes(fromHex("0201 0ffe")))).toThrow(
    expect.objectContaining({ code: "DATA_TYPE_MISMATCH" }),
  );
});
