/** What comes unasked, late, twice or not at all to the client machine, and how associations end. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../../protocol/errors.ts";
import { AARE, ClientBench, failureIn } from "../client-bench.ts";
import { clientProtection, serverProtection } from "../server-fixture.ts";
import { clock, GET_CLOCK, TIME_HEX } from "./client-examples.ts";

test("client: what comes unasked is told and does not disturb what is awaited", () => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  const pushes = ["0F 40000001 00 0600000007", "C2 00 0001 0000600100FF 02 0600000007"];
  for (const push of pushes) expect(bench.hear(push)).toMatchObject([{ type: "notification", layers: [] }]);
  const deadlineMs = bench.client.deadlineMs();
  expect(bench.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  expect(deadlineMs).toBe(1000);
  for (const push of pushes) expect(bench.hear(push)).toMatchObject([{ type: "notification" }]);
  // Also before any association.
  expect(new ClientBench().hear("0F 40000001 00 0600000007")).toMatchObject([{ type: "notification" }]);
});

test("client: a meter that always answers with the same invoke-id is understood; a late answer is not taken for the next", () => {
  const fixed = ClientBench.associated();
  fixed.order(GET_CLOCK);
  expect(fixed.hear(`C4 01 00 00 ${TIME_HEX}`)).toMatchObject([
    { type: "leniency", name: "invoke-id-not-echoed" },
    { type: "response" },
  ]);
  fixed.order(GET_CLOCK);
  expect(fixed.hear(`C4 01 00 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  const echoing = ClientBench.associated();
  echoing.order(GET_CLOCK);
  expect(failureIn(echoing.expire())?.evidence.type).toBe("silence");
  expect(echoing.client.state).toBe("associated");
  echoing.order(GET_CLOCK);
  expect(echoing.hear("C4 01 C1 01 03")).toMatchObject([{ type: "discarded" }]);
  expect(echoing.hear(`C4 01 C2 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
});

test.each([
  ["an exception", "D8 02 02", { type: "exception" }],
  ["a service error", "0E 05 05 01", { type: "serviceError" }],
] as const)("client: %s fails the request and leaves the association", (_what, answer, evidence) => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  expect(failureIn(bench.hear(answer))).toMatchObject({
    stage: "request",
    error: { code: "SERVICE_REFUSED" },
    evidence,
  });
  expect(bench.client.state).toBe("associated");
});

test("client: an order that does not fit the state is refused and changes nothing", () => {
  const bench = new ClientBench();
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  expect(() => bench.order({ type: "release" })).toThrow("SERVICE_UNEXPECTED");
  bench.order({ type: "associate" });
  expect(() => bench.order({ type: "associate" })).toThrow("SERVICE_UNEXPECTED");
  bench.hear(AARE);
  bench.order(GET_CLOCK);
  expect(() => bench.order(GET_CLOCK)).toThrow("SERVICE_UNEXPECTED");
  expect(bench.sent()).toBe("");
  expect(bench.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([{ type: "response" }]);
  const tooBig: Data = { type: "unsigned", value: 300 };
  expect(() => bench.order({ type: "set", attribute: clock, value: tooBig })).toThrow("DATA_OUT_OF_RANGE");
  expect(bench.client.state).toBe("associated");
  expect(bench.order(GET_CLOCK)).toMatch(/^c001c2/);
});

test.each([
  ["takes our leave", "63 03 80 01 00", "rlre"],
  ["takes our leave without a word", "63 00", "rlre"],
  ["knows no release", "D8 02 02", "refused"],
  ["gets the lengths of its farewell wrong", "63 05 80 01 00", "rlre"],
] as const)("client: a meter that %s", (_what, answer, expected) => {
  const bench = ClientBench.associated();
  expect(bench.order({ type: "release" })).toBe("6203800100");
  expect(bench.hear(answer).at(-1)).toEqual({ type: "released", answer: expected });
  expect(bench.client.state).toBe("idle");
});

test("client: a leave that is not answered is taken all the same; with the habit none nothing is sent", () => {
  const bench = ClientBench.associated();
  bench.order({ type: "release" });
  expect(bench.hear("0F 40000001 00 0600000007")).toMatchObject([{ type: "notification" }]);
  expect(bench.expire()).toEqual([{ type: "released", answer: "unanswered" }]);
  const silent = ClientBench.associated({ release: "none" });
  expect(silent.order({ type: "release" })).toBe("");
  expect(silent.events()).toEqual([{ type: "released", answer: "notAsked" }]);
});

test("client: a pre-established association needs no word", () => {
  const bench = new ClientBench({ preEstablished: true });
  expect(bench.order({ type: "associate" })).toBe("");
  expect(bench.events()).toMatchObject([{ type: "associated" }]);
  expect(bench.order(GET_CLOCK)).toMatch(/^c001/);
});

test("client: an abort fails what is under way at stage link, and nothing when nothing is", () => {
  const error = new DlmsError("LINK_ENDED", "peer", { by: "peer" });
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  bench.hear("C4 02 C1 00 00000001 00 04 090C07E9");
  bench.order({ type: "abort", error });
  expect(bench.events()).toMatchObject([
    {
      type: "failed",
      failure: {
        stage: "link",
        error,
        evidence: { type: "linkEnded", during: "request" },
        partial: fromHex("090C07E9"),
      },
    },
  ]);
  expect(bench.client.state).toBe("idle");
  bench.order({ type: "abort", error });
  expect(bench.events()).toEqual([]);
  const leaving = ClientBench.associated();
  leaving.order({ type: "release" });
  leaving.order({ type: "abort", error });
  expect(leaving.events()).toEqual([{ type: "released", answer: "unanswered" }]);
});

function ciphered(over: Partial<ClientSettings> = {}) {
  const server = serverProtection();
  server.learnPeerSystemTitle(fromHex("4D4D4D0000000001"));
  const initiate = server.protect(fromHex("0800065F1F0400007E1F01F40007"), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  const information = `04${initiate.length.toString(16).padStart(2, "0")}${toHex(initiate)}`;
  const body =
    "A109060760857405080103A203020100A305A103020100A40A04084D4D4D0000BC614E" +
    `BE${(information.length / 2).toString(16).padStart(2, "0")}${information}`;
  const aare = `61${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
  const settings = {
    protection: clientProtection(),
    ciphering: { request: "authenticated-encrypted" } as const,
    ...over,
  };
  return { server, aare, settings };
}

test("client: an answer in clear to a protected request is no answer, unless that is tolerated", () => {
  const strict = ciphered();
  const bench = ClientBench.associated(strict.settings, strict.aare);
  expect(bench.order(GET_CLOCK)).toMatch(/^c81e30/);
  expect(failureIn(bench.hear(`C4 01 C1 00 ${TIME_HEX}`))).toMatchObject({
    stage: "request",
    error: { code: "SECURITY_WEAKER_THAN_REQUIRED" },
  });
  bench.order(GET_CLOCK);
  expect(failureIn(bench.hear("D8 02 02"))?.evidence.type).toBe("exception");
  const lenient = ciphered({ tolerate: ["plain-response"] });
  const other = ClientBench.associated(lenient.settings, lenient.aare);
  other.order(GET_CLOCK);
  expect(other.hear(`C4 01 C1 00 ${TIME_HEX}`)).toMatchObject([
    { type: "leniency", name: "plain-response" },
    { type: "response" },
  ]);
  const plainAare = new ClientBench(ciphered().settings);
  plainAare.order({ type: "associate" });
  const failure = failureIn(plainAare.hear(AARE.replace("0101A2", "0103A2")));
  expect(failure?.error.code).toBe("SECURITY_WEAKER_THAN_REQUIRED");
});

test("client: a protected answer that does not open fails with the octets that did not", () => {
  const { settings, aare, server } = ciphered();
  const bench = ClientBench.associated(settings, aare);
  bench.order(GET_CLOCK);
  const answer = server.protect(fromHex(`C401C100${TIME_HEX}`), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  const damaged = answer.with(answer.length - 1, (answer.at(-1) ?? 0) ^ 1);
  expect(failureIn(bench.hear(damaged))).toMatchObject({
    error: { code: "SECURITY_TAG_MISMATCH" },
    evidence: { type: "fault", ciphered: damaged },
  });
  // A push that does not open is no answer: it is not waited for, nor does it fail what is.
  bench.order(GET_CLOCK);
  expect(bench.hear(`CA${toHex(damaged).slice(2)}`)).toMatchObject([{ type: "discarded" }]);
  const good = server.protect(fromHex(`C401C200${TIME_HEX}`), {
    control: "authenticated-encrypted",
    form: "general",
    keySet: "global",
  });
  expect(bench.hear(good)).toMatchObject([{ type: "response" }]);
});

test("client: a ciphered association is left with a protected initiate request, or as the settings say", () => {
  const { settings, aare } = ciphered();
  expect(ClientBench.associated(settings, aare).order({ type: "release" })).toMatch(/^62..800100be..04..21/);
  const plain = ciphered({ release: "plain" });
  expect(ClientBench.associated(plain.settings, plain.aare).order({ type: "release" })).toBe("6203800100");
});
