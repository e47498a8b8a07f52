import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import type { HdlcClientSettings } from "../../../protocol/link/hdlc/client-settings.ts";
import { HdlcServer, type HdlcServerSettings } from "../../../protocol/link/hdlc/server.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { PERFECT, seededRandom, Wire, type WireFaults } from "./wire.ts";

/** Enough to find a broken rule at once; a busy machine does fewer. fast-check prints the seed on failure. */
const BOUNDED = { numRuns: 150, interruptAfterTimeLimit: 2000, markInterruptAsFailure: false };

interface Session {
  readonly client?: Partial<HdlcClientSettings>;
  readonly server?: Partial<HdlcServerSettings>;
  readonly faults?: WireFaults;
  readonly seed?: number;
  readonly requests: readonly Uint8Array[];
  readonly answers: readonly Uint8Array[];
  /** How long the server thinks about each answer. */
  readonly thinkingMs?: number;
}

interface Outcome {
  readonly atServer: string[];
  readonly atClient: string[];
  readonly end: LinkEvent | undefined;
  readonly nowMs: number;
  readonly discarded: string[];
}

/** One request after the other, each answered once it has come; then the link is closed. */
function runSession(session: Session): Outcome {
  const client = new HdlcClient({ clientSap: 16, server: hdlcAddress(1, 17), ...session.client });
  const server = new HdlcServer({ logicalDevices: [1], physicalDevice: 17, ...session.server });
  const wire = new Wire(client, server, session);
  const atServer: string[] = [];
  const atClient: string[] = [];
  const discarded: string[] = [];
  let end: LinkEvent | undefined;
  const ask = () => {
    const request = session.requests[atClient.length];
    client.command(request ? { type: "send", apdu: request } : { type: "close" }, wire.nowMs);
  };
  wire.on(client, (event) => {
    if (event.type === "apdu") atClient.push(toHex(event.apdu));
    if (event.type === "opened" || event.type === "apdu") ask();
    if (event.type === "closed" || event.type === "failed") end = event;
    if (event.type === "discarded") discarded.push(event.error.code);
  });
  wire.on(server, (event) => {
    if (event.type !== "apdu") return;
    atServer.push(toHex(event.apdu));
    const apdu = session.answers[atServer.length - 1];
    const answer = () => {
      // A link that has ended meanwhile takes no answer.
      if (apdu && server.state !== "disconnected") server.command({ type: "send", apdu }, wire.nowMs);
    };
    if (session.thinkingMs === undefined) answer();
    else wire.after(session.thinkingMs, answer);
  });
  client.command({ type: "open" }, 0);
  wire.run(() => end !== undefined);
  return { atServer, atClient, end, nowMs: wire.nowMs, discarded };
}

function octets(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, (_, index) => (index === 0 ? 0xc0 : Math.floor(random() * 256)));
}

const hexOf = (apdus: readonly Uint8Array[]) => apdus.map((apdu) => toHex(apdu));
const parameters = fc.record({
  maxInfoTransmit: fc.integer({ min: 32, max: 2030 }),
  maxInfoReceive: fc.integer({ min: 32, max: 2030 }),
  windowTransmit: fc.integer({ min: 1, max: 7 }),
  windowReceive: fc.integer({ min: 1, max: 7 }),
});
const exchanges = fc.array(fc.record({ request: fc.nat(3000), answer: fc.nat(6000) }), { minLength: 1, maxLength: 6 });
const perMille = fc.oneof(fc.constant(0), fc.nat(150));
const faults: fc.Arbitrary<WireFaults> = fc.record({
  latencyMs: fc.oneof(fc.nat(50), fc.nat(2500)),
  loss: perMille,
  corruption: perMille,
  duplication: perMille,
  octetwise: fc.boolean(),
  echo: fc.boolean(),
});

test("hdlc pair: every APDU arrives once and in order at every window and information length", () => {
  fc.assert(
    fc.property(parameters, parameters, exchanges, (ours, theirs, sizes) => {
      const requests = sizes.map(({ request }, index) => octets(request + 1, index));
      const answers = sizes.map(({ answer }, index) => octets(answer + 1, index + 100));
      const outcome = runSession({ client: { parameters: ours }, server: { parameters: theirs }, requests, answers });
      expect(outcome.end).toEqual({ type: "closed", reason: "local" });
      expect(outcome.atServer).toEqual(hexOf(requests));
      expect(outcome.atClient).toEqual(hexOf(answers));
      expect(outcome.discarded).toEqual([]);
    }),
    BOUNDED,
  );
});

test("hdlc pair: with loss, corruption, duplication and latency nothing arrives twice, and what fails fails typed", () => {
  let runs = 0;
  let whole = 0;
  const small = fc.array(fc.record({ request: fc.nat(600), answer: fc.nat(1500) }), { minLength: 1, maxLength: 4 });
  const recovery = fc.constantFrom("poll" as const, "resend" as const);
  const thinkingMs = fc.constantFrom(undefined, 100, 3000, 30_000);
  const sides = { ours: parameters, theirs: parameters, recovery, thinkingMs };
  const session = fc.record({ ...sides, sizes: small, faults, seed: fc.nat() });
  fc.assert(
    fc.property(session, ({ ours, theirs, recovery, thinkingMs, sizes, faults, seed }) => {
      const requests = sizes.map(({ request }, index) => octets(request + 1, index));
      const answers = sizes.map(({ answer }, index) => octets(answer + 1, index + 100));
      const { echo } = faults;
      const client = { parameters: ours, recovery, echo, responseTimeoutMs: 20_000, maxRetries: 6 };
      const server = { parameters: theirs, echo };
      const patience = thinkingMs === undefined ? {} : { thinkingMs };
      const outcome = runSession({ client, server, requests, answers, faults, seed, ...patience });
      expect(outcome.atServer).toEqual(hexOf(requests).slice(0, outcome.atServer.length));
      expect(outcome.atClient).toEqual(hexOf(answers).slice(0, outcome.atClient.length));
      const { end } = outcome;
      expect(end?.type === "failed" ? end.error.code : end?.type).toMatch(/^(LINK_|closed)/);
      runs++;
      if (outcome.atClient.length === sizes.length) whole++;
    }),
    BOUNDED,
  );
  expect(whole).toBeGreaterThan(0.75 * runs);
});

test.each([1, 3, 7])("hdlc pair: 200 kB both ways at window %i", (window) => {
  const size = { maxInfoTransmit: 2030, maxInfoReceive: 2030, windowTransmit: window, windowReceive: window };
  const [requests, answers] = [[octets(200_000, 1)], [octets(200_000, 2)]];
  const outcome = runSession({ client: { parameters: size }, server: { parameters: size }, requests, answers });
  expect(outcome.atServer).toEqual(hexOf(requests));
  expect(outcome.atClient).toEqual(hexOf(answers));
});

test("hdlc pair: a lost answer is asked for by RR, and the request is executed once", () => {
  const requests = [octets(20, 1), octets(20, 2), octets(20, 3)];
  const answers = [octets(500, 4), octets(500, 5), octets(500, 6)];
  for (let seed = 1; seed <= 40; seed++) {
    const lossy = { ...PERFECT, loss: 200 };
    const outcome = runSession({ client: { maxRetries: 20 }, requests, answers, faults: lossy, seed });
    expect(outcome.atServer).toEqual(hexOf(requests));
    expect(outcome.atClient).toEqual(hexOf(answers));
  }
});
