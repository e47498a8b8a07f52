import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { decodeControl } from "../../../protocol/link/hdlc/control.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { Played, RESPONSE, UA, uaWith } from "./played-client.ts";

const DM = "7ea00721031f6be97e";

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
