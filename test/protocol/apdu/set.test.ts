import { fromHex } from "../../../protocol/bytes/hex.ts";
import { apduVectors, CLOCK_TIME } from "./vectors.ts";

const block = { lastBlock: false, blockNumber: 1, rawData: fromHex("090c07") } as const;
const value = { type: "unsigned", value: 5 } as const;

apduVectors("set-request", [
  {
    name: "one attribute",
    hex: "c1 01 c1 0008 0000010000ff 02 00 1105",
    apdu: { apdu: "set-request", body: { type: "normal", invokeIdAndPriority: 0xc1, attribute: CLOCK_TIME, value } },
  },
  {
    name: "the first block",
    hex: "c1 02 c1 0008 0000010000ff 02 00 00 00000001 03 090c07",
    apdu: {
      apdu: "set-request",
      body: { type: "with-first-datablock", invokeIdAndPriority: 0xc1, attribute: CLOCK_TIME, block },
    },
  },
  {
    name: "a block more",
    hex: "c1 03 c1 00 00000001 03 090c07",
    apdu: { apdu: "set-request", body: { type: "with-datablock", invokeIdAndPriority: 0xc1, block } },
  },
  {
    name: "a list with its values",
    hex: "c1 04 c1 01 0008 0000010000ff 02 00 01 1105",
    apdu: {
      apdu: "set-request",
      body: {
        type: "with-list",
        invokeIdAndPriority: 0xc1,
        attributes: [{ attribute: CLOCK_TIME }],
        values: [value],
      },
    },
  },
  {
    name: "a list and the first block of its values",
    hex: "c1 05 c1 01 0008 0000010000ff 02 00 00 00000001 03 090c07",
    apdu: {
      apdu: "set-request",
      body: {
        type: "with-list-and-first-datablock",
        invokeIdAndPriority: 0xc1,
        attributes: [{ attribute: CLOCK_TIME }],
        block,
      },
    },
  },
]);

apduVectors("set-response", [
  {
    name: "a result",
    hex: "c5 01 c1 00",
    apdu: { apdu: "set-response", body: { type: "normal", invokeIdAndPriority: 0xc1, result: "success" } },
  },
  {
    name: "a block is wanted",
    hex: "c5 02 c1 00000001",
    apdu: { apdu: "set-response", body: { type: "datablock", invokeIdAndPriority: 0xc1, blockNumber: 1 } },
  },
  {
    name: "the last block's result",
    hex: "c5 03 c1 0c 00000002",
    apdu: {
      apdu: "set-response",
      body: { type: "last-datablock", invokeIdAndPriority: 0xc1, result: "type-unmatched", blockNumber: 2 },
    },
  },
  {
    name: "the last block's results",
    hex: "c5 04 c1 02 00 03 00000002",
    apdu: {
      apdu: "set-response",
      body: {
        type: "last-datablock-with-list",
        invokeIdAndPriority: 0xc1,
        results: ["success", "read-write-denied"],
        blockNumber: 2,
      },
    },
  },
  {
    name: "a list of results",
    hex: "c5 05 c1 01 fa",
    apdu: { apdu: "set-response", body: { type: "with-list", invokeIdAndPriority: 0xc1, results: ["other-reason"] } },
  },
]);
