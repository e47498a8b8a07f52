import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { crcX25 } from "../../../protocol/link/crc.ts";
import { hdlcAddress, readHdlcAddress, sameStation, writeHdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { decodeControl, encodeControl } from "../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame, type HdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { HdlcFrameParser, type HdlcUnit } from "../../../protocol/link/hdlc/frame-parser.ts";
import { decodeFrmr, encodeFrmr } from "../../../protocol/link/hdlc/frmr.ts";
import { stripLlc } from "../../../protocol/link/hdlc/llc.ts";
import {
  DEFAULT_PARAMETERS,
  decodeParameters,
  encodeParameters,
  negotiate,
  requireParameters,
} from "../../../protocol/link/hdlc/parameters.ts";

interface HdlcCase {
  id: string;
  layer: string;
  input: { hex?: string; frames?: string[] };
  expect: { derived: { frames?: string[] } };
}
const cases = JSON.parse(readFileSync(new URL("../../vectors/hdlc.json", import.meta.url), "utf8")) as HdlcCase[];
const vectors = cases.flatMap(({ layer, input: { hex, frames } }) =>
  layer === "hdlc" ? [hex ?? [], frames ?? []] : [],
);
const frames = vectors.flat();

function parse(chunks: Iterable<Uint8Array>): HdlcUnit[] {
  const parser = new HdlcFrameParser();
  for (const chunk of chunks) parser.receive(chunk);
  parser.flush();
  const units: HdlcUnit[] = [];
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) units.push(unit);
  return units;
}
const octetwise = (octets: Uint8Array) => Array.from(octets, (octet) => Uint8Array.of(octet));
const show = (units: HdlcUnit[]) =>
  units.map((unit) => `${unit.type === "frame" ? "frame" : unit.error.code} ${toHex(unit.octets)}`);

const withoutFlags = (octets: Uint8Array) => Array.from(octets).filter((octet) => octet !== 0x7e);
const readAddress = (hex: string) => readHdlcAddress(fromHex(hex), 0, hex.length / 2);

function bitwiseX25(octets: Uint8Array): number {
  let crc = 0xffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return crc ^ 0xffff;
}

test("crc: the check value of X-25 is 906E, and appended to the octets it gives the residue", () => {
  const digits = new TextEncoder().encode("123456789");
  expect(crcX25(digits)).toBe(0x906e);
  expect(crcX25(Uint8Array.of(...digits, 0x6e, 0x90)) ^ 0xffff).toBe(0xf0b8);
});

test("crc: octet by octet and in slices of eight give the same at every length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(8), (octets, from) => {
      expect(crcX25(octets, from)).toBe(bitwiseX25(octets.subarray(from)));
    }),
  );
});

test.each([
  ["03", { upper: 1, size: 1 }],
  ["cd", { upper: 102, size: 1 }],
  ["0223", { upper: 1, lower: 17, size: 2 }],
  ["ceff", { upper: 103, lower: 127, size: 2 }],
  ["00020023", { upper: 1, lower: 17, size: 4 }],
  ["00020401", { upper: 1, lower: 256, size: 4 }],
  ["02220003", { upper: 145, lower: 1, size: 4 }],
  ["fefefeff", { upper: 16383, lower: 16383, size: 4 }],
] as const)("hdlc address %s", (hex, address) => {
  const octets = fromHex(hex);
  expect(readHdlcAddress(octets, 0, octets.length)).toEqual(address);
  const written = new Uint8Array(octets.length);
  writeHdlcAddress(address, written, 0);
  expect(toHex(written)).toBe(hex);
});

test("hdlc address: three octets and more than four are wrong, too few are not yet anything", () => {
  const wrong = expect.objectContaining({ code: "FRAME_INVALID", fault: "peer" });
  expect(() => readAddress("000205")).toThrow(wrong);
  expect(() => readAddress("0002000203")).toThrow(wrong);
  expect(() => readAddress("00020002")).toThrow(wrong);
  expect(readAddress("")).toBeUndefined();
  expect(readAddress("000200")).toBeUndefined();
});

