/** The client machine against the server machine: every authentication, every service, blocks around every boundary. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { conformanceFromNumber } from "../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../protocol/link/hdlc/server.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { ApduPair, CLEAN_WIRE, SessionPair, type Wire } from "./pair.ts";
import { ascii, CLOCK, FixtureObjects, OPEN_RULE } from "./server-fixture.ts";
import { LONG, octets, SECRET, serve, settingsOf, VARIANTS, type Variant } from "./variants.ts";

const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
const long = { classId: 1, logicalName: LONG, attributeId: 2 };
const unknown = { classId: 3, logicalName: LONG, attributeId: 2 };
const method = { classId: 70, logicalName: LONG, methodId: 1 };

function associated(variant: Variant): { readonly pair: ApduPair; readonly objects: FixtureObjects } {
  const { objects, server } = serve(variant.rule());
  const pair = new ApduPair(settingsOf(variant.settings()), server);
  const events = pair.run({ type: "associate" });
  expect(events.filter((event) => event.type !== "leniency")).toEqual([
    expect.objectContaining({ type: "associated" }),
  ]);
  return { pair, objects };
}

test.each(VARIANTS)("client and server, $name: associate, get, set, act, release", (variant) => {
  const { pair, objects } = associated(variant);
  expect(pair.client.state).toBe("associated");
  expect(pair.ask({ type: "get", attribute: clock })).toEqual({
    type: "get",
    result: { type: "data", data: { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") } },
  });
  expect(pair.ask({ type: "get", attribute: long })).toEqual({
    type: "get",
    result: { type: "data", data: octets(3000) },
  });
  expect(pair.ask({ type: "get", attribute: unknown })).toEqual({
    type: "get",
    result: { type: "data-access-result", dataAccessResult: "object-undefined" },
  });
  expect(
    pair.ask({ type: "getList", attributes: [{ attribute: clock }, { attribute: unknown }, { attribute: long }] }),
  ).toEqual({
    type: "getList",
    results: [
      { type: "data", data: { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") } },
      { type: "data-access-result", dataAccessResult: "object-undefined" },
      { type: "data", data: octets(3000) },
    ],
  });
  expect(pair.ask({ type: "set", attribute: long, value: octets(2500) })).toEqual({ type: "set", result: "success" });
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(octets(2500));
  expect(pair.ask({ type: "action", method, parameters: octets(2000) })).toEqual({
    type: "action",
    outcome: { result: "success", returnParameters: { type: "data", data: octets(2000) } },
  });
  expect(pair.run({ type: "release" })).toEqual([{ type: "released", answer: "rlre" }]);
  expect(pair.client.state).toBe("idle");
});

test.each([
  ["a wrong password", "lls", "association"],
  ["a wrong HLS secret", "hls", "hls"],
] as const)("client and server: %s is a failure with stage and evidence", (_name, mechanism, stage) => {
  const { server } = serve({ ...OPEN_RULE, mechanism, secret: SECRET });
  const wrong = new SecretKey("hlsSecret", ascii("wrong"));
  const authentication = mechanism === "lls" ? { mechanism, password: wrong } : { mechanism, secret: wrong };
  const pair = new ApduPair(settingsOf({ authentication }), server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "failed", failure: { stage } });
  expect(pair.client.state).toBe("idle");
  expect(() => pair.client.command({ type: "get", attribute: clock }, pair.nowMs)).toThrow("SERVICE_UNEXPECTED");
});

test("client and server: a service that was not agreed on is refused, and a refused order changes nothing", () => {
  const { pair } = associated({
    name: "no lists",
    rule: () => ({ ...OPEN_RULE, conformance: conformanceFromNumber(0x001010) }),
    settings: () => ({}),
  });
  const order = { type: "getList", attributes: [{ attribute: clock }] } as const;
  expect(() => pair.client.command(order, 0)).toThrow(expect.objectContaining({ code: "SERVICE_NOT_NEGOTIATED" }));
  const selective = { type: "get", attribute: long, access: { selector: 1, parameters: octets(1) } } as const;
  expect(() => pair.client.command(selective, 0)).toThrow("SERVICE_NOT_NEGOTIATED");
  expect(() => pair.client.command({ type: "set", attribute: clock, value: octets(12) }, 0)).toThrow(
    "SERVICE_NOT_NEGOTIATED",
  );
  expect(pair.client.takeBytes()).toBeUndefined();
  expect(pair.client.state).toBe("associated");
  expect(pair.ask({ type: "get", attribute: clock })).toMatchObject({ result: { type: "data" } });
});

test("client and server: values of every length around the block boundaries pass both ways", () => {
  const variants = VARIANTS.filter(({ name }) => ["none", "hls-gmac, ciphered, dedicated key"].includes(name));
  for (const { rule, settings } of variants) {
    for (const size of [64, 65, 127, 128, 129]) {
      const { objects, server } = serve({ ...rule(), maxReceivePduSize: size });
      const pair = new ApduPair(settingsOf({ ...settings(), maxReceivePduSize: size }), server);
      expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
      pair.requests.length = 0;
      for (let length = Math.max(1, size - 80); length <= 2 * size + 4; length += 5) {
        const value = octets(length);
        expect(pair.ask({ type: "set", attribute: long, value })).toEqual({ type: "set", result: "success" });
        expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(value);
        expect(pair.ask({ type: "get", attribute: long })).toEqual({
          type: "get",
          result: { type: "data", data: value },
        });
        expect(pair.ask({ type: "action", method, parameters: value })).toMatchObject({
          outcome: { result: "success", returnParameters: { data: value } },
        });
      }
      const longest = Math.max(...pair.requests.map((request) => request.length));
      expect(longest).toBeLessThanOrEqual(size);
    }
  }
});

const LINKS = {
  wrapper: () => ({
    client: new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 }),
    server: new WrapperLink({ role: "server" }),
  }),
  hdlc: () => {
    const parameters = { maxInfoTransmit: 128, maxInfoReceive: 128, windowTransmit: 3, windowReceive: 3 };
    return {
      client: new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17), parameters, responseTimeoutMs: 500 }),
      server: new HdlcServer({ logicalDevices: [1], physicalDevice: 17, parameters }),
    };
  },
} as const;

function sessionPair(variant: Variant, link: keyof typeof LINKS, wire: Wire = CLEAN_WIRE): SessionPair {
  const { client, server } = LINKS[link]();
  return new SessionPair(
    { link: client, settings: settingsOf(variant.settings()) },
    { link: server, association: serve(variant.rule()).server },
    wire,
  );
}

test.each(VARIANTS.flatMap((variant) => (["wrapper", "hdlc"] as const).map((link) => ({ variant, link }))))(
  "session over $link in single octets, $variant.name: reads a long value and leaves",
  ({ variant, link }) => {
    const pair = sessionPair(variant, link, { ...CLEAN_WIRE, pieceLength: 1 });
    expect(pair.run({ type: "open" }, "opened").type).toBe("opened");
    expect(pair.run({ type: "associate" }, "associated").type).toBe("associated");
    expect(pair.ask({ type: "get", attribute: long })).toEqual({
      type: "get",
      result: { type: "data", data: octets(3000) },
    });
    expect(pair.run({ type: "release" }, "released")).toEqual({ type: "released", answer: "rlre" });
    expect(pair.run({ type: "close" }, "closed")).toEqual({ type: "closed", reason: "local" });
    expect(pair.session.deadlineMs()).toBeUndefined();
  },
);

test("session over hdlc: on a bad line a request is read whole or fails at the link, and is carried out at most once", () => {
  const variant = VARIANTS.find(({ name }) => name === "hls-gmac, ciphered, dedicated key");
  if (variant === undefined) throw new Error("no such variant");
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(fc.infiniteStream(fc.noBias(fc.nat(9999))), (draws) => {
      const wire = { latencyMs: 20, pieceLength: 16, loss: 0.08, random: () => (draws.next().value ?? 0) / 10_000 };
      const { client, server } = LINKS.hdlc();
      const { objects, server: association } = serve(variant.rule());
      let actions = 0;
      const act = objects.action;
      objects.action = (...order) => {
        actions++;
        return act(...order);
      };
      const settings = settingsOf({ ...variant.settings(), responseTimeoutMs: 120_000 });
      const pair = new SessionPair({ link: client, settings }, { link: server, association }, wire);
      const failed = () => pair.events.find((event) => event.type === "failed");
      pair.run({ type: "open" }, "opened");
      if (failed() === undefined) pair.run({ type: "associate" }, "associated");
      if (failed() === undefined) pair.run({ type: "action", method, parameters: octets(700) }, "response");
      if (failed() === undefined) pair.run({ type: "get", attribute: long }, "response");
      const answers = pair.events.filter((event) => event.type === "response").map((event) => event.response);
      const end = failed()?.failure.stage ?? "whole";
      ends.set(end, (ends.get(end) ?? 0) + 1);
      expect(["link", "whole"]).toContain(end);
      expect(actions).toBeLessThanOrEqual(1);
      expect(answers).toEqual(
        [
          { type: "action", outcome: { result: "success", returnParameters: { type: "data", data: octets(700) } } },
          { type: "get", result: { type: "data", data: octets(3000) } },
        ].slice(0, end === "whole" ? 2 : answers.length),
      );
    }),
    { numRuns: 40 },
  );
  expect(ends.get("whole")).toBeGreaterThan(10);
});

test.each([
  { link: "hdlc", maxReceivePduSize: 256, wire: { ...CLEAN_WIRE, latencyMs: 400 } },
  { link: "wrapper", maxReceivePduSize: 8192, wire: { ...CLEAN_WIRE, pieceLength: 256, gapMs: 400 } },
] as const)(
  "session over $link: an answer whose parts go on coming is waited for longer than one answer may take",
  ({ link, maxReceivePduSize, wire }) => {
    const [variant] = VARIANTS;
    if (variant === undefined) throw new Error("no variant");
    const { client, server } = LINKS[link]();
    const settings = settingsOf({ ...variant.settings(), maxReceivePduSize, responseTimeoutMs: 2000 });
    const association = serve(variant.rule()).server;
    const pair = new SessionPair({ link: client, settings }, { link: server, association }, wire);
    pair.run({ type: "open" }, "opened");
    pair.run({ type: "associate" }, "associated");
    const startMs = pair.nowMs;
    expect(pair.ask({ type: "get", attribute: long })).toMatchObject({ result: { data: octets(3000) } });
    expect(pair.nowMs - startMs).toBeGreaterThan(4000);
  },
);

test("session: a channel that ends fails what is under way with stage link, and the session is closed", () => {
  const [variant] = VARIANTS;
  if (variant === undefined) throw new Error("no variant");
  const pair = sessionPair(variant, "wrapper");
  pair.run({ type: "open" }, "opened");
  pair.run({ type: "associate" }, "associated");
  pair.session.command({ type: "get", attribute: clock }, pair.nowMs);
  expect(pair.run({ type: "channelEnded" }, "closed")).toMatchObject({
    type: "failed",
    failure: { stage: "link", error: { code: "LINK_ENDED" }, evidence: { type: "linkEnded", during: "request" } },
  });
  pair.pass(1);
  expect(pair.events.at(-1)).toEqual({ type: "closed", reason: "peer" });
  expect(() => pair.session.command({ type: "get", attribute: clock }, 0)).toThrow("LINK_STATE");
});

test("session: a spent budget ends the session whatever is under way", () => {
  const { client } = LINKS.hdlc();
  const { server } = LINKS.wrapper();
  const [variant] = VARIANTS;
  if (variant === undefined) throw new Error("no variant");
  // The server speaks another link: nothing is ever understood.
  const pair = new SessionPair(
    { link: client, settings: settingsOf(), budgetMs: 700 },
    { link: server, association: serve(variant.rule()).server },
  );
  expect(pair.run({ type: "open" }, "opened")).toMatchObject({
    type: "failed",
    failure: { stage: "link", error: { code: "SESSION_BUDGET_SPENT" } },
  });
  expect(pair.nowMs).toBe(700);
  pair.pass(60_000);
  expect(pair.session.state).toBe("closed");
  expect(pair.session.deadlineMs()).toBeUndefined();
});

test("session: a link that does not answer the farewell counts as closed after its time", () => {
  const [variant] = VARIANTS;
  if (variant === undefined) throw new Error("no variant");
  let cut = false;
  const wire = { ...CLEAN_WIRE, random: () => (cut ? 0 : 1), loss: 0.5 };
  const pair = sessionPair(variant, "hdlc", { ...wire });
  pair.run({ type: "open" }, "opened");
  pair.run({ type: "associate" }, "associated");
  cut = true;
  const startMs = pair.nowMs;
  expect(pair.run({ type: "close" }, "closed").type).toBe("closed");
  expect(pair.nowMs - startMs).toBeLessThanOrEqual(5000);
  expect(pair.session.state).toBe("closed");
  expect(pair.session.deadlineMs()).toBeUndefined();
});
