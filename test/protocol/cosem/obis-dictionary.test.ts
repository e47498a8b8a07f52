import { expect, test } from "vitest";
import { dottedObis, parseObis } from "../../../protocol/cosem/obis.ts";
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import { OBIS_NAMES } from "../../../protocol/cosem/obis-names.ts";

test.for([
  ["0.0.1.0.0.255", 8, "Clock", 8],
  ["1.0.1.8.0.255", undefined, "active import energy", 3],
  ["1.1.1.8.2.255", undefined, "active import energy, tariff 2", 3],
  ["1.0.32.7.0.255", undefined, "voltage, phase 1", 3],
  ["1.0.71.27.0.255", undefined, "current average of the interval, phase 3", 3],
  ["1.0.9.6.0.255", undefined, "apparent import maximum demand", 4],
  ["1.0.16.29.0.255", undefined, "active import less export energy of the interval", 3],
  ["1.0.1.8.0.1", 3, "Active + energy, stored value: F=1 (billing counter modulo / VZ)", 3],
  ["0.0.0.1.2.255", 3, "Billing date (time stamp of billing)", 3],
] as const)("obis-dictionary: %s (class %s) is %s", ([logicalName, classId, name, usualClass]) => {
  expect(obisMeaning(logicalName, classId)).toEqual({ name, classId: usualClass });
});

test("obis-dictionary: a companion specification has its own names for what others use otherwise", () => {
  const log = "0.0.99.98.4.255";
  expect(obisMeaning(log, 7, "idis")?.name).toBe("Event log: power quality");
  expect(obisMeaning(log, 7, "dsmr")?.name).toBe("Event log: communication sessions");
  expect(obisMeaning(log, 7, "spodes")?.name).toBe("Event log: external influences");
  expect(obisMeaning(log, 7)?.name).toBe("Event log 5");
  // Another class than the specification says is another object.
  expect(obisMeaning(log, 1, "idis")?.name).toBe("Event log 5");
  expect(obisMeaning("0.0.96.1.7.255", 1, "nordic")?.name).toBe("Meter type (Aidon, Kaifa)");
  expect(obisMeaning("1.0.1.8.0.255", 3, "spodes")?.name).toBe("active import energy");
});

test("obis-dictionary: what nobody knows has no name", () => {
  expect(obisMeaning("9.9.200.200.9.9")).toBeUndefined();
  expect(obisMeaning("not a name")).toBeUndefined();
});

test("obis-dictionary: every listed name is a logical name, once per class", () => {
  const keys = OBIS_NAMES.map(([logicalName, classId]) => `${logicalName}:${classId}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(OBIS_NAMES.every(([logicalName]) => dottedObis(parseObis(logicalName)) === logicalName)).toBe(true);
  expect(OBIS_NAMES.length).toBeGreaterThan(900);
});
