import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { connectMeter } from "../../../../src/collect/session/meter-access.ts";
import { MeterLine } from "../../../../src/collect/session/meter-line.ts";
import { CLOCK, FixtureObjects, OPEN_RULE } from "../../../protocol/association/server-fixture.ts";
import {
  COUNTER,
  clock,
  hdlc,
  indianAccess,
  indianRule,
  meter,
  open,
  TestCounters,
  TIME,
  wrapper,
} from "./connected-meter.ts";

const counterValue = { attribute: { classId: 1, logicalName: COUNTER, attributeId: 2 } };

test("meter connection: associates, reads, writes, acts and leaves; requests given at once take turns", async () => {
  const each = meter({ 16: OPEN_RULE });
  const { line, connection } = await open(each);
  expect((await connection.associate()).serverMaxReceivePduSize).toBe(1024);
  const [first, second] = await Promise.all([connection.get(clock), connection.get(counterValue)]);
  expect(first).toEqual({ type: "data", data: TIME });
  expect(second).toEqual({ type: "data", data: { type: "double-long-unsigned", value: 1000 } });
  expect(await connection.set(counterValue, { type: "double-long-unsigned", value: 7 })).toBe("success");
  const method = { classId: 70, logicalName: CLOCK, methodId: 1 };
  expect(await connection.action(method, { type: "integer", value: 0 })).toMatchObject({ result: "success" });
  expect(await connection.readObjectList()).toEqual({
    type: "data-access-result",
    dataAccessResult: "object-undefined",
  });
  expect(await connection.release()).toBe("rlre");
  await connection.close();
  expect(line.open).toBe(true);
  await line.close();
  await new Promise(setImmediate);
  expect(each.far.closed).toBe(true);
});

test("meter connection: a profile is asked for whole, by entries and by range", async () => {
  const each = meter({ 16: OPEN_RULE });
  each.objects.values.set(FixtureObjects.key(7, CLOCK, 2), { type: "array", value: [] });
  const { line, connection } = await open(each);
  await connection.associate();
  expect(await connection.readProfile(CLOCK, { type: "whole" })).toEqual({
    type: "data",
    data: { type: "array", value: [] },
  });
  // The fixture answers selective access with its parameters.
  const entries = await connection.readProfile(CLOCK, { type: "entries", from: 1, to: 0 });
  expect(entries).toMatchObject({
    data: { type: "structure", value: [{ value: 1 }, { value: 0 }, { value: 1 }, { value: 0 }] },
  });
  const restrictingObject = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const octets = new Uint8Array(12);
  const range = await connection.readProfile(CLOCK, { type: "range", restrictingObject, from: octets, to: octets });
  expect(range).toMatchObject({ data: { type: "structure", value: [{}, { value: octets }, { value: octets }, {}] } });
  await line.close();
});

test.each([
  { what: "takes lists", conformance: 0x007e1f, most: 20, listLimit: 16, asked: [16, 4] },
  { what: "takes none", conformance: 0x007c1f, most: 20, listLimit: 16, asked: [] },
  { what: "takes lists of five", conformance: 0x007e1f, most: 5, listLimit: 4, asked: [16, 8, 4, 4, 8, 4, 4, 4] },
] as const)(
  "meter connection: a meter that $what is asked for many attributes",
  async ({ conformance, most, listLimit, asked }) => {
    const lists: number[] = [];
    const refuseLong = (octets: Uint8Array) => {
      const { apdu, body } = decodeApdu(octets);
      if (apdu !== "get-request" || body.type !== "with-list") return undefined;
      lists.push(body.attributes.length);
      if (body.attributes.length <= most) return undefined;
      const { invokeIdAndPriority } = body;
      const result = { type: "data-access-result", dataAccessResult: "scope-of-access-violated" } as const;
      return encodeApdu({ apdu: "get-response", body: { type: "normal", invokeIdAndPriority, result } });
    };
    const rule = { ...OPEN_RULE, conformance: conformanceFromNumber(conformance) };
    const { line, connection } = await open(meter({ 16: rule }, "wrapper", refuseLong));
    await connection.associate();
    const results = await connection.getList(Array.from({ length: 20 }, () => clock));
    expect(results).toEqual(Array.from({ length: 20 }, () => ({ type: "data", data: TIME })));
    expect(connection.listLimit).toBe(listLimit);
    expect(lists).toEqual(asked);
    await line.close();
  },
);

/** The answer to a list, cut off after its count. */
function garbledList(octets: Uint8Array): Uint8Array | undefined {
  const { apdu, body } = decodeApdu(octets);
  if (apdu !== "get-request" || body.type !== "with-list") return undefined;
  return Uint8Array.of(0xc4, 0x03, body.invokeIdAndPriority, body.attributes.length, 0x00);
}

test("meter connection: a meter whose answers to lists can't be decoded is asked one by one", async () => {
  const rule = { ...OPEN_RULE, conformance: conformanceFromNumber(0x007e1f) };
  const { line, connection } = await open(meter({ 16: rule }, "wrapper", garbledList));
  await connection.associate();
  const results = await connection.getList([clock, clock, clock]);
  expect(results).toEqual(Array.from({ length: 3 }, () => ({ type: "data", data: TIME })));
  expect(connection.listLimit).toBe(1);
  await line.close();
});

test.each(["wrapper", "hdlc"] as const)(
  "meter access over %s: the public client reads the counter, then the Indian utility client associates above it",
  async (link) => {
    const each = meter({ 16: OPEN_RULE, 48: indianRule() }, link);
    const counters = new TestCounters(5);
    const line = new MeterLine(each.near);
    const access = { ...indianAccess(counters, {}), link: link === "wrapper" ? wrapper : hdlc };
    const connection = await connectMeter(line, access);
    expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
    expect(counters.given[0]).toBe(1001);
    expect(each.log.filter((entry) => entry.startsWith("client"))).toEqual(["client 16", "client 48"]);
    await connection.close();
    await line.close();
  },
);
