import { expect, test, vi } from "vitest";
import type { AttributeReference, DataResult } from "../../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../../../protocol/cosem/obis.ts";
import { namedZone } from "../../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../../protocol/profile/decode.ts";
import { profileLayout } from "../../../../protocol/profile/layout.ts";
import { clockBreaksOf } from "../../../../src/collect/read/known-layout.ts";
import { readLayout, readRegisterScalers } from "../../../../src/collect/read/layout-reader.ts";
import { type PollResult, pollProfiles } from "../../../../src/collect/read/meter-poller.ts";
import { AccessRefusedError } from "../../../../src/collect/session/access-refused.ts";
import type { AttributeSource } from "../../../../src/collect/session/attribute-source.ts";
import type { MeterTarget } from "../../../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../../../src/config/schema.ts";

const HOUR_MS = 3_600_000;
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
  return pollProfiles(from, {
    target: meter(),
    meterKey: 1,
    profiles,
    wanted: () => ({ type: "since", fromMs: 0 }) as const,
  });
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

function column(classId: number, logicalName: string): Data {
  const value: Data[] = [
    { type: "long-unsigned", value: classId },
    { type: "octet-string", value: logicalNameToOctets(logicalName) },
    { type: "integer", value: 2 },
    { type: "long-unsigned", value: 0 },
  ];
  return { type: "structure", value };
}

function stamp(instantMs: number): Data {
  return { type: "octet-string", value: encodeDateTime(dateTimeAt(instantMs, UTC)) };
}

function statusRow(time: Data, bits: number): Data {
  return { type: "structure", value: [time, { type: "unsigned", value: bits }] };
}

/** A profile of the meter with one register, as `name`; its scaler can be changed. */
function profileSource(name: string, asked: string[], scaler: () => number): AttributeSource {
  const nowMs = Date.now();
  const ends = [nowMs - 40 * 24 * HOUR_MS, nowMs - 10 * 24 * HOUR_MS, nowMs];
  const get = async ({ attribute }: AttributeReference): Promise<DataResult> => {
    const logicalName = logicalNameFromOctets(attribute.logicalName);
    asked.push(`${logicalName}/${attribute.attributeId}`);
    if (logicalName === "0.0.1.0.0.255") return { type: "data", data: stamp(Date.now()) };
    if (logicalName === "1.0.1.8.0.255") {
      const value: Data[] = [
        { type: "integer", value: scaler() },
        { type: "enum", value: 30 },
      ];
      return { type: "data", data: { type: "structure", value } };
    }
    if (logicalName !== name) return { type: "data-access-result", dataAccessResult: "object-undefined" };
    switch (attribute.attributeId) {
      case 2: {
        const rows = ends.map((end, index): Data => {
          return { type: "structure", value: [stamp(end), { type: "double-long-unsigned", value: 100 + index }] };
        });
        return { type: "data", data: { type: "array", value: rows } };
      }
      case 3:
        return {
          type: "data",
          data: { type: "array", value: [column(8, "0.0.1.0.0.255"), column(3, "1.0.1.8.0.255")] },
        };
      default:
        return { type: "data", data: { type: "double-long-unsigned", value: 0 } };
    }
  };
  return { get, getList: (references) => Promise.all(references.map(get)) };
}

test("meter poll: a billing profile under the name of another edition is found, and remembered", async () => {
  const asked: string[] = [];
  const target = { ...meter(), companion: "dsmr" as const };
  const order = {
    target,
    meterKey: 1,
    profiles: ["billing"] as const,
    wanted: () => ({ type: "since", fromMs: 0 }) as const,
  };
  const from = profileSource("1.0.98.1.0.255", asked, () => 0);
  expect((await pollProfiles(from, order)).batches).toMatchObject([{ profile: "billing" }]);
  expect(asked).toContain("0.0.98.1.0.255/3");
  asked.length = 0;
  await pollProfiles(from, order);
  expect(asked).toEqual(["1.0.98.1.0.255/2"]);
});

test("meter poll: the running period is no billing row", async () => {
  const target = { ...meter(), companion: "dsmr" as const };
  const order = {
    target,
    meterKey: 1,
    profiles: ["billing"] as const,
    wanted: () => ({ type: "since", fromMs: 0 }) as const,
  };
  const result = await pollProfiles(
    profileSource("0.0.98.1.0.255", [], () => 0),
    order,
  );
  expect(result.batches.map(({ rowCount }) => rowCount)).toEqual([2]);
  expect(result.setAside).toEqual([]);
});

