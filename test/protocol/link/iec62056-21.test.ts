import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { BREAK_MESSAGE, blockCheck } from "../../../protocol/link/iec62056-21/block-check.ts";
import { parseDataSets, parseDecimal } from "../../../protocol/link/iec62056-21/data-sets.ts";
import {
  ModeEOpening,
  type ModeEOpeningEvent,
  type ModeEOpeningSettings,
} from "../../../protocol/link/iec62056-21/mode-e-opening.ts";
import { decodeP1Telegram } from "../../../protocol/link/iec62056-21/p1.ts";
import { withEvenParity, withoutEvenParity } from "../../../protocol/link/iec62056-21/parity.ts";
import {
  decodeReadout,
  decodeReadoutBlock,
  ReadoutParser,
  type ReadoutUnit,
} from "../../../protocol/link/iec62056-21/readout.ts";
import {
  baudCharacterFor,
  decodeIdentification,
  decodeOptionSelect,
  encodeOptionSelect,
  encodeSignOn,
} from "../../../protocol/link/iec62056-21/sign-on.ts";
import { octetsOf, textOf } from "../../../protocol/link/iec62056-21/text.ts";

interface ModeECase {
  id: string;
  input: { hex?: string; text?: string };
  expect: { derived: Record<string, unknown> };
}
const cases = JSON.parse(readFileSync(new URL("../../vectors/mode-e.json", import.meta.url), "utf8")) as ModeECase[];
const checks = cases.filter(({ input }) => input.hex !== undefined);
const identifications = cases.filter(({ input }) => input.text !== undefined);

test.each(checks)("block check: $id", ({ input, expect: { derived } }) => {
  const octets = fromHex(input.hex ?? "");
  expect(toHex(Uint8Array.of(blockCheck(octets.subarray(1, -1))))).toBe(derived["bcc"]);
});

test("block check: the break message carries its own", () => {
  expect(blockCheck(BREAK_MESSAGE.subarray(1, -1))).toBe(BREAK_MESSAGE.at(-1));
});

test.each(identifications)("identification: $id", ({ input, expect: { derived } }) => {
  const found = decodeIdentification(octetsOf(input.text ?? ""));
  const { manufacturer, baudCharacter, baud, escape, identification } = found;
  const ack = toHex(encodeOptionSelect(baudCharacter, "hdlc"));
  expect({
    manufacturer,
    baudChar: baudCharacter,
    baud,
    escape,
    modeE: found.mode === "E",
    identification,
    ack,
  }).toEqual(derived);
});

test("identification: modes by the baud character, reaction time by the third letter", () => {
  expect(decodeIdentification(octetsOf("/LGZ5ZMD310\r\n"))).toMatchObject({ mode: "C", baud: 9600, fast: false });
  expect(decodeIdentification(octetsOf("/EsyEQ3D\r\n"))).toMatchObject({ mode: "B", baud: 9600, fast: true });
  expect(decodeIdentification(octetsOf("/ABC@X\r\n"))).toMatchObject({ mode: "A", baud: undefined });
});

test("identification: truncated and foreign lines are typed errors", () => {
  const line = octetsOf("/ABC5\\2TEST-1\r\n");
  for (let length = 0; length < line.length; length++) {
    expect(() => decodeIdentification(line.subarray(0, length))).toThrow(
      expect.objectContaining({ code: "READOUT_INVALID", fault: "peer" }),
    );
  }
  expect(() => decodeIdentification(octetsOf("/?!\r\n"))).toThrow(DlmsError);
});

test("sign-on: request and acknowledgement have the octets of the reference", () => {
  expect(toHex(encodeSignOn())).toBe("2f3f210d0a");
  expect(textOf(encodeSignOn("12345678"))).toBe("/?12345678!\r\n");
  expect(() => encodeSignOn("1!2")).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }));
  expect(toHex(encodeOptionSelect("5", "hdlc"))).toBe("063235320d0a");
  expect(decodeOptionSelect(fromHex("063035310d0a"))).toEqual({ protocol: "0", baud: "5", mode: "1" });
  expect(() => decodeOptionSelect(fromHex("0630350d0a"))).toThrow(expect.objectContaining({ code: "READOUT_INVALID" }));
  expect(["3", "5", "5", "6"]).toEqual([2400, 9600, 9601, 115_200].map((baud) => baudCharacterFor(baud)));
});

