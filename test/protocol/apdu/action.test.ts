import { expect, test } from "vitest";
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { NO_QUIRKS } from "../../../protocol/quirks.ts";
import { apduVectors, DISCONNECT } from "./vectors.ts";

const block = { lastBlock: true, blockNumber: 2, rawData: fromHex("0f00") } as const;
const parameter = { type: "integer", value: 0 } as const;

apduVectors("action-request", [
  {
    name: "a method without parameters",
    hex: "c3 01 c1 0046 000060030aff 01 00",
    apdu: { apdu: "action-request", body: { type: "normal", invokeIdAndPriority: 0xc1, method: DISCONNECT } },
  },
  {
    name: "a method with parameters",
    hex: "c3 01 c1 0046 000060030aff 01 01 0f00",
    apdu: {
      apdu: "action-request",
      body: { type: "normal", invokeIdAndPriority: 0xc1, method: DISCONNECT, parameters: parameter },
    },
  },
  {
    name: "the next block of the answer",
    hex: "c3 02 c1 00000001",
    apdu: { apdu: "action-request", body: { type: "next-pblock", invokeIdAndPriority: 0xc1, blockNumber: 1 } },
  },
  {
    name: "a list",
    hex: "c3 03 c1 01 0046 000060030aff 01 01 0f00",
    apdu: {
      apdu: "action-request",
      body: { type: "with-list", invokeIdAndPriority: 0xc1, methods: [DISCONNECT], parameters: [parameter] },
    },
  },
  {
    name: "the first block of parameters",
    hex: "c3 04 c1 0046 000060030aff 01 01 00000002 02 0f00",
    apdu: {
      apdu: "action-request",
      body: { type: "with-first-pblock", invokeIdAndPriority: 0xc1, method: DISCONNECT, block },
    },
  },
  {
    name: "a list and the first block of its parameters",
    hex: "c3 05 c1 01 0046 000060030aff 01 01 00000002 02 0f00",
    apdu: {
      apdu: "action-request",
      body: { type: "with-list-and-first-pblock", invokeIdAndPriority: 0xc1, methods: [DISCONNECT], block },
    },
  },
  {
    name: "a block more",
    hex: "c3 06 c1 01 00000002 02 0f00",
    apdu: { apdu: "action-request", body: { type: "with-pblock", invokeIdAndPriority: 0xc1, block } },
  },
]);

apduVectors("action-response", [
  {
    name: "a result alone",
    hex: "c7 01 c1 00 00",
    apdu: {
      apdu: "action-response",
      body: { type: "normal", invokeIdAndPriority: 0xc1, outcome: { result: "success" } },
    },
  },
  {
    name: "a result with data (the last pass of an HLS exchange)",
    hex: "c7 01 c1 00 01 00 09 11 10 01234567 fe1466afb3dbcd4f9389e2b7",
    apdu: {
      apdu: "action-response",
      body: {
        type: "normal",
        invokeIdAndPriority: 0xc1,
        outcome: {
          result: "success",
          returnParameters: {
            type: "data",
            data: { type: "octet-string", value: fromHex("1001234567fe1466afb3dbcd4f9389e2b7") },
          },
        },
      },
    },
  },
  {
    name: "a block",
    hex: "c7 02 c1 01 00000002 02 0f00",
    apdu: { apdu: "action-response", body: { type: "with-pblock", invokeIdAndPriority: 0xc1, block } },
  },
  {
    name: "a list of results",
    hex: "c7 03 c1 02 00 00 0b 01 01 04",
    apdu: {
      apdu: "action-response",
      body: {
        type: "with-list",
        invokeIdAndPriority: 0xc1,
        outcomes: [
          { result: "success" },
          {
            result: "object-unavailable",
            returnParameters: { type: "data-access-result", dataAccessResult: "object-undefined" },
          },
        ],
      },
    },
  },
  {
    name: "the next block of parameters is wanted",
    hex: "c7 04 c1 00000001",
    apdu: { apdu: "action-response", body: { type: "next-pblock", invokeIdAndPriority: 0xc1, blockNumber: 1 } },
  },
]);

test("action-response: a missing option octet is read and named, and refused by the standard alone", () => {
  const bytes = fromHex("c7 01 c1 00");
  expect(decodeApdu(bytes)).toEqual({
    apdu: "action-response",
    body: { type: "normal", invokeIdAndPriority: 0xc1, outcome: { result: "success" } },
    quirks: ["action-response-without-option"],
  });
  expect(() => decodeApdu(bytes, NO_QUIRKS)).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED", fault: "peer" }),
  );
});

test("action-response: Data without its choice octet is read and named, and refused by the standard alone", () => {
  const bytes = fromHex("c7 01 c1 00 01 09 02 abcd");
  expect(decodeApdu(bytes)).toMatchObject({
    body: {
      outcome: {
        returnParameters: { type: "data", data: { type: "octet-string", value: fromHex("abcd") } },
      },
    },
    quirks: ["action-response-without-choice"],
  });
  expect(() => decodeApdu(bytes, NO_QUIRKS)).toThrow(
    expect.objectContaining({ code: "APDU_UNKNOWN_TAG", at: { offset: 5, tag: 9 } }),
  );
});