test("meter poll: capture objects and scalers are read again after a day", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    let scaler = 0;
    const asked: string[] = [];
    const target = { ...meter(), companion: "dsmr" as const };
    const order = {
      target,
      meterKey: 1,
      profiles: ["billing"] as const,
      wanted: () => ({ type: "since", fromMs: 0 }) as const,
    };
    const from = profileSource("0.0.98.1.0.255", asked, () => scaler);
    const before = await pollProfiles(from, order);
    scaler = 3;
    vi.setSystemTime(Date.now() + 23 * HOUR_MS);
    const same = await pollProfiles(from, order);
    vi.setSystemTime(Date.now() + 2 * HOUR_MS);
    const after = await pollProfiles(from, order);
    const fingerprints = [before, same, after].map(({ batches }) => batches[0]?.layoutFingerprint);
    expect(fingerprints[1]).toBe(fingerprints[0]);
    expect(fingerprints[2]).not.toBe(fingerprints[0]);
  } finally {
    vi.useRealTimers();
  }
});

const everSince = () => ({ type: "since", fromMs: 0 }) as const;

/** The billing profile of the meter, polled at a moment of its own. */
function billing(from: AttributeSource, target: MeterTarget, atMs: number) {
  const profiles = ["billing", "instant"] as const;
  return pollProfiles(from, { target, meterKey: 1, profiles, wanted: everSince, nowMs: () => atMs });
}

function ofBilling({ batches }: PollResult) {
  return batches.filter(({ profile }) => profile === "billing");
}

/** Answers otherwise where `answer` says so. */
function changed(
  from: AttributeSource,
  answer: (logicalName: string, attributeId: number) => DataResult | undefined,
): AttributeSource {
  const get = ({ attribute, access }: AttributeReference) => {
    const other = answer(logicalNameFromOctets(attribute.logicalName), attribute.attributeId);
    return other === undefined ? from.get({ attribute, access }) : Promise.resolve(other);
  };
  return { get, getList: (references) => Promise.all(references.map(get)) };
}

test("meter poll: rows wait in the meter while a scaler is not to be had, but not for ever", async () => {
  const refusal = { type: "data-access-result", dataAccessResult: "temporary-failure" } as const;
  let refusals = 1;
  const from = changed(
    profileSource("0.0.98.1.0.255", [], () => 3),
    (name, attributeId) => (name === "1.0.1.8.0.255" && attributeId === 3 && refusals-- > 0 ? refusal : undefined),
  );
  const target = { ...meter(), companion: "dsmr" as const };
  const atMs = Date.now();
  const first = await billing(from, target, atMs);
  expect(first.refused.map(({ profile }) => profile)).toContain("billing");
  expect(target.layouts.has("billing")).toBe(false);
  const second = await billing(from, target, atMs);
  expect(ofBilling(second)).toMatchObject([{ rowCount: 2, others: [] }]);
  // One that never tells it gives numbers as they are.
  const mute = { ...meter(), companion: "dsmr" as const };
  refusals = Number.POSITIVE_INFINITY;
  const visits = [];
  for (let visit = 0; visit < 5; visit++) visits.push(await billing(from, mute, atMs).then(ofBilling, () => []));
  expect(visits.map(({ length }) => length)).toEqual([0, 0, 0, 1, 1]);
});

test.each(["1.0.0.2.0.255", "0.0.96.1.0.255", "1.0.1.8.0.255"])(
  "meter poll: when %s tells another thing, layouts are read again before rows",
  async (name) => {
    let scaler = 0;
    let says = "before";
    const asked: string[] = [];
    const from = changed(
      profileSource("0.0.98.1.0.255", asked, () => scaler),
      (each, attributeId) =>
        each === name && attributeId === 2 && name !== "1.0.1.8.0.255"
          ? { type: "data", data: { type: "octet-string", value: new TextEncoder().encode(says) } }
          : undefined,
    );
    const target = { ...meter(), companion: "dsmr" as const };
    const atMs = Date.now();
    const before = await billing(from, target, atMs);
    const between = await billing(from, target, atMs + HOUR_MS);
    says = "after";
    scaler = 3;
    asked.length = 0;
    const after = await billing(from, target, atMs + 2 * HOUR_MS);
    const fingerprints = [before, between, after].map((visit) => ofBilling(visit)[0]?.layoutFingerprint);
    expect(fingerprints[1]).toBe(fingerprints[0]);
    expect(fingerprints[2]).not.toBe(fingerprints[0]);
    expect(asked.indexOf("0.0.98.1.0.255/3")).toBeLessThan(asked.indexOf("0.0.98.1.0.255/2"));
  },
);

