import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import type { HdlcClientSettings } from "../../../protocol/link/hdlc/client-settings.ts";
import { decodeControl } from "../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { withLlc } from "../../../protocol/link/hdlc/llc.ts";
import { DEFAULT_PARAMETERS, encodeParameters, type HdlcParameters } from "../../../protocol/link/hdlc/parameters.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";

const UA = "7ea01e210373c37a818012050180060180070400000001080400000001533b7e";
const DM = "7ea00721031f6be97e";
const RESPONSE = fromHex("e6e700");

/** UA of server 1 to client 16 with these parameters. */
function uaWith(parameters: Partial<HdlcParameters>): string {
  const information = encodeParameters({ ...DEFAULT_PARAMETERS, ...parameters });
  const route = { destination: hdlcAddress(16), source: hdlcAddress(1) };
  return toHex(encodeHdlcFrame({ ...route, control: decodeControl(0x73), segmented: false, information }));
}

/** A client whose server is played by the test: what it sends is read as control octets in hex. */
class Played {
  readonly client: HdlcClient;
  nowMs = 0;
  #address;

  constructor(settings: Partial<HdlcClientSettings> = {}) {
    this.client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1), ...settings });
    this.#address = { destination: hdlcAddress(16), source: hdlcAddress(1) };
  }

  /** Opens the link; the server answers with UA and these parameters. */
  open(ua = UA): this {
    this.client.command({ type: "open" }, this.nowMs);
    this.sent();
    this.hears(ua);
    this.events();
    return this;
  }

  send(apdu: string): string[] {
    this.client.command({ type: "send", apdu: fromHex(apdu) }, this.nowMs);
    return this.sent();
  }

  /** Control octets of the frames that the client has sent, with the octets of information. */
  sent(): string[] {
    const frames: string[] = [];
    for (let octets = this.client.takeBytes(); octets; octets = this.client.takeBytes()) {
      const frame = decodeHdlcFrame(octets)?.frame;
      if (frame === undefined) throw new Error("the client sent no frame");
      const control = octets[3 + frame.destination.size + frame.source.size] ?? 0;
      const information = toHex(frame.information);
      frames.push([toHex(Uint8Array.of(control)), frame.segmented ? "+" : "", information].filter(Boolean).join(" "));
    }
    return frames;
  }

  hears(hex: string): string[] {
    this.client.receive(fromHex(hex), this.nowMs);
    return this.sent();
  }

  /** The server sends a frame with this control octet. */
  answers(control: number, information: Uint8Array = new Uint8Array(0), segmented = false): string[] {
    const frame = { ...this.#address, control: decodeControl(control), segmented, information };
    return this.hears(toHex(encodeHdlcFrame(frame)));
  }

  /** Lets the time pass up to the next deadline. */
  waits(): string[] {
    this.nowMs = this.client.deadlineMs() ?? this.nowMs;
    this.client.timeout(this.nowMs);
    return this.sent();
  }

  /** All but progress. */
  events(): LinkEvent[] {
    const events: LinkEvent[] = [];
    for (let event = this.client.takeEvent(); event; event = this.client.takeEvent()) events.push(event);
    return events.filter((event) => event.type !== "progress");
  }

  apdus(): string[] {
    return this.events().map((event) => (event.type === "apdu" ? toHex(event.apdu) : event.type));
  }
}

test("hdlc client: SNRM, UA and the first frames have the octets of the reference", () => {
  const client = new HdlcClient({
    clientSap: 16,
    server: hdlcAddress(1),
    parameters: { maxInfoTransmit: 128, maxInfoReceive: 128 },
  });
  client.command({ type: "open" }, 0);
  expect(toHex(client.takeBytes() ?? RESPONSE)).toBe(
    "7ea01e0321 93cd3b818012050180060180070400000001080400000001533b7e".replace(" ", ""),
  );
  client.receive(fromHex(UA), 0);
  const aarq = fromHex("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0");
  client.command({ type: "send", apdu: aarq }, 0);
  expect(toHex(client.takeBytes() ?? RESPONSE)).toBe(
    "7ea02b032110fbafe6e600601da109060760857405080101be10040e01000000065f1f0400007e1f04b0caea7e",
  );
});

