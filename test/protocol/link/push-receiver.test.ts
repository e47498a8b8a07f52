import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { detectStream } from "../../../protocol/link/detection.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { decodeControl } from "../../../protocol/link/hdlc/control.ts";
import { encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { decodeMbusFrame, encodeMbusFrame, MbusParser, type MbusUnit } from "../../../protocol/link/mbus.ts";
import { PushReceiver, type PushReceiverSettings } from "../../../protocol/link/push-receiver.ts";

function events(receiver: PushReceiver): LinkEvent[] {
  const found: LinkEvent[] = [];
  for (let event = receiver.takeEvent(); event; event = receiver.takeEvent()) found.push(event);
  return found;
}
const show = (found: LinkEvent[]) =>
  found.map((event) => {
    if (event.type === "apdu") return `${event.sourceSap}>${event.destinationSap} ${toHex(event.apdu)}`;
    return event.type === "discarded" ? event.error.code : event.type;
  });

/** Feeds pieces, one millisecond apart, and says what came out. */
function hears(settings: PushReceiverSettings, pieces: readonly Uint8Array[]): string[] {
  const receiver = new PushReceiver(settings);
  pieces.forEach((piece, index) => receiver.receive(piece, index));
  receiver.command({ type: "channelEnded" }, 0);
  return show(events(receiver));
}

function ui(info: string, { control = 0x13, more = false } = {}): Uint8Array {
  const route = { source: hdlcAddress(1, 17), destination: hdlcAddress(103) };
  return encodeHdlcFrame({ ...route, control: decodeControl(control), segmented: more, information: fromHex(info) });
}
function slice(controlInformation: number, payload: string): Uint8Array {
  return encodeMbusFrame({ control: 0x53, address: 0xff, controlInformation, payload: fromHex(payload) });
}
const octetwise = (octets: Uint8Array) => Array.from(octets, (octet) => Uint8Array.of(octet));

function mbusUnits(pieces: readonly Uint8Array[]): MbusUnit[] {
  const parser = new MbusParser();
  for (const piece of pieces) parser.receive(piece);
  parser.flush();
  const found: MbusUnit[] = [];
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) found.push(unit);
  return found;
}
const showUnits = (found: MbusUnit[]) =>
  found.map((unit) => `${unit.type === "frame" ? "frame" : unit.error.code} ${toHex(unit.octets)}`);

test("push over hdlc: segmented UI frames with P/F only in the last one become one APDU", () => {
  const frames = [
    ui("e6e7000f0000", { control: 0x03, more: true }),
    ui("0102", { control: 0x03, more: true }),
    ui("03"),
  ];
  expect(hears({ framing: "hdlc" }, frames)).toEqual(["1>103 0f0000010203"]);
});

test("push over hdlc: control fields don't matter, and continuation blocks come without LLC", () => {
  // I frame 10 without any link as from Kaifa meters; general block transfer in UI frames as from an L+G E450.
  expect(hears({ framing: "hdlc" }, [ui("e6e7000f01", { control: 0x10 })])).toEqual(["1>103 0f01"]);
  expect(hears({ framing: "hdlc" }, [ui("e6e700e04001"), ui("e04002"), ui("e0c003")])).toEqual([
    "1>103 e04001",
    "1>103 e04002",
    "1>103 e0c003",
  ]);
});

test("push over hdlc: SNRM, UA and empty frames carry no APDU", () => {
  expect(hears({ framing: "hdlc" }, [ui("818000", { control: 0x93 }), ui("", { control: 0x31 })])).toEqual([
    "FRAME_UNEXPECTED",
    "FRAME_UNEXPECTED",
  ]);
});

test("push over hdlc: segments may pause for seconds, but not for ever", () => {
  const receiver = new PushReceiver({ framing: "hdlc" });
  receiver.receive(ui("e6e7000f00", { more: true }), 0);
  expect(receiver.deadlineMs()).toBeGreaterThanOrEqual(4000);
  receiver.receive(ui("01", { more: true }), 3000);
  receiver.receive(ui("02"), 6000);
  expect(show(events(receiver))).toEqual(["1>103 0f000102"]);
  receiver.receive(ui("e6e7000f00", { more: true }), 7000);
  receiver.timeout(receiver.deadlineMs() ?? 0);
  expect(show(events(receiver))).toEqual(["FRAME_INCOMPLETE"]);
  expect(receiver.deadlineMs()).toBeUndefined();
});

test("push over hdlc: a new start drops the unfinished APDU, a lost start drops the rest", () => {
  const restarted = [ui("e6e7000f00", { more: true }), ui("e6e7000f11", { more: true }), ui("22")];
  expect(hears({ framing: "hdlc" }, restarted)).toEqual(["SEGMENT_MISSING", "1>103 0f1122"]);
  expect(hears({ framing: "hdlc" }, [ui("01", { more: true }), ui("02"), ui("e6e7000f33")])).toEqual([
    "SEGMENT_MISSING",
    "1>103 0f33",
  ]);
});

test("push over hdlc: APDUs of two meters on one bus don't mix", () => {
  const other = { source: hdlcAddress(1, 18), destination: hdlcAddress(103), control: decodeControl(0x03) };
  const frames = [
    ui("e6e7000f00", { more: true }),
    encodeHdlcFrame({ ...other, segmented: true, information: fromHex("e6e7000fff") }),
    ui("01"),
    encodeHdlcFrame({ ...other, segmented: false, information: fromHex("ee") }),
  ];
  expect(hears({ framing: "hdlc" }, frames)).toEqual(["1>103 0f0001", "1>103 0fffee"]);
});

