import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { Reader } from "../../../protocol/bytes/reader.ts";
import { FIELD_QUIRKS, NO_QUIRKS } from "../../../protocol/quirks.ts";

test("reader: a window ends where it was told to, and names places in the whole", () => {
  const reader = new Reader(fromHex("01 0203 04"));
  reader.u8();
  const window = reader.window(2);
  expect(window.u16()).toBe(0x0203);
  expect(() => window.u8()).toThrow(
    expect.objectContaining({ code: "DATA_TRUNCATED", at: { offset: 3, wanted: 1, left: 0 } }),
  );
  expect(reader.u8()).toBe(4);
  expect(() => reader.window(1)).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});

test("reader: a deviation that is allowed is noted once, inside windows too", () => {
  const reader = new Reader(fromHex("0102"), 0, 2, FIELD_QUIRKS);
  expect(reader.allows("tagged-date-time")).toBe(true);
  expect(reader.quirks).toEqual([]);
  expect(reader.window(1).tolerates("tagged-date-time")).toBe(true);
  expect(reader.tolerates("tagged-date-time")).toBe(true);
  expect(reader.tolerates("trailing-octets")).toBe(false);
  expect(reader.quirks).toEqual(["tagged-date-time"]);
  expect(new Reader(fromHex("01"), 0, 1, NO_QUIRKS).tolerates("tagged-date-time")).toBe(false);
});

test("reader: lengths have the short form or one to four octets more", () => {
  for (const [hex, length] of [
    ["00", 0],
    ["7f", 127],
    ["8180", 128],
    ["820005", 5],
    ["83010000", 65536],
    ["8400000001", 1],
  ] as const) {
    const reader = new Reader(fromHex(hex));
    expect(reader.length()).toBe(length);
    reader.end();
  }
  for (const hex of ["80", "850000000001", "ff"]) {
    expect(() => new Reader(fromHex(hex)).length()).toThrow(expect.objectContaining({ code: "LENGTH_INVALID" }));
  }
  expect(() => new Reader(fromHex("84ffffffff")).length()).toThrow(
    expect.objectContaining({ code: "LENGTH_OVER_LIMIT", at: { offset: 0, length: 0xffff_ffff, limit: 1048576 } }),
  );
});