test("even parity: put on and taken off again, and a wrong bit is seen", () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 0x7f }), (octets) => {
      const sent = withEvenParity(octets);
      expect(withoutEvenParity(sent)).toEqual({ octets, parityRight: true });
      for (const octet of sent) expect(octet.toString(2).replaceAll("0", "").length % 2).toBe(0);
    }),
  );
  // `/LGZ5` as an eight-bit port reads it from a seven-bit line.
  expect(textOf(withoutEvenParity(fromHex("afcc475a35")).octets)).toBe("/LGZ5");
  expect(withoutEvenParity(fromHex("2f")).parityRight).toBe(false);
});

test("data sets: several on a line, several values, a continued line, and what can't be read", () => {
  expect(
    parseDataSets("1.8.0(000123.45*kWh)2.8.0(0)\r\n\r\nC.1.0(7)(x)\n(y)\ngarbage\r\n1.7.0(1) x\n1.6.0 (2)"),
  ).toEqual({
    dataSets: [
      { address: "1.8.0", values: ["000123.45*kWh"] },
      { address: "2.8.0", values: ["0"] },
      { address: "C.1.0", values: ["7", "x", "y"] },
    ],
    unreadable: ["garbage", "1.7.0(1) x", "1.6.0 (2)"],
  });
});

test("data sets: numbers stay exact", () => {
  expect(parseDecimal("000671.578*kWh")).toEqual({ mantissa: 671_578n, decimals: 3, unit: "kWh" });
  expect(parseDecimal("-03.618*kW")).toEqual({ mantissa: -3618n, decimals: 3, unit: "kW" });
  expect(parseDecimal("0001")).toEqual({ mantissa: 1n, decimals: 0, unit: undefined });
  expect(parseDecimal("90071992547409931.000")?.mantissa).toBe(90_071_992_547_409_931_000n);
  for (const text of ["", "ER11", "00.A23*kW", "1.", "*kWh"]) expect(parseDecimal(text)).toBeUndefined();
});

test("readout: a block with its check is read, and every damage is a typed error", () => {
  const block = fromHex("02312e382e30283030303132332e34352a6b5768290d0a210d0a034b");
  expect(decodeReadoutBlock(block)).toEqual({
    dataSets: [{ address: "1.8.0", values: ["000123.45*kWh"] }],
    unreadable: [],
  });
  for (let length = 0; length < block.length; length++) {
    expect(() => decodeReadoutBlock(block.subarray(0, length))).toThrow(expect.objectContaining({ fault: "peer" }));
  }
  for (let bit = 8; bit < 8 * block.length; bit++) {
    const damaged = Uint8Array.from(block);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    // The upper bit is parity's, which the check leaves out.
    expect(bit % 8 === 7 || throws(() => decodeReadoutBlock(damaged))).toBe(true);
  }
});

function throws(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    return error instanceof DlmsError;
  }
}

function readouts(chunks: Iterable<Uint8Array>): ReadoutUnit[] {
  const parser = new ReadoutParser();
  for (const chunk of chunks) parser.receive(chunk);
  parser.flush();
  const units: ReadoutUnit[] = [];
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) units.push(unit);
  return units;
}

test("readout: a mode C and a mode D session come out as identification and data", () => {
  const block = fromHex("02312e382e30283030303132332e34352a6b5768290d0a210d0a034b");
  const modeC = new Uint8Array(Buffer.concat([Uint8Array.of(0x7f, 0), octetsOf("/ABC5TEST\r\n"), block]));
  expect(readouts([modeC]).map((unit) => unit.type)).toEqual(["discarded", "identification", "readout"]);
  expect(readouts([modeC]).at(-1)).toMatchObject({
    readout: { checked: true, identification: { manufacturer: "ABC" } },
  });
  const modeD = readouts([octetsOf("/ABC3TEST\r\n\r\n1.8.0(1*kWh)\r\n2.8.0(2*kWh)\r\n!\r\n")]);
  expect(modeD).toMatchObject([{ type: "identification" }, { readout: { checked: false, dataSets: { length: 2 } } }]);
});

