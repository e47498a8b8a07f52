import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { decodeWrapper, encodeWrapper, WrapperParser, type WrapperUnit } from "../../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";

interface WrapperCase {
  id: string;
  input: { chunks: string[] };
  expect: { derived: { payloads: string[] } };
}
const cases: WrapperCase[] = JSON.parse(
  readFileSync(new URL("../../vectors/wrapper.json", import.meta.url), "utf8"),
) as WrapperCase[];

function parse(chunks: Iterable<Uint8Array>): WrapperUnit[] {
  const parser = new WrapperParser();
  for (const chunk of chunks) parser.receive(chunk);
  parser.flush();
  const units: WrapperUnit[] = [];
  for (let unit = parser.takeUnit(); unit; unit = parser.takeUnit()) units.push(unit);
  return units;
}
const octetwise = (octets: Uint8Array) => Array.from(octets, (octet) => Uint8Array.of(octet));
const show = (units: WrapperUnit[]) =>
  units.map((unit) => (unit.type === "pdu" ? toHex(encodeWrapper(unit)) : `${unit.error.code} ${toHex(unit.octets)}`));

function takeEvents(link: WrapperLink): LinkEvent[] {
  const events: LinkEvent[] = [];
  for (let event = link.takeEvent(); event; event = link.takeEvent()) events.push(event);
  return events;
}

test.each(cases)("wrapper: $id gives its APDUs", ({ input, expect: { derived } }) => {
  const units = parse(input.chunks.map((chunk) => fromHex(chunk)));
  expect(units.map((unit) => (unit.type === "pdu" ? toHex(unit.apdu) : "discarded"))).toEqual(derived.payloads);
});

test("wrapper: the request of client 16 to server 1 has the octets of IEC 62056-47", () => {
  const octets = encodeWrapper({ sourceWPort: 16, destinationWPort: 1, apdu: fromHex("c001c1") });
  expect(toHex(octets)).toBe("0001001000010003c001c1");
  expect(decodeWrapper(octets)).toEqual({ sourceWPort: 16, destinationWPort: 1, apdu: fromHex("c001c1") });
});

test("wrapper: every truncation of a datagram is a typed error", () => {
  const octets = encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu: fromHex("c401c1000600000001") });
  for (let length = 0; length < octets.length; length++) {
    expect(() => decodeWrapper(octets.subarray(0, length))).toThrow(
      expect.objectContaining({ code: "DATA_TRUNCATED" }),
    );
  }
  expect(() => decodeWrapper(Uint8Array.of(...octets, 0))).toThrow(expect.objectContaining({ code: "DATA_TRAILING" }));
});

test("wrapper: another version, an empty APDU and one over 65535 octets are refused", () => {
  expect(() => decodeWrapper(fromHex("0002 0010 0001 0001 c0"))).toThrow(
    expect.objectContaining({ code: "FRAME_INVALID", fault: "peer", at: { offset: 0, version: 2 } }),
  );
  expect(() => decodeWrapper(fromHex("0001 0010 0001 0000"))).toThrow(
    expect.objectContaining({ code: "LENGTH_INVALID" }),
  );
  const ports = { sourceWPort: 1, destinationWPort: 1 };
  expect(() => encodeWrapper({ ...ports, apdu: new Uint8Array(0x1_0000) })).toThrow(
    expect.objectContaining({ code: "LENGTH_OVER_LIMIT", fault: "caller" }),
  );
});

test("wrapper: modem text and keep-alive zeros before a PDU are one discarded run", () => {
  const noise = Uint8Array.of(...new TextEncoder().encode("\r\nCONNECT 9600\r\n"), 0, 0, 0);
  const pdu = encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu: fromHex("c401") });
  const stream = Uint8Array.of(...noise, ...pdu);
  const wanted = [`FRAME_INVALID ${toHex(noise)}`, toHex(pdu)];
  expect(show(parse([stream]))).toEqual(wanted);
  expect(show(parse(octetwise(stream)))).toEqual(wanted);
});

test("wrapper: whole and octet by octet give the same units, whatever the octets", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.constant(fromHex("00010001001000")),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((apdu) => encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu })),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const stream = new Uint8Array(Buffer.concat(pieces));
      const whole = parse([stream]);
      expect(show(parse(octetwise(stream)))).toEqual(show(whole));
      const out = whole.map((unit) => (unit.type === "pdu" ? encodeWrapper(unit) : unit.octets));
      expect(toHex(Buffer.concat(out))).toBe(toHex(stream));
    }),
    { numRuns: 300 },
  );
});

