import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Apdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { dataFromBytes, dataToBytes } from "../../../../protocol/axdr/data.ts";
import { type Aarq, AUTHENTICATION_REQUIREMENT } from "../../../../protocol/ber/association.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { drawPrivateKey } from "../../../../protocol/security/elliptic-key.ts";
import { hlsReply, hlsVerify } from "../../../../protocol/security/hls.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import {
  ascii,
  CLIENT_TITLE,
  CLOCK,
  clientProtection,
  counter,
  FixtureObjects,
  KEYS,
  OPEN_RULE,
  SERVER_CHALLENGE,
  SERVER_TITLE,
  Served,
  serverProtection,
} from "../server-fixture.ts";

/** LN, no ciphering, no security (public example, conformance 007E1F, PDU size 1200). */
const AARQ_OPEN = "601DA109060760857405080101BE10040E01000000065F1F040000 7E1F04B0";
const AARQ_LLS =
  "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0";
const GET_CLOCK = "C001C100080000010000FF0200";

const LLS_RULE: AssociationRule = {
  ...OPEN_RULE,
  mechanism: "lls",
  secret: new SecretKey("hlsSecret", ascii("12345678")),
};

function aarq(overrides: Partial<Aarq>, conformance = 0x007e1f, clientMaxReceivePduSize = 1200): Apdu {
  const initiate = encodeApdu({
    apdu: "initiate-request",
    body: {
      responseAllowed: true,
      proposedDlmsVersion: 6,
      proposedConformance: conformanceFromNumber(conformance),
      clientMaxReceivePduSize,
    },
  });
  return { apdu: "aarq", body: { applicationContextName: "logical-name", userInformation: initiate, ...overrides } };
}

function withMechanism(mechanismName: Aarq["mechanismName"], value: Uint8Array): Partial<Aarq> {
  return {
    senderAcseRequirements: AUTHENTICATION_REQUIREMENT,
    ...(mechanismName && { mechanismName }),
    callingAuthenticationValue: { type: "charstring", value },
  };
}

function diagnosticOf(answer: Apdu | undefined): string {
  if (answer?.apdu !== "aare") throw new Error(`no AARE but ${answer?.apdu}`);
  return `${answer.body.result} ${answer.body.resultSourceDiagnostic.diagnostic}`;
}

function refusalOf(request: Apdu): string | undefined {
  const answer = new Served(OPEN_RULE).apdu(request);
  return answer?.apdu === "aare" && answer.body.userInformation ? toHex(answer.body.userInformation) : undefined;
}

function passThree(value: Uint8Array): Apdu {
  const method = { classId: 15, logicalName: fromHex("0000280000ff"), methodId: 1 };
  const parameters = { type: "octet-string", value } as const;
  return { apdu: "action-request", body: { type: "normal", invokeIdAndPriority: 0xc1, method, parameters } };
}

test("server: opens an association without security and answers a read, octet for octet", () => {
  const server = new Served(OPEN_RULE);
  expect(server.hex(AARQ_OPEN)).toBe(
    "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400007e1f04000007",
  );
  expect(server.events().map((event) => event.type)).toEqual(["associated"]);
  expect(server.hex(GET_CLOCK)).toBe(`c401c100090c${"00".repeat(12)}`);
  expect(server.hex("C001C100080000010001FF0200")).toBe("c401c10104");
});

test("server: serves nothing before an association", () => {
  const server = new Served(OPEN_RULE);
  expect(server.hex(GET_CLOCK)).toBe("d80101");
  expect(server.events()).toEqual([expect.objectContaining({ type: "fault" })]);
});

test("server: negotiates the intersection of both conformance blocks", () => {
  const server = new Served({ ...OPEN_RULE, conformance: conformanceFromNumber(0x000010) });
  server.octets(AARQ_OPEN);
  expect(server.events()).toMatchObject([{ association: { conformance: new Set(["get"]), maxSendPduSize: 1200 } }]);
  expect(server.hex("C101C100080000010000FF020009 0C 07E90101FF00000000000000".replaceAll(" ", ""))).toBe("d80102");
});

test("server: opens with the right password and names a wrong one", () => {
  expect(diagnosticOf(new Served(LLS_RULE).apdu(AARQ_LLS))).toBe("accepted null");
  const wrong = AARQ_LLS.replace("3132333435363738", "3132333435363739");
  expect(diagnosticOf(new Served(LLS_RULE).apdu(wrong))).toBe("rejected-permanent authentication-failure");
});