test("hdlc client: parameters of two octets are understood, and UA without any means the defaults", () => {
  const proposal = { maxInfoTransmit: 2030, maxInfoReceive: 2030, windowTransmit: 7, windowReceive: 7 };
  const bare = new Played({ parameters: proposal }).open("7ea00721037301407e");
  expect(bare.client.parameters).toEqual({
    maxInfoTransmit: 128,
    maxInfoReceive: 128,
    windowTransmit: 1,
    windowReceive: 1,
  });
  const two = new Played({ parameters: proposal }).open(
    "7ea02021037373988180140502020006020200070400000001080400000007598a7e",
  );
  expect(two.client.parameters).toEqual({
    maxInfoTransmit: 512,
    maxInfoReceive: 512,
    windowTransmit: 7,
    windowReceive: 1,
  });
});

test("hdlc client: requests count 10, 32, 54 … and answers are handed on without LLC", () => {
  const played = new Played().open();
  expect(played.send("c001")).toEqual(["10 e6e600c001"]);
  played.answers(0x30, withLlc(RESPONSE, fromHex("c401")));
  expect(played.events()).toEqual([{ type: "apdu", apdu: fromHex("c401"), sourceSap: 1, destinationSap: 16 }]);
  expect(played.send("c002")).toEqual(["32 e6e600c002"]);
  // An Indian meter sends the header twice.
  played.answers(0x52, withLlc(RESPONSE, withLlc(RESPONSE, fromHex("c402"))));
  expect(played.apdus()).toEqual(["c402"]);
  expect(played.send("c003")).toEqual(["54 e6e600c003"]);
});

test("hdlc client: segments are acknowledged with RR and joined", () => {
  const played = new Played().open();
  played.send("c001");
  expect(played.answers(0x30, fromHex("e6e700c401"), true)).toEqual(["31"]);
  expect(played.answers(0x32, fromHex("0203"), true)).toEqual(["51"]);
  expect(played.answers(0x34, fromHex("0405"))).toEqual([]);
  expect(played.apdus()).toEqual(["c40102030405"]);
});

test("hdlc client: a long request goes out in segments, each after the RR of the one before", () => {
  const played = new Played({ parameters: { maxInfoTransmit: 32 } }).open();
  const apdu = "c1".repeat(60);
  expect(played.send(apdu)).toEqual([`10 + e6e600${"c1".repeat(29)}`]);
  expect(played.answers(0x31)).toEqual([`12 ${"c1".repeat(31)}`]);
});

test("hdlc client: after a silence it asks by RR and sends again only what has not arrived", () => {
  const played = new Played({ responseTimeoutMs: 1000 }).open();
  played.send("c001");
  expect(played.waits()).toEqual(["11"]);
  expect(played.answers(0x11)).toEqual(["10 e6e600c001"]);
  expect(played.waits()).toEqual(["11"]);
  played.answers(0x30, withLlc(RESPONSE, fromHex("c401")));
  expect(played.apdus()).toEqual(["c401"]);
});

test("hdlc client: recovery by resending repeats the frame with its number", () => {
  const played = new Played({ recovery: "resend", responseTimeoutMs: 1000 }).open();
  played.send("c001");
  expect(played.waits()).toEqual(["10 e6e600c001"]);
  played.answers(0x31);
  expect(played.waits()).toEqual(["11"]);
});

test("hdlc client: a server that only acknowledges is asked for its answer, for so long", () => {
  const played = new Played({ pollIntervalMs: 100, answerTimeoutMs: 350 }).open();
  played.send("c001");
  expect(played.answers(0x31)).toEqual([]);
  expect(played.waits()).toEqual(["11"]);
  expect(played.answers(0x31)).toEqual([]);
  expect(played.waits()).toEqual(["11"]);
  played.answers(0x31);
  expect(played.waits()).toEqual(["11"]);
  played.answers(0x31);
  expect(played.waits()).toEqual(["11"]);
  played.answers(0x31);
  expect(played.client.state).toBe("ready");
  expect(played.client.deadlineMs()).toBeUndefined();
  expect(played.send("c002")).toEqual(["12 e6e600c002"]);
});

