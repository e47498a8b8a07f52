import { expect, test } from "vitest";
import { encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { dataToBytes } from "../../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { CLOCK, FixtureObjects, OPEN_RULE, Served } from "../server-fixture.ts";
import { aarq, GET_CLOCK } from "./server-examples.ts";

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