test("server: names what is wrong with an AARQ", () => {
  const hls: AssociationRule = {
    ...OPEN_RULE,
    mechanism: "hls",
    secret: new SecretKey("hlsSecret", ascii("w".repeat(16))),
  };
  const ciphered: AssociationRule = {
    ...OPEN_RULE,
    applicationContexts: ["logical-name-with-ciphering"],
    security: { protection: serverProtection() },
  };
  const cases: [AssociationRule | undefined, Apdu, string][] = [
    [undefined, aarq({}), "no-reason-given"],
    [OPEN_RULE, aarq({ applicationContextName: "short-name" }), "application-context-name-not-supported"],
    [
      OPEN_RULE,
      aarq({ applicationContextName: "logical-name-with-ciphering" }),
      "application-context-name-not-supported",
    ],
    [ciphered, aarq({}), "application-context-name-not-supported"],
    [LLS_RULE, aarq({}), "authentication-mechanism-name-required"],
    [LLS_RULE, aarq(withMechanism("hls", new Uint8Array(16))), "authentication-mechanism-name-not-recognised"],
    [OPEN_RULE, aarq(withMechanism("lls", ascii("12345678"))), "authentication-mechanism-name-not-recognised"],
    [hls, aarq(withMechanism("hls", new Uint8Array(7))), "authentication-failure"],
    [hls, aarq(withMechanism("hls", new Uint8Array(65))), "authentication-failure"],
    [ciphered, aarq({ applicationContextName: "logical-name-with-ciphering" }), "calling-ap-title-not-recognized"],
    [
      ciphered,
      aarq({ applicationContextName: "logical-name-with-ciphering", callingApTitle: SERVER_TITLE }),
      "calling-ap-title-not-recognized",
    ],
    [
      { ...ciphered, clientSystemTitle: SERVER_TITLE },
      aarq({ applicationContextName: "logical-name-with-ciphering", callingApTitle: CLIENT_TITLE }),
      "calling-ap-title-not-recognized",
    ],
  ];
  for (const [rule, request, diagnostic] of cases) {
    expect(diagnosticOf(new Served(rule).apdu(request))).toBe(`rejected-permanent ${diagnostic}`);
  }
});

test("server: refuses an initiate request with a service error that says why", () => {
  expect(refusalOf(aarq({}, 0x100000))).toBe("0e010602");
  expect(refusalOf(aarq({}, 0x007e1f, 12))).toBe("0e010603");
  expect(refusalOf(aarq({ userInformation: fromHex("01000000055F1F0400007E1F04B0") }))).toBe("0e010601");
  expect(refusalOf(aarq({ userInformation: fromHex("0100") }))).toBe("0e010600");
  expect(new Served(OPEN_RULE).apdu(aarq({}, 0x007e1f, 0))).toMatchObject({ body: { result: "accepted" } });
});

test("server: a new AARQ replaces the association, RLRQ ends it", () => {
  const server = new Served(OPEN_RULE);
  server.octets(AARQ_OPEN);
  server.octets(AARQ_OPEN);
  expect(server.events()).toMatchObject([{ type: "associated" }, { reason: "replaced" }, { type: "associated" }]);
  expect(server.hex("6203800100")).toBe("6303800100");
  expect(server.events()).toEqual([{ type: "ended", reason: "released" }]);
  expect(server.hex(GET_CLOCK)).toBe("d80101");
});

test("server: an idle association ends by itself", () => {
  const server = new Served(OPEN_RULE, 1000);
  expect(server.machine.deadlineMs()).toBeUndefined();
  server.nowMs = 5000;
  server.octets(AARQ_OPEN);
  expect(server.machine.deadlineMs()).toBe(6000);
  server.machine.timeout(5999);
  expect(server.machine.state).toBe("associated");
  server.machine.timeout(6000);
  expect(server.machine.state).toBe("idle");
});

const NO_BLOCKS = 0x007e1f & ~0x001c00;
const longValue: Data = { type: "octet-string", value: Uint8Array.from({ length: 3000 }, (_, index) => index % 251) };