test("hdlc client: RNR holds the information back until RR", () => {
  const played = new Played({ pollIntervalMs: 100 }).open();
  played.send("c001");
  expect(played.answers(0x15)).toEqual([]);
  expect(played.waits()).toEqual(["11"]);
  expect(played.answers(0x15)).toEqual([]);
  expect(played.waits()).toEqual(["11"]);
  expect(played.answers(0x11)).toEqual(["10 e6e600c001"]);
});

test("hdlc client: a server that stays busy fails the link in the end", () => {
  const played = new Played({ pollIntervalMs: 100, answerTimeoutMs: 300 }).open();
  played.send("c001");
  for (let i = 0; i < 8 && played.client.state !== "failed"; i++) {
    played.answers(0x15);
    played.waits();
  }
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_NO_ANSWER", fault: "peer" } }]);
});

test("hdlc client: a server that has taken everything and stays busy is left alone in the end", () => {
  const played = new Played({ pollIntervalMs: 100, answerTimeoutMs: 300 }).open();
  played.send("c001");
  for (let i = 0; i < 8 && played.client.deadlineMs() !== undefined; i++) {
    played.answers(0x35);
    played.waits();
  }
  expect(played.client.state).toBe("ready");
  expect(played.events()).toEqual([]);
});

test("hdlc client: REJ sends again from the number that it names", () => {
  const parameters = { windowTransmit: 3, maxInfoTransmit: 32 };
  const played = new Played({ parameters }).open(uaWith({ windowReceive: 7 }));
  expect(played.client.parameters.windowTransmit).toBe(3);
  expect(played.send("c1".repeat(80)).map((frame) => frame.slice(0, 2))).toEqual(["00", "02", "14"]);
  expect(played.answers(0x39).map((frame) => frame.slice(0, 2))).toEqual(["02", "14"]);
});

test("hdlc client: a gap in the server's window is asked for again", () => {
  const played = new Played({ parameters: { windowReceive: 7 } }).open(uaWith({ windowTransmit: 7 }));
  expect(played.client.parameters.windowReceive).toBe(7);
  played.send("c001");
  played.answers(0x20, fromHex("e6e700c4"), true);
  expect(played.answers(0x34, fromHex("03"))).toEqual(["31"]);
  played.answers(0x22, fromHex("02"), true);
  played.answers(0x34, fromHex("03"));
  expect(played.apdus()).toEqual(["c40203"]);
});

test("hdlc client: a repeated answer is handed on once", () => {
  const played = new Played().open();
  played.send("c001");
  played.answers(0x30, withLlc(RESPONSE, fromHex("c401")));
  played.send("c002");
  // It is no answer to the second request either, so nothing is sent again.
  expect(played.answers(0x30, withLlc(RESPONSE, fromHex("c401")))).toEqual([]);
  expect(played.events()).toMatchObject([{ type: "apdu" }, { type: "discarded", error: { code: "FRAME_DUPLICATE" } }]);
  played.answers(0x52, withLlc(RESPONSE, fromHex("c402")));
  expect(played.apdus()).toEqual(["c402"]);
});

test("hdlc client: a meter that numbers every frame 0 is read when its numbers are ignored", () => {
  const played = new Played({ sequenceNumbers: "ignored" }).open();
  for (const answer of ["c401", "c402", "c403"]) {
    played.send("c001");
    played.answers(0x30, withLlc(RESPONSE, fromHex(answer)));
    expect(played.apdus()).toEqual([answer]);
  }
  expect(() => new Played({ sequenceNumbers: "ignored", parameters: { windowReceive: 2 } })).toThrow(
    expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }),
  );
});

