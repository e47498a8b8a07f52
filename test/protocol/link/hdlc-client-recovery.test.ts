import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { withLlc } from "../../../protocol/link/hdlc/llc.ts";
import { Played, RESPONSE, uaWith } from "./played-client.ts";

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
