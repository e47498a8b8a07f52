/** Short names: what either side does with requests and answers that are not as agreed. */
import { expect, test } from "vitest";
import type { ServiceOrder } from "../../../protocol/association/client/client-events.ts";
import { inShortNames } from "../../../protocol/association/client/short-name-orders.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import { encodeData } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { Writer } from "../../../protocol/bytes/writer.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, FixtureObjects, OPEN_RULE } from "./server-fixture.ts";
import { answered, associated, block, clock, named, names, scripted, TIME } from "./short-name-examples.ts";
import { octets, settingsOf } from "./variants.ts";

const OPEN = { rule: () => OPEN_RULE, settings: () => ({}) };

test("short names: what the association has not agreed on is refused before anything is sent", () => {
  const { pair } = associated(OPEN, { conformance: conformanceFromNumber(0x100000) });
  const refused = (order: ServiceOrder) => () => pair.client.command(order, 0);
  const access = { selector: 1, parameters: octets(1) };
  const variables = [{ variableName: 0x108 }];
  expect(refused({ type: "read", variables: [{ variableName: 0x108, access }] })).toThrow("parameterized-access");
  expect(refused({ type: "read", variables: [...variables, ...variables] })).toThrow("multiple-references");
  expect(refused({ type: "write", variables, values: [TIME] })).toThrow("service=write");
  expect(refused({ type: "get", attribute: clock })).toThrow("service=get");
  expect(refused({ type: "read", variables: [] })).toThrow("DATA_OUT_OF_RANGE");
  expect(pair.client.takeBytes()).toBeUndefined();
  expect(pair.ask({ type: "read", variables })).toEqual({ type: "read", results: [{ type: "data", data: TIME }] });
  expect(() => inShortNames({ type: "read", variables }, names)).toThrow("SERVICE_UNEXPECTED");
});

