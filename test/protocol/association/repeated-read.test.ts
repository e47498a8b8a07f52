/** GETs that are made anew because their answer does not come, as over datagrams that get lost. */
import { expect, test } from "vitest";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { Machine } from "../../../protocol/machine.ts";
import { ClientBench, failureIn } from "./client-bench.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, clientProtection, serverProtection } from "./server-fixture.ts";
import { serve, settingsOf, VARIANTS } from "./variants.ts";

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const GET = { type: "get", attribute: clock } as const;
const SET = { type: "set", attribute: clock, value: { type: "unsigned", value: 1 } } as const;

test("repeated read: a GET without answer is made anew as often as allowed, with its invoke-id, then it fails", () => {
  const bench = ClientBench.associated({ repeatReads: 2 });
  const request = bench.order(GET);
  expect([bench.expire(), bench.sent()]).toEqual([[], request]);
  expect([bench.expire(), bench.sent()]).toEqual([[], request]);
  expect(failureIn(bench.expire())).toMatchObject({ stage: "request", evidence: { type: "silence", waitedMs: 3000 } });
  expect(bench.sent()).toBe("");
});

test("repeated read: the second answer to a GET is not taken for that of the next", () => {
  const bench = ClientBench.associated({ repeatReads: 1 });
  bench.order(GET);
  bench.expire();
  const [answer] = bench.hear("c401c1001101");
  expect(answer).toMatchObject({ type: "response", response: { result: { data: { value: 1 } } } });
  bench.order(GET);
  expect(bench.hear("c401c1001101").map(({ type }) => type)).toEqual(["discarded"]);
  expect(bench.hear("c401c2001102")).toMatchObject([{ response: { result: { data: { value: 2 } } } }]);
});

test("repeated read: of a meter that always answers with the same invoke-id no late answer is taken for another's", () => {
  for (const constant of ["00", "01", "c1"]) {
    const bench = ClientBench.associated({ repeatReads: 1 });
    bench.order(GET);
    bench.expire();
    expect(bench.hear(`c401${constant}001101`).at(-1)).toMatchObject({ response: { result: { data: { value: 1 } } } });
    bench.order(GET);
    expect(bench.hear(`c401${constant}001101`).map(({ type }) => type)).toEqual(["discarded"]);
    // It is not asked again, and the association ends: after the next one nothing is late.
    expect(failureIn(bench.expire())).toMatchObject({ evidence: { type: "silence" } });
    expect(bench.client.state).toBe("idle");
  }
});

test("repeated read: what changes something, and an answer that has begun, are not asked for again", () => {
  const bench = ClientBench.associated({ repeatReads: 5 });
  bench.order(SET);
  expect(failureIn(bench.expire())).toBeDefined();
  bench.order(GET);
  expect(bench.hear("c402c2000000000100021100").map(({ type }) => type)).toEqual(["progress"]);
  bench.sent();
  expect(failureIn(bench.expire())).toBeDefined();
});

/** A ciphered HLS association over a wire that loses the APDUs of these places, both directions counted together. */
function losing(settings: Partial<ClientSettings>) {
  const variant = VARIANTS.find(({ name }) => name === "hls-gmac, ciphered, dedicated key");
  if (variant === undefined) throw new Error("no such variant");
  const { server } = serve(variant.rule());
  let places: readonly number[] = [];
  let passed = 0;
  const keeps = () => !places.includes(passed++);
  const lossy: Machine<never, unknown> = {
    command: () => {},
    receive: (bytes, nowMs) => {
      if (keeps()) server.receive(bytes, nowMs);
    },
    takeBytes: () => {
      const bytes = server.takeBytes();
      return bytes === undefined || keeps() ? bytes : undefined;
    },
    takeEvent: () => server.takeEvent(),
    timeout: (nowMs) => server.timeout(nowMs),
    deadlineMs: () => server.deadlineMs(),
  };
  const pair = new ApduPair({ ...settingsOf(variant.settings()), ...settings }, lossy);
  const lose = (lost: readonly number[]) => {
    places = lost;
    passed = 0;
  };
  return { pair, lose };
}

test("repeated opening: an AARQ, or a reply to the challenge, without answer begins the association anew", () => {
  const { pair, lose } = losing({ repeatReads: 2 });
  for (const lost of [[0], [1], [2], [3], [0, 2]]) {
    lose(lost);
    expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
    expect(pair.ask(GET)).toMatchObject({ type: "get", result: { type: "data" } });
    pair.run({ type: "release" });
  }
  lose([0, 1, 2]);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "failed", failure: { stage: "association" } });
});

test("repeated read: each ciphered request has an invocation counter of its own", () => {
  const far = serverProtection();
  const bench = ClientBench.associated({
    repeatReads: 1,
    protection: clientProtection(),
    ciphering: { request: "authenticated-encrypted" },
    tolerate: ["plain-response"],
  });
  const first = bench.order(GET);
  bench.expire();
  const again = bench.sent();
  expect(again).not.toBe(first);
  for (const request of [first, again]) {
    const octets = Uint8Array.from(request.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    far.learnPeerSystemTitle(clientProtection().ownSystemTitle);
    expect(far.unprotect(octets).apdu[0]).toBe(0xc0);
  }
});

test.each(["request", "association"] as const)(
  "repeated %s: where no invocation counter can be had for it, that is why it fails",
  (stage) => {
    let left = stage === "request" ? 2 : 1;
    const nextInvocationCounter = () => {
      if (left === 0) throw new DlmsError("SECURITY_COUNTER_UNRESERVED", "caller");
      return left--;
    };
    const settings: Partial<ClientSettings> = {
      repeatReads: 1,
      protection: clientProtection({ nextInvocationCounter }),
      ciphering: { request: "authenticated-encrypted" },
      tolerate: ["plain-response"],
    };
    const bench = stage === "request" ? ClientBench.associated(settings) : new ClientBench(settings);
    bench.order(stage === "request" ? GET : { type: "associate" });
    const failure = { stage, error: { code: "SECURITY_COUNTER_UNRESERVED" } };
    expect(failureIn(bench.expire())).toMatchObject(failure);
    expect([bench.client.state, bench.client.deadlineMs()]).toEqual([
      stage === "request" ? "associated" : "idle",
      undefined,
    ]);
  },
);