test("wrapper link: a server answers whoever asked, with the ports swapped", () => {
  const client = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
  const server = new WrapperLink({ role: "server" });
  client.command({ type: "open" }, 0);
  server.command({ type: "open" }, 0);
  client.command({ type: "send", apdu: fromHex("c001") }, 0);
  server.receive(client.takeBytes() ?? new Uint8Array(), 0);
  expect(takeEvents(server)).toEqual([
    { type: "opened" },
    { type: "apdu", apdu: fromHex("c001"), sourceSap: 16, destinationSap: 1 },
  ]);
  server.command({ type: "send", apdu: fromHex("c401") }, 0);
  const answer = server.takeBytes() ?? new Uint8Array();
  expect(toHex(answer)).toBe("0001000100100002c401");
  client.receive(answer, 0);
  expect(takeEvents(client).at(-1)).toEqual({ type: "apdu", apdu: fromHex("c401"), sourceSap: 1, destinationSap: 16 });
});

test("wrapper link: a push names its own SAPs, and without any a server refuses to send", () => {
  const server = new WrapperLink({ role: "server" });
  server.command({ type: "open" }, 0);
  expect(() => server.command({ type: "send", apdu: Uint8Array.of(0x0f) }, 0)).toThrow(
    expect.objectContaining({ code: "LINK_STATE", fault: "caller" }),
  );
  server.command({ type: "send", apdu: Uint8Array.of(0x0f), sourceSap: 1, destinationSap: 102 }, 0);
  expect(toHex(server.takeBytes() ?? new Uint8Array())).toBe("00010001006600010f");
});

test("wrapper link: a PDU that stops half-way is given up at the deadline and the next one is read", () => {
  const client = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1, stallTimeoutMs: 1000 });
  client.command({ type: "open" }, 0);
  client.receive(fromHex("0001 0001 0010 ff46 c401"), 50);
  expect(client.deadlineMs()).toBe(1050);
  client.timeout(1049);
  expect(takeEvents(client)).toEqual([{ type: "opened" }, { type: "progress" }]);
  client.timeout(1050);
  expect(takeEvents(client)).toMatchObject([{ type: "discarded", error: { code: "FRAME_INCOMPLETE" } }]);
  expect(client.deadlineMs()).toBeUndefined();
  client.receive(fromHex("0001 0001 0010 0001 c4"), 2000);
  expect(takeEvents(client)).toMatchObject([{ type: "apdu" }]);
});

test("wrapper link: after noise only a header with our own ports begins a PDU", () => {
  const client = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
  client.receive(fromHex("ff 0001 0203 0405 0001 aa 0001 0001 0010 0001 c4"), 0);
  expect(takeEvents(client)).toMatchObject([{ type: "discarded" }, { type: "apdu", apdu: Uint8Array.of(0xc4) }]);
});

test("wrapper link: closing tells why, once, and sending is over", () => {
  const client = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
  client.command({ type: "open" }, 0);
  client.command({ type: "channelEnded" }, 0);
  client.command({ type: "close" }, 0);
  expect(takeEvents(client)).toEqual([{ type: "opened" }, { type: "closed", reason: "peer" }]);
  expect(() => client.command({ type: "send", apdu: Uint8Array.of(1) }, 0)).toThrow(
    expect.objectContaining({ code: "LINK_STATE" }),
  );
});

test("wrapper: a modem with reversed header fields is understood and answered in its order", () => {
  const link = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1, byteOrder: "reversed" });
  link.command({ type: "open" }, 0);
  link.command({ type: "send", apdu: fromHex("c001c1") }, 0);
  expect(toHex(link.takeBytes() ?? new Uint8Array(0))).toBe("0100100001000300c001c1");
  for (const octet of fromHex("ffff 0100 0100 1000 0400 c401c100".replaceAll(" ", "")))
    link.receive(Uint8Array.of(octet), 0);
  expect(takeEvents(link).filter(({ type }) => type !== "progress")).toMatchObject([
    { type: "opened" },
    { type: "discarded", octets: fromHex("ffff") },
    { type: "apdu", apdu: fromHex("c401c100"), sourceSap: 1, destinationSap: 16 },
  ]);
});

test("wrapper: over datagrams, what one leaves unfinished does not go on in the next", () => {
  const link = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1, datagrams: true });
  link.receive(fromHex("0001000100100008c401c100"), 0);
  link.receive(fromHex("0001000100100004c401c100"), 0);
  expect(takeEvents(link)).toMatchObject([
    { type: "discarded", error: { code: "FRAME_INCOMPLETE" } },
    { type: "apdu", apdu: fromHex("c401c100") },
  ]);
  expect(link.deadlineMs()).toBeUndefined();
});
