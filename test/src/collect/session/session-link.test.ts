import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../../protocol/link/hdlc/address.ts";
import type { HdlcControl } from "../../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../../protocol/link/hdlc/frame.ts";
import type { MeterQuirk } from "../../../../protocol/quirks.ts";
import { answerTimeoutMs, receivePduSize, sessionLink } from "../../../../src/collect/session/session-link.ts";
import { meterSchema } from "../../../../src/config/schema.ts";

function sent(connection: object): string {
  const parsed = meterSchema.parse({ name: "m", number: "1", connection: { tcp: "192.0.2.7:4059", ...connection } });
  const link = sessionLink(parsed.connection, parsed.association);
  link.command({ type: "open" }, 0);
  link.command({ type: "send", apdu: Uint8Array.of(0xc0) }, 0);
  return toHex(link.takeBytes() ?? new Uint8Array(0));
}

test("session link: a meter behind a gateway gets the gateway's header", () => {
  expect(sent({})).toBe("0001001000010001c0");
  expect(sent({ gateway: { device: "SMT7" } })).toBe("0001001000010008e60004534d5437c0");
  expect(sent({ gateway: { network: 3, device: "0x0A0b" } })).toBe("0001001000010006e603020a0bc0");
});

test.each(["", "0x", "0x123", "0xzz"])("session link: %j is no device address", (device) => {
  const connection = { tcp: "192.0.2.7:4059", gateway: { device } };
  expect(meterSchema.safeParse({ name: "m", number: "1", connection }).success).toBe(false);
});

test("session link: the physical address is the one that the maker derives from the meter number", () => {
  expect(openedTo({ physicalAddressFrom: "last-2-digits+16" })).toEqual({ upper: 1, lower: 83, size: 2 });
  expect(openedTo({ physicalAddressFrom: "last-4-digits+1000" })).toEqual({ upper: 1, lower: 3367, size: 4 });
  expect(openedTo({ physicalAddressFrom: "last-2-digits", addressLength: 4 })).toEqual({
    upper: 1,
    lower: 67,
    size: 4,
  });
  const connection = { tcp: "192.0.2.7:4059", link: "hdlc", physicalAddressFrom: "mercury" };
  expect(meterSchema.safeParse({ name: "m", number: "SMT", connection }).success).toBe(false);
});

test("session link: the habits of a link come from the configuration", () => {
  const hdlc = { discFirst: true, bareSnrm: true, retries: 1, frameTimeout: "200ms" };
  const { connection, association } = meterSchema.parse({
    name: "m",
    number: "1",
    connection: { tcp: "192.0.2.7:4059", link: "hdlc", hdlc },
  });
  const link = sessionLink(connection, association);
  link.command({ type: "open" }, 0);
  const controls: unknown[] = [];
  for (let nowMs = 0; ; nowMs = link.deadlineMs() ?? nowMs) {
    link.timeout(nowMs);
    for (let octets = link.takeBytes(); octets; octets = link.takeBytes()) {
      const frame = decodeHdlcFrame(octets)?.frame;
      controls.push([nowMs, frame?.control.type, frame?.information.length]);
    }
    if (link.deadlineMs() === undefined) break;
  }
  expect(controls).toEqual([
    [0, "DISC", 0],
    [200, "SNRM", 0],
    [400, "SNRM", 0],
  ]);
  // The association gives its answer up when the link has had all its tries, not before.
  expect(answerTimeoutMs(connection, 1024)).toBe(400);
  expect(answerTimeoutMs({ ...connection, hdlc: undefined }, 1024)).toBe(40_000);
  expect(answerTimeoutMs({ ...connection, link: "wrapper" }, 1024)).toBe(10_000);
});

function largest(connection: object, association = {}): number {
  const meter = meterSchema.parse({ name: "m", number: "1", connection, association });
  return receivePduSize(meter.connection, meter.association);
}

test("session link: large APDUs are taken where the way there is a stream, and as configured anywhere", () => {
  expect(largest({ tcp: "127.0.0.1:4059" })).toBe(8192);
  expect(largest({ callsIn: true })).toBe(8192);
  expect(largest({ udp: "127.0.0.1:4059" })).toBe(1024);
  expect(largest({ tcp: "127.0.0.1:4059", link: "hdlc" })).toBe(1024);
  expect(largest({ serial: "/dev/ttyUSB0" })).toBe(1024);
  expect(largest({ serial: "/dev/ttyUSB0" }, { maxReceivePduSize: 400 })).toBe(400);
});

test("session link: the sequence numbers of a meter that counts wrongly are ignored by a quirk", () => {
  expect(answersHeard(new Set(["frame-numbers-fixed"]))).toBe(3);
  expect(answersHeard(new Set())).toBe(1);
});

function openedTo(connection: object) {
  const parsed = meterSchema.parse({
    name: "m",
    number: "SMT-12367",
    connection: { tcp: "192.0.2.7:4059", link: "hdlc", ...connection },
  });
  const link = sessionLink(parsed.connection, parsed.association);
  link.command({ type: "open" }, 0);
  return decodeHdlcFrame(link.takeBytes() ?? new Uint8Array(0))?.frame.destination;
}

function answersHeard(quirks: ReadonlySet<MeterQuirk>) {
  const { connection, association } = meterSchema.parse({
    name: "m",
    number: "1",
    connection: { tcp: "192.0.2.7:4059", link: "hdlc" },
  });
  const link = sessionLink(connection, { ...association, quirks });
  const route = { destination: hdlcAddress(16), source: hdlcAddress(1) };
  const hear = (control: HdlcControl, information: Uint8Array = new Uint8Array(0)) =>
    link.receive(encodeHdlcFrame({ ...route, control, segmented: false, information }), 0);
  link.command({ type: "open" }, 0);
  hear({ type: "UA", pollFinal: true });
  let apdus = 0;
  for (let request = 0; request < 3; request++) {
    link.command({ type: "send", apdu: Uint8Array.of(0xc0) }, 0);
    // N(S) stays 0, N(R) 1, as of some meters.
    hear({ type: "I", ns: 0, nr: 1, pollFinal: true }, fromHex("e6e700c4"));
    for (let event = link.takeEvent(); event; event = link.takeEvent()) if (event.type === "apdu") apdus++;
  }
  return apdus;
}
