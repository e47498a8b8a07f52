import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { captureObjectsFromData } from "../../protocol/cosem/capture-object.ts";
import { dateTimeAt, encodeDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { rangeAccess } from "../../protocol/profile/selective-access.ts";
import { METER_FAULTS, type MeterFault } from "../../src/simulator/faults.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { HOUSES } from "../../src/simulator/street-plan.ts";
import { entryAccess } from "../simulator/meter-fixture.ts";
import { VisitFailed, visit } from "./visitor.ts";

const BLOCK_LOAD = "1.0.99.1.0.255";
const BILLING = { is15959: "1.0.98.1.0.255", idis: "0.0.98.1.0.255", dsmr: "0.0.98.1.0.255" } as const;

describe("a street of 24", () => {
  let street: Street;
  beforeAll(async () => {
    street = await startStreet({ count: 24 });
  });
  afterAll(async () => {
    await street.close();
  });

  test("street: there are meters of every model, link, mechanism and protection", () => {
    const { meters } = street;
    const all = (pick: (meter: (typeof meters)[number]) => string) =>
      [...new Set(meters.map(pick))].sort((one, other) => one.localeCompare(other));
    expect(meters).toHaveLength(24);
    expect(all(({ model }) => model)).toEqual(["dsmr", "idis", "is15959-d1", "is15959-d2", "is15959-d3"]);
    expect(all(({ link }) => link.type)).toEqual(["hdlc", "wrapper"]);
    expect(all(({ mechanism }) => mechanism)).toEqual(["hls-2", "hls-5", "lls"]);
    expect(all(({ security }) => security?.protection ?? "none")).toEqual([
      "authenticated-encrypted",
      "encrypted",
      "none",
    ]);
    expect(all(({ serial }) => serial)).toHaveLength(24);
    expect(all(({ name }) => name)).toHaveLength(24);
  });

  test.each(HOUSES.map((_, index) => index))(
    "street: house %i is read through TCP with what the street tells",
    async (index) => {
      const meter = street.meters[index];
      if (meter === undefined) throw new Error(`nobody lives at ${index}`);
      const visitor = await visit(meter);
      const clock = await visitor.read(8, "0.0.1.0.0.255");
      expect(clock).toMatchObject({ type: "octet-string" });
      const list = objectListFromData(await visitor.read(15, "0.0.40.0.0.255"));
      expect(list.length).toBeGreaterThan(20);
      for (const profile of ["1.0.99.1.0.255", "1.0.99.2.0.255", BILLING[meter.companion as keyof typeof BILLING]]) {
        const columns = captureObjectsFromData(await visitor.read(7, profile, 3));
        const rows = await visitor.read(7, profile, 2, entryAccess(1, 10));
        if (rows.type !== "array") throw new Error(`a buffer of type ${rows.type}`);
        expect(rows.value).toHaveLength(10);
        for (const row of rows.value)
          expect(row).toMatchObject({ type: "structure", value: { length: columns.length } });
      }
      await visitor.leave();
    },
  );

  test("street: the whole block load of a meter comes in blocks over both links", async () => {
    for (const type of ["wrapper", "hdlc"] as const) {
      const meter = street.meters.find(
        ({ link, model, security }) => link.type === type && model === "is15959-d1" && security,
      );
      if (meter === undefined) throw new Error("no such meter");
      const visitor = await visit(meter);
      const rows = await visitor.read(7, "1.0.99.1.0.255");
      expect(rows).toMatchObject({ type: "array", value: { length: 2208 } });
      await visitor.leave();
    }
  });
});

test("street: the same seed has the same meters, another has others", async () => {
  await using one = await startStreet({ count: 3 });
  await using same = await startStreet({ count: 3 });
  await using other = await startStreet({ count: 3, seed: 7 });
  expect(secretsOf(one)).toEqual(secretsOf(same));
  expect(secretsOf(one)).not.toEqual(secretsOf(other));
});

function secretsOf(street: Street): unknown[] {
  return street.meters.map(({ security, secret, serial }) => [security, secret, serial]);
}

/** What a head end must see of each fault. */
const EVIDENCE: Readonly<Record<MeterFault, (meter: Parameters<typeof visit>[0]) => Promise<string>>> = {
  "wrong-keys": failureOf,
  "wrong-system-title": async (meter) => {
    const visitor = await visit(meter);
    await visitor.leave();
    return visitor.events.map((event) => (event.type === "leniency" ? event.name : event.type)).join(" ");
  },
  "refuses-association": failureOf,
  "answers-nothing": failureOf,
  noise: outcomeOf,
  "cuts-answers": failureOf,
  busy: failureOf,
  "counter-too-low": failureOf,
  "missing-object": async (meter) => {
    const visitor = await visit(meter);
    const result = await visitor.result(7, "1.0.99.2.0.255");
    await visitor.leave();
    return result.type === "data" ? "data" : result.dataAccessResult;
  },
  "null-data-rows": outcomeOf,
  "compact-array-rows": outcomeOf,
  "fixed-frame-numbers": outcomeOf,
  "no-ranges": rowsByRange,
  "ranges-stumble": async (meter) => await rowsByRange(meter, [true, true, true, true]),
  "plain-limits": rowsByRange,
  "whole-buffers": rowsByEntry,
  "power-cuts": holesInRows,
  "newest-entry-first": rowsByEntry,
};

const SEEN: Readonly<Record<MeterFault, RegExp>> = {
  "wrong-keys": /deciphering-error/,
  "wrong-system-title": /title-changed/,
  "refuses-association": /refused no-reason-given/,
  "answers-nothing": /silence/,
  noise: /^array of structure$/,
  "cuts-answers": /silence/,
  busy: /temporary-failure/,
  "counter-too-low": /invocation-counter-error/,
  "missing-object": /^object-undefined$/,
  "null-data-rows": /^array of structure with null-data$/,
  "compact-array-rows": /^compact-array$/,
  // The first house has no frames.
  "fixed-frame-numbers": /^array of structure$/,
  "no-ranges": /^other-reason, other-reason$/,
  "ranges-stumble": /^5 rows, 5 rows, other-reason, 5 rows$/,
  "plain-limits": /^type-unmatched, 5 rows$/,
  "whole-buffers": /^other-reason$/,
  "power-cuts": /^holes$/,
  "newest-entry-first": /^newest first$/,
};

test.each(Object.keys(METER_FAULTS) as MeterFault[])(
  "street: a meter with the fault %s is seen for what it is",
  async (fault) => {
    await using street = await startStreet({ count: 1, faults: { 0: fault } });
    const [meter] = street.meters;
    if (meter === undefined) throw new Error("an empty street");
    expect(meter.fault).toBe(fault);
    expect(await EVIDENCE[fault](meter)).toMatch(SEEN[fault]);
  },
);

/** What comes of a range of five rows, with a deviation in its limits and without. */
/** Of so many rows that a meter without power for a tenth of the time has lost some in between. */
async function holesInRows(meter: Parameters<typeof visit>[0]): Promise<string> {
  const visitor = await visit(meter);
  const rows = await visitor.read(7, BLOCK_LOAD, 2, entryAccess(1, 1000));
  await visitor.leave();
  const clock = { deviation: "standard", zone: namedZone(meter.timeZone) } as const;
  const instants = Array.from({ length: 1000 }, (_, row) => resolveDateTime(stampIn(rows, row), clock)?.instantMs ?? 0);
  const steps = instants.slice(1).map((instantMs, row) => instantMs - (instants[row] ?? 0));
  return Math.max(...steps) > Math.min(...steps) ? "holes" : "none";
}

async function rowsByRange(meter: Parameters<typeof visit>[0], tries = [true, false]): Promise<string> {
  const visitor = await visit(meter);
  const [column] = captureObjectsFromData(await visitor.read(7, BLOCK_LOAD, 3));
  const rows = await visitor.read(7, BLOCK_LOAD, 2, entryAccess(1, 5));
  const [from, to] = [stampIn(rows, 0), stampIn(rows, 4)];
  const zone = namedZone(meter.timeZone);
  const said: string[] = [];
  for (const withDeviation of tries) {
    const limits = [from, to].map((stamp) => {
      const instant = resolveDateTime(stamp, { deviation: "standard", zone })?.instantMs ?? 0;
      const time = dateTimeAt(instant, zone);
      return encodeDateTime(withDeviation ? time : { ...time, deviationMinutes: undefined });
    });
    const [first = from, last = to] = limits;
    const restrictingObject = column ?? { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
    const access = rangeAccess({ restrictingObject, from: first, to: last });
    const result = await visitor.result(7, BLOCK_LOAD, 2, access);
    const count = result.type === "data" && result.data.type === "array" ? `${result.data.value.length} rows` : "";
    said.push(result.type === "data" ? count : result.dataAccessResult);
  }
  await visitor.leave();
  return said.join(", ");
}

async function rowsByEntry(meter: Parameters<typeof visit>[0]): Promise<string> {
  const visitor = await visit(meter);
  const result = await visitor.result(7, BLOCK_LOAD, 2, entryAccess(1, 2));
  const whole = await visitor.read(7, BLOCK_LOAD, 2);
  await visitor.leave();
  if (result.type !== "data") return result.dataAccessResult;
  const last = whole.type === "array" ? whole.value.length - 1 : 0;
  return toHex(stampIn(result.data, 1)) === toHex(stampIn(whole, last)) ? "newest first" : "oldest first";
}

function stampIn(rows: Data, index: number): Uint8Array {
  const row = rows.type === "array" ? rows.value[index] : undefined;
  const cell = row?.type === "structure" ? row.value[0] : undefined;
  if (cell?.type !== "octet-string") throw new Error("a row without a stamp");
  return cell.value;
}

async function failureOf(meter: Parameters<typeof visit>[0]): Promise<string> {
  try {
    const visitor = await visit(meter, { responseTimeoutMs: 3000 });
    await visitor.hangUp();
    return "no failure";
  } catch (error) {
    if (!(error instanceof VisitFailed) || error.event?.type !== "failed") return String(error);
    const { evidence, error: cause } = error.event.failure;
    switch (evidence.type) {
      case "refused":
        return `refused ${evidence.diagnostic.diagnostic}`;
      case "exception":
        return `exception ${evidence.exception.serviceError}`;
      default:
        return `${evidence.type} ${cause.message}`;
    }
  }
}

async function outcomeOf(meter: Parameters<typeof visit>[0]): Promise<string> {
  const visitor = await visit(meter);
  const rows = await visitor.read(7, "1.0.99.1.0.255", 2, entryAccess(1, 20));
  await visitor.leave();
  if (rows.type !== "array") return rows.type;
  const nulls = rows.value.some(
    (row) => row.type === "structure" && row.value.some(({ type }) => type === "null-data"),
  );
  return `array of ${rows.value[0]?.type}${nulls ? " with null-data" : ""}`;
}
