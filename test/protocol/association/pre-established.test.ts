/** Associations that are there without being asked for. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../../protocol/association/server/server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ShortNames } from "../../../protocol/cosem/short-names.ts";
import { ApduPair } from "./pair.ts";
import {
  CLIENT_TITLE,
  CLOCK,
  clientProtection,
  FixtureObjects,
  OPEN_RULE,
  SERVER_CHALLENGE,
  serverProtection,
} from "./server-fixture.ts";
import { settingsOf } from "./variants.ts";

const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };
const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const names = new ShortNames([{ baseName: 0x0100, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" }]);
const CONFORMANCE = conformanceFromNumber(0x407e1f);
const SN_CONFORMANCE = conformanceFromNumber(0x1c1b20);

function made(rule: Partial<AssociationRule>, settings: Partial<ClientSettings> = {}): ApduPair {
  const whole: AssociationRule = { ...OPEN_RULE, conformance: CONFORMANCE, preEstablished: {}, ...rule };
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), TIME);
  const server = new AssociationServer({
    clientSap: 16,
    serverSap: 1,
    rule: () => whole,
    objects,
    shortNames: names,
    randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
  });
  const { conformance } = whole;
  return new ApduPair(settingsOf({ preEstablished: true, conformance, release: "none", ...settings }), server);
}

function ciphered(context: "logical-name-with-ciphering" | "short-name-with-ciphering"): Partial<AssociationRule> {
  const protection = serverProtection({ minimum: { received: "authenticated-encrypted" } });
  return {
    applicationContexts: [context],
    clientSystemTitle: CLIENT_TITLE,
    security: { protection, lowestCounter: 1, response: "authenticated-encrypted" },
  };
}

const CIPHERED: Partial<ClientSettings> = {
  protection: clientProtection(),
  ciphering: { request: "authenticated-encrypted" },
};

test("pre-established: the first word is a request, and it is answered", () => {
  const pair = made({});
  expect(pair.run({ type: "associate" })).toMatchObject([{ type: "associated" }]);
  expect(pair.requests).toEqual([]);
  expect(pair.ask({ type: "get", attribute: clock })).toEqual({ type: "get", result: { type: "data", data: TIME } });
  expect(pair.requests).toHaveLength(1);
  expect(pair.run({ type: "release" })).toEqual([{ type: "released", answer: "notAsked" }]);
  expect(pair.requests).toHaveLength(1);
});

test("pre-established: requests are protected with the keys that both sides hold", () => {
  const pair = made(ciphered("logical-name-with-ciphering"), CIPHERED);
  pair.run({ type: "associate" });
  expect(pair.ask({ type: "get", attribute: clock })).toMatchObject({ result: { data: TIME } });
  expect(pair.requests[0]?.[0]).toBe(0xc8);
  // A request in the clear is refused by the policy.
  pair.server.receive(fromHex("c001c100080000010000ff0200"), 0);
  expect(toHex(pair.server.takeBytes() ?? new Uint8Array(0))).toBe("d80101");
});

test("pre-established: short names, protected", () => {
  const rule = { ...ciphered("short-name-with-ciphering"), conformance: SN_CONFORMANCE };
  const settings = { ...CIPHERED, protection: clientProtection(), referencing: "short-name" } as const;
  const pair = made(rule, settings);
  pair.run({ type: "associate" });
  expect(pair.ask({ type: "read", variables: [{ variableName: 0x0108 }] })).toEqual({
    type: "read",
    results: [{ type: "data", data: TIME }],
  });
  expect(pair.requests[0]?.[0]).toBe(0x25);
});

test("pre-established: the server pushes before anybody has spoken", () => {
  const pair = made({});
  pair.run({ type: "associate" });
  const server = pair.server as AssociationServer;
  server.command({ type: "notify", notification: { longInvokeIdAndPriority: 1, dateTime: undefined, body: TIME } }, 0);
  pair.client.receive(server.takeBytes() ?? new Uint8Array(0), 0);
  expect(pair.client.takeEvent()).toMatchObject({ type: "notification", notification: { body: { body: TIME } } });
});

test("pre-established: the end of the link changes nothing for the next request", () => {
  const pair = made({});
  pair.run({ type: "associate" });
  pair.ask({ type: "get", attribute: clock });
  (pair.server as AssociationServer).command({ type: "abort" }, 0);
  expect(pair.ask({ type: "get", attribute: clock })).toMatchObject({ result: { data: TIME } });
});

test("pre-established: an AARQ is judged all the same", () => {
  const pair = made({}, { preEstablished: false });
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  expect(pair.ask({ type: "get", attribute: clock })).toMatchObject({ result: { data: TIME } });
});

test("pre-established: without the rule a request gets no further than an exception", () => {
  const { preEstablished: _, ...rule } = { ...OPEN_RULE, conformance: CONFORMANCE, preEstablished: {} };
  const server = new AssociationServer({
    clientSap: 16,
    serverSap: 1,
    rule: () => rule,
    objects: new FixtureObjects(),
    randomOctets: (length) => new Uint8Array(length),
  });
  server.receive(fromHex("c001c100080000010000ff0200"), 0);
  expect(toHex(server.takeBytes() ?? new Uint8Array(0))).toBe("d80101");
});
