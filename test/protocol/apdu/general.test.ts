import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { APDUS, apduNameOf, cipheredTagsOf } from "../../../protocol/apdu/registry.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { NO_QUIRKS } from "../../../protocol/quirks.ts";
import { apduVectors, CLOCK_TIME, DISCONNECT } from "./vectors.ts";

const contents = fromHex("3000000005bf317c453338b5f839049d7c3a65e9f219151eda6b82b50b8f");
const header = {
  transactionId: fromHex("0102030405060708"),
  originatorSystemTitle: fromHex("4d4d4d0000000001"),
  recipientSystemTitle: fromHex("4d4d4d0000bc614e"),
  dateTime: new Uint8Array(0),
  otherInformation: new Uint8Array(0),
} as const;
const headerHex = "080102030405060708 084d4d4d0000000001 084d4d4d0000bc614e 00 00";
const contentsHex = "1e 3000000005bf317c453338b5f839049d7c3a65e9f219151eda6b82b50b8f";

apduVectors("general-block-transfer", [
  {
    name: "the last block of a stream",
    hex: "e0 c3 0004 0002 02 c401",
    apdu: {
      apdu: "general-block-transfer",
      body: {
        blockControl: { lastBlock: true, streaming: true, window: 3 },
        blockNumber: 4,
        blockNumberAck: 2,
        blockData: fromHex("c401"),
      },
    },
  },
  {
    name: "an acknowledgement",
    hex: "e0 3f 0000 ffff 00",
    apdu: {
      apdu: "general-block-transfer",
      body: {
        blockControl: { lastBlock: false, streaming: false, window: 63 },
        blockNumber: 0,
        blockNumberAck: 0xffff,
        blockData: new Uint8Array(0),
      },
    },
  },
]);

apduVectors("ciphered", [
  {
    name: "service-specific",
    hex: `c8 ${contentsHex}`,
    apdu: { apdu: "glo-get-request", body: { contents } },
  },
  {
    name: "general, with a system title",
    hex: `db 084d4d4d0000bc614e ${contentsHex}`,
    apdu: { apdu: "general-glo-ciphering", body: { systemTitle: fromHex("4d4d4d0000bc614e"), contents } },
  },
  {
    name: "general, with an empty system title",
    hex: `dc 00 ${contentsHex}`,
    apdu: { apdu: "general-ded-ciphering", body: { systemTitle: new Uint8Array(0), contents } },
  },
  {
    name: "general-ciphering with an identified key",
    hex: `dd ${headerHex} 01 00 01 ${contentsHex}`,
    apdu: {
      apdu: "general-ciphering",
      body: {
        ...header,
        keyInfo: { type: "identified-key", keyId: "global-broadcast-encryption-key" },
        contents,
      },
    },
  },
  {
    name: "general-ciphering with a wrapped key",
    hex: `dd ${headerHex} 01 01 00 02 abcd ${contentsHex}`,
    apdu: {
      apdu: "general-ciphering",
      body: {
        ...header,
        keyInfo: { type: "wrapped-key", kekId: "master-key", keyCipheredData: fromHex("abcd") },
        contents,
      },
    },
  },
  {
    name: "general-ciphering with an agreed key",
    hex: `dd ${headerHex} 01 02 01 02 00 ${contentsHex}`,
    apdu: {
      apdu: "general-ciphering",
      body: {
        ...header,
        keyInfo: { type: "agreed-key", keyParameters: fromHex("02"), keyCipheredData: new Uint8Array(0) },
        contents,
      },
    },
  },
  {
    name: "general-ciphering without a word about the key",
    hex: `dd ${headerHex} 00 ${contentsHex}`,
    apdu: { apdu: "general-ciphering", body: { ...header, contents } },
  },
  {
    name: "general-signing",
    hex: `df ${headerHex} 03 c00201 04 01020304`,
    apdu: {
      apdu: "general-signing",
      body: { ...header, content: fromHex("c00201"), signature: fromHex("01020304") },
    },
  },
]);

apduVectors("gateway", [
  {
    name: "a request to a device behind it",
    hex: "e6 05 04 31323334 c002c100000002",
    apdu: {
      apdu: "gateway-request",
      body: { networkId: 5, physicalDeviceAddress: fromHex("31323334"), carriedApdu: fromHex("c002c100000002") },
    },
    // The carried APDU is not looked at, and may be cut anywhere.
    validCuts: [7, 8, 9, 10, 11, 12, 13],
  },
]);

