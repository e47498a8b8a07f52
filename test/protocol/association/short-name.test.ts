/** Short names between our client and our server: Read and Write in every form, and orders by logical name put into them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { ServiceOrder, ServiceResponse } from "../../../protocol/association/client/client-events.ts";
import { ClientOpening } from "../../../protocol/association/client/client-opening.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { inShortNames } from "../../../protocol/association/client/short-name-orders.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import { type Data, encodeData } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { Writer } from "../../../protocol/bytes/writer.ts";
import { ShortNames } from "../../../protocol/cosem/short-names.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, FixtureObjects, OPEN_RULE, SERVER_CHALLENGE } from "./server-fixture.ts";
import { LONG, octets, SECRET, settingsOf, VARIANTS, type Variant } from "./variants.ts";

/** Read, Write, UnconfirmedWrite, blocks both ways, lists, parameterised access. */
const SN_CONFORMANCE = conformanceFromNumber(0x1c1b20);
const PLAIN = "short-name";
const CIPHERED = "short-name-with-ciphering";
const DISCONNECT = fromHex("000060030aff");
const SECURITY = fromHex("00002b0000ff");

const names = new ShortNames([
  { baseName: 0x0100, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" },
  { baseName: 0x0200, classId: 1, version: 0, logicalName: "0.0.96.1.0.255" },
  { baseName: 0x0300, classId: 70, version: 0, logicalName: "0.0.96.3.10.255" },
  { baseName: 0x0400, classId: 64, version: 1, logicalName: "0.0.43.0.0.255" },
]);

function named(rule: AssociationRule): AssociationRule {
  const ciphered = rule.applicationContexts.includes("logical-name-with-ciphering");
  return { ...rule, applicationContexts: [ciphered ? CIPHERED : PLAIN], conformance: SN_CONFORMANCE };
}

interface Served {
  readonly pair: ApduPair;
  readonly objects: FixtureObjects;
}

function served(rule: AssociationRule, settings: Partial<ClientSettings> = {}): Served {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), {
    type: "octet-string",
    value: fromHex("07E9071703081E18FF014A00"),
  });
  objects.values.set(FixtureObjects.key(1, LONG, 2), octets(3000));
  const server = new AssociationServer({
    clientSap: rule.clientSap,
    serverSap: 1,
    rule: () => rule,
    objects,
    shortNames: names,
    randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
  });
  return { pair: new ApduPair(settingsOf({ referencing: "short-name", ...settings }), server), objects };
}

function associated(
  { rule, settings }: Pick<Variant, "rule" | "settings">,
  over: Partial<AssociationRule> = {},
): Served {
  const made = served({ ...named(rule()), ...over }, settings());
  expect(made.pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  return made;
}

const OPEN = { rule: () => OPEN_RULE, settings: () => ({}) };

/** Asks by logical name what is asked by short names. */
function ask(pair: ApduPair, order: ServiceOrder): ServiceResponse {
  const { orders, responseOf } = inShortNames(order, names);
  return responseOf(orders.map((each) => pair.ask(each)));
}

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const long = { classId: 1, logicalName: LONG, attributeId: 2 };
const unknown = { classId: 3, logicalName: LONG, attributeId: 2 };
const disconnect = { classId: 70, logicalName: DISCONNECT, methodId: 1 };
const certificateRequest = { classId: 64, logicalName: SECURITY, methodId: 5 };
const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };

