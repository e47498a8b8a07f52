import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Reader } from "../../../protocol/bytes/reader.ts";
import { Writer } from "../../../protocol/bytes/writer.ts";

const octets = fc.uint8Array({ maxLength: 300 });

test("writer: fields of every width survive the growth of the buffer", () => {
  for (let before = 0; before < 16; before++) {
    const writer = new Writer(before);
    writer.bytes(new Uint8Array(before).fill(0xaa));
    writer
      .u8(1)
      .i8(-2)
      .u16(3)
      .i16(-4)
      .u32(5)
      .i32(-6)
      .u64(7n)
      .i64(-8n)
      .f32(0.5)
      .f64(-0.25)
      .octetString(new Uint8Array(9));
    const reader = new Reader(writer.finish(), before);
    expect([reader.u8(), reader.i8(), reader.u16(), reader.i16(), reader.u32(), reader.i32()]).toEqual([
      1, -2, 3, -4, 5, -6,
    ]);
    expect([reader.u64(), reader.i64(), reader.f32(), reader.f64(), reader.length()]).toEqual([7n, -8n, 0.5, -0.25, 9]);
    expect(reader.rest()).toEqual(new Uint8Array(9));
  }
});

test("writer: what is written in pieces is what is read, whatever the capacity", () => {
  fc.assert(
    fc.property(fc.nat(40), fc.array(octets, { maxLength: 12 }), (capacity, pieces) => {
      const writer = new Writer(capacity);
      for (const piece of pieces) writer.octetString(piece);
      const reader = new Reader(writer.finish());
      expect(pieces.map(() => reader.bytes(reader.length()))).toEqual(pieces);
      reader.end();
    }),
    { numRuns: 200 },
  );
});

test("writer: a number outside its field is refused and leaves nothing behind", () => {
  const writer = new Writer();
  const refused = expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" });
  expect(() => writer.u8(256)).toThrow(refused);
  expect(() => writer.i8(-129)).toThrow(refused);
  expect(() => writer.u32(-1)).toThrow(refused);
  expect(() => writer.u16(1.5)).toThrow(refused);
  expect(() => writer.u64(1n << 64n)).toThrow(refused);
  expect(() => writer.i64(1n << 63n)).toThrow(refused);
  expect(writer.length).toBe(0);
});