function readInBlocks(server: Served, request: string): { raw: string; blocks: number[] } {
  let answer = server.apdu(request);
  const blocks: number[] = [];
  let raw = "";
  for (;;) {
    if (answer?.apdu !== "get-response" || answer.body.type !== "with-datablock") throw new Error("no block");
    const { block } = answer.body;
    if (block.result.type !== "raw-data") throw new Error(block.result.dataAccessResult);
    expect(encodeApdu(answer).length).toBeLessThanOrEqual(200);
    blocks.push(block.blockNumber);
    raw += toHex(block.result.rawData);
    if (block.lastBlock) return { raw, blocks };
    answer = server.apdu({
      apdu: "get-request",
      body: { type: "next", invokeIdAndPriority: 0xc1, blockNumber: block.blockNumber },
    });
  }
}

test("server: sends a long value in blocks that fit the client's PDU size", () => {
  const server = new Served(OPEN_RULE);
  server.objects.values.set(FixtureObjects.key(8, CLOCK, 2), longValue);
  server.apdu(aarq({}, 0x007e1f, 200));
  const { raw, blocks } = readInBlocks(server, GET_CLOCK);
  expect(raw).toBe(toHex(dataToBytes(longValue)));
  expect(blocks).toEqual(blocks.map((_, index) => index + 1));
  expect(server.hex("C002C1000000FF")).toBe("c402c101000000ff0110");
});

test("server: aborts a long get when a wrong block is asked for", () => {
  const server = new Served(OPEN_RULE);
  server.objects.values.set(FixtureObjects.key(8, CLOCK, 2), longValue);
  server.apdu(aarq({}, 0x007e1f, 200));
  server.octets(GET_CLOCK);
  expect(server.hex("C002C100000002")).toBe("c402c101000000020113");
  expect(server.hex("C002C100000001")).toBe("c402c101000000010110");
});

test("server: says other-reason for a long value when blocks were not agreed on", () => {
  const server = new Served(OPEN_RULE);
  server.objects.values.set(FixtureObjects.key(8, CLOCK, 2), longValue);
  server.apdu(aarq({}, NO_BLOCKS, 200));
  expect(server.hex(GET_CLOCK)).toBe("c401c101fa");
});

test("server: answers a list, in blocks when it is long", () => {
  const list = "C003C102 00080000010000FF0200 00080000010001FF0200".replaceAll(" ", "");
  const server = new Served(OPEN_RULE);
  server.apdu(aarq({}, 0x007e1f, 200));
  expect(server.hex(list)).toBe(`c403c10200090c${"00".repeat(12)}0104`);
  server.objects.values.set(FixtureObjects.key(8, CLOCK, 2), longValue);
  expect(readInBlocks(server, list).raw).toBe(`0200${toHex(dataToBytes(longValue))}0104`);
});

test("server: hands selective access to the objects, if it was agreed on", () => {
  const request = "C001C100080000010000FF02010211 05".replaceAll(" ", "");
  const server = new Served(OPEN_RULE);
  server.apdu(aarq({}));
  expect(server.hex(request)).toBe("c401c1001105");
  server.apdu(aarq({}, 0x007e1f & ~4));
  expect(server.hex(request)).toBe("c401c1010d");
});

test("server: writes a value, a list, and a value in blocks", () => {
  const server = new Served(OPEN_RULE);
  const key = FixtureObjects.key(8, CLOCK, 2);
  server.apdu(aarq({}));
  expect(server.hex("C101C100080000010000FF0200090101")).toBe("c501c100");
  expect(dataToBytes(server.objects.values.get(key) ?? { type: "null-data" })).toEqual(fromHex("090101"));
  expect(server.hex("C101C100080000010000FF02001101")).toBe("c501c10c");
  expect(server.hex("C104C10200080000010000FF020000080000010001FF020002090102090103")).toBe("c505c1020004");
  expect(server.hex("C102C100080000010000FF020000000000010209 08".replaceAll(" ", ""))).toBe("c502c100000001");
  expect(server.hex("C103C1010000000208 0102030405060708".replaceAll(" ", ""))).toBe("c503c10000000002");
  expect(dataToBytes(server.objects.values.get(key) ?? { type: "null-data" })).toEqual(fromHex("09080102030405060708"));
});

test("server: refuses blocks of a write that come out of turn", () => {
  const server = new Served(OPEN_RULE);
  server.apdu(aarq({}));
  expect(server.hex("C103C101000000020101")).toBe("c503c11200000002");
  server.octets("C102C100080000010000FF0200000000000101 09".replaceAll(" ", ""));
  expect(server.hex("C103C101000000030101")).toBe("c503c11300000003");
  expect(server.hex("C103C101000000020101")).toBe("c503c11200000002");
});