test("hdlc address: what does not fit is the caller's fault", () => {
  const wrong = expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" });
  expect(() => hdlcAddress(128, undefined, 1)).toThrow(wrong);
  expect(() => hdlcAddress(1, 128, 2)).toThrow(wrong);
  expect(() => hdlcAddress(1, 17, 1)).toThrow(wrong);
  expect(() => hdlcAddress(0x4000)).toThrow(wrong);
  expect(hdlcAddress(1, 256)).toEqual({ upper: 1, lower: 256, size: 4 });
});

test("hdlc address: a meter that answers in another size is the same station, another device is not", () => {
  expect(sameStation(hdlcAddress(1, 17, 2), hdlcAddress(1, 17, 4))).toBe(true);
  expect(sameStation(hdlcAddress(1), hdlcAddress(1, 0, 2))).toBe(true);
  expect(sameStation(hdlcAddress(1, 17), hdlcAddress(1, 18))).toBe(false);
});

test("hdlc control: every octet is read and written back", () => {
  for (let octet = 0; octet < 256; octet++) expect(encodeControl(decodeControl(octet))).toBe(octet);
  expect(decodeControl(0xfe)).toEqual({ type: "I", ns: 7, nr: 7, pollFinal: true });
  expect(decodeControl(0x31)).toEqual({ type: "RR", nr: 1, pollFinal: true });
  expect(decodeControl(0x19)).toEqual({ type: "REJ", nr: 0, pollFinal: true });
  expect(decodeControl(0x03)).toEqual({ type: "UI", pollFinal: false });
  expect(decodeControl(0xff)).toEqual({ type: "unknown", octet: 0xff, pollFinal: true });
});

test.each(frames)("hdlc frame: %s is read and written back", (hex) => {
  const decoded = decodeHdlcFrame(fromHex(hex));
  expect(decoded && toHex(encodeHdlcFrame(decoded.frame))).toBe(hex);
});

test("hdlc frame: every truncation of a frame wants more octets", () => {
  expect(frames.length).toBeGreaterThan(20);
  for (const frame of frames) {
    const octets = fromHex(frame);
    for (let length = 1; length < octets.length; length++) {
      expect(decodeHdlcFrame(octets.subarray(0, length))).toBeUndefined();
    }
  }
});

test("hdlc frame: one wrong bit anywhere between the flags is never a frame", () => {
  for (const frame of frames) {
    const octets = fromHex(frame);
    for (let bit = 8; bit < 8 * (octets.length - 1); bit++) {
      const damaged = Uint8Array.from(octets);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const padded = Uint8Array.of(...damaged, ...new Uint8Array(0x800));
      expect(() => decodeHdlcFrame(padded)).toThrow(DlmsError);
    }
  }
});

test("hdlc frame: a damaged length is caught by the header's check, before its octets have come", () => {
  const octets = fromHex("7ea0382102233034e7e6e7006129");
  octets[1] = 0xa7;
  expect(() => decodeHdlcFrame(octets)).toThrow(
    expect.objectContaining({ code: "FRAME_CHECK_WRONG", at: { offset: 7 } }),
  );
});

