/** ACCESS, services without an answer, and confirmed notifications, between our client and our server. */
import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { AccessItem } from "../../../protocol/association/client/access-order.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { confirmationOf } from "../../../protocol/association/notifications.ts";
import type { AssociationRule } from "../../../protocol/association/server/association-rule.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, clientProtection, FixtureObjects, OPEN_RULE, serverProtection } from "./server-fixture.ts";
import { LONG, octets, serve, settingsOf } from "./variants.ts";

/** As 007E1F, with ACCESS and data-notification. */
const CONFORMANCE = conformanceFromNumber(0x00fedf);
const RULE: AssociationRule = { ...OPEN_RULE, conformance: CONFORMANCE };

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const long = { classId: 1, logicalName: LONG, attributeId: 2 };
const unknown = { classId: 3, logicalName: LONG, attributeId: 2 };
const disconnect = { classId: 70, logicalName: LONG, methodId: 1 };
const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };

interface Made {
  readonly pair: ApduPair;
  readonly objects: FixtureObjects;
}

function associated(rule: AssociationRule = RULE, settings: Partial<ClientSettings> = {}): Made {
  const { objects, server } = serve(rule);
  const pair = new ApduPair(settingsOf({ conformance: CONFORMANCE, maxReceivePduSize: 1024, ...settings }), server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  pair.requests.length = 0;
  return { pair, objects };
}

const ITEMS: readonly AccessItem[] = [
  { type: "get", attribute: clock },
  { type: "get", attribute: unknown },
  { type: "get", attribute: long, access: { selector: 2, parameters: octets(5) } },
  { type: "set", attribute: long, value: octets(9) },
  { type: "set", attribute: long, value: TIME, access: { selector: 1, parameters: octets(1) } },
  { type: "action", method: disconnect, parameters: octets(3) },
  { type: "action", method: disconnect },
];

test("access: gets, sets and methods in one request, each with its result", () => {
  const { pair, objects } = associated();
  expect(pair.ask({ type: "access", items: ITEMS })).toEqual({
    type: "access",
    outcomes: [
      { type: "get", result: { type: "data", data: TIME } },
      { type: "get", result: { type: "data-access-result", dataAccessResult: "object-undefined" } },
      { type: "get", result: { type: "data", data: octets(5) } },
      { type: "set", result: "success" },
      { type: "set", result: "success" },
      { type: "action", outcome: { result: "success", returnParameters: { type: "data", data: octets(3) } } },
      { type: "action", outcome: { result: "success" } },
    ],
  });
  expect(pair.requests).toHaveLength(1);
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(TIME);
});

test("access: a ciphered association carries it in the general form", () => {
  const { pair } = associated(
    { ...RULE, applicationContexts: ["logical-name-with-ciphering"], security: { protection: serverProtection() } },
    { protection: clientProtection(), ciphering: { request: "authenticated-encrypted" } },
  );
  expect(pair.ask({ type: "access", items: ITEMS.slice(0, 1) })).toEqual({
    type: "access",
    outcomes: [{ type: "get", result: { type: "data", data: TIME } }],
  });
  expect(pair.requests[0]?.[0]).toBe(0xdb);
});

test("access: after a failure the rest is left undone where the client wants that", () => {
  const { pair, objects } = associated();
  const items = ITEMS.slice(0, 4);
  expect(pair.ask({ type: "access", items, breakOnError: true })).toMatchObject({
    outcomes: [
      { result: { type: "data" } },
      { result: { dataAccessResult: "object-undefined" } },
      { result: { dataAccessResult: "other-reason" } },
      { result: "other-reason" },
    ],
  });
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(octets(3000));
});

test("access: an answer that is too long is refused, for the service has no blocks", () => {
  const { pair } = associated();
  expect(pair.run({ type: "access", items: [{ type: "get", attribute: long }] }).at(-1)).toMatchObject({
    failure: { evidence: { type: "exception", exception: { serviceError: "pdu-too-long" } } },
  });
});

test("access: what the association has not agreed on is refused before it is sent", () => {
  const { pair } = associated({ ...RULE, conformance: conformanceFromNumber(0x001e1b) });
  expect(() => pair.client.command({ type: "access", items: ITEMS }, 0)).toThrow("service=access");
  const half = associated({ ...RULE, conformance: conformanceFromNumber(0x005e5b) }).pair;
  expect(() => half.client.command({ type: "access", items: ITEMS }, 0)).toThrow("service=selective-access");
  expect(() => half.client.command({ type: "access", items: [] }, 0)).toThrow("DATA_OUT_OF_RANGE");
});

test("access: the octets are those of the standard", () => {
  // D9, long-invoke-id-and-priority, no date-time, one specification, one datum (IEC 62056-5-3, ACCESS service).
  const { pair } = associated();
  pair.ask({ type: "access", items: [{ type: "get", attribute: clock }] });
  expect(toHex(pair.requests[0] ?? new Uint8Array(0))).toBe("d9c000000100010100080000010000ff020100");
});

/** What the client makes of an answer to an ACCESS of two items. */
function answered(answer: string): unknown {
  const { pair } = associated();
  pair.server.takeBytes = () => undefined;
  pair.client.command({ type: "access", items: ITEMS.slice(0, 2) }, 0);
  pair.client.receive(fromHex(answer), 0);
  return pair.client.takeEvent();
}

test.each([
  ["fewer results than things", "da c0000001 00 00 02 00 00 01 01 00", "RESULT_COUNT_WRONG"],
  ["fewer data than things", "da c0000001 00 00 01 00 02 01 00 01 04", "RESULT_COUNT_WRONG"],
  ["the result of another kind", "da c0000001 00 00 02 00 00 02 01 00 02 00", "SERVICE_UNEXPECTED"],
  ["truncated octets", "da c0000001 00 00 02 00 00 02 01 00 01", "DATA_TRUNCATED"],
] as const)("access: %s fails the request", (_name, answer, code) => {
  expect(answered(answer)).toMatchObject({ type: "failed", failure: { error: { code } } });
});

test("access: an answer with the specifications repeated and a date-time is read", () => {
  const specifications = "02 01 0008 0000010000ff 02 01 0003 0000600100ff 02";
  expect(
    answered(`da c0000001 0c 07E9071703081E18FF014A00 01 ${specifications} 02 11 05 00 02 01 00 01 04`),
  ).toMatchObject({
    type: "response",
    response: {
      outcomes: [
        { result: { type: "data", data: { type: "unsigned", value: 5 } } },
        { result: { dataAccessResult: "object-undefined" } },
      ],
    },
  });
});

test("unconfirmed: a set, a method and an access are carried out, and nothing is awaited", () => {
  const { pair, objects } = associated();
  const send = (order: Parameters<typeof pair.run>[0]) => pair.run(order);
  expect(send({ type: "sendUnconfirmed", order: { type: "set", attribute: long, value: octets(4) } })).toEqual([
    { type: "sent" },
  ]);
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(octets(4));
  const invoked: unknown[] = [];
  objects.action = (_method, parameters) => {
    invoked.push(parameters);
    return { result: "success" };
  };
  send({ type: "sendUnconfirmed", order: { type: "action", method: disconnect, parameters: octets(2) } });
  send({ type: "sendUnconfirmed", order: { type: "access", items: [{ type: "action", method: disconnect }] } });
  expect(invoked).toEqual([octets(2), undefined]);
  expect(pair.client.state).toBe("associated");
  expect(pair.client.deadlineMs()).toBeUndefined();
  // Confirmed bit clear, invoke-ids counted on.
  expect(toHex(pair.requests[0]?.subarray(0, 3) ?? new Uint8Array(0))).toBe("c10181");
  expect(pair.ask({ type: "get", attribute: long })).toEqual({
    type: "get",
    result: { type: "data", data: octets(4) },
  });
});

test("unconfirmed: what does not fit into one APDU is refused before anything is sent", () => {
  const { pair } = associated();
  const order = { type: "set", attribute: long, value: octets(2000) } as const;
  expect(() => pair.client.command({ type: "sendUnconfirmed", order }, 0)).toThrow("PDU_TOO_LONG");
  expect(pair.client.takeBytes()).toBeUndefined();
  expect(pair.client.takeEvent()).toBeUndefined();
});

function notification(field: number) {
  return { longInvokeIdAndPriority: field, dateTime: undefined, body: TIME };
}

test("notifications: a confirmed one is confirmed with its own long-invoke-id, an unconfirmed one is not", () => {
  const confirmation = confirmationOf(notification(0xc000_0007));
  expect(confirmation && toHex(encodeApdu(confirmation))).toBe("10c000000700");
  expect(confirmationOf(notification(0x8000_0007))).toBeUndefined();
});

test("notifications: the client confirms when it is told to, in the middle of a request too", () => {
  const { pair } = associated();
  pair.client.command({ type: "get", attribute: clock }, 0);
  pair.client.command({ type: "confirmNotification", notification: notification(0x4000_0001) }, 0);
  expect(pair.client.takeBytes()?.[0]).toBe(0xc0);
  expect(toHex(pair.client.takeBytes() ?? new Uint8Array(0))).toBe("104000000100");
  expect(pair.client.state).toBe("requesting");
  pair.client.receive(fromHex("c401c10011 05"), 0);
  expect(pair.client.takeEvent()).toMatchObject({ type: "response" });
  // An unconfirmed one wants nothing.
  pair.client.command({ type: "confirmNotification", notification: notification(1) }, 0);
  expect(pair.client.takeBytes()).toBeUndefined();
});

test("notifications: a confirmation in a ciphered association is protected, and the server takes it", () => {
  const { pair } = associated(
    { ...RULE, applicationContexts: ["logical-name-with-ciphering"], security: { protection: serverProtection() } },
    { protection: clientProtection(), ciphering: { request: "authenticated-encrypted" } },
  );
  pair.client.command({ type: "confirmNotification", notification: notification(0x4000_0001) }, 0);
  const octetsSent = pair.client.takeBytes() ?? new Uint8Array(0);
  expect(decodeApdu(octetsSent).apdu).toBe("general-glo-ciphering");
  pair.server.receive(octetsSent, 0);
  expect(pair.server.takeBytes()).toBeUndefined();
});

test("notifications: without an association there is nobody to confirm to", () => {
  const { server } = serve(RULE);
  const { client } = new ApduPair(settingsOf(), server);
  const command = { type: "confirmNotification", notification: notification(0x4000_0001) } as const;
  expect(() => client.command(command, 0)).toThrow("SERVICE_UNEXPECTED");
});
