import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { captureObjectsToData } from "../../../../protocol/cosem/capture-object.ts";
import { dateTimeAt, encodeDateTime } from "../../../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets } from "../../../../protocol/cosem/obis.ts";
import { namedZone } from "../../../../protocol/cosem/time-zone.ts";
import { pollEventLogs } from "../../../../src/collect/read/event-poller.ts";
import type { AttributeSource } from "../../../../src/collect/session/attribute-source.ts";
import type { MeterTarget } from "../../../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../../../src/config/schema.ts";

const UTC = namedZone("UTC");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2026, 0, 10, 12);
const FRAUD = "0.0.99.98.1.255";
const STANDARD = "0.0.99.98.0.255";

function target(): MeterTarget {
  const { connection, association } = meterSchema.parse({
    name: "m",
    number: "1",
    companion: "idis",
    timeZone: "UTC",
    connection: { tcp: "192.0.2.1:4059" },
  });
  return {
    name: "m",
    number: "1",
    companion: "idis",
    zone: UTC,
    connection,
    association,
    secrets: { secret: undefined, blockCipherKey: undefined, authenticationKey: undefined },
    quirks: new Set(),
    ways: new Map(),
    layouts: new Map(),
    clock: { deviation: "standard", zone: UTC },
  };
}

const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
const CODE = { classId: 1, logicalName: "0.0.96.11.1.255", attributeId: 2, dataIndex: 0 };

function row(atMs: number, code: number): Data {
  const stamp = encodeDateTime(dateTimeAt(atMs, UTC));
  return {
    type: "structure",
    value: [
      { type: "octet-string", value: stamp },
      { type: "unsigned", value: code },
    ],
  };
}

/** Has two logs, and tells what it was asked for: `log/attribute`. */
function meter(rows: readonly Data[], breaksAt?: string) {
  const asked: string[] = [];
  const get = async ({ attribute }: AttributeReference): Promise<DataResult> => {
    const logicalName = logicalNameFromOctets(attribute.logicalName);
    const name = `${logicalName}/${attribute.attributeId}`;
    asked.push(name);
    if (name === breaksAt) throw new Error("the line is cut");
    if (logicalName !== FRAUD && logicalName !== STANDARD) {
      return { type: "data-access-result", dataAccessResult: "object-undefined" };
    }
    if (attribute.attributeId === 2) return { type: "data", data: { type: "array", value: rows } };
    if (attribute.attributeId === 3) return { type: "data", data: captureObjectsToData([CLOCK, CODE]) };
    return { type: "data", data: { type: "unsigned", value: 1 } };
  };
  const source: AttributeSource = { get, getList: (references) => Promise.all(references.map(get)) };
  return { asked, source };
}

function order(of: MeterTarget, changes: { readUpTo?: ReadonlyMap<string, number>; nowMs?: number } = {}) {
  const { readUpTo = new Map(), nowMs = NOW_MS } = changes;
  return { target: of, historyMs: 7 * DAY_MS, readUpTo, nowMs: () => nowMs };
}

const codes = ({ events }: Awaited<ReturnType<typeof pollEventLogs>>) => events.map(({ log, code }) => [log, code]);

test("event poll: first as far back as the plan says, then what is newer, and once a day all of it again", async () => {
  const of = target();
  const { source } = meter([row(NOW_MS - 30 * DAY_MS, 40), row(NOW_MS - 3 * DAY_MS, 41), row(NOW_MS - HOUR_MS, 42)]);
  const first = await pollEventLogs(source, order(of));
  expect(codes(first).filter(([log]) => log === FRAUD)).toEqual([
    [FRAUD, 41],
    [FRAUD, 42],
  ]);
  expect(first.readUpTo.get(FRAUD)).toBe(NOW_MS - HOUR_MS);
  const { readUpTo } = first;
  const second = await pollEventLogs(source, order(of, { readUpTo, nowMs: NOW_MS + HOUR_MS }));
  expect(codes(second).filter(([log]) => log === FRAUD)).toEqual([[FRAUD, 42]]);
  const third = await pollEventLogs(source, order(of, { readUpTo, nowMs: NOW_MS + DAY_MS }));
  expect(codes(third).filter(([log]) => log === FRAUD)).toHaveLength(2);
});

test("event poll: logs that the meter has not are asked for once a day", async () => {
  const of = target();
  const { source, asked } = meter([]);
  await pollEventLogs(source, order(of));
  const missing = asked.filter((name) => name.startsWith("0.0.99.98.5.255/"));
  expect(missing.length).toBeGreaterThan(0);
  asked.length = 0;
  await pollEventLogs(source, order(of, { nowMs: NOW_MS + HOUR_MS }));
  expect(asked.some((name) => name.startsWith("0.0.99.98.5.255/"))).toBe(false);
  expect(asked).toContain(`${FRAUD}/2`);
});

test("event poll: a log that has been empty is not read from the beginning of time the next hour", async () => {
  const of = target();
  const { readUpTo } = await pollEventLogs(meter([]).source, order(of));
  expect(readUpTo.get(FRAUD)).toBe(NOW_MS - 7 * DAY_MS);
});

test("event poll: what was read before the line was cut is kept, and the cut is told", async () => {
  const { source } = meter([row(NOW_MS - HOUR_MS, 42)], `${FRAUD}/2`);
  const result = await pollEventLogs(source, order(target()));
  expect([codes(result), result.failure?.message]).toEqual([[[STANDARD, 42]], "the line is cut"]);
  expect([...result.readUpTo.keys()]).toEqual([STANDARD]);
});

test("event poll: a stamp of the future does not hide what comes after it", async () => {
  const { source } = meter([row(NOW_MS + 30 * 60_000, 42)]);
  const { readUpTo } = await pollEventLogs(source, order(target()));
  expect(readUpTo.get(FRAUD)).toBe(NOW_MS);
});

test("event poll: a row without a code or of another width is set aside with what it says", async () => {
  const odd: Data[] = [
    { type: "structure", value: [{ type: "octet-string", value: encodeDateTime(dateTimeAt(NOW_MS, UTC)) }] },
    {
      type: "structure",
      value: [{ type: "octet-string", value: encodeDateTime(dateTimeAt(NOW_MS, UTC)) }, { type: "null-data" }],
    },
  ];
  const { source } = meter(odd);
  const { setAside, events, refused } = await pollEventLogs(source, order(target()));
  expect([events, refused]).toEqual([[], []]);
  const reasons = setAside.map(({ reason }) => (typeof reason === "string" ? reason : reason.code));
  expect(new Set(reasons)).toEqual(new Set(["PROFILE_ROW_WIDTH", "no-code"]));
});

test("event poll: a log of any length is read", async () => {
  const tamper = row(NOW_MS - HOUR_MS, 42);
  const rows = Array.from({ length: 140_000 }, () => tamper);
  const { events, failure } = await pollEventLogs(meter(rows).source, order(target()));
  expect([failure, events.filter(({ log }) => log === FRAUD).length]).toEqual([undefined, rows.length]);
});
