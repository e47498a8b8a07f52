/** Short names between our client and our server: Read and Write in every form, and orders by logical name put into them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { ServiceOrder, ServiceResponse } from "../../../protocol/association/client/client-events.ts";
import { ClientOpening } from "../../../protocol/association/client/client-opening.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { inShortNames } from "../../../protocol/association/client/short-name-orders.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import type { ApduPair } from "./pair.ts";
import { FixtureObjects, OPEN_RULE } from "./server-fixture.ts";
import { associated, clock, named, names, scripted, served, TIME } from "./short-name-examples.ts";
import { LONG, octets, SECRET, settingsOf, VARIANTS } from "./variants.ts";

const DISCONNECT = fromHex("000060030aff");
const SECURITY = fromHex("00002b0000ff");

/** Asks by logical name what is asked by short names. */
function ask(pair: ApduPair, order: ServiceOrder): ServiceResponse {
  const { orders, responseOf } = inShortNames(order, names);
  return responseOf(orders.map((each) => pair.ask(each)));
}

const long = { classId: 1, logicalName: LONG, attributeId: 2 };
const unknown = { classId: 3, logicalName: LONG, attributeId: 2 };
const disconnect = { classId: 70, logicalName: DISCONNECT, methodId: 1 };
const certificateRequest = { classId: 64, logicalName: SECURITY, methodId: 5 };

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