test("push over mbus: slices are joined by sequence number up to the last one", () => {
  const frames = [slice(0x00, "0167db08"), slice(0x01, "01670102"), slice(0x12, "016703")];
  expect(hears({ framing: "mbus" }, frames)).toEqual(["1>103 db08010203"]);
  expect(hears({ framing: "mbus" }, octetwise(new Uint8Array(Buffer.concat(frames))))).toEqual(["1>103 db08010203"]);
});

test("push over mbus: a meter that leaves the SAPs out is read", () => {
  expect(hears({ framing: "mbus" }, [slice(0x10, "db080102")])).toEqual(["1>103 db080102"]);
});

test("push over mbus: sequence numbers wrap after sixteen slices", () => {
  const frames = Array.from({ length: 18 }, (_, index) => slice((index % 16) | (index === 17 ? 0x10 : 0), "0167db"));
  const wrapped = hears({ framing: "mbus" }, frames);
  // Number 0 begins an APDU, so nothing longer than sixteen slices can come: the second start drops the first.
  expect(wrapped).toEqual(["SEGMENT_MISSING", "1>103 dbdb"]);
});

test("push over mbus: a missing slice costs the APDU and nothing else", () => {
  const frames = [slice(0x00, "0167db08"), slice(0x12, "016703"), slice(0x10, "0167db09")];
  expect(hears({ framing: "mbus" }, frames)).toEqual(["SEGMENT_MISSING", "SEGMENT_MISSING", "1>103 db09"]);
  expect(hears({ framing: "mbus" }, [slice(0x11, "016703")])).toEqual(["SEGMENT_MISSING"]);
});

test("push over mbus: other applications and short frames are discarded", () => {
  const reading = encodeMbusFrame({ control: 0x08, address: 1, controlInformation: 0x72, payload: fromHex("00") });
  expect(hears({ framing: "mbus" }, [reading, fromHex("10 40 f0 30 16")])).toEqual([
    "FRAME_UNKNOWN",
    "FRAME_UNEXPECTED",
  ]);
});

test("mbus: a length field that has overflowed to 01 counts 257 octets", () => {
  const frame = Uint8Array.from([0x68, 1, 1, 0x68, 0x53, 0xff, 0x10, ...new Uint8Array(254).fill(0xdb), 0, 0x16]);
  const sum = frame.subarray(4, 261).reduce((total, octet) => total + octet, 0);
  frame[261] = sum;
  expect(decodeMbusFrame(frame)).toMatchObject({ length: 263 });
});

test("mbus: every truncation wants more octets, every wrong bit is a typed error or wants more", () => {
  const frame = slice(0x10, "0167db0801020304");
  for (let length = 0; length < frame.length; length++) {
    expect(decodeMbusFrame(frame.subarray(0, length))).toBeUndefined();
  }
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const damaged = Uint8Array.from(frame);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => decodeMbusFrame(damaged)).toThrow(DlmsError);
  }
});

test("mbus: whole and octet by octet give the same units, and no octet is lost", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((payload) => slice(0x10, toHex(payload))),
    fc.uint8Array({ maxLength: 12 }),
    fc.constant(fromHex("68101068")),
    fc.constant(fromHex("1040f03016")),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const stream = new Uint8Array(Buffer.concat(pieces));
      const whole = mbusUnits([stream]);
      expect(showUnits(mbusUnits(octetwise(stream)))).toEqual(showUnits(whole));
      expect(toHex(Buffer.concat(whole.map((unit) => unit.octets)))).toBe(toHex(stream));
    }),
  );
});

test("push without framing: silence or the end of the channel ends an APDU", () => {
  const receiver = new PushReceiver({ framing: "raw", interOctetTimeoutMs: 300 });
  receiver.command({ type: "open" }, 0);
  receiver.receive(fromHex("0f00"), 0);
  receiver.receive(fromHex("0102"), 200);
  expect(receiver.deadlineMs()).toBe(500);
  receiver.timeout(500);
  receiver.receive(fromHex("0f11"), 900);
  receiver.command({ type: "channelEnded" }, 950);
  expect(show(events(receiver))).toEqual(["opened", "1>103 0f000102", "1>103 0f11", "closed"]);
});

test("push receiver: it never sends", () => {
  const receiver = new PushReceiver({ framing: "hdlc" });
  receiver.command({ type: "open" }, 0);
  expect(() => receiver.command({ type: "send", apdu: Uint8Array.of(1) }, 0)).toThrow(
    expect.objectContaining({ code: "LINK_STATE", fault: "caller" }),
  );
  expect(receiver.takeBytes()).toBeUndefined();
});

test.each([
  ["7ea0", "hdlc"],
  ["0001", "wrapper"],
  ["68fafa68", "mbus"],
  ["2f415041", "iec62056-21"],
  ["db08", "apdu"],
  ["0f40", "apdu"],
  ["434f4e4e454354", "text"],
  ["0000", "text"],
] as const)("stream detection: %s is %s", (hex, kind) => {
  expect(detectStream(fromHex(hex))).toBe(kind);
});

test("stream detection: too few octets are not judged", () => {
  expect(detectStream(new Uint8Array(0))).toBeUndefined();
  expect(detectStream(Uint8Array.of(0))).toBeUndefined();
});