test("readout: the octets that come along say the same again", () => {
  const block = fromHex("02312e382e30283030303132332e34352a6b5768290d0a210d0a034b");
  const framed = new Uint8Array(Buffer.concat([octetsOf("/ABC5TEST\r\n"), block]));
  for (const stream of [framed, octetsOf("/ABC3TEST\r\n\r\n1.8.0(1*kWh)\r\n2.8.0(2*kWh)\r\n!\r\n")]) {
    const unit = readouts([stream]).at(-1);
    if (unit?.type !== "readout") throw new Error("no readout");
    const { dataSets, unreadable, octets } = unit.readout;
    expect(decodeReadout(octets)).toEqual({ dataSets, unreadable });
  }
});

test("readout: whole and octet by octet give the same units", () => {
  const piece = fc.oneof(
    fc.constant(octetsOf("/ABC5\\2TEST\r\n")),
    fc.constant(octetsOf("\r\n1.8.0(1*kWh)\r\n!\r\n")),
    fc.constant(fromHex("02312e382e30283030303132332e34352a6b5768290d0a210d0a034b")),
    fc.uint8Array({ maxLength: 12 }),
    fc.constant(Uint8Array.of(0x02, 0x03)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const stream = new Uint8Array(Buffer.concat(pieces));
      expect(readouts(Array.from(stream, (octet) => Uint8Array.of(octet)))).toEqual(readouts([stream]));
    }),
  );
});

/** A meter played by the test. */
class Played {
  readonly opening: ModeEOpening;
  nowMs = 0;

  constructor(settings: ModeEOpeningSettings = {}) {
    this.opening = new ModeEOpening(settings);
    this.opening.command({ type: "open" }, 0);
  }

  hears(text: string): string[] {
    this.opening.receive(octetsOf(text), this.nowMs);
    return this.happens();
  }

  waits(): string[] {
    this.nowMs = this.opening.deadlineMs() ?? this.nowMs;
    this.opening.timeout(this.nowMs);
    return this.happens();
  }

  /** What is sent and what is told, in short. */
  happens(): string[] {
    const found: string[] = [];
    for (let event = this.opening.takeEvent(); event; event = this.opening.takeEvent()) found.push(brief(event));
    for (let octets = this.opening.takeBytes(); octets; octets = this.opening.takeBytes()) found.push(textOf(octets));
    return found;
  }
}

function brief(event: ModeEOpeningEvent): string {
  switch (event.type) {
    case "line":
      return `${event.settings.baud} ${event.settings.dataBits}${event.settings.parity === "even" ? "E" : "N"}1`;
    case "identified":
      return event.identification.identification;
    case "opened":
      return `opened ${event.baud}`;
    case "discarded":
    case "failed":
      return `${event.type} ${event.error.code}`;
  }
}

test("mode E: sign-on, acknowledgement, confirmation, change of speed, opened", () => {
  const played = new Played();
  expect(played.happens()).toEqual(["300 7E1", "/?!\r\n"]);
  expect(played.hears("/APA5\\2NORAX30\r\n")).toEqual(["NORAX30"]);
  expect(played.waits()).toEqual(["\x06252\r\n"]);
  expect(played.nowMs).toBe(200);
  expect(played.hears("\x06252\r\n")).toEqual([]);
  expect(played.waits()).toEqual(["9600 8N1"]);
  expect(played.waits()).toEqual(["opened 9600"]);
  expect(played.nowMs).toBe(800);
  expect(played.opening.deadlineMs()).toBeUndefined();
});

test("mode E: the speed is the meter's, up to the highest that is wanted", () => {
  const played = new Played({ maxBaud: 4800 });
  played.hears("/APa6\\2X\r\n");
  expect(played.waits()).toEqual(["\x06242\r\n"]);
  expect(played.nowMs).toBe(20);
});

