import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { type HdlcAddress, hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { decodeControl } from "../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { decodeParameters } from "../../../protocol/link/hdlc/parameters.ts";
import { HdlcServer, type HdlcServerSettings } from "../../../protocol/link/hdlc/server.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";

const SNRM = 0x93;
const DISC = 0x53;
const NOTHING = new Uint8Array(0);

/** A server whose client is played by the test: what it sends is read as control octets in hex. */
class Played {
  readonly server: HdlcServer;

  constructor(settings: Partial<HdlcServerSettings> = {}) {
    this.server = new HdlcServer({ logicalDevices: [1, 2], physicalDevice: 17, ...settings });
  }

  linked(): this {
    this.asks(SNRM);
    this.events();
    return this;
  }

  asks(
    control: number,
    content: { info?: string; more?: boolean; to?: HdlcAddress; from?: HdlcAddress } = {},
  ): string[] {
    const { info = "", more = false, to = hdlcAddress(1, 17), from = hdlcAddress(16) } = content;
    const frame = { destination: to, source: from, control: decodeControl(control), segmented: more };
    this.server.receive(encodeHdlcFrame({ ...frame, information: fromHex(info) }), 0);
    return this.sent();
  }

  answers(apdu: string): string[] {
    this.server.command({ type: "send", apdu: fromHex(apdu) }, 0);
    return this.sent();
  }

  sent(): string[] {
    const frames: string[] = [];
    for (let octets = this.server.takeBytes(); octets; octets = this.server.takeBytes()) {
      const frame = decodeHdlcFrame(octets)?.frame;
      if (frame === undefined) throw new Error("the server sent no frame");
      const control = octets[3 + frame.destination.size + frame.source.size] ?? 0;
      const parts = [toHex(Uint8Array.of(control)), frame.segmented ? "+" : "", toHex(frame.information)];
      frames.push(parts.filter(Boolean).join(" "));
    }
    return frames;
  }

  events(): LinkEvent[] {
    const events: LinkEvent[] = [];
    for (let event = this.server.takeEvent(); event; event = this.server.takeEvent()) events.push(event);
    return events;
  }
}

test("hdlc server: SNRM is answered by UA in the address form of the client, with what was negotiated", () => {
  const server = new HdlcServer({ logicalDevices: [1], physicalDevice: 17, parameters: { maxInfoTransmit: 512 } });
  server.receive(fromHex("7ea00a00020023219318717e"), 0);
  const octets = server.takeBytes() ?? NOTHING;
  const frame = decodeHdlcFrame(octets)?.frame;
  expect(frame?.source).toEqual({ upper: 1, lower: 17, size: 4 });
  expect(decodeParameters(frame?.information ?? NOTHING).maxInfoTransmit).toBe(128);
  expect(server.takeEvent()).toEqual({ type: "opened" });
  const bare = new Played({ bareUa: true });
  expect(bare.asks(SNRM)).toEqual(["73"]);
});

test("hdlc server: a request is handed on and its answer returns the turn", () => {
  const played = new Played().linked();
  expect(played.asks(0x10, { info: "e6e600c001" })).toEqual([]);
  expect(played.events()).toEqual([{ type: "apdu", apdu: fromHex("c001"), sourceSap: 16, destinationSap: 1 }]);
  expect(played.answers("c401")).toEqual(["30 e6e700c401"]);
  expect(played.asks(0x31)).toEqual(["31"]);
});

test("hdlc server: a repeated request is answered again and not handed on again", () => {
  const played = new Played().linked();
  played.asks(0x10, { info: "e6e600c001" });
  played.answers("c401");
  played.events();
  expect(played.asks(0x10, { info: "e6e600c001" })).toEqual(["30 e6e700c401"]);
  expect(played.events()).toMatchObject([{ type: "discarded", error: { code: "FRAME_DUPLICATE" } }]);
});

test("hdlc server: an answer that takes long is announced by RR and sent when the client asks", () => {
  const played = new Played({ readyAfterMs: 2000, inactivityTimeoutMs: 0 }).linked();
  played.asks(0x10, { info: "e6e600c001" });
  expect(played.server.deadlineMs()).toBe(2000);
  played.server.timeout(2000);
  expect(played.sent()).toEqual(["31"]);
  expect(played.answers("c401")).toEqual([]);
  expect(played.asks(0x11)).toEqual(["30 e6e700c401"]);
});

test("hdlc server: segments are acknowledged by RR and joined", () => {
  const played = new Played().linked();
  expect(played.asks(0x10, { info: "e6e600c0", more: true })).toEqual(["31"]);
  expect(played.asks(0x12, { info: "01" })).toEqual([]);
  expect(played.events()).toMatchObject([{ type: "apdu", apdu: fromHex("c001") }]);
});

test("hdlc server: a client that is not ready gets nothing until it is", () => {
  const played = new Played().linked();
  played.asks(0x10, { info: "e6e600c001" });
  played.server.timeout(5000);
  played.sent();
  played.answers("c401");
  expect(played.asks(0x15)).toEqual(["31"]);
  expect(played.asks(0x11)).toEqual(["30 e6e700c401"]);
});

test("hdlc server: without a link, everything with P is answered by DM or by silence", () => {
  expect(new Played().asks(0x10, { info: "e6e600c001" })).toEqual(["1f"]);
  expect(new Played().asks(0x00, { info: "e6e600c001" })).toEqual([]);
  expect(new Played().asks(DISC)).toEqual(["1f"]);
  expect(new Played({ silentWhenDisconnected: true }).asks(0x11)).toEqual([]);
});

test("hdlc server: another client's frames are refused, its SNRM takes the link over", () => {
  const played = new Played().linked();
  const from = hdlcAddress(32);
  expect(played.asks(0x10, { info: "e6e600c001", from })).toEqual(["1f"]);
  expect(played.asks(SNRM, { from })).toHaveLength(1);
  expect(played.events()).toEqual([{ type: "closed", reason: "peer" }, { type: "opened" }]);
  expect(played.asks(0x11)).toEqual(["1f"]);
});

test("hdlc server: DISC is answered by UA and closes", () => {
  const played = new Played().linked();
  expect(played.asks(DISC)).toEqual(["73"]);
  expect(played.events()).toEqual([{ type: "closed", reason: "peer" }]);
  expect(() => played.answers("c401")).toThrow(expect.objectContaining({ code: "LINK_STATE", fault: "caller" }));
});

test("hdlc server: the link ends when nothing is heard for the inactivity time", () => {
  const played = new Played({ inactivityTimeoutMs: 120_000 }).linked();
  expect(played.server.deadlineMs()).toBe(120_000);
  played.server.timeout(120_000);
  expect(played.events()).toEqual([{ type: "closed", reason: "inactive" }]);
  expect(played.asks(0x11)).toEqual(["1f"]);
});

test("hdlc server: an unknown control, too much information and a wrong N(R) are rejected, and only SNRM helps", () => {
  const rejections = [
    () => new Played().linked().asks(0xff),
    () => new Played().linked().asks(0x10, { info: "c0".repeat(129) }),
    () => new Played().linked().asks(0xf1),
  ].map((reject) => reject());
  expect(rejections).toEqual([["97 ff0001"], ["97 100004"], ["97 f10008"]]);
  const played = new Played().linked();
  played.asks(0xff);
  expect(played.asks(0x11)).toEqual(["97 110002"]);
  expect(played.asks(SNRM)).toHaveLength(1);
  expect(played.asks(0x11)).toEqual(["11"]);
});

test("hdlc server: frames for others, with three-octet addresses or a two-octet client are met with silence", () => {
  const played = new Played();
  expect(played.asks(SNRM, { to: hdlcAddress(3, 17) })).toEqual([]);
  expect(played.asks(SNRM, { to: hdlcAddress(1, 18) })).toEqual([]);
  expect(played.asks(SNRM, { from: hdlcAddress(16, 0) })).toEqual([]);
  played.server.receive(fromHex("7ea0090002052193afd07e"), 0);
  expect(played.sent()).toEqual([]);
  expect(played.asks(SNRM, { to: hdlcAddress(1, 0x7e) })).toHaveLength(1);
});

test("hdlc server: a broadcast in a UI frame is handed on and not answered", () => {
  const played = new Played();
  expect(played.asks(0x13, { to: hdlcAddress(0x7f, 0x7f), info: "e6e600c301" })).toEqual([]);
  expect(played.events()).toEqual([{ type: "apdu", apdu: fromHex("c301"), sourceSap: 16, destinationSap: 0x7f }]);
  expect(played.asks(SNRM, { to: hdlcAddress(0x7f, 0x7f) })).toEqual([]);
});

test("hdlc server: a push goes out in segmented UI frames without a link", () => {
  const played = new Played({ parameters: { maxInfoTransmit: 32 } });
  const order = { type: "send", apdu: fromHex("0f".repeat(40)), unnumbered: true } as const;
  expect(() => played.server.command(order, 0)).toThrow(expect.objectContaining({ code: "LINK_STATE" }));
  played.server.command({ ...order, destinationSap: 103 }, 0);
  expect(played.sent()).toEqual([`03 + e6e700${"0f".repeat(29)}`, `13 ${"0f".repeat(11)}`]);
});

test("hdlc server: damaged frames are neither answered nor handed on", () => {
  const played = new Played().linked();
  const frame = encodeHdlcFrame({
    destination: hdlcAddress(1, 17),
    source: hdlcAddress(16),
    control: decodeControl(0x10),
    segmented: false,
    information: fromHex("e6e600c001"),
  });
  frame[12] = (frame[12] ?? 0) ^ 1;
  played.server.receive(frame, 0);
  expect(played.sent()).toEqual([]);
  expect(played.events()).toMatchObject([{ type: "discarded", error: { code: "FRAME_CHECK_WRONG" } }]);
});