test("server: does not answer what is unconfirmed", () => {
  const server = new Served(OPEN_RULE);
  server.apdu(aarq({}));
  expect(server.hex("C1018100080000010000FF0200090107")).toBeUndefined();
  expect(server.objects.values.get(FixtureObjects.key(8, CLOCK, 2))).toMatchObject({ value: Uint8Array.of(7) });
});

test("server: carries out methods, with long parameters and long return values", () => {
  const server = new Served(OPEN_RULE);
  server.apdu(aarq({}, 0x007e1f, 200));
  expect(server.hex("C301C100460000 60030AFF 01 01 0F00".replaceAll(" ", ""))).toBe("c701c10001000f00");
  expect(server.hex("C303C102 004600006003 0AFF01 00460000 60030AFF02 02 0F00 00".replaceAll(" ", ""))).toBe(
    "c703c1020001000f000000",
  );
  const first = encodeApdu({
    apdu: "action-request",
    body: {
      type: "with-first-pblock",
      invokeIdAndPriority: 0xc1,
      method: { classId: 70, logicalName: fromHex("000060030aff"), methodId: 1 },
      block: { lastBlock: false, blockNumber: 1, rawData: dataToBytes(longValue).subarray(0, 700) },
    },
  });
  expect(server.hex(first)).toBe("c704c100000001");
  const second = { lastBlock: false, blockNumber: 2, rawData: dataToBytes(longValue).subarray(700, 1500) };
  const third = { lastBlock: true, blockNumber: 3, rawData: dataToBytes(longValue).subarray(1500) };
  const send = (block: typeof second) =>
    server.apdu({ apdu: "action-request", body: { type: "with-pblock", invokeIdAndPriority: 0xc1, block } });
  expect(send(second)).toMatchObject({ body: { type: "next-pblock", blockNumber: 2 } });
  // A single block of 1500 octets is longer than the server takes.
  expect(send(third)).toMatchObject({ apdu: "exception-response", body: { serviceError: "pdu-too-long" } });
  const rest = [1500, 2300].map((start, index) => ({
    lastBlock: index === 1,
    blockNumber: 3 + index,
    rawData: dataToBytes(longValue).subarray(start, index === 1 ? undefined : 2300),
  }));
  expect(send(rest[0] ?? second)).toMatchObject({ body: { blockNumber: 3 } });
  let answer = send(rest[1] ?? second);
  let raw = "";
  while (answer?.apdu === "action-response" && answer.body.type === "with-pblock") {
    const { lastBlock, blockNumber, rawData } = answer.body.block;
    raw += toHex(rawData);
    if (lastBlock) break;
    answer = server.apdu({
      apdu: "action-request",
      body: { type: "next-pblock", invokeIdAndPriority: 0xc1, blockNumber },
    });
  }
  expect(raw).toBe(`000100${toHex(dataToBytes(longValue))}`);
});

const [SERVER_KEY, CLIENT_KEY] = [3, 4].map((octet) =>
  drawPrivateKey("P-256", (length) => new Uint8Array(length).fill(octet)),
);

test.each(["hls", "hls-md5", "hls-sha1", "hls-sha256", "hls-gmac", "hls-ecdsa"] as const)(
  "server: demands and answers the challenges of %s",
  (mechanism) => {
    const secret = new SecretKey("hlsSecret", ascii("wwwwwwwwwwwwwwww"));
    if (SERVER_KEY === undefined || CLIENT_KEY === undefined) throw new Error("no keys");
    const keys = { signingKey: SERVER_KEY, clientSigningKey: CLIENT_KEY.publicKey };
    const rule: AssociationRule = {
      ...OPEN_RULE,
      mechanism,
      secret,
      ...keys,
      security: { protection: serverProtection() },
    };
    const ownChallenge = ascii("K56iVagYK56iVagYK56iVagYK56iVagY");
    const peerChallenge = SERVER_CHALLENGE.subarray(0, mechanism === "hls-ecdsa" ? 32 : 16);
    const client = clientProtection();
    const inputs = {
      ownChallenge,
      peerChallenge,
      ownSigningKey: CLIENT_KEY,
      peerSigningKey: SERVER_KEY.publicKey,
      secret,
      protection: client,
      ownSystemTitle: CLIENT_TITLE,
      peerSystemTitle: SERVER_TITLE,
    };
    const opening = aarq({ ...withMechanism(mechanism, ownChallenge), callingApTitle: CLIENT_TITLE });

    const server = new Served(rule);
    expect(diagnosticOf(server.apdu(opening))).toBe("accepted authentication-required");
    expect(server.hex(GET_CLOCK)).toBe("d80101");
    const reply = server.apdu(passThree(hlsReply(mechanism, inputs)));
    if (reply?.apdu !== "action-response" || reply.body.type !== "normal") throw new Error("no pass 4");
    const returned = reply.body.outcome.returnParameters;
    if (returned?.type !== "data" || returned.data.type !== "octet-string") throw new Error("no reply in pass 4");
    hlsVerify(mechanism, returned.data.value, inputs);
    expect(server.machine.state).toBe("associated");
    expect(server.hex(GET_CLOCK)).toMatch(/^c401c100/);

    const other = new Served(rule);
    other.apdu(opening);
    const wrong = hlsReply(mechanism, inputs);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    expect(other.apdu(passThree(wrong))).toMatchObject({ body: { outcome: { result: "other-reason" } } });
    expect(other.events().map((event) => event.type)).toEqual(["authenticationFailed"]);
    expect(other.hex(GET_CLOCK)).toBe("d80101");
  },
);

