import { fromHex } from "../../../protocol/bytes/hex.ts";
import { apduVectors, CLOCK_TIME } from "./vectors.ts";

apduVectors("get-request", [
  {
    name: "one attribute",
    hex: "c0 01 c1 0008 0000010000ff 02 00",
    apdu: { apdu: "get-request", body: { type: "normal", invokeIdAndPriority: 0xc1, attribute: CLOCK_TIME } },
  },
  {
    name: "selective access carries its selector and parameters",
    hex: "c0 01 c1 0007 0100630100ff 02 01 02 02 02 06 00000001 06 00000000",
    apdu: {
      apdu: "get-request",
      body: {
        type: "normal",
        invokeIdAndPriority: 0xc1,
        attribute: { classId: 7, logicalName: fromHex("0100630100ff"), attributeId: 2 },
        access: {
          selector: 2,
          parameters: {
            type: "structure",
            value: [
              { type: "double-long-unsigned", value: 1 },
              { type: "double-long-unsigned", value: 0 },
            ],
          },
        },
      },
    },
  },
  {
    name: "the next block",
    hex: "c0 02 c1 00000002",
    apdu: { apdu: "get-request", body: { type: "next", invokeIdAndPriority: 0xc1, blockNumber: 2 } },
  },
  {
    name: "a list, and attribute ids are signed",
    hex: "c0 03 41 02 0008 0000010000ff 02 00 0008 0000010000ff ff 00",
    apdu: {
      apdu: "get-request",
      body: {
        type: "with-list",
        invokeIdAndPriority: 0x41,
        attributes: [{ attribute: CLOCK_TIME }, { attribute: { ...CLOCK_TIME, attributeId: -1 } }],
      },
    },
  },
]);

apduVectors("get-response", [
  {
    name: "a value",
    hex: "c4 01 c1 00 11 05",
    apdu: {
      apdu: "get-response",
      body: {
        type: "normal",
        invokeIdAndPriority: 0xc1,
        result: { type: "data", data: { type: "unsigned", value: 5 } },
      },
    },
  },
  {
    name: "a result code that no edition lists survives",
    hex: "c4 01 c1 01 63",
    apdu: {
      apdu: "get-response",
      body: {
        type: "normal",
        invokeIdAndPriority: 0xc1,
        result: { type: "data-access-result", dataAccessResult: "unknown-99" },
      },
    },
  },
  {
    name: "a block",
    hex: "c4 02 c1 01 00000003 00 02 1105",
    apdu: {
      apdu: "get-response",
      body: {
        type: "with-datablock",
        invokeIdAndPriority: 0xc1,
        block: { lastBlock: true, blockNumber: 3, result: { type: "raw-data", rawData: fromHex("1105") } },
      },
    },
  },
  {
    name: "a transfer that the server ends",
    hex: "c4 02 c1 01 00000003 01 0f",
    apdu: {
      apdu: "get-response",
      body: {
        type: "with-datablock",
        invokeIdAndPriority: 0xc1,
        block: {
          lastBlock: true,
          blockNumber: 3,
          result: { type: "data-access-result", dataAccessResult: "long-get-aborted" },
        },
      },
    },
  },
  {
    name: "a list with a value and a refusal",
    hex: "c4 03 c1 02 00 00 01 03",
    apdu: {
      apdu: "get-response",
      body: {
        type: "with-list",
        invokeIdAndPriority: 0xc1,
        results: [
          { type: "data", data: { type: "null-data" } },
          { type: "data-access-result", dataAccessResult: "read-write-denied" },
        ],
      },
    },
  },
]);