test("hdlc client: acknowledging what was never sent fails the link", () => {
  const played = new Played().open();
  played.send("c001");
  played.answers(0x71);
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_SEQUENCE" } }]);
});

test("hdlc client: FRMR fails the link with what the server rejected", () => {
  const played = new Played().open();
  played.send("c001");
  played.answers(0x97, fromHex("540010"));
  expect(played.events()).toMatchObject([
    { type: "failed", error: { code: "LINK_REJECTED", at: { control: 0x54, reasons: "sendNumberInvalid" } } },
  ]);
});

test("hdlc client: DM closes an open link, and refuses to open one", () => {
  const played = new Played().open();
  played.send("c001");
  played.hears(DM);
  expect(played.events()).toEqual([{ type: "closed", reason: "peer" }]);
  played.client.command({ type: "open" }, 0);
  played.hears(DM);
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_REFUSED" } }]);
});

test("hdlc client: an unanswered SNRM is repeated, the last time after DISC, then the link fails", () => {
  const played = new Played({ bareSnrm: true, maxRetries: 3, responseTimeoutMs: 1000 });
  played.client.command({ type: "open" }, 0);
  const sent = [...played.sent()];
  while (played.client.deadlineMs() !== undefined) sent.push(...played.waits());
  expect(sent).toEqual(["93", "93", "93", "53"]);
  expect(played.nowMs).toBe(4000);
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_NO_ANSWER" } }]);
  played.client.command({ type: "open" }, played.nowMs);
  expect(played.sent()).toEqual(["93"]);
});

test("hdlc client: a meter that answers DISC is asked once more by SNRM", () => {
  const played = new Played({ bareSnrm: true, maxRetries: 2 });
  played.client.command({ type: "open" }, 0);
  played.sent();
  expect(played.waits()).toEqual(["93"]);
  expect(played.waits()).toEqual(["53"]);
  expect(played.hears(DM)).toEqual(["93"]);
  played.hears(UA);
  expect(played.events()).toEqual([{ type: "opened" }]);
});

test("hdlc client: with DISC first, SNRM follows whatever comes or does not come", () => {
  for (const answer of ["7ea00721037301407e", DM, ""]) {
    const played = new Played({ bareSnrm: true, discFirst: true });
    played.client.command({ type: "open" }, 0);
    expect(played.sent()).toEqual(["53"]);
    expect(answer === "" ? played.waits() : played.hears(answer)).toEqual(["93"]);
    played.hears(UA);
    expect(played.events()).toEqual([{ type: "opened" }]);
  }
});

test("hdlc client: silence after a request fails the link after all retries", () => {
  const played = new Played({ maxRetries: 2 }).open();
  played.send("c001");
  const sent: string[] = [];
  while (played.client.deadlineMs() !== undefined) sent.push(...played.waits());
  expect(sent).toEqual(["11", "11"]);
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_NO_ANSWER", at: { attempts: 3 } } }]);
  expect(() => played.send("c002")).toThrow(expect.objectContaining({ code: "LINK_STATE", fault: "caller" }));
});

test("hdlc client: a response that is coming in is waited for beyond the response time", () => {
  const played = new Played({ responseTimeoutMs: 1000, interOctetTimeoutMs: 500 }).open();
  played.send("c001");
  const answer = fromHex("7ea0102103301234e6e700c401c1000600000001f4097e");
  played.nowMs = 900;
  played.client.receive(answer.subarray(0, 5), 900);
  played.client.timeout(1000);
  expect(played.sent()).toEqual([]);
  expect(played.client.deadlineMs()).toBe(1400);
});

test("hdlc client: DISC closes, whatever the answer is", () => {
  for (const answer of ["7ea00721037301407e", DM]) {
    const played = new Played().open();
    played.client.command({ type: "close" }, 0);
    expect(played.sent()).toEqual(["53"]);
    played.hears(answer);
    expect(played.events()).toEqual([{ type: "closed", reason: "local" }]);
  }
  const silent = new Played({ maxRetries: 1 }).open();
  silent.client.command({ type: "close" }, 0);
  while (silent.client.deadlineMs() !== undefined) silent.waits();
  expect(silent.events()).toEqual([{ type: "closed", reason: "local" }]);
});

