import { expect, test } from "vitest";
import { PHYSICAL_DEVICE_FORMULAS, physicalDeviceOf } from "../../../protocol/link/hdlc/physical-device.ts";

test.each([
  ["last-2-digits", "10012367", 67],
  ["last-2-digits+16", "10012367", 83],
  ["last-3-digits", "10012367", 367],
  ["last-4-digits", "10012367", 2367],
  ["last-4-digits+16", "10012367", 2383],
  ["last-4-digits+1000", "10012367", 3367],
  ["last-4-digits+1000", "LG 10-0123-67A", 3367],
  ["mercury", "26000239", 239],
  ["mercury", "26000240", 40],
  ["mercury", "26000300", 1],
  ["mercury", "26000000", 1],
  ["last-4-digits+16", "7", 23],
] as const)("physical device: %s of %s is %i", (formula, serialNumber, address) => {
  expect(physicalDeviceOf(serialNumber, formula)).toBe(address);
});

test("physical device: every formula gives an address of 14 bits; a number without digits is refused", () => {
  for (const formula of PHYSICAL_DEVICE_FORMULAS) {
    expect(physicalDeviceOf("99999999", formula)).toBeLessThanOrEqual(0x3fff);
    expect(() => physicalDeviceOf("SMT", formula)).toThrow(
      expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }),
    );
  }
});
