import { expect, test } from "vitest";
import { type ApduOf, decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { AUTHENTICATION_REQUIREMENT, requiresAuthentication } from "../../../protocol/ber/association.ts";
import { conformanceFromNumber, conformanceToNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ALL_QUIRKS, NO_QUIRKS } from "../../../protocol/quirks.ts";
import { apduVectors } from "../apdu/vectors.ts";

const context = "a109060760857405080101";
const initiateRequestHex = "01000000065f1f0400007e1f04b0";

apduVectors("aarq", [
  {
    name: "no security",
    hex: `601d ${context} be10040e ${initiateRequestHex}`,
    apdu: {
      apdu: "aarq",
      body: { applicationContextName: "logical-name", userInformation: fromHex(initiateRequestHex) },
    },
  },
  {
    name: "high level security with a system title",
    hex: `6042 a109060760857405080103 a60a0408 4d4d4d0000bc614e 8a020780 8b0760857405080205
      ac0a8008 4b35366956616759 be10040e ${initiateRequestHex}`,
    apdu: {
      apdu: "aarq",
      body: {
        applicationContextName: "logical-name-with-ciphering",
        callingApTitle: fromHex("4d4d4d0000bc614e"),
        senderAcseRequirements: AUTHENTICATION_REQUIREMENT,
        mechanismName: "hls-gmac",
        callingAuthenticationValue: { type: "charstring", value: fromHex("4b35366956616759") },
        userInformation: fromHex(initiateRequestHex),
      },
    },
  },
  {
    name: "every rare element, in the order of their tags",
    hex: `6058 80020780 a109060760857405080102 a2040402aabb a303040111 a403020101 a50402020080
      a6040402ccdd a703040122 a8030201ff a905020300fa00 8a020700 8b0760857405080200
      ac05810307ff80 9d0161 be030401 62`,
    apdu: {
      apdu: "aarq",
      body: {
        protocolVersion: { unusedBits: 7, octets: fromHex("80") },
        applicationContextName: "short-name",
        calledApTitle: fromHex("aabb"),
        calledAeQualifier: fromHex("11"),
        calledApInvocationId: 1,
        calledAeInvocationId: 128,
        callingApTitle: fromHex("ccdd"),
        callingAeQualifier: fromHex("22"),
        callingApInvocationId: -1,
        callingAeInvocationId: 0xfa00,
        senderAcseRequirements: { unusedBits: 7, octets: fromHex("00") },
        mechanismName: "none",
        callingAuthenticationValue: { type: "bitstring", value: { unusedBits: 7, octets: fromHex("ff80") } },
        implementationInformation: fromHex("61"),
        userInformation: fromHex("62"),
      },
    },
  },
  {
    name: "a context and elements that no table has are kept",
    hex: "6011 a10906075f857504070203 b20101 9e01aa",
    apdu: {
      apdu: "aarq",
      body: {
        applicationContextName: "unknown-5f857504070203",
        unknownElements: [
          { tag: 0xb2, contents: fromHex("01") },
          { tag: 0x9e, contents: fromHex("aa") },
        ],
      },
    },
  },
]);

apduVectors("aare", [
  {
    name: "accepted",
    hex: `6129 ${context} a203020100 a305a103020100 be10040e 0800065f1f040000501f01f40007`,
    apdu: {
      apdu: "aare",
      body: {
        applicationContextName: "logical-name",
        result: "accepted",
        resultSourceDiagnostic: { type: "acse-service-user", diagnostic: "null" },
        userInformation: fromHex("0800065f1f040000501f01f40007"),
      },
    },
  },
  {
    name: "rejected without user-information",
    hex: `6117 ${context} a203020101 a305a10302010d`,
    apdu: {
      apdu: "aare",
      body: {
        applicationContextName: "logical-name",
        result: "rejected-permanent",
        resultSourceDiagnostic: { type: "acse-service-user", diagnostic: "authentication-failure" },
      },
    },
  },
  {
    name: "rejected by the service provider",
    hex: `6117 ${context} a203020102 a305a203020102`,
    apdu: {
      apdu: "aare",
      body: {
        applicationContextName: "logical-name",
        result: "rejected-transient",
        resultSourceDiagnostic: { type: "acse-service-provider", diagnostic: "no-common-acse-version" },
      },
    },
  },
  {
    name: "HLS in progress, with every rare element",
    hex: `6157 80020780 ${context} a203020100 a305a10302010e a40a04084d4d4d0000000001 a5030401aa a603020101
      a703020102 88020780 890760857405080205 aa0a8008503677524a323146 9d0161 be03040108`,
    apdu: {
      apdu: "aare",
      body: {
        protocolVersion: { unusedBits: 7, octets: fromHex("80") },
        applicationContextName: "logical-name",
        result: "accepted",
        resultSourceDiagnostic: { type: "acse-service-user", diagnostic: "authentication-required" },
        respondingApTitle: fromHex("4d4d4d0000000001"),
        respondingAeQualifier: fromHex("aa"),
        respondingApInvocationId: 1,
        respondingAeInvocationId: 2,
        responderAcseRequirements: AUTHENTICATION_REQUIREMENT,
        mechanismName: "hls-gmac",
        respondingAuthenticationValue: { type: "charstring", value: fromHex("503677524a323146") },
        implementationInformation: fromHex("61"),
        userInformation: fromHex("08"),
      },
    },
  },
]);

apduVectors("release", [
  { name: "an empty request", hex: "62 00", apdu: { apdu: "rlrq", body: {} } },
  { name: "a reason", hex: "62 03 80011e", apdu: { apdu: "rlrq", body: { reason: "user-defined" } } },
  {
    name: "a response with user-information",
    hex: "63 08 800101 be03040128",
    apdu: { apdu: "rlre", body: { reason: "not-finished", userInformation: fromHex("28") } },
  },
]);

apduVectors("initiate-request", [
  {
    name: "every optional field",
    hex: "01 01 02 abcd 01 00 01 05 06 5f1f0400 62fedf ffff",
    apdu: {
      apdu: "initiate-request",
      body: {
        dedicatedKey: fromHex("abcd"),
        responseAllowed: false,
        proposedQualityOfService: 5,
        proposedDlmsVersion: 6,
        proposedConformance: conformanceFromNumber(0x62fedf),
        clientMaxReceivePduSize: 0xffff,
      },
    },
  },
]);

apduVectors("initiate-response", [
  {
    name: "logical name referencing",
    hex: "08 00 06 5f1f0400 00501f 01f4 0007",
    apdu: {
      apdu: "initiate-response",
      body: {
        negotiatedDlmsVersion: 6,
        negotiatedConformance: conformanceFromNumber(0x00501f),
        serverMaxReceivePduSize: 500,
        vaaName: 7,
      },
    },
  },
]);

test("acse: lengths in a longer form than needed are read", () => {
  const short = decodeApdu(fromHex(`6117 ${context} a203020101 a305a10302010d`));
  expect(decodeApdu(fromHex(`61820017 ${context} a203020101 a305a10302010d`))).toEqual(short);
  expect(decodeApdu(fromHex(`61811d a1820009060760857405080101 a28400000003020101 a305a10302010d`))).toEqual(short);
});

test("acse: the order of elements does not matter to the reader", () => {
  const apdu = decodeApdu(fromHex(`6117 a305a10302010d ${context} a203020101`));
  expect(toHex(encodeApdu(apdu))).toBe(`6117${context}a203020101a305a10302010d`);
});

test("acse: a missing, a repeated and an overlong element are refused with their place", () => {
  expect(() => decodeApdu(fromHex("6100"))).toThrow(
    expect.objectContaining({ code: "ELEMENT_MISSING", at: { offset: 2, element: "applicationContextName" } }),
  );
  expect(() => decodeApdu(fromHex(`6016 ${context} ${context}`))).toThrow(
    expect.objectContaining({ code: "ELEMENT_REPEATED", at: { offset: 13, element: "applicationContextName" } }),
  );
  expect(() => decodeApdu(fromHex(`600b a10a060760857405080101`))).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED", at: { offset: 4, wanted: 10, left: 9 } }),
  );
  expect(() => decodeApdu(fromHex(`600d ${context} 8000`))).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED" }),
  );
  expect(() => decodeApdu(fromHex(`600e ${context} bf1f00`))).toThrow(
    expect.objectContaining({ code: "APDU_UNKNOWN_TAG", at: { offset: 13, tag: 0xbf } }),
  );
});