const CIPHERED = "logical-name-with-ciphering" as const;

function cipheredRule(minimum: "authenticated" | "encrypted" | "authenticated-encrypted"): AssociationRule {
  const protection = serverProtection({ minimum: { received: minimum } });
  return { ...OPEN_RULE, applicationContexts: [CIPHERED], security: { protection, response: minimum } };
}

function cipheredAarq(
  client = clientProtection(),
  control: "encrypted" | "authenticated-encrypted" = "authenticated-encrypted",
): Apdu {
  const plain = aarq({}, 0x407e1f);
  if (plain.apdu !== "aarq" || plain.body.userInformation === undefined) throw new Error("no initiate");
  const userInformation = client.protect(plain.body.userInformation, {
    control,
    form: "service-specific",
    keySet: "global",
  });
  return aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE, userInformation });
}

test.each(["service-specific", "general"] as const)("server: answers a request in %s ciphering likewise", (form) => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const aare = server.apdu(cipheredAarq(client));
  expect(diagnosticOf(aare)).toBe("accepted null");
  if (aare?.apdu !== "aare" || aare.body.userInformation === undefined) throw new Error("no AARE");
  expect(aare.body.respondingApTitle).toEqual(SERVER_TITLE);
  expect(client.unprotect(aare.body.userInformation)).toMatchObject({ form: "service-specific", verified: true });
  const control = "authenticated-encrypted" as const;
  const answer = server.octets(client.protect(fromHex(GET_CLOCK), { control, form, keySet: "global" }));
  const opened = client.unprotect(answer ?? new Uint8Array(0));
  expect(opened).toMatchObject({ form, keySet: "global", verified: true });
  expect(dataFromBytes(opened.apdu.subarray(4))).toMatchObject({ type: "octet-string" });
});

test("server: uses the dedicated key of the association and forgets it with it", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const dedicated = new SecretKey("dedicatedKey", fromHex("00112233445566778899AABBCCDDEEFF"));
  const initiate = fromHex("010110001122334455 66778899AABBCCDDEEFF000006 5F1F0400407E1F04B0");
  const protection = { control: "authenticated-encrypted", form: "service-specific", keySet: "global" } as const;
  const userInformation = client.protect(initiate, protection);
  server.apdu(aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE, userInformation }));
  client.useDedicatedKey(dedicated);
  const ask = () =>
    server.octets(client.protect(fromHex(GET_CLOCK), { ...protection, keySet: "dedicated" })) ?? new Uint8Array(0);
  const answer = ask();
  expect(answer[0]).toBe(0xd4);
  expect(client.unprotect(answer)).toMatchObject({ keySet: "dedicated", invocationCounter: 1 });
  server.apdu(cipheredAarq(client));
  expect(toHex(ask())).toBe("d80105");
});