test("hdlc frame: fields go out and come back the same", () => {
  const address = fc.oneof(
    fc.nat(127).map((upper) => hdlcAddress(upper)),
    fc.tuple(fc.nat(127), fc.nat(127)).map(([upper, lower]) => hdlcAddress(upper, lower, 2)),
    fc.tuple(fc.nat(16383), fc.nat(16383)).map(([upper, lower]) => hdlcAddress(upper, lower, 4)),
  );
  const frame: fc.Arbitrary<HdlcFrame> = fc.record({
    destination: address,
    source: address,
    control: fc.nat(255).map((octet) => decodeControl(octet)),
    segmented: fc.boolean(),
    information: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(frame, (value) => {
      const octets = encodeHdlcFrame(value);
      expect(decodeHdlcFrame(octets)).toEqual({ frame: value, closingFlag: octets.length - 1 });
    }),
  );
});

test("hdlc frame: a length without its upper bits is read only where that is tolerated", () => {
  const route = {
    destination: hdlcAddress(16),
    source: hdlcAddress(1),
    control: decodeControl(0x30),
    segmented: false,
  };
  const octets = encodeHdlcFrame({ ...route, information: new Uint8Array(247).fill(0x7e) });
  const [high = 0, low = 0] = octets.subarray(1, 3);
  expect([high, low]).toEqual([0xa1, 0x00]);
  octets[1] = 0xa0;
  for (const end of [6, octets.length - 3]) {
    const check = crcX25(octets, 1, end);
    octets[end] = check;
    octets[end + 1] = check >> 8;
  }
  expect(() => decodeHdlcFrame(octets)).toThrow(expect.objectContaining({ code: "LENGTH_INVALID" }));
  const tolerate = new Set(["hdlc-length-modulo-256"] as const);
  expect(decodeHdlcFrame(octets, tolerate)?.frame.information.length).toBe(247);
  expect(decodeHdlcFrame(octets.subarray(0, -1), tolerate)).toBeUndefined();
  expect(decodeHdlcFrame(fromHex("7ea0070321311787 7e"), tolerate)?.frame.control.type).toBe("RR");
  octets[20] = 0;
  const long = Uint8Array.of(...octets, ...new Uint8Array(0x800));
  expect(() => decodeHdlcFrame(long, tolerate)).toThrow(expect.objectContaining({ code: "FRAME_CHECK_WRONG" }));
});

test("hdlc frame: a wrong frame check is let pass only where that is tolerated, a wrong header check never", () => {
  const octets = fromHex("7ea0142103136bc5e6e7000f000000010002007c827e");
  octets[17] = 0xff;
  expect(() => decodeHdlcFrame(octets)).toThrow(expect.objectContaining({ code: "FRAME_CHECK_WRONG" }));
  const tolerate = new Set(["hdlc-frame-check-ignored"] as const);
  expect(decodeHdlcFrame(octets, tolerate)?.frame.information.length).toBe(11);
  octets[6] = 0;
  expect(() => decodeHdlcFrame(octets, tolerate)).toThrow(expect.objectContaining({ code: "FRAME_CHECK_WRONG" }));
});

test("hdlc frame: 2030 octets of information fit, a frame over 2047 octets is the caller's fault", () => {
  const control = decodeControl(0x10);
  const route = { destination: hdlcAddress(1, 17, 4), source: hdlcAddress(16), control, segmented: false };
  const octets = encodeHdlcFrame({ ...route, information: new Uint8Array(2030) });
  expect(decodeHdlcFrame(octets)?.frame.information.length).toBe(2030);
  expect(() => encodeHdlcFrame({ ...route, information: new Uint8Array(2040) })).toThrow(
    expect.objectContaining({ code: "LENGTH_OVER_LIMIT", fault: "caller" }),
  );
});

test.each(cases.filter(({ layer }) => layer === "hdlc-stream"))(
  "hdlc stream: $id",
  ({ input, expect: { derived } }) => {
    const stream = fromHex(input.hex ?? "");
    for (const units of [parse([stream]), parse(octetwise(stream))]) {
      expect(units.filter(({ type }) => type === "frame").map(({ octets }) => toHex(octets))).toEqual(derived.frames);
    }
  },
);

test("hdlc stream: a truncated frame before a whole one costs only itself", () => {
  const whole = fromHex(
    "7ea0372103306c7ce6e7006129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000301dffff000719",
  );
  const frame = fromHex(frames[11] ?? "");
  const units = parse([whole, frame]);
  expect(show(units).at(-1)).toBe(`frame ${toHex(frame)}`);
  expect(units.filter(({ type }) => type === "frame")).toHaveLength(1);
});

test("hdlc stream: whole and octet by octet give the same units, and no octet but fill flags is lost", () => {
  const damaged = fc.tuple(fc.constantFrom(...frames), fc.nat(), fc.nat(255)).map(([hex, index, octet]) => {
    const octets = fromHex(hex);
    octets[index % octets.length] = octet;
    return octets;
  });
  const piece = fc.oneof(
    fc.constantFrom(...frames).map((hex) => fromHex(hex)),
    damaged,
    fc.uint8Array({ maxLength: 20 }),
    fc.constant(Uint8Array.of(0x7e)),
    fc.constant(fromHex("7ea7ff")),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const stream = new Uint8Array(Buffer.concat(pieces));
      const whole = show(parse([stream]));
      expect(show(parse(octetwise(stream)))).toEqual(whole);
      const out = parse([stream]).flatMap(({ octets }) => withoutFlags(octets));
      expect(out).toEqual(withoutFlags(stream));
    }),
    { numRuns: 300 },
  );
});