test("hdlc client: the end of the channel closes the link", () => {
  const played = new Played().open();
  played.client.receive(fromHex("7ea030"), 0);
  played.client.command({ type: "channelEnded" }, 0);
  expect(played.events()).toMatchObject([{ type: "discarded" }, { type: "closed", reason: "peer" }]);
});

test("hdlc client: the echo of its own frames is dropped, and a server with the client's number is not", () => {
  const client = new HdlcClient({ clientSap: 1, server: hdlcAddress(1), echo: true, bareSnrm: true });
  client.command({ type: "open" }, 0);
  const snrm = client.takeBytes() ?? RESPONSE;
  client.receive(snrm, 0);
  expect(client.takeEvent()).toBeUndefined();
  // An echo comes once; the same octets again are somebody else's.
  client.receive(snrm, 0);
  expect(client.takeEvent()).toMatchObject({ type: "discarded", error: { code: "FRAME_UNEXPECTED" } });
  const route = { destination: hdlcAddress(1), source: hdlcAddress(1), segmented: false };
  client.receive(encodeHdlcFrame({ ...route, control: decodeControl(0x73), information: new Uint8Array(0) }), 0);
  expect(client.takeEvent()).toEqual({ type: "opened" });
});

test("hdlc client: frames are held back for the turnaround time", () => {
  const client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1), turnaroundMs: 200 });
  client.command({ type: "open" }, 0);
  expect(client.takeBytes()).toBeDefined();
  client.receive(fromHex(UA), 50);
  client.command({ type: "send", apdu: Uint8Array.of(0xc0) }, 60);
  expect(client.takeBytes()).toBeUndefined();
  expect(client.deadlineMs()).toBe(250);
  client.timeout(250);
  expect(client.takeBytes()).toBeDefined();
});

test("hdlc client: an idle link is kept open by RR", () => {
  const played = new Played({ keepAliveMs: 60_000 }).open();
  expect(played.waits()).toEqual(["11"]);
  expect(played.nowMs).toBe(60_000);
  played.answers(0x11);
  expect(played.client.deadlineMs()).toBe(120_000);
});

test("hdlc client: frames of other stations are discarded, a push in UI frames is handed on from anyone", () => {
  const played = new Played().open();
  const other = { source: hdlcAddress(2), destination: hdlcAddress(16), segmented: false };
  played.client.receive(encodeHdlcFrame({ ...other, control: decodeControl(0x30), information: RESPONSE }), 0);
  expect(played.events()).toMatchObject([{ type: "discarded", error: { code: "FRAME_NOT_FOR_US" } }]);
  // Addresses, segmentation and controls as of an Iskra AM550: S bit, P/F only in the last frame, LLC only in the first.
  const push = { source: hdlcAddress(1, 17), destination: hdlcAddress(103) };
  const [first, last] = [fromHex("e6e7000f00"), fromHex("0001")];
  const ui = { control: decodeControl(0x03), segmented: true, information: first };
  played.client.receive(encodeHdlcFrame({ ...push, ...ui }), 0);
  const end = { control: decodeControl(0x13), segmented: false, information: last };
  played.client.receive(encodeHdlcFrame({ ...push, ...end }), 3000);
  expect(played.events()).toEqual([{ type: "apdu", apdu: fromHex("0f000001"), sourceSap: 1, destinationSap: 103 }]);
});

test("hdlc client: an unknown control field is told apart from damage", () => {
  const played = new Played().open();
  played.answers(0xff);
  expect(played.events()).toMatchObject([
    { type: "discarded", error: { code: "FRAME_UNKNOWN", at: { control: 0xff } } },
  ]);
});

