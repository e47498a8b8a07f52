import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets } from "../../../protocol/cosem/obis.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import type { AttributeSource } from "../../../src/collect/attribute-source.ts";
import { pollProfiles } from "../../../src/collect/meter-poller.ts";
import type { MeterTarget } from "../../../src/collect/meter-target.ts";
import { meterSchema } from "../../../src/config/schema.ts";

const UTC = namedZone("UTC");

function meter(): MeterTarget {
  const { connection, association } = meterSchema.parse({
    name: "m",
    number: "1",
    companion: "idis",
    timeZone: "UTC",
    connection: { tcp: "192.0.2.1:4059" },
    association: { clientSap: 16, mechanism: "none" },
  });
  const secrets = { secret: undefined, blockCipherKey: undefined, authenticationKey: undefined };
  const layouts = new Map();
  return {
    name: "m",
    number: "1",
    companion: "idis",
    zone: UTC,
    connection,
    association,
    secrets,
    quirks: new Set(),
    ways: new Map(),
    layouts,
    clock: undefined,
  };
}

/** Has a clock and a voltage; `profile` says what comes of asking for a profile object. */
function source(profile: (logicalName: string) => DataResult): AttributeSource {
  const get = async ({ attribute }: AttributeReference): Promise<DataResult> => {
    const logicalName = logicalNameFromOctets(attribute.logicalName);
    if (attribute.classId === 7) return profile(logicalName);
    const value = registers(logicalName, attribute.attributeId);
    return value === undefined
      ? { type: "data-access-result", dataAccessResult: "object-undefined" }
      : { type: "data", data: value };
  };
  return { get, getList: (references) => Promise.all(references.map(get)) };
}

function registers(logicalName: string, attributeId: number): Data | undefined {
  if (logicalName === "0.0.1.0.0.255" && attributeId === 2)
    return { type: "octet-string", value: encodeDateTime(dateTimeAt(Date.now(), UTC)) };
  if (logicalName !== "1.0.32.7.0.255") return undefined;
  if (attributeId === 2) return { type: "long-unsigned", value: 2301 };
  const scalerUnit: Data[] = [
    { type: "integer", value: -1 },
    { type: "enum", value: 35 },
  ];
  return { type: "structure", value: scalerUnit };
}

function poll(from: AttributeSource) {
  const profiles = ["instant", "block_load", "daily_load", "billing"] as const;
  return pollProfiles(from, { target: meter(), meterKey: 1, profiles, wanted: () => ({ type: "since", fromMs: 0 }) });
}

test("meter poll: what was read before the session broke is kept, and the break is told", async () => {
  const broken = new Error("the line broke");
  const result = await poll(
    source(() => {
      throw broken;
    }),
  );
  expect(result.batches.map(({ profile, rowCount }) => [profile, rowCount])).toEqual([["instant", 1]]);
  expect(result.failure).toBe(broken);
});

test("meter poll: a profile that can't be understood keeps no other from being read", async () => {
  const asked = new Set<string>();
  const result = await poll(
    source((logicalName) => {
      asked.add(logicalName);
      return { type: "data", data: { type: "boolean", value: true } };
    }),
  );
  expect([...asked]).toEqual(["1.0.99.1.0.255", "1.0.99.2.0.255", "0.0.98.1.0.255"]);
  expect(result.batches).toHaveLength(1);
  expect(result.failure).toMatchObject({ name: "DlmsError", fault: "peer" });
});

test("meter poll: refused profiles are in the result while others were read", async () => {
  const result = await poll(source(() => ({ type: "data-access-result", dataAccessResult: "read-write-denied" })));
  expect(result.refused.map(({ profile }) => profile)).toEqual(["block_load", "daily_load", "billing"]);
  expect(result.failure).toBeUndefined();
});
