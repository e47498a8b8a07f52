/** HLS as the client machine does it, and as meters answer it. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { hlsReply } from "../../../../protocol/security/hls.ts";
import { AARE, ClientBench, failureIn, hex } from "../client-bench.ts";
import { ascii } from "../server-fixture.ts";
import { GET_CLOCK, PASSWORD } from "./client-examples.ts";

const MD5: Partial<ClientSettings> = { authentication: { mechanism: "hls-md5", secret: PASSWORD } };

const HLS_AARE =
  "613EA109060760857405080101A203020100A305A10302010E88020780890760857405080203AA0A8008503677524A323146BE10040E0800065F1F0400007E1F01F40007";

function hlsInputs(reversed: boolean) {
  const own = ascii("K56iVagY");
  const peer = fromHex("503677524A323146");
  return { ownChallenge: reversed ? peer : own, peerChallenge: reversed ? own : peer, secret: PASSWORD };
}

test("client: HLS asks with its reply and believes the server only with the right one", () => {
  const aare = hlsAare();
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  expect(bench.hear(aare)).toEqual([]);
  expect(bench.client.state).toBe("authenticating");
  const reply = toHex(hlsReply("hls-md5", hlsInputs(false)));
  expect(bench.sent()).toBe(hex(`C3 01 C1 000F 0000280000FF 01 01 09 10 ${reply}`));
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  const proof = toHex(hlsReply("hls-md5", hlsInputs(true)));
  expect(bench.hear(`C7 01 C1 00 01 00 09 10 ${proof}`)).toMatchObject([{ type: "associated" }]);
});

test.each([
  ["refuses our reply", "C7 01 C1 03 00", { type: "replyRefused", result: "read-write-denied" }],
  ["proves nothing", "C7 01 C1 00 00", { type: "fault" }],
  ["proves nothing, with null-data", "C7 01 C1 00 01 00 00", { type: "fault" }],
  ["proves wrongly", `C7 01 C1 00 01 00 09 10 ${"00".repeat(16)}`, { type: "fault" }],
  ["answers with another type", "C7 01 C1 00 01 00 11 05", { type: "fault" }],
  ["answers with an exception", "D8 01 01", { type: "exception" }],
] as const)("client: HLS fails when the server %s", (_what, answer, evidence) => {
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  bench.hear(hlsAare());
  expect(failureIn(bench.hear(answer))).toMatchObject({ stage: "hls", evidence });
  expect(bench.client.state).toBe("idle");
});

test("client: a missing proof is let pass where that is tolerated, and told", () => {
  const bench = new ClientBench({ ...MD5, tolerate: ["pass4-missing"] });
  bench.order({ type: "associate" });
  bench.hear(hlsAare());
  expect(bench.hear("C7 01 C1 00 00")).toMatchObject([
    { type: "leniency", name: "pass4-missing" },
    { type: "associated" },
  ]);
  const strict = new ClientBench({ ...MD5, tolerate: ["pass4-missing"] });
  strict.order({ type: "associate" });
  strict.hear(hlsAare());
  expect(failureIn(strict.hear(`C7 01 C1 00 01 00 09 10 ${"00".repeat(16)}`))?.error.code).toBe("HLS_REPLY_MISMATCH");
});

test("client: an echoed challenge, and an HLS association without a challenge, are refused", () => {
  for (const [aare, code] of [
    [hlsAare("4B35366956616759"), "HLS_CHALLENGE_ECHOED"],
    [AARE, "HLS_NO_CHALLENGE"],
  ] as const) {
    const bench = new ClientBench(MD5);
    bench.order({ type: "associate" });
    expect(failureIn(bench.hear(aare))?.error.code).toBe(code);
    expect(bench.sent()).toBe("");
  }
});

test("client: a challenge without the diagnostic that announces it is answered, and told (jDLMS)", () => {
  const bench = new ClientBench(MD5);
  bench.order({ type: "associate" });
  const aare = hlsAare().replace("A10302010E", "A103020100");
  expect(bench.hear(aare)).toMatchObject([{ type: "leniency", name: "hls-without-diagnostic" }]);
  expect(bench.sent()).toMatch(/^c301/);
});

function hlsAare(challenge = "503677524A323146"): string {
  const body = HLS_AARE.slice(4).replace("503677524A323146", challenge);
  return `61${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
}
