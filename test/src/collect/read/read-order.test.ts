import { expect, test } from "vitest";
import { parseReadOrder } from "../../../../src/collect/read/read-order.ts";

const ENERGY = { type: "attribute", classId: undefined, logicalName: "1.0.1.8.0.255", attributeId: 2 };

test.each([
  ["block", { type: "profile", profile: "block_load" }],
  ["Clock", { type: "clock" }],
  ["1.0.1.8.0.255", ENERGY],
  ["1-0:1.8.0*255", ENERGY],
  ["1-0:1.8.0*255:3", { ...ENERGY, attributeId: 3 }],
  ["3:1.0.1.8.0.255:2", { ...ENERGY, classId: 3 }],
  ["8:0.0.1.0.0.255:-1", { ...ENERGY, classId: 8, logicalName: "0.0.1.0.0.255", attributeId: -1 }],
])("read order: %s", (what, order) => {
  expect(parseReadOrder(what)).toEqual(order);
});

test.each(["", "everything", "1.0.1.8.0.999", "1", "3:", "::"])(
  "read order: %o is refused with what can be said",
  (what) => {
    expect(() => parseReadOrder(what)).toThrow(
      "instant, block, block_load, daily, daily_load, billing, clock, objects",
    );
  },
);
