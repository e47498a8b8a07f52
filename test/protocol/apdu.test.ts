import { expect, test } from "vitest";
import { type Apdu, decodeApdu, encodeApdu } from "../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { NO_QUIRKS } from "../../protocol/quirks.ts";

test("apdu: a get request decodes to a typed union and encodes back", () => {
  const bytes = fromHex("c0 01 c1 0008 0000010000ff 02 00");
  const request: Apdu = {
    apdu: "get-request",
    body: {
      type: "normal",
      invokeIdAndPriority: 0xc1,
      attribute: { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 },
    },
  };
  expect(decodeApdu(bytes)).toEqual(request);
  expect(toHex(encodeApdu(request))).toBe(toHex(bytes));
});

test("apdu: an aarq with low level security decodes to its elements", () => {
  const hex =
    "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0";
  const apdu = decodeApdu(fromHex(hex));
  expect(apdu).toMatchObject({
    apdu: "aarq",
    body: {
      applicationContextName: "logical-name",
      mechanismName: "lls",
      callingAuthenticationValue: { type: "charstring", value: fromHex("3132333435363738") },
    },
  });
  expect(toHex(encodeApdu(apdu))).toBe(hex);
  if (apdu.apdu !== "aarq" || apdu.body.userInformation === undefined) throw new Error("not reached");
  const initiate = decodeApdu(apdu.body.userInformation);
  expect(initiate).toMatchObject({ apdu: "initiate-request", body: { clientMaxReceivePduSize: 1200 } });
});

test("apdu: tolerated deviations are named with the value and refused without leave", () => {
  const withoutOption = fromHex("c701c100");
  expect(decodeApdu(withoutOption)).toEqual({
    apdu: "action-response",
    body: { type: "normal", invokeIdAndPriority: 0xc1, outcome: { result: "success" } },
    quirks: ["action-response-without-option"],
  });
  expect(() => decodeApdu(withoutOption, NO_QUIRKS)).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});

test("apdu: octets after the end are refused", () => {
  expect(() => decodeApdu(fromHex("c501c10000"))).toThrow(expect.objectContaining({ code: "DATA_TRAILING" }));
});
