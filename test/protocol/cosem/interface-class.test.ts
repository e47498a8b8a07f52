import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Data, dataFromBytes, dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { documentClasses } from "../../../protocol/cosem/class-documentation.ts";
import { associationLnV1, sapAssignment } from "../../../protocol/cosem/classes/associations.ts";
import { activityCalendar, clock, singleActionSchedule } from "../../../protocol/cosem/classes/clock-and-tariff.ts";
import { pushSetupV0, pushSetupV2 } from "../../../protocol/cosem/classes/push.ts";
import { data, register } from "../../../protocol/cosem/classes/registers.ts";
import {
  INTERFACE_CLASSES,
  interfaceClassOf,
  nearestInterfaceClass,
} from "../../../protocol/cosem/classes/registry.ts";
import { attributeById, interfaceClass, methodById, parseAttribute } from "../../../protocol/cosem/interface-class.ts";
import { logicalName, longUnsigned, unsigned, type ValueType } from "../../../protocol/cosem/value-type.ts";
import { DlmsError } from "../../../protocol/errors.ts";

function parsed(hex: string): Data {
  return dataFromBytes(fromHex(hex));
}

test("interface-class: every class has a logical name first and its numbers in one piece", () => {
  const keys = INTERFACE_CLASSES.map((each) => `${each.classId}/${each.version}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(INTERFACE_CLASSES.length).toBeGreaterThanOrEqual(144);
  for (const each of INTERFACE_CLASSES) {
    const ids = Object.values(each.attributes).map((attribute) => attribute.id);
    expect(attributeById(each, 1)?.name).toBe("logicalName");
    expect([...ids].sort((one, other) => one - other)).toEqual(ids.map((_, index) => index + 1));
  }
});

test("interface-class: classes are found by number and version, the nearest version too", () => {
  expect(interfaceClassOf(8, 0)).toBe(clock);
  expect(interfaceClassOf(8, 7)).toBeUndefined();
  expect(nearestInterfaceClass(8, 7)).toBe(clock);
  expect(nearestInterfaceClass(7, 5)?.version).toBe(1);
  expect(nearestInterfaceClass(15, 2)?.version).toBe(2);
  expect(nearestInterfaceClass(60000, 0)).toBeUndefined();
});

test("interface-class: an attribute's value has the type that the table declares", () => {
  const value = parseAttribute(register, "scalerUnit", parsed("0202 0fff 161b"));
  const scaler: number = value.scaler;
  expect(scaler).toBe(-1);
  const time = parseAttribute(clock, "time", parsed("090c 07e80a0f020c1e0000ffc400"));
  expect(time).toMatchObject({ year: 2024, hour: 12, deviationMinutes: -60 });
  expect(parseAttribute(clock, "time", parsed("19 07e80a0f020c1e0000ffc400"))).toEqual(time);
  expect(parseAttribute(data, "value", parsed("1105"))).toEqual({ type: "unsigned", value: 5 });
  expect(parseAttribute(sapAssignment, "sapAssignmentList", parsed("0101 0202 120001 0903 414243"))).toEqual([
    { sap: 1, logicalDeviceName: fromHex("414243") },
  ]);
});

test("interface-class: another type than declared is a typed error", () => {
  expect(() => parseAttribute(clock, "time", parsed("1105"))).toThrow(
    expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" }),
  );
  expect(() => parseAttribute(clock, "timeZone", parsed("0600010000"))).toThrow(
    expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "peer" }),
  );
  expect(() => parseAttribute(singleActionSchedule, "executedScript", parsed("0201 0906 00000a0001ff"))).toThrow(
    expect.objectContaining({ code: "DATA_TYPE_MISMATCH" }),
  );
});

test("interface-class: integers of another width are read", () => {
  expect(longUnsigned.parse(parsed("060000ffff"))).toBe(65535);
  expect(unsigned.parse(parsed("1600"))).toBe(0);
  expect(() => unsigned.parse(parsed("0fff"))).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE" }));
});

test("interface-class: object identifiers read as structure and as octets", () => {
  const type = associationLnV1.attributes.applicationContextName.type;
  const asStructure = parsed("0207 1102 1110 1202f4 1105 1108 1101 1103");
  expect(type.parse(asStructure)).toBe("2.16.756.5.8.1.3");
  expect(type.parse(parsed("0907 60857405080103"))).toBe("2.16.756.5.8.1.3");
  expect(toHex(dataToBytes(type.build("2.16.756.5.8.1.3")))).toBe(toHex(dataToBytes(asStructure)));
});

test("interface-class: a billing schedule, a week table and a push list build what they parsed", () => {
  const samples = [
    { type: singleActionSchedule.attributes.executionTime.type, hex: "0101 0202 0904 00000000 0905 ffffff01ff" },
    {
      type: activityCalendar.attributes.weekProfileTablePassive.type,
      hex: "0101 0208 0901 00 1101 1101 1101 1101 1101 1102 1103",
    },
    {
      type: pushSetupV0.attributes.pushObjectList.type,
      hex: "0101 0204 120001 0906 0000600102ff 0f02 120000",
    },
    {
      type: pushSetupV2.attributes.pushObjectList.type,
      hex: "0101 0206 120007 0906 0100630100ff 0f02 120000 0202 1600 00 0101 0204 120008 0906 0000010000ff 0f02 120000",
    },
  ] as const;
  for (const { type, hex } of samples) {
    const anyType: ValueType<unknown> = type;
    expect(toHex(dataToBytes(anyType.build(anyType.parse(parsed(hex)))))).toBe(toHex(fromHex(hex)));
  }
});

test("interface-class: the empty value of every type is one of that type", () => {
  for (const each of INTERFACE_CLASSES) {
    const types = Object.values(each.attributes).map((attribute) => attribute.type);
    const ofMethods = Object.values(each.methods).flatMap((method) =>
      typeof method === "number" ? [] : [method.parameter, method.result].filter((type) => type !== undefined),
    );
    for (const type of [...types, ...ofMethods]) {
      const anyType: ValueType<unknown> = type;
      expect(outcomeOf(anyType, dataFromBytes(dataToBytes(anyType.empty)))).toBe("read");
    }
  }
});

test("interface-class: methods are found by number", () => {
  expect(methodById(clock, 6)).toMatchObject({ name: "shiftTime", id: 6 });
  expect(methodById(register, 1)).toEqual({ name: "reset", id: 1 });
  expect(methodById(register, 2)).toBeUndefined();
});

test("interface-class: one number for two attributes is refused", () => {
  expect(() =>
    interfaceClass({
      classId: 1,
      version: 0,
      name: "twice",
      attributes: { one: { id: 1, type: logicalName }, two: { id: 1, type: logicalName } },
      methods: {},
    }),
  ).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }));
});

const anyValue = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: "small" },
    fc.constant<Data>({ type: "null-data" }),
    fc.integer({ min: 0, max: 255 }).map((value): Data => ({ type: "unsigned", value })),
    fc.uint8Array({ maxLength: 14 }).map((value): Data => ({ type: "octet-string", value })),
    fc.array(tie("data"), { maxLength: 8 }).map((value): Data => ({ type: "structure", value })),
    fc.array(tie("data"), { maxLength: 4 }).map((value): Data => ({ type: "array", value })),
  ),
})).data;

/** Chance alone would miss an outcome now and then. */
const EVERY_OUTCOME: [Data][] = [[{ type: "boolean", value: true }], [{ type: "enum", value: 255 }]];

test("interface-class: any value is read by every attribute's type or refused with a typed error", () => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(anyValue, (value) => {
      for (const each of INTERFACE_CLASSES) {
        for (const attribute of Object.values(each.attributes)) outcomes.add(outcomeOf(attribute.type, value));
      }
    }),
    { numRuns: 30, examples: EVERY_OUTCOME },
  );
  expect([...outcomes].sort()).toEqual(["DATA_OUT_OF_RANGE", "DATA_TYPE_MISMATCH", "read"]);
});

function outcomeOf(type: ValueType<unknown>, value: Data): string {
  try {
    type.parse(value);
    return "read";
  } catch (error) {
    return error instanceof DlmsError ? error.code : String(error);
  }
}

test("interface-class: the generated page says what the tables say (npm run docs writes it)", async () => {
  expect(await readFile("docs/interface-classes.md", "utf8")).toBe(documentClasses(INTERFACE_CLASSES));
});
