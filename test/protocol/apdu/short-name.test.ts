import { fromHex } from "../../../protocol/bytes/hex.ts";
import { apduVectors } from "./vectors.ts";

const value = { type: "unsigned", value: 5 } as const;

apduVectors("read", [
  {
    name: "a request with every kind of specification",
    hex: "05 05 02 fa08  04 fa08 01 00  05 0002  06 01 0003 02 abcd  07 00 0004",
    apdu: {
      apdu: "read-request",
      body: {
        variables: [
          { type: "variable-name", variableName: 0xfa08 },
          { type: "parameterized-access", variableName: 0xfa08, selector: 1, parameter: { type: "null-data" } },
          { type: "block-number-access", blockNumber: 2 },
          { type: "read-data-block-access", lastBlock: true, blockNumber: 3, rawData: fromHex("abcd") },
          { type: "write-data-block-access", lastBlock: false, blockNumber: 4 },
        ],
      },
    },
  },
  {
    name: "a response with every kind of result",
    hex: "0c 04 00 1105  01 04  02 00 0001 02 abcd  03 0007",
    apdu: {
      apdu: "read-response",
      body: {
        results: [
          { type: "data", data: value },
          { type: "data-access-error", dataAccessResult: "object-undefined" },
          { type: "data-block-result", lastBlock: false, blockNumber: 1, rawData: fromHex("abcd") },
          { type: "block-number", blockNumber: 7 },
        ],
      },
    },
  },
]);

apduVectors("write", [
  {
    name: "a request",
    hex: "06 01 02 fa10 01 1105",
    apdu: {
      apdu: "write-request",
      body: { variables: [{ type: "variable-name", variableName: 0xfa10 }], values: [value] },
    },
  },
  {
    name: "a response with every kind of result",
    hex: "0d 03 00  01 03  02 0007",
    apdu: {
      apdu: "write-response",
      body: {
        results: [
          { type: "success" },
          { type: "data-access-error", dataAccessResult: "read-write-denied" },
          { type: "block-number", blockNumber: 7 },
        ],
      },
    },
  },
  {
    name: "a request that is not answered",
    hex: "16 01 02 fa10 01 1105",
    apdu: {
      apdu: "unconfirmed-write-request",
      body: { variables: [{ type: "variable-name", variableName: 0xfa10 }], values: [value] },
    },
  },
]);

apduVectors("information-report-request", [
  {
    name: "without a time",
    hex: "18 00 01 02 fa10 01 1105",
    apdu: {
      apdu: "information-report-request",
      body: { variables: [{ type: "variable-name", variableName: 0xfa10 }], values: [value] },
    },
  },
  {
    name: "with a time",
    hex: "18 01 04 32303234 00 00",
    apdu: {
      apdu: "information-report-request",
      body: { currentTime: fromHex("32303234"), variables: [], values: [] },
    },
  },
]);
