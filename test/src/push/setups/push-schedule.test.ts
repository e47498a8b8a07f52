import { expect, test } from "vitest";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { scheduleFromData } from "../../../../src/push/setups/push-schedule.ts";

const TIME: Data = { type: "octet-string", value: Uint8Array.of(12, 0, 0, 0) };
const DATE: Data = { type: "octet-string", value: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff) };
const ENTRY: Data = { type: "structure", value: [TIME, DATE] };

function entries(count: number): number | undefined {
  return scheduleFromData({ type: "array", value: Array.from({ length: count }, () => ENTRY) })?.length;
}

test("push schedule: as many entries are followed as a push every few minutes needs, and no more", () => {
  expect([entries(96), entries(100_000)]).toEqual([96, 256]);
});
