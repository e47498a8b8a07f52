import { expect, test } from "vitest";
import { type PushLayout, SharedLayouts } from "../../../../src/push/receive/push-layouts.ts";

function layout(logicalName: string): PushLayout {
  const captureObject = { classId: 3, logicalName, attributeId: 2, dataIndex: 0 };
  return { lists: new Map([["0.0.25.9.0.255", [captureObject]]]), scalers: [], profiles: new Map() };
}

test("push layouts: meters whose pushes are the same share one layout", () => {
  const layouts = new SharedLayouts();
  const first = layouts.share(layout("1.0.1.8.0.255"));
  const other = layouts.share(layout("1.0.2.8.0.255"));
  expect(layouts.share(layout("1.0.1.8.0.255"))).toBe(first);
  expect(layouts.share(layout("1.0.2.8.0.255"))).toBe(other);
  expect(other).not.toBe(first);
});