test("mode E: a meter that changes speed without a word is followed", () => {
  const silent = new Played({ responseTimeoutMs: 1000 });
  silent.hears("/APA5\\2X\r\n");
  silent.waits();
  silent.happens();
  silent.waits();
  expect(silent.nowMs).toBe(1200);
  expect(silent.waits()).toEqual(["9600 8N1"]);
  const none = new Played({ confirmation: "none" });
  none.hears("/APA5\\2X\r\n");
  for (let i = 0; i < 3; i++) none.waits();
  expect(none.waits()).toEqual(["opened 9600"]);
});

test("mode E: silence is met by another sign-on after a rest, then it fails", () => {
  const played = new Played({ maxRetries: 1, responseTimeoutMs: 1000, retryDelayMs: 2000 });
  played.happens();
  expect(played.waits()).toEqual([]);
  expect(played.waits()).toEqual(["/?!\r\n"]);
  expect(played.nowMs).toBe(3000);
  expect(played.waits()).toEqual(["failed LINK_NO_ANSWER"]);
  played.opening.command({ type: "open" }, played.nowMs);
  expect(played.happens()).toEqual(["300 7E1", "/?!\r\n"]);
});

test("mode E: a meter that does not offer HDLC is refused, unless it is known to do it", () => {
  const refused = new Played();
  refused.happens();
  expect(refused.hears("/LGZ5ZMD310\r\n")).toEqual(["ZMD310", "failed LINK_MODE_NOT_OFFERED"]);
  const known = new Played({ unannounced: true });
  known.hears("/LGZ5ZMD310\r\n");
  expect(known.waits()).toEqual(["\x06252\r\n"]);
});

test("mode E: parity in software on a port without it", () => {
  const played = new Played({ softwareParity: true });
  expect(played.happens()).toEqual(["300 8N1", textOf(withEvenParity(encodeSignOn()))]);
  expect(played.hears(textOf(withEvenParity(octetsOf("/APA5\\2X\r\n"))))).toEqual(["X"]);
});

test("mode E: the echo of our own octets is dropped, noise before the identification is told", () => {
  const echoing = new Played({ echo: true });
  echoing.happens();
  expect(echoing.hears("/?!\r\n/APA5\\2X\r\n")).toEqual(["X"]);
  echoing.waits();
  expect(echoing.hears("\x06252\r\n")).toEqual([]);
  expect(echoing.opening.state).toBe("confirming");
  const noisy = new Played();
  noisy.happens();
  expect(noisy.hears("\x7f\x00/APA5\\2X\r\n")).toEqual(["discarded FRAME_INVALID", "X"]);
});

test("mode E: a slow identification is waited for while it goes on", () => {
  const played = new Played({ responseTimeoutMs: 1000, interOctetTimeoutMs: 1500 });
  played.happens();
  played.nowMs = 900;
  played.hears("/AP");
  expect(played.opening.deadlineMs()).toBe(2400);
  played.nowMs = 2300;
  expect(played.hears("A5\\2X\r\n")).toEqual(["X"]);
});

test("mode E: the end of the channel fails it, orders that don't fit are refused", () => {
  const played = new Played();
  played.happens();
  expect(() => played.opening.command({ type: "open" }, 0)).toThrow(
    expect.objectContaining({ code: "LINK_STATE", fault: "caller" }),
  );
  played.opening.command({ type: "channelEnded" }, 0);
  expect(played.happens()).toEqual(["failed LINK_NO_ANSWER"]);
});

test("p1: what is longer than any telegram is refused, whoever carries it", () => {
  const long = new TextEncoder().encode(`/X5\r\n\r\n1-0:1.8.0(${"9".repeat(LIMITS.p1TelegramLength)})\r\n!\r\n`);
  expect(() => decodeP1Telegram(long)).toThrow(expect.objectContaining({ code: "LENGTH_OVER_LIMIT" }));
});

test("data sets: a line of more data sets than a call has places for arguments", () => {
  expect(parseDataSets("1(2)".repeat(130_000)).dataSets).toHaveLength(130_000);
});