test("acse: octets after the element inside a tag are refused", () => {
  expect(() => decodeApdu(fromHex(`600c a10a060760857405080101 00`))).toThrow(
    expect.objectContaining({ code: "DATA_TRAILING" }),
  );
});

test("acse: requirements say whether authentication is selected", () => {
  expect(requiresAuthentication(AUTHENTICATION_REQUIREMENT)).toBe(true);
  expect(requiresAuthentication({ unusedBits: 7, octets: fromHex("00") })).toBe(false);
  expect(requiresAuthentication(undefined)).toBe(false);
});

test("acse: an unknown mechanism keeps its identifier", () => {
  const hex = `6016 ${context} 8b0960857405080209abcd`.replaceAll(" ", "");
  const aarq = decodeApdu(fromHex(hex)) as ApduOf<"aarq">;
  expect(aarq.body.mechanismName).toBe("unknown-60857405080209abcd");
  expect(toHex(encodeApdu(aarq))).toBe(hex);
});

test("conformance: names stand for the bits of the block", () => {
  expect(conformanceFromNumber(0x007e1f)).toEqual(
    new Set([
      "priority-mgmt-supported",
      "attribute0-supported-with-get",
      "block-transfer-with-get-or-read",
      "block-transfer-with-set-or-write",
      "block-transfer-with-action",
      "multiple-references",
      "get",
      "set",
      "selective-access",
      "event-notification",
      "action",
    ]),
  );
  expect(conformanceFromNumber(0x1c0320)).toEqual(
    new Set([
      "read",
      "write",
      "unconfirmed-write",
      "multiple-references",
      "information-report",
      "parameterized-access",
    ]),
  );
  for (const value of [0, 0xffffff, 0x62fedf, 0x800001])
    expect(conformanceToNumber(conformanceFromNumber(value))).toBe(value);
});