test("hdlc client: an answer in another address size is taken", () => {
  const played = new Played({ server: hdlcAddress(1, 17, 2) });
  played.client.command({ type: "open" }, 0);
  played.hears("7ea023210002002373f6c581801405020080060200800704000000010804 00000001ce6a7e");
  expect(played.events()).toEqual([{ type: "opened" }]);
});

test("hdlc client: orders that don't fit are refused and change nothing", () => {
  const played = new Played();
  const wrong = expect.objectContaining({ code: "LINK_STATE", fault: "caller" });
  expect(() => played.send("c001")).toThrow(wrong);
  played.open();
  expect(() => played.client.command({ type: "open" }, 0)).toThrow(wrong);
  const elsewhere = { type: "send", apdu: Uint8Array.of(1), destinationSap: 2 } as const;
  expect(() => played.client.command(elsewhere, 0)).toThrow(wrong);
  expect(played.send("c001")).toEqual(["10 e6e600c001"]);
});

test("hdlc client: a broadcast goes out in a UI frame without a link", () => {
  const client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17) });
  client.command({ type: "send", apdu: Uint8Array.of(0xc3), unnumbered: true, destinationSap: 0x7f }, 0);
  const frame = decodeHdlcFrame(client.takeBytes() ?? RESPONSE)?.frame;
  expect(frame?.control).toEqual({ type: "UI", pollFinal: true });
  expect(frame?.destination).toEqual({ upper: 0x7f, lower: 17, size: 2 });
});

test("hdlc client: who asks whichever device is calling hears the one that is", () => {
  const played = new Played({ server: hdlcAddress(1, 0x7e) });
  played.client.command({ type: "open" }, 0);
  const route = { destination: hdlcAddress(16), source: hdlcAddress(1, 17), segmented: false };
  played.client.receive(encodeHdlcFrame({ ...route, control: decodeControl(0x73), information: new Uint8Array(0) }), 0);
  expect(played.events()).toEqual([{ type: "opened" }]);
});

test("hdlc client: a server that sends empty segments without end fails the link", () => {
  const played = new Played().open();
  played.send("c001");
  for (let ns = 0; ns < 100 && played.client.state !== "failed"; ns++) {
    played.answers(0x30 | ((ns % 8) << 1), new Uint8Array(0), true);
  }
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LINK_NO_ANSWER" } }]);
});

test("hdlc client: an APDU over the limit fails the link", () => {
  const played = new Played({ maxApduLength: 100 }).open();
  played.send("c001");
  for (let ns = 0; ns < 3; ns++) played.answers(0x30 | (ns << 1), new Uint8Array(40), true);
  expect(played.events()).toMatchObject([{ type: "failed", error: { code: "LENGTH_OVER_LIMIT", fault: "peer" } }]);
});

test("hdlc client: whatever a hostile server answers, the link ends or comes to rest", () => {
  const answer = fc.record({
    control: fc.nat(255),
    information: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 8 })),
    segmented: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 12 }), fc.boolean(), (answers, resend) => {
      const played = new Played({ maxApduLength: 500, ...(resend ? { recovery: "resend" } : {}) }).open();
      let frames = played.send("c001").length;
      // The same answers for ever: each of our frames is met by the next one.
      for (let turn = 0; played.client.deadlineMs() !== undefined; turn++) {
        const { control, information, segmented } = answers[turn % answers.length] ?? answers[0]!;
        frames += played.answers(control, information, segmented).length;
        frames += played.waits().length;
        played.events();
        expect(turn).toBeLessThan(3000);
      }
      expect(frames).toBeLessThan(6000);
      expect(["ready", "failed", "disconnected"]).toContain(played.client.state);
    }),
    { numRuns: 500, interruptAfterTimeLimit: 2000, markInterruptAsFailure: false },
  );
});

test("client: a server that takes less than is kept free of its limit gets the least there is", () => {
  const played = new Played({ infoReserve: 12 }).open(uaWith({ maxInfoReceive: 12 }));
  expect(played.send("c0")).toEqual(["10 + e6"]);
});