test("hdlc parameters: SNRM of the reference, the default values, in both encodings", () => {
  const two = "81801405020080060200800704000000010804 00000001";
  expect(toHex(encodeParameters(DEFAULT_PARAMETERS))).toBe("818012050180060180070400000001080400000001");
  expect(decodeParameters(fromHex(two))).toEqual(DEFAULT_PARAMETERS);
  expect(decodeParameters(fromHex("818012050180060180070400000001080400000001"))).toEqual(DEFAULT_PARAMETERS);
});

test("hdlc parameters: any order, one to four octets each, unknown identifiers and user data, or nothing at all", () => {
  expect(decodeParameters(fromHex("81800d 080107 07040000 0003 060200f8"))).toEqual({
    windowReceive: 7,
    windowTransmit: 3,
    maxInfoReceive: 248,
  });
  expect(decodeParameters(fromHex("818008 2001ff 050300 0100 f0 c0ffee"))).toEqual({ maxInfoTransmit: 256 });
  expect(decodeParameters(new Uint8Array(0))).toEqual({});
});

test("hdlc parameters: truncated and foreign fields are typed errors", () => {
  const octets = encodeParameters(DEFAULT_PARAMETERS);
  for (let length = 1; length < octets.length; length++) {
    expect(() => decodeParameters(octets.subarray(0, length))).toThrow(expect.objectContaining({ fault: "peer" }));
  }
  expect(() => decodeParameters(fromHex("828000"))).toThrow(expect.objectContaining({ code: "FRAME_INVALID" }));
  expect(() => decodeParameters(fromHex("8180020500"))).toThrow(expect.objectContaining({ code: "LENGTH_INVALID" }));
  expect(() => decodeParameters(fromHex("81800007"))).toThrow(expect.objectContaining({ code: "DATA_TRAILING" }));
});

test("hdlc parameters: the smaller value holds in each direction, and what is left out is the default", () => {
  const own = { maxInfoTransmit: 512, maxInfoReceive: 1024, windowTransmit: 3, windowReceive: 7 };
  expect(negotiate(own, { maxInfoTransmit: 2030, maxInfoReceive: 62, windowTransmit: 1, windowReceive: 7 })).toEqual({
    maxInfoTransmit: 62,
    maxInfoReceive: 1024,
    windowTransmit: 3,
    windowReceive: 1,
  });
  expect(negotiate(own, {})).toEqual(DEFAULT_PARAMETERS);
  expect(negotiate(own, { maxInfoReceive: 0 }).maxInfoTransmit).toBe(128);
});

test("hdlc parameters: values outside the range are the caller's fault", () => {
  const wrong = expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" });
  expect(() => requireParameters({ ...DEFAULT_PARAMETERS, maxInfoTransmit: 31 })).toThrow(wrong);
  expect(() => requireParameters({ ...DEFAULT_PARAMETERS, maxInfoReceive: 2031 })).toThrow(wrong);
  expect(() => requireParameters({ ...DEFAULT_PARAMETERS, windowReceive: 8 })).toThrow(wrong);
});

test("llc: the header is taken off as often as it stands there", () => {
  expect(toHex(stripLlc(fromHex("e6e7006129")))).toBe("6129");
  // An Indian meter's AARE (forum trace, check sequences valid): the header twice.
  expect(toHex(stripLlc(fromHex("e6e700e6e7006129")))).toBe("6129");
  expect(toHex(stripLlc(fromHex("ffe6000f00")))).toBe("0f00");
  expect(toHex(stripLlc(fromHex("e04000")))).toBe("e04000");
  expect(toHex(stripLlc(fromHex("e6e7")))).toBe("e6e7");
});

test("frmr: the rejected control, the numbers and the reasons", () => {
  // Control 54 rejected after a client switch without SNRM (forum trace, check sequences valid).
  expect(decodeFrmr(fromHex("540010"))).toEqual({ control: 0x54, vs: 0, vr: 0, reasons: ["sendNumberInvalid"] });
  expect(toHex(encodeFrmr({ control: 0x54, vs: 2, vr: 5, reasons: ["informationTooLong"] }))).toBe("54a404");
  expect(decodeFrmr(fromHex("5400"))).toBeUndefined();
});
