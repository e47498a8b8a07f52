import { expect, test } from "vitest";
import type { Apdu } from "../../../../protocol/apdu/apdu.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { ascii, CLIENT_TITLE, OPEN_RULE, SERVER_TITLE, Served, serverProtection } from "../server-fixture.ts";
import { AARQ_LLS, AARQ_OPEN, aarq, diagnosticOf, GET_CLOCK, withMechanism } from "./server-examples.ts";

const LLS_RULE: AssociationRule = {
  ...OPEN_RULE,
  mechanism: "lls",
  secret: new SecretKey("hlsSecret", ascii("12345678")),
};

function refusalOf(request: Apdu): string | undefined {
  const answer = new Served(OPEN_RULE).apdu(request);
  return answer?.apdu === "aare" && answer.body.userInformation ? toHex(answer.body.userInformation) : undefined;
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