test("server: enforces its security policy", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const inClear = server.apdu(aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE }));
  expect(diagnosticOf(inClear)).toBe("rejected-permanent no-reason-given");
  expect(inClear).toMatchObject({ body: { userInformation: fromHex("0e010604") } });
  expect(server.hex(encodeApdu(cipheredAarq(client, "encrypted")))).toBe("d80101");
  server.apdu(cipheredAarq(client));
  expect(server.hex(GET_CLOCK)).toBe("d80101");
  const form = { form: "service-specific", keySet: "global" } as const;
  expect(server.hex(client.protect(fromHex(GET_CLOCK), { control: "authenticated", ...form }))).toBe("d80101");
  expect(server.events().map((event) => event.type)).toEqual(["refused", "fault", "associated", "fault", "fault"]);
});

test("server: protects a response as the policy says, even where the request was protected less", () => {
  const rule = cipheredRule("encrypted");
  const security = rule.security && { ...rule.security, response: "authenticated-encrypted" as const };
  const server = new Served({ ...rule, ...(security && { security }) });
  const client = clientProtection();
  server.apdu(cipheredAarq(client, "encrypted"));
  const request = client.protect(fromHex(GET_CLOCK), {
    control: "encrypted",
    form: "service-specific",
    keySet: "global",
  });
  expect(client.unprotect(server.octets(request) ?? new Uint8Array(0)).securityControl.octet).toBe(0x30);
});

test.each(["encrypted", "authenticated-encrypted"] as const)(
  "server: tells the lowest counter it takes when one comes again (%s)",
  (control) => {
    const server = new Served(cipheredRule(control));
    const client = clientProtection({ nextInvocationCounter: counter(500) });
    server.apdu(cipheredAarq(client, control));
    const request = client.protect(fromHex(GET_CLOCK), { control, form: "service-specific", keySet: "global" });
    expect(server.octets(request)?.[0]).toBe(0xcc);
    expect(server.hex(request)).toBe("d80106000001f6");
    const opening = encodeApdu(cipheredAarq(clientProtection({ nextInvocationCounter: counter(3) }), control));
    expect(server.hex(opening)).toBe("d80106000001f6");
  },
);

test("server: answers what it can't decipher as its rule says", () => {
  const wrong = clientProtection({
    keys: { ...KEYS, blockCipherKey: new SecretKey("blockCipherKey", new Uint8Array(16)) },
  });
  const rule = cipheredRule("authenticated-encrypted");
  expect(new Served(rule).hex(encodeApdu(cipheredAarq(wrong)))).toBe("d80105");
  expect(new Served({ ...rule, decipherFailure: "silence" }).octets(encodeApdu(cipheredAarq(wrong)))).toBeUndefined();
  const refusal = new Served({ ...rule, decipherFailure: "aare" }).apdu(cipheredAarq(wrong));
  expect(diagnosticOf(refusal)).toBe("rejected-permanent no-reason-given");
});

test("server: pushes within an association, ciphered by its policy", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const notification = { longInvokeIdAndPriority: 1, body: { type: "unsigned", value: 7 } } as const;
  expect(() => server.machine.command({ type: "notify", notification }, 0)).toThrow(/SERVICE_UNEXPECTED/);
  server.apdu(cipheredAarq(client));
  server.machine.command({ type: "notify", notification }, 0);
  const opened = client.unprotect(server.machine.takeBytes() ?? new Uint8Array(0));
  expect(opened.form).toBe("general");
  expect(toHex(opened.apdu)).toBe("0f00000001001107");
});

test("server: whatever comes, it answers or stays silent, and goes on", () => {
  const request = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(
        fc.constantFrom(AARQ_OPEN, AARQ_LLS, GET_CLOCK, "6200", "C003C101"),
        fc.uint8Array({ maxLength: 3 }),
        fc.nat(40),
      )
      .map(([hex, noise, at]) => {
        const octets = fromHex(hex);
        octets.set(noise.subarray(0, Math.max(0, octets.length - at)), Math.min(at, octets.length));
        return octets;
      }),
  );
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const server = new Served(OPEN_RULE);
      for (const octets of requests) server.octets(octets);
      server.octets(AARQ_OPEN);
      expect(server.machine.state).toBe("associated");
    }),
    { numRuns: 300 },
  );
});

test("server: every truncation of a request is answered by an exception", () => {
  const server = new Served(OPEN_RULE);
  for (const hex of [AARQ_OPEN, AARQ_LLS, GET_CLOCK, "C101C100080000010000FF0200090107"]) {
    const whole = fromHex(hex);
    for (let length = 0; length < whole.length; length++) {
      server.octets(AARQ_OPEN);
      expect(server.octets(whole.subarray(0, length))?.[0]).toBe(0xd8);
    }
  }
});
