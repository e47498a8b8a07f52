import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../../protocol/link/hdlc/address.ts";
import { decodeControl } from "../../../../protocol/link/hdlc/control.ts";
import { encodeHdlcFrame } from "../../../../protocol/link/hdlc/frame.ts";
import { encodeMbusFrame } from "../../../../protocol/link/mbus.ts";
import { encodeWrapper } from "../../../../protocol/link/wrapper.ts";
import { PushLine } from "../../../../src/push/receive/push-line.ts";

const APDU = "0f0000000100020109060000190900ff";
const WRAPPED = encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu: fromHex(APDU) });
const FRAMED = encodeHdlcFrame({
  source: hdlcAddress(1, 17),
  destination: hdlcAddress(103),
  control: decodeControl(0x13),
  segmented: false,
  information: fromHex(`e6e700${APDU}`),
});
const MBUS = encodeMbusFrame({
  control: 0x53,
  address: 0xff,
  controlInformation: 0x10,
  payload: fromHex(`0167${APDU}`),
});
const LINES = { wrapper: WRAPPED, hdlc: FRAMED, mbus: MBUS, bare: fromHex(APDU), structure: fromHex(APDU.slice(12)) };
/** As DSMR 4 meters push: identifier, comma, alarm register; two of its octets are those of the wrapper. */
const WITHOUT_APDU = Uint8Array.of(...new TextEncoder().encode("E0010000000000017,"), 0, 0, 0, 1);

function drain(line: PushLine): string[] {
  const told: string[] = [];
  for (let event = line.takeEvent(); event !== undefined; event = line.takeEvent()) {
    if (event.type === "apdu") told.push(toHex(event.apdu));
    else if (event.type === "discarded") told.push(`${event.error.code} ${toHex(event.octets)}`);
  }
  return told;
}

/** What comes out when the pieces come one millisecond apart and the line ends then. */
function hears(...pieces: readonly Uint8Array[]): string[] {
  const line = new PushLine();
  pieces.forEach((piece, index) => line.receive(piece, index));
  line.command({ type: "channelEnded" }, pieces.length);
  return drain(line);
}

test.each(Object.entries(LINES))("push line: %s is told by its first octets, however it is cut", (_, octets) => {
  const whole = hears(octets);
  expect(whole).toHaveLength(1);
  expect(APDU.endsWith(whole[0] ?? "-")).toBe(true);
  expect(hears(...Array.from(octets, (octet) => Uint8Array.of(octet)))).toEqual(whole);
});

test.each(["wrapper", "hdlc"] as const)("push line: what a modem says before %s is set aside", (kind) => {
  const text = new TextEncoder().encode("\r\nRING\r\nCONNECT 9600\r\n");
  expect(hears(text, LINES[kind])).toEqual([`FRAME_INVALID ${toHex(text)}`, APDU]);
  expect(hears(Uint8Array.of(0, 0, 0), LINES[kind])).toEqual(["FRAME_INVALID 000000", APDU]);
});

test("push line: an alarm register without an APDU is one unit, however it is cut", () => {
  expect(hears(WITHOUT_APDU)).toEqual([toHex(WITHOUT_APDU)]);
  expect(hears(...Array.from(WITHOUT_APDU, (octet) => Uint8Array.of(octet)))).toEqual([toHex(WITHOUT_APDU)]);
});

test("push line: octets that are nothing come out as one APDU when the line ends or falls silent", () => {
  const text = new TextEncoder().encode("GET / HTTP/1.1\r\n");
  expect(hears(text)).toEqual([toHex(text)]);
  expect(hears(Uint8Array.of(0))).toEqual(["00"]);
  expect(hears()).toEqual([]);
  const line = new PushLine();
  line.receive(text, 0);
  for (let at = line.deadlineMs(); at !== undefined; at = line.deadlineMs()) line.timeout(at);
  expect(drain(line)).toEqual([toHex(text)]);
});

test.each(Object.entries(LINES))("push line: every beginning of %s is told as what it is: not whole", (_, octets) => {
  const [whole] = hears(octets);
  for (let length = 1; length < octets.length; length++) {
    const told = hears(octets.subarray(0, length));
    expect(told).not.toContain(whole);
    expect(told.length > 0).toBe(detectable([octets.subarray(0, length)]));
  }
});

test("push line: any octets in any pieces are told of, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), (pieces) => {
      expect(hears(...pieces).length > 0).toBe(detectable(pieces));
    }),
    { numRuns: 300 },
  );
});

/** Flags between frames are no octets of anything. */
function detectable(pieces: readonly Uint8Array[]): boolean {
  return pieces.some((piece) => piece.some((octet) => octet !== 0x7e));
}
