import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { crcArc } from "../../../protocol/link/crc.ts";
import {
  decodeP1Telegram,
  P1Parser,
  type P1Unit,
  p1Check,
  parseP1Time,
} from "../../../protocol/link/iec62056-21/p1.ts";
import { octetsOf } from "../../../protocol/link/iec62056-21/text.ts";

const LINES = ["1-3:0.2.8(50)", "0-0:1.0.0(230201155056W)", "1-0:1.8.1(000143.608*kWh)", "0-0:96.13.0()"];
/** A telegram of these lines with the check that a meter would send. */
function telegram(lines: readonly string[] = LINES, identification = "XMX5LGBBFG1234"): string {
  const text = `/${identification}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!`;
  return `${text}${p1Check(text).toString(16).toUpperCase().padStart(4, "0")}\r\n`;
}
function parse(chunks: Iterable<Uint8Array>): P1Unit[] {
  const parser = new P1Parser();
  for (const chunk of chunks) parser.receive(chunk);
  parser.flush();
  const units: P1Unit[] = [];
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) units.push(unit);
  return units;
}
const show = (units: P1Unit[]) =>
  units.map((unit) => (unit.type === "telegram" ? unit.telegram.identification : unit.error.code));
const octetwise = (octets: Uint8Array) => Array.from(octets, (octet) => Uint8Array.of(octet));

test("crc: the check value of ARC is BB3D", () => {
  expect(crcArc(octetsOf("123456789"))).toBe(0xbb3d);
});

test("p1: a telegram is read into data sets", () => {
  const read = decodeP1Telegram(octetsOf(telegram()));
  expect(read.identification).toBe("XMX5LGBBFG1234");
  expect(read.crc).toBeDefined();
  expect(read.unreadable).toEqual([]);
  expect(read.dataSets).toEqual([
    { address: "1-3:0.2.8", values: ["50"] },
    { address: "0-0:1.0.0", values: ["230201155056W"] },
    { address: "1-0:1.8.1", values: ["000143.608*kWh"] },
    { address: "0-0:96.13.0", values: [""] },
  ]);
});

test("p1: the check may be in small letters, without leading zeros, or absent", () => {
  const whole = telegram();
  const check = whole.slice(-6, -2);
  expect(decodeP1Telegram(octetsOf(whole.replace(`!${check}`, `!${check.toLowerCase()}`))).crc).toBeDefined();
  expect(decodeP1Telegram(octetsOf(whole.replace(`!${check}`, "!"))).crc).toBeUndefined();
  const zeros = Array.from({ length: 400 }, (_, index) => telegram([`0-0:96.1.0(${index})`])).find((text) =>
    /!0[0-9A-F]{3}\r\n$/.test(text),
  );
  expect(decodeP1Telegram(octetsOf(zeros?.replace("!0", "!") ?? "")).crc).toBeLessThan(0x1000);
});

test("p1: a wrong octet anywhere is a wrong check or another form, never a telegram", () => {
  const octets = octetsOf(telegram());
  const ends = octets.length - 2;
  for (let index = 0; index < ends; index++) {
    const damaged = Uint8Array.from(octets);
    damaged[index] = (damaged[index] ?? 0) ^ 0x01;
    expect(() => decodeP1Telegram(damaged)).toThrow(expect.objectContaining({ fault: "peer" }));
  }
});

test("p1: every truncation is a typed error, up to the check that may be absent", () => {
  const octets = octetsOf(telegram());
  const end = octets.indexOf(0x21);
  for (let length = 0; length <= end; length++) {
    expect(() => decodeP1Telegram(octets.subarray(0, length))).toThrow(expect.objectContaining({ fault: "peer" }));
  }
});

test("p1: line ends that a gateway has replaced are refused, or read when told", () => {
  const replaced = octetsOf(telegram().replaceAll("\r\n", "\n"));
  expect(() => decodeP1Telegram(replaced)).toThrow(expect.objectContaining({ code: "FRAME_CHECK_WRONG" }));
  expect(decodeP1Telegram(replaced, { lineEndsReplaced: true }).dataSets).toHaveLength(4);
});

test("p1: DSMR 2 puts the gas reading on a line of its own", () => {
  const text = "/ISk5\x02MT382\r\n\r\n0-1:24.3.0(160410130000)(2C)(60)(1)(0-1:24.2.1)(m3)\r\n(07890.693)\r\n!\r\n";
  expect(decodeP1Telegram(octetsOf(text)).dataSets).toEqual([
    { address: "0-1:24.3.0", values: ["160410130000", "2C", "60", "1", "0-1:24.2.1", "m3", "07890.693"] },
  ]);
});

test("p1: lines that are no data set are named and cost nothing else", () => {
  const read = decodeP1Telegram(octetsOf(telegram([...LINES, "1-0:1.7.0 (1)", "1-3:0.2.8)40(", "1-0:1.7.0(1) x"])));
  expect(read.dataSets).toHaveLength(4);
  expect(read.unreadable).toEqual(["1-0:1.7.0 (1)", "1-3:0.2.8)40(", "1-0:1.7.0(1) x"]);
});

test("p1 stream: an interrupted telegram costs itself, the next one is read", () => {
  const whole = telegram();
  const stream = octetsOf(`${whole.slice(0, 40)}\r\n${whole}`);
  expect(show(parse([stream]))).toEqual(["FRAME_INCOMPLETE", "XMX5LGBBFG1234"]);
});

test("p1 stream: a telegram without its line end is not handed on", () => {
  expect(show(parse([octetsOf(telegram().slice(0, -2))]))).toEqual(["FRAME_INCOMPLETE"]);
  expect(show(parse([octetsOf("/some data!0000")]))).toEqual(["FRAME_INCOMPLETE"]);
});

test("p1 stream: one that never ends is given up at the limit and the next one is read", () => {
  const endless = `/ABC5X\r\n\r\n${"1-0:1.8.0(1)\r\n".repeat(LIMITS.p1TelegramLength / 14)}`;
  expect(show(parse([octetsOf(`${endless}${telegram()}`)]))).toEqual(
    expect.arrayContaining(["LENGTH_OVER_LIMIT", "XMX5LGBBFG1234"]),
  );
});

test("p1 stream: whole and octet by octet give the same units", () => {
  const piece = fc.oneof(
    fc.constantFrom(telegram(), telegram(["1-0:1.8.0(1)"], "Ene5\\T211 ESMR 5.0"), "\r\n", "/", "!\r\n"),
    fc.string({ maxLength: 20 }),
    fc.nat(80).map((length) => telegram().slice(0, length)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const stream = octetsOf(pieces.join(""));
      expect(parse(octetwise(stream))).toEqual(parse([stream]));
    }),
  );
});

test("p1: time-stamps with and without season, and those of devices that have none", () => {
  expect(parseP1Time("230201155056W")).toEqual({
    year: 2023,
    month: 2,
    day: 1,
    hour: 15,
    minute: 50,
    second: 56,
    season: "winter",
  });
  expect(parseP1Time("200807082711S")?.season).toBe("summer");
  expect(parseP1Time("160410130000")?.season).toBeUndefined();
  for (const text of ["632525252525S", "000000000000W", "230229000000W", "2302", "230201245056W"]) {
    expect(parseP1Time(text)).toBeUndefined();
  }
});