test.each(VARIANTS)("short names, $name: associate, get, set, act by logical name, release", (variant) => {
  const { pair, objects } = associated(variant);
  expect(ask(pair, { type: "get", attribute: clock })).toEqual({ type: "get", result: { type: "data", data: TIME } });
  expect(ask(pair, { type: "get", attribute: long })).toEqual({
    type: "get",
    result: { type: "data", data: octets(3000) },
  });
  expect(
    ask(pair, { type: "getList", attributes: [{ attribute: unknown }, { attribute: long }, { attribute: clock }] }),
  ).toEqual({
    type: "getList",
    results: [
      { type: "data-access-result", dataAccessResult: "object-undefined" },
      { type: "data", data: octets(3000) },
      { type: "data", data: TIME },
    ],
  });
  const access = { selector: 2, parameters: octets(700) };
  expect(ask(pair, { type: "get", attribute: long, access })).toEqual({
    type: "get",
    result: { type: "data", data: octets(700) },
  });
  expect(ask(pair, { type: "set", attribute: long, value: octets(2500) })).toEqual({ type: "set", result: "success" });
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(octets(2500));
  expect(
    ask(pair, {
      type: "setList",
      attributes: [{ attribute: unknown }, { attribute: long }, { attribute: clock }],
      values: [octets(1), { type: "null-data" }, TIME],
    }),
  ).toEqual({ type: "setList", results: ["object-undefined", "type-unmatched", "success"] });
  expect(ask(pair, { type: "action", method: disconnect })).toEqual({ type: "action", outcome: { result: "success" } });
  expect(ask(pair, { type: "action", method: certificateRequest, parameters: octets(900) })).toEqual({
    type: "action",
    outcome: { result: "success", returnParameters: { type: "data", data: octets(900) } },
  });
  expect(
    ask(pair, {
      type: "actionList",
      methods: [{ ...disconnect, classId: 71 }, certificateRequest, disconnect],
      parameters: [{ type: "null-data" }, octets(3), { type: "integer", value: 0 }],
    }),
  ).toMatchObject({
    outcomes: [{ result: "object-undefined" }, { returnParameters: { data: octets(3) } }, { result: "success" }],
  });
  expect(pair.run({ type: "release" })).toEqual([{ type: "released", answer: "rlre" }]);
});

test("short names: the AARE grants what was proposed and names the association object", () => {
  const { pair } = served(named(OPEN_RULE));
  const answers: string[] = [];
  const { server } = pair;
  const take = server.takeBytes.bind(server);
  server.takeBytes = () => {
    const bytes = take();
    if (bytes !== undefined) answers.push(toHex(bytes));
    return bytes;
  };
  pair.run({ type: "associate" });
  // Context name 2, conformance 1C1B20, server-max-receive-pdu-size 1024, vaa-name FA00.
  expect(answers).toEqual(["6129a109060760857405080102a203020100a305a103020100be10040e0800065f1f04001c1b200400fa00"]);
  expect(toHex(pair.requests[0] ?? new Uint8Array(0))).toBe(
    "601da109060760857405080102be10040e01000000065f1f04001c1b200100",
  );
});

test("short names: the reply to the challenge is read from FA58 with the reply as parameter", () => {
  const variant = VARIANTS.find(({ name }) => name === "hls-md5");
  if (variant === undefined) throw new Error("no such variant");
  const { pair } = associated(variant);
  const reply = decodeApdu(pair.requests[1] ?? new Uint8Array(0));
  expect(reply).toMatchObject({
    apdu: "read-request",
    body: { variables: [{ type: "parameterized-access", variableName: 0xfa58, parameter: { type: "octet-string" } }] },
  });
});

const HLS_MD5: Partial<ClientSettings> = { authentication: { mechanism: "hls-md5", secret: SECRET } };
// AARE with challenge 16 octets 2D47…: GuruxDLMS Java server, 2026-11-21, conformance as here.
const CHALLENGED =
  "614aa109060760857405080102a203020100a305a10302010e88020780890760857405080203aa1280102d47744a15152f1b53356e0515154e71be10040e0800065f1f04001c1b200400fa00";

function proof(): string {
  const hash = createHash("md5").update("K56iVagYK56iVagY").update("sixteen octets!!");
  return hash.digest("hex");
}

test("short names: where the reply can't be read it is written, and both answers in one are taken", () => {
  // As the Gurux Java server does it: D8 to the reading, ReadResponse and WriteResponse in one APDU to the writing.
  const pair = scripted(["d80202", `0c01000910${proof()}0d0100`], CHALLENGED, HLS_MD5);
  const events = pair.run({ type: "associate" });
  expect(decodeApdu(pair.requests[2] ?? new Uint8Array(0))).toMatchObject({
    apdu: "write-request",
    body: { variables: [{ type: "variable-name", variableName: 0xfa58 }], values: [{ type: "octet-string" }] },
  });
  expect(events.filter(({ type }) => type === "leniency")).toEqual([
    { type: "leniency", name: "hls-reply-by-write" },
    { type: "leniency", name: "trailing-octets" },
  ]);
  expect(events.at(-1)).toMatchObject({ type: "associated" });
});

