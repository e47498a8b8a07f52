/** What a probe sees in the rows and lists of meters that are held in memory. */
import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../../protocol/cosem/integers.ts";
import { namedZone } from "../../../../protocol/cosem/time-zone.ts";
import { profileLayout } from "../../../../protocol/profile/layout.ts";
import { listQuirks, rowQuirks } from "../../../../src/collect/probe/probe-rows.ts";
import type { AttributeSource } from "../../../../src/collect/session/attribute-source.ts";

const UTC = namedZone("UTC");
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const ROWS = 40;
const LAYOUT = profileLayout({
  captureObjects: [{ classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 }],
  capturePeriodS: 0,
  sortMethod: 1,
});

function row(index: number): Data {
  const stamp = encodeDateTime(dateTimeAt(START_MS + index * HOUR_MS, UTC));
  return { type: "structure", value: [{ type: "octet-string", value: stamp }] };
}

async function answer({ attribute, access }: AttributeReference): Promise<DataResult> {
  if (attribute.attributeId === 7) return { type: "data", data: { type: "double-long-unsigned", value: ROWS } };
  const fields = access?.parameters.type === "structure" ? access.parameters.value : [];
  const [from = 1, to = ROWS] = access?.selector === 2 ? fields.map((field) => integerOf(field) ?? 0) : [];
  const rows = Array.from({ length: to - from + 1 }, (_, index) => row(from - 1 + index));
  return { type: "data", data: { type: "array", value: rows } };
}

/** Hourly rows, though the capture period says 0; every range gives all of them. */
const hourly: AttributeSource = { get: answer, getList: (references) => Promise.all(references.map(answer)) };

function trial(negotiated: boolean) {
  return {
    logicalName: "1.0.99.1.0.255",
    layout: LAYOUT,
    clock: { deviation: "standard", zone: UTC },
    negotiated,
  } as const;
}

test("probe rows: hourly rows under a period of 0 are told as such", async () => {
  expect(await rowQuirks(hourly, trial(true))).toEqual(["zero-period-is-an-hour"]);
});

test("probe rows: ranges that work without being negotiated are told as such", async () => {
  expect(await rowQuirks(hourly, trial(false))).toEqual(["selective-access-unnegotiated", "zero-period-is-an-hour"]);
});

test("probe lists: a limit of one that a list has brought about is a quirk, refused values are none", async () => {
  expect(await listQuirks(hourly, () => 1)).toEqual(["lists-refused"]);
  expect(await listQuirks(hourly, () => 16)).toEqual([]);
});