test("conformance: the tag of an early edition is read and named, and refused by the standard alone", () => {
  const bytes = fromHex("01000000065f0400181a200000");
  expect(decodeApdu(bytes)).toMatchObject({ apdu: "initiate-request", quirks: ["conformance-short-tag"] });
  expect(() => decodeApdu(bytes, NO_QUIRKS)).toThrow(expect.objectContaining({ code: "APDU_UNKNOWN_TAG" }));
});

test("conformance: unused bits and other lengths are refused", () => {
  for (const hex of ["01000000065f1f0401007e1f04b0", "01000000065f1f03007e1f04b0"]) {
    expect(() => decodeApdu(fromHex(hex))).toThrow(expect.objectContaining({ code: "LENGTH_INVALID" }));
  }
});

test("aarq: a mechanism name without octets is kept as unknown and encoded again", () => {
  const hex =
    "6036a1090607608574050801018a0207808b0001110505080201ac0a800833333333333333330f10040e01000000065f1f0400007e1f0000";
  const decoded = decodeApdu(fromHex(hex), ALL_QUIRKS);
  expect(decoded.body).toMatchObject({ mechanismName: "unknown-" });
  expect(decodeApdu(encodeApdu(decoded), ALL_QUIRKS).body).toMatchObject({ mechanismName: "unknown-" });
});