/** A load profile of eight rows by the quarter of an hour, of which one says another thing than the layout. */
function misfittingProfile(asked: string[]): AttributeSource {
  const get = async ({ attribute }: AttributeReference): Promise<DataResult> => {
    const name = logicalNameFromOctets(attribute.logicalName);
    if (name !== "1.0.99.1.0.255") return source(() => REFUSED).get({ attribute });
    asked.push(`${attribute.attributeId}`);
    const row = (index: number): Data => {
      const energy: Data = { type: "double-long-unsigned", value: index };
      const cells: Data[] = index === 3 ? [energy] : [stamp(QUARTERS_MS + index * QUARTER_MS), energy];
      return { type: "structure", value: cells };
    };
    const columns = [column(8, "0.0.1.0.0.255"), column(1, "0.0.96.50.0.255")];
    const values: Readonly<Record<number, Data>> = {
      2: { type: "array", value: Array.from({ length: 8 }, (_, index) => row(index)) },
      3: { type: "array", value: columns },
      4: { type: "double-long-unsigned", value: QUARTER_MS / 1000 },
    };
    const data = values[attribute.attributeId];
    return data === undefined ? REFUSED : { type: "data", data };
  };
  return { get, getList: (references) => Promise.all(references.map(get)) };
}

const REFUSED = { type: "data-access-result", dataAccessResult: "object-undefined" } as const;
const QUARTER_MS = HOUR_MS / 4;
const QUARTERS_MS = Date.UTC(2026, 3, 1);

test("meter poll: a row that misfits is read again once, then its slot counts as set aside", async () => {
  const asked: string[] = [];
  const from = misfittingProfile(asked);
  const target = meter();
  const nowMs = () => QUARTERS_MS + 8 * QUARTER_MS;
  const visit = () => pollProfiles(from, { target, meterKey: 1, profiles: ["block_load"], wanted: everSince, nowMs });
  const first = await visit();
  expect(first.setAside).toHaveLength(1);
  expect(first.batches).toMatchObject([{ rowCount: 7 }]);
  expect(first.batches[0]?.asideMs).toBeUndefined();
  // The list of capture objects may be another by now.
  asked.length = 0;
  const second = await visit();
  expect(asked).toContain("3");
  expect(second.batches).toMatchObject([{ rowCount: 7, asideMs: [QUARTERS_MS + 3 * QUARTER_MS] }]);
  asked.length = 0;
  await visit();
  expect(asked).toEqual(["2"]);
});

test("clock breaks: the status of a European row says where its clock can't be reckoned", () => {
  const status = { classId: 1, logicalName: "0.0.96.10.1.255", attributeId: 2, dataIndex: 0 };
  const clock = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const layout = profileLayout({ captureObjects: [clock, status], capturePeriodS: 900 });
  const clockBreaks = clockBreaksOf(layout, "idis");
  expect(clockBreaks).toEqual({ captureObject: "1:0.0.96.10.1.255:2", mask: 0xa2 });
  expect(clockBreaksOf(layout, "is15959")).toBeUndefined();
  if (clockBreaks === undefined) throw new Error("no status");
  const first = stamp(0);
  const left: Data = { type: "null-data" };
  const rows = {
    type: "array",
    value: [statusRow(first, 0), statusRow(left, 0), statusRow(left, 0x80), statusRow(left, 0)],
  } as const;
  const decoded = decodeProfileBuffer(rows, layout, { clock: { deviation: "standard", zone: UTC }, clockBreaks });
  expect([...(decoded.clock?.instantsMs ?? [])]).toEqual([0, 900_000, Number.NaN, Number.NaN]);
});

function refusing(dataAccessResult: "temporary-failure" | "object-undefined") {
  const get = async () => ({ type: "data-access-result", dataAccessResult }) as const;
  return { get, getList: async () => [await get()] };
}

test("layout: a scaler that is refused for now is not one that is missing", async () => {
  const register = { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 };
  await expect(readRegisterScalers(refusing("temporary-failure"), [register])).rejects.toThrow(AccessRefusedError);
  expect(await readRegisterScalers(refusing("object-undefined"), [register])).toEqual([]);
});

test("layout: a capture period of 0 stands for events, and for an hour only where that is known of the meter", async () => {
  const object = { type: "profile", logicalName: "1.0.99.1.0.255" } as const;
  const from = profileSource("1.0.99.1.0.255", [], () => 0);
  expect((await readLayout(from, object, new Set())).capturePeriod).toBeUndefined();
  expect((await readLayout(from, object, new Set(["zero-period-is-an-hour"]))).capturePeriod).toEqual({
    seconds: 3600,
  });
});