test.each([
  ["refused twice", ["d80202", "d80202"], "SERVICE_REFUSED"],
  ["refused because of the counter", ["d8010600000009"], "SERVICE_REFUSED"],
  ["written, and answered without proof", ["0e010302", "0d0100"], "HLS_REPLY_MISMATCH"],
  ["written and refused", ["d80202", "0d010103"], "ASSOCIATION_REFUSED"],
  ["read and refused", ["0c010103"], "ASSOCIATION_REFUSED"],
  ["answered with octets too many", [`0c01000910${"00".repeat(16)}0d0100`], "DATA_TRAILING"],
] as const)("short names: a reply that is %s fails the association", (_name, answers, code) => {
  const pair = scripted(answers, CHALLENGED, HLS_MD5);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({
    type: "failed",
    failure: { stage: "hls", error: { code } },
  });
  expect(pair.client.state).toBe("idle");
});

test("short-name server: a reply that is written is answered as if it had been read", () => {
  const variant = VARIANTS.find(({ name }) => name === "hls-md5");
  if (variant === undefined) throw new Error("no such variant");
  const made = served(named(variant.rule()), variant.settings());
  const answer = (request: Uint8Array) => {
    made.pair.server.receive(request, 0);
    return decodeApdu(made.pair.server.takeBytes() ?? new Uint8Array(0));
  };
  const { challenge, ...settings } = settingsOf({ referencing: "short-name", ...variant.settings() });
  const opening = new ClientOpening({ ...settings, challenge }, () => undefined);
  const aare = answer(encodeApdu(opening.aarq()));
  expect(opening.judge(aare).type).toBe("challenged");
  const reply = opening.otherReply();
  if (reply === undefined) throw new Error("no reply");
  const proof = answer(encodeApdu(reply));
  expect(proof.apdu).toBe("read-response");
  expect(opening.judge(proof)).toMatchObject({ type: "accepted", transition: "hlsConfirmed" });
});

test("short names: values of every length around the block boundaries pass both ways, in APDUs that fit", () => {
  const variants = VARIANTS.filter(({ name }) => ["none", "hls-gmac, ciphered, dedicated key"].includes(name));
  for (const { rule, settings } of variants) {
    for (const size of [64, 65, 127, 128, 129]) {
      const own = () => ({ ...settings(), maxReceivePduSize: size });
      const { pair, objects } = associated({ rule, settings: own }, { maxReceivePduSize: size });
      pair.requests.length = 0;
      for (let length = Math.max(1, size - 80); length <= 2 * size + 4; length += 5) {
        const value = octets(length);
        expect(ask(pair, { type: "set", attribute: long, value })).toEqual({ type: "set", result: "success" });
        expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(value);
        expect(ask(pair, { type: "get", attribute: long })).toMatchObject({ result: { data: value } });
        expect(ask(pair, { type: "action", method: certificateRequest, parameters: value })).toMatchObject({
          outcome: { returnParameters: { data: value } },
        });
      }
      expect(Math.max(...pair.requests.map((request) => request.length))).toBeLessThanOrEqual(size);
    }
  }
});

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

const ACCEPTED = "6129a109060760857405080102a203020100a305a103020100be10040e0800065f1f04001c1b200400fa00";

/** A server that answers each request with the next of some octets. */
function scripted(
  answers: readonly string[],
  aare: string = ACCEPTED,
  settings: Partial<ClientSettings> = {},
): ApduPair {
  const queue = [aare, ...answers];
  let answer: string | undefined;
  return new ApduPair(settingsOf({ referencing: "short-name", ...settings }), {
    command: () => undefined,
    receive: () => {
      answer = queue.shift();
    },
    timeout: () => undefined,
    takeBytes: () => {
      const octets = answer === undefined || answer === "" ? undefined : fromHex(answer);
      answer = undefined;
      return octets;
    },
    takeEvent: () => undefined,
    deadlineMs: () => undefined,
  });
}

function block(number: number, last: boolean, raw: Uint8Array): string {
  const results = [{ type: "data-block-result", lastBlock: last, blockNumber: number, rawData: raw }] as const;
  return toHex(encodeApdu({ apdu: "read-response", body: { results } }));
}

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

/** What the server answers to octets within an association. */
function answered(made: Served, request: string): string | undefined {
  made.pair.server.receive(fromHex(request), 0);
  const answer = made.pair.server.takeBytes();
  return answer && toHex(answer);
}

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
