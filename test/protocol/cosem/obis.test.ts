import fc from "fast-check";
import { expect, test } from "vitest";
import {
  dottedObis,
  formatObis,
  logicalNameFromOctets,
  logicalNameToOctets,
  parseObis,
} from "../../../protocol/cosem/obis.ts";
import { UNITS, unitOf } from "../../../protocol/cosem/units.ts";

test.for([
  ["1.0.1.8.0.255", "1-0:1.8.0*255"],
  ["1-0:1.8.0*255", "1-0:1.8.0*255"],
  ["1-0:1.8.0.255", "1-0:1.8.0*255"],
  ["1-0:1.8.0", "1-0:1.8.0*255"],
  ["1-1:1.8.0&01", "1-1:1.8.0*1"],
  ["0100010800FF", "1-0:1.8.0*255"],
  ["1.8.0", "1-0:1.8.0*255"],
  ["1.8.0*12", "1-0:1.8.0*12"],
  ["13.7", "1-0:13.7.255*255"],
  ["0-1:24.2.1", "0-1:24.2.1*255"],
])("obis: %s reads as %s", ([text, formatted]) => {
  expect(formatObis(parseObis(text ?? ""))).toBe(formatted);
});

test.for(["", "1", "1.0.1.8.0.256", "1-0:1.8.0*300", "a.b.c.d.e.f", "1.2.3.4.5.6.7", "01000108"])(
  "obis: %j is refused",
  (text) => {
    expect(() => parseObis(text)).toThrow(expect.objectContaining({ code: "OBIS_INVALID", fault: "caller" }));
  },
);

test("obis: octets and text are inverse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (octets) => {
      const name = logicalNameFromOctets(octets);
      expect([...logicalNameToOctets(name)]).toEqual([...octets]);
      expect(dottedObis(parseObis(formatObis(parseObis(name))))).toBe(name);
    }),
  );
});

test("obis: a logical name has six octets", () => {
  expect(() => logicalNameFromOctets(new Uint8Array(5))).toThrow(
    expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" }),
  );
});

test("units: codes are unique and the common ones mean what they must", () => {
  expect(new Set(UNITS.map((unit) => unit.code)).size).toBe(UNITS.length);
  expect(unitOf(30)).toMatchObject({ symbol: "Wh", ucum: "W.h" });
  expect(unitOf(33)?.symbol).toBe("A");
  expect(unitOf(35)?.symbol).toBe("V");
  expect(unitOf(255)?.symbol).toBe("");
  expect(unitOf(58)).toBeUndefined();
});
