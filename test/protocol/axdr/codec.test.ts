import { expect, test } from "vitest";
import {
  choice,
  type Decoded,
  data,
  fixedOctets,
  listOf,
  optional,
  sequence,
  u8,
  u16,
  u32,
} from "../../../protocol/axdr/codec.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { Reader } from "../../../protocol/bytes/reader.ts";
import { Writer } from "../../../protocol/bytes/writer.ts";

const descriptor = sequence({ classId: u16, logicalName: fixedOctets(6), attributeId: u8 });
const request = choice({
  normal: [1, sequence({ invokeIdAndPriority: u8, attribute: descriptor, access: optional(data) })],
  next: [2, sequence({ invokeIdAndPriority: u8, blockNumber: u32 })],
  withList: [3, sequence({ invokeIdAndPriority: u8, attributes: listOf(descriptor) })],
});
type Request = Decoded<typeof request>;

test("codec: a choice of sequences decodes to a typed union and encodes back", () => {
  const bytes = fromHex("02 c1 00000002");
  const value: Request = request.decode(new Reader(bytes));
  expect(value).toEqual({ type: "next", invokeIdAndPriority: 0xc1, blockNumber: 2 });
  const writer = new Writer();
  request.encode(value, writer);
  expect(toHex(writer.finish())).toBe(toHex(bytes));
});

test("codec: an unknown choice names its offset and tag", () => {
  expect(() => request.decode(new Reader(Uint8Array.of(9)))).toThrow(
    expect.objectContaining({ code: "APDU_UNKNOWN_TAG", fault: "peer", at: { offset: 0, tag: 9 } }),
  );
});