apduVectors("access", [
  {
    name: "a request with every kind of specification",
    hex: `d9 40000001 00 05
      01 0008 0000010000ff 02  02 0008 0000010000ff 02  03 0046 000060030aff 01
      04 0008 0000010000ff 02 01 00  05 0008 0000010000ff 02 01 00  05 00 1105 0f00 00 00`,
    apdu: {
      apdu: "access-request",
      body: {
        longInvokeIdAndPriority: 0x4000_0001,
        specifications: [
          { type: "get", attribute: CLOCK_TIME },
          { type: "set", attribute: CLOCK_TIME },
          { type: "action", method: DISCONNECT },
          {
            type: "get-with-selection",
            attribute: CLOCK_TIME,
            access: { selector: 1, parameters: { type: "null-data" } },
          },
          {
            type: "set-with-selection",
            attribute: CLOCK_TIME,
            access: { selector: 1, parameters: { type: "null-data" } },
          },
        ],
        data: [
          { type: "null-data" },
          { type: "unsigned", value: 5 },
          { type: "integer", value: 0 },
          { type: "null-data" },
          { type: "null-data" },
        ],
      },
    },
  },
  {
    name: "a response that repeats the specifications",
    hex: "da 40000001 00 01 01 03 0046 000060030aff 01 01 00 03 03 00 02 03 01 00",
    apdu: {
      apdu: "access-response",
      body: {
        longInvokeIdAndPriority: 0x4000_0001,
        specifications: [{ type: "action", method: DISCONNECT }],
        data: [{ type: "null-data" }],
        results: [
          { type: "action", result: "success" },
          { type: "set", result: "read-write-denied" },
          { type: "get", result: "success" },
        ],
      },
    },
  },
]);

test("ciphered: less than a header, an octet and the tag it announces is refused", () => {
  for (const hex of ["c8 05 2000000001", "c8 11 3000000001 0102030405060708090a0b0c", "c8 00"]) {
    expect(() => decodeApdu(fromHex(hex))).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
  }
  expect(decodeApdu(fromHex("c8 06 2000000001 c0"))).toMatchObject({ apdu: "glo-get-request" });
  expect(() => decodeApdu(fromHex("db 07 4d4d4d0000bc61 06 2000000001 c0"))).toThrow(
    expect.objectContaining({ code: "LENGTH_INVALID", at: { offset: 1, length: 7 } }),
  );
});

test("ciphered: a length that counts a tag which is not there is read where that is allowed", () => {
  const bytes = fromHex("c8 13 2000000001 c00102");
  expect(() => decodeApdu(fromHex("c8 14 2000000001 c00102"), NO_QUIRKS)).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED" }),
  );
  const apdu = decodeApdu(fromHex("c8 14 2000000001 c00102"));
  expect(apdu).toEqual({
    apdu: "glo-get-request",
    body: { contents: bytes.subarray(2) },
    quirks: ["ciphered-length-counts-tag"],
  });
  expect(() => decodeApdu(bytes)).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});

test("general-block-transfer: a window of more than six bits is our own fault", () => {
  expect(() =>
    encodeApdu({
      apdu: "general-block-transfer",
      body: {
        blockControl: { lastBlock: false, streaming: false, window: 64 },
        blockNumber: 1,
        blockNumberAck: 0,
        blockData: new Uint8Array(0),
      },
    }),
  ).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }));
});

test("registry: no tag is given twice, and ciphered tags belong to ciphered names of the same service", () => {
  const tags = Object.values(APDUS).map(([tag]) => tag);
  expect(new Set(tags).size).toBe(tags.length);
  const cipherable = tags.map(cipheredTagsOf).filter((found) => found !== undefined);
  expect(cipherable).toHaveLength(3 * 16);
  for (const { plain, glo, ded } of cipherable) {
    const name = apduNameOf(plain);
    expect([apduNameOf(glo), apduNameOf(ded)]).toEqual([`glo-${name}`, `ded-${name}`]);
    expect(cipheredTagsOf(ded)).toEqual({ plain, glo, ded });
    // Short name services lie 20 and 40 above the plain tag, the others 08 and 10.
    expect([glo - plain, ded - plain]).toEqual(plain < 0x20 ? [0x20, 0x40] : [0x08, 0x10]);
  }
});