test("short names: a server without them refuses the context", () => {
  const rule = named(OPEN_RULE);
  const server = new AssociationServer({
    clientSap: 16,
    serverSap: 1,
    rule: () => rule,
    objects: new FixtureObjects(),
    randomOctets: (length) => new Uint8Array(length),
  });
  const pair = new ApduPair(settingsOf({ referencing: "short-name" }), server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({
    failure: { evidence: { diagnostic: { diagnostic: "application-context-name-not-supported" } } },
  });
});

test.each([
  ["one value alone", ["09 03 010203"]],
  ["two values, the second with its choice", ["09 03 010203", "00 09 03 010203"]],
] as const)("short names: blocks that lack count and first choice, %s, are read and told", (_name, values) => {
  const raw = fromHex(values.join(""));
  const pair = scripted([block(1, false, raw.subarray(0, 3)), block(2, true, raw.subarray(3))]);
  pair.run({ type: "associate" });
  const variables = values.map((_, index) => ({ variableName: 0x108 + 8 * index }));
  const events = pair.run({ type: "read", variables });
  const data = { type: "data", data: { type: "octet-string", value: fromHex("010203") } };
  expect(events).toContainEqual({ type: "leniency", name: "read-results-headless" });
  expect(events.at(-1)).toEqual({ type: "response", response: { type: "read", results: values.map(() => data) } });
});

test("short names: an array in blocks is not taken for a list of results", () => {
  const writer = new Writer();
  encodeData({ type: "array", value: [{ type: "array", value: [{ type: "unsigned", value: 4 }] }] }, writer);
  const pair = scripted([block(1, true, writer.finish())]);
  pair.run({ type: "associate" });
  expect(pair.ask({ type: "read", variables: [{ variableName: 0x108 }] })).toMatchObject({
    results: [{ type: "data", data: { type: "array" } }],
  });
});

test("short names: an answer that does not come ends the association, so that it is never taken for the next", () => {
  const pair = scripted([""]);
  pair.run({ type: "associate" });
  expect(pair.run({ type: "read", variables: [{ variableName: 0x108 }] }).at(-1)).toMatchObject({
    type: "failed",
    failure: { stage: "request", evidence: { type: "silence" } },
  });
  expect(pair.client.state).toBe("idle");
});

test.each([
  ["more results than were asked for", "0c 02 00 00 00 00", "RESULT_COUNT_WRONG"],
  ["a block number where none was sent", "0c 01 03 0001", "SERVICE_UNEXPECTED"],
  ["blocks out of order", block(2, false, Uint8Array.of(1)), "BLOCK_NUMBER_INVALID"],
  ["joined octets that are no results", block(1, true, Uint8Array.of(1, 9)), "APDU_UNKNOWN_TAG"],
] as const)("short names: %s fails the request", (_name, answer, code) => {
  const pair = scripted([answer]);
  pair.run({ type: "associate" });
  expect(pair.run({ type: "read", variables: [{ variableName: 0x108 }] }).at(-1)).toMatchObject({
    type: "failed",
    failure: { error: { code } },
  });
  expect(pair.client.state).toBe("associated");
});

test("short names: a server answers a refused list with one error, and it is spread", () => {
  const pair = scripted(["0c 01 01 0d", "0d 01 01 0d"]);
  pair.run({ type: "associate" });
  const variables = [{ variableName: 0x108 }, { variableName: 0x110 }];
  const refusal = { type: "data-access-result", dataAccessResult: "scope-of-access-violated" };
  expect(pair.ask({ type: "read", variables })).toEqual({ type: "read", results: [refusal, refusal] });
  expect(pair.ask({ type: "write", variables, values: [TIME, TIME] })).toEqual({
    type: "write",
    results: ["scope-of-access-violated", "scope-of-access-violated"],
  });
});

test.each([
  ["an attribute", "05 01 02 0108", "0c0100090c07e9071703081e18ff014a00"],
  ["a name that nobody has", "05 01 02 0010", "0c010104"],
  ["an attribute that the object has not", "05 01 02 0120", "0c010104"],
  ["a block that nobody waits for", "05 01 05 0001", "0c010110"],
  ["a block in the middle of nothing", "06 01 07 00 0002 01 09 01 00", "0d010112"],
  ["a block of a write that is no octet-string", "06 01 07 00 0001 01 11 01", "0d01010c"],
  ["blocks whose joined octets are no request", "06 01 07 01 0001 01 09 02 ffff", "0d01010c"],
  ["blocks within blocks", "05 01 06 01 0001 06 01 06 01 0001 00", "0c010104"],
  ["a write with fewer values than names", "06 02 02 0108 02 0108 01 00", "0d02010c01fa"],
] as const)("short-name server: %s", (_name, request, answer) => {
  const made = associated(OPEN);
  expect(answered(made, request)).toBe(answer);
});

test("short-name server: an unconfirmed write is carried out and not answered", () => {
  const made = associated(OPEN);
  expect(answered(made, "16 01 02 0108 01 09 0c 07e8 01 01 01 000000 ff 8000 00")).toBeUndefined();
  expect(made.objects.values.get(FixtureObjects.key(8, CLOCK, 2))).toEqual({
    type: "octet-string",
    value: fromHex("07e8010101000000ff800000"),
  });
});

test("short names: an unconfirmed write needs its own bit, and is carried out", () => {
  const order = { type: "write", variables: [{ variableName: 0x0108 }], values: [TIME] } as const;
  const without = associated(OPEN, { conformance: conformanceFromNumber(0x180000) });
  expect(() => without.pair.client.command({ type: "sendUnconfirmed", order }, 0)).toThrow("service=unconfirmed-write");
  const { pair, objects } = associated(OPEN);
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), octets(12));
  expect(pair.run({ type: "sendUnconfirmed", order })).toEqual([{ type: "sent" }]);
  expect(objects.values.get(FixtureObjects.key(8, CLOCK, 2))).toEqual(TIME);
});

test("short-name server: every truncation of a request is refused, and the association goes on", () => {
  const made = associated(OPEN);
  const request = fromHex("05 02 02 0108 04 0208 02 09 03 010203");
  for (let length = 1; length < request.length; length++) {
    expect(answered(made, toHex(request.subarray(0, length)))).toBe("d80203");
  }
  expect(answered(made, "05 01 02 0108")).toBeDefined();
});

test("short names: truncated answers are the peer's fault", () => {
  const whole = fromHex("0c 02 00 09 03 010203 01 04");
  for (let length = 1; length < whole.length; length++) {
    const pair = scripted([toHex(whole.subarray(0, length))]);
    pair.run({ type: "associate" });
    const last = pair.run({ type: "read", variables: [{ variableName: 0x108 }, { variableName: 0x110 }] }).at(-1);
    if (last?.type !== "failed") throw new Error("no failure");
    expect(last.failure.error).toBeInstanceOf(DlmsError);
    expect(last.failure.error.fault).toBe("peer");
  }
});
