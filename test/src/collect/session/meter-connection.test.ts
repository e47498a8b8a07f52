import { expect, test } from "vitest";
import { ChannelError } from "../../../../drivers/channel-error.ts";
import { systemClock } from "../../../../drivers/clock.ts";
import { Pump } from "../../../../drivers/pump.ts";
import { decodeApdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { ClientEvent } from "../../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../../../protocol/association/server/server.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../../../protocol/link/hdlc/server.ts";
import { WrapperLink } from "../../../../protocol/link/wrapper-link.ts";
import { diagnose } from "../../../../protocol/security/diagnosis.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { causeOf } from "../../../../src/collect/causes/failure-cause.ts";
import { SessionFailedError } from "../../../../src/collect/causes/session-failure.ts";
import {
  type CounterMemory,
  connectMeter,
  counterOf,
  type InvocationCounters,
  type MeterAccess,
} from "../../../../src/collect/session/meter-access.ts";
import { MeterConnection, type MeterConnectionSettings } from "../../../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../../../src/collect/session/meter-line.ts";
import { channelPair, type PairedChannel } from "../../../drivers/channel-pair.ts";
import { ServedLink } from "../../../protocol/association/served-link.ts";
import {
  ascii,
  CLOCK,
  clientProtection,
  FixtureObjects,
  KEYS,
  OPEN_RULE,
  SERVER_CHALLENGE,
  SERVER_TITLE,
  serverProtection,
} from "../../../protocol/association/server-fixture.ts";

const CHALLENGE = ascii("K56iVagYK56iVagY");
const SECRET = new SecretKey("hlsSecret", ascii("sixteen octets!!"));
const COUNTER = fromHex("00002b0103ff");
const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const counterValue = { attribute: { classId: 1, logicalName: COUNTER, attributeId: 2 } };
const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };

const PUBLIC: ClientSettings = {
  authentication: { mechanism: "none" },
  challenge: () => CHALLENGE,
  responseTimeoutMs: 500,
};

interface Meter {
  readonly near: PairedChannel;
  readonly far: PairedChannel;
  readonly objects: FixtureObjects;
  readonly log: string[];
}

/** A meter at the far end of a channel; `rules` by client SAP. */
function meter(
  rules: Readonly<Record<number, AssociationRule>>,
  link: "wrapper" | "hdlc" = "wrapper",
  deviation?: (apdu: Uint8Array) => Uint8Array | undefined,
): Meter {
  const [near, far] = channelPair();
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), TIME);
  objects.values.set(FixtureObjects.key(1, COUNTER, 2), { type: "double-long-unsigned", value: 1000 });
  const log: string[] = [];
  const get = objects.get;
  objects.get = (...order) => {
    log.push(`get ${order[0].attribute.classId}`);
    return get(...order);
  };
  const serverFor = (clientSap: number) => {
    log.push(`client ${clientSap}`);
    return new AssociationServer({
      clientSap,
      serverSap: 1,
      rule: () => rules[clientSap],
      objects,
      randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
    });
  };
  const serverLink =
    link === "wrapper"
      ? new WrapperLink({ role: "server" })
      : new HdlcServer({ logicalDevices: [1], physicalDevice: 17 });
  const served = new ServedLink(serverLink, serverFor, deviation && { instead: deviation });
  new Pump(served, far, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  return { near, far, objects, log };
}

const wrapper = (clientSap = 16) => new WrapperLink({ role: "client", clientSap, serverSap: 1 });
const hdlc = (clientSap = 16) => new HdlcClient({ clientSap, server: hdlcAddress(1, 17), responseTimeoutMs: 200 });

async function open(each: Meter, over: Partial<MeterConnectionSettings> = {}, signal?: AbortSignal) {
  const line = new MeterLine(each.near, signal === undefined ? {} : { signal });
  const connection = await MeterConnection.open(line, { link: wrapper(), client: PUBLIC, ...over });
  return { line, connection };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("did not fail");
}

test("meter connection: associates, reads, writes, acts and leaves; requests given at once take turns", async () => {
  const each = meter({ 16: OPEN_RULE });
  const { line, connection } = await open(each);
  expect((await connection.associate()).serverMaxReceivePduSize).toBe(1024);
  const [first, second] = await Promise.all([connection.get(clock), connection.get(counterValue)]);
  expect(first).toEqual({ type: "data", data: TIME });
  expect(second).toEqual({ type: "data", data: { type: "double-long-unsigned", value: 1000 } });
  expect(await connection.set(counterValue, { type: "double-long-unsigned", value: 7 })).toBe("success");
  const method = { classId: 70, logicalName: CLOCK, methodId: 1 };
  expect(await connection.action(method, { type: "integer", value: 0 })).toMatchObject({ result: "success" });
  expect(await connection.readObjectList()).toEqual({
    type: "data-access-result",
    dataAccessResult: "object-undefined",
  });
  expect(await connection.release()).toBe("rlre");
  await connection.close();
  expect(line.open).toBe(true);
  await line.close();
  await new Promise(setImmediate);
  expect(each.far.closed).toBe(true);
});

test("meter connection: a profile is asked for whole, by entries and by range", async () => {
  const each = meter({ 16: OPEN_RULE });
  each.objects.values.set(FixtureObjects.key(7, CLOCK, 2), { type: "array", value: [] });
  const { line, connection } = await open(each);
  await connection.associate();
  expect(await connection.readProfile(CLOCK, { type: "whole" })).toEqual({
    type: "data",
    data: { type: "array", value: [] },
  });
  // The fixture answers selective access with its parameters.
  const entries = await connection.readProfile(CLOCK, { type: "entries", from: 1, to: 0 });
  expect(entries).toMatchObject({
    data: { type: "structure", value: [{ value: 1 }, { value: 0 }, { value: 1 }, { value: 0 }] },
  });
  const restrictingObject = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  const octets = new Uint8Array(12);
  const range = await connection.readProfile(CLOCK, { type: "range", restrictingObject, from: octets, to: octets });
  expect(range).toMatchObject({ data: { type: "structure", value: [{}, { value: octets }, { value: octets }, {}] } });
  await line.close();
});

test.each([
  { what: "takes lists", conformance: 0x007e1f, most: 20, listLimit: 16, asked: [16, 4] },
  { what: "takes none", conformance: 0x007c1f, most: 20, listLimit: 16, asked: [] },
  { what: "takes lists of five", conformance: 0x007e1f, most: 5, listLimit: 4, asked: [16, 8, 4, 4, 8, 4, 4, 4] },
] as const)(
  "meter connection: a meter that $what is asked for many attributes",
  async ({ conformance, most, listLimit, asked }) => {
    const lists: number[] = [];
    const refuseLong = (octets: Uint8Array) => {
      const { apdu, body } = decodeApdu(octets);
      if (apdu !== "get-request" || body.type !== "with-list") return undefined;
      lists.push(body.attributes.length);
      if (body.attributes.length <= most) return undefined;
      const { invokeIdAndPriority } = body;
      const result = { type: "data-access-result", dataAccessResult: "scope-of-access-violated" } as const;
      return encodeApdu({ apdu: "get-response", body: { type: "normal", invokeIdAndPriority, result } });
    };
    const rule = { ...OPEN_RULE, conformance: conformanceFromNumber(conformance) };
    const { line, connection } = await open(meter({ 16: rule }, "wrapper", refuseLong));
    await connection.associate();
    const results = await connection.getList(Array.from({ length: 20 }, () => clock));
    expect(results).toEqual(Array.from({ length: 20 }, () => ({ type: "data", data: TIME })));
    expect(connection.listLimit).toBe(listLimit);
    expect(lists).toEqual(asked);
    await line.close();
  },
);

/** The answer to a list, cut off after its count. */
function garbledList(octets: Uint8Array): Uint8Array | undefined {
  const { apdu, body } = decodeApdu(octets);
  if (apdu !== "get-request" || body.type !== "with-list") return undefined;
  return Uint8Array.of(0xc4, 0x03, body.invokeIdAndPriority, body.attributes.length, 0x00);
}

test("meter connection: a meter whose answers to lists can't be decoded is asked one by one", async () => {
  const rule = { ...OPEN_RULE, conformance: conformanceFromNumber(0x007e1f) };
  const { line, connection } = await open(meter({ 16: rule }, "wrapper", garbledList));
  await connection.associate();
  const results = await connection.getList([clock, clock, clock]);
  expect(results).toEqual(Array.from({ length: 3 }, () => ({ type: "data", data: TIME })));
  expect(connection.listLimit).toBe(1);
  await line.close();
});

test.each(["wrapper", "hdlc"] as const)(
  "meter access over %s: the public client reads the counter, then the Indian utility client associates above it",
  async (link) => {
    const each = meter({ 16: OPEN_RULE, 48: indianRule() }, link);
    const counters = new TestCounters(5);
    const line = new MeterLine(each.near);
    const access = { ...indianAccess(counters, {}), link: link === "wrapper" ? wrapper : hdlc };
    const connection = await connectMeter(line, access);
    expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
    expect(counters.given[0]).toBe(1001);
    expect(each.log.filter((entry) => entry.startsWith("client"))).toEqual(["client 16", "client 48"]);
    await connection.close();
    await line.close();
  },
);

test("meter access: a counter that the meter refuses is raised above what it says, once", async () => {
  const rule = indianRule();
  rule.security?.protection.learnPeerSystemTitle(clientProtection().ownSystemTitle);
  rule.security?.protection.expectInvocationCounter("global", 70_000);
  const each = meter({ 16: OPEN_RULE, 48: rule });
  const counters = new TestCounters(5);
  const line = new MeterLine(each.near);
  const connection = await connectMeter(line, indianAccess(counters, {}));
  expect(counters.given[0]).toBe(1001);
  expect(counters.given[1]).toBe(70_001);
  expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
  await line.close();
});

test("meter access: once the meter takes our counters, the public client is not needed until something fails", async () => {
  const each = meter({ 16: OPEN_RULE, 48: indianRule() });
  const counters = new TestCounters(5);
  const memory: CounterMemory = {};
  const line = new MeterLine(each.near);
  const access = indianAccess(counters, memory);
  for (let visit = 0; visit < 3; visit++) await (await connectMeter(line, access)).close();
  // The meter notes who comes after somebody else.
  expect(visitors(each)).toEqual(["client 16", "client 48"]);
  expect(memory.countersAccepted).toBe(true);
  await line.close();
});

test("meter access: a meter that goes silent since another head end used the key is asked for its counter", async () => {
  const rule = indianRule();
  const each = meter({ 16: OPEN_RULE, 48: rule });
  const counters = new TestCounters(5);
  // As after a visit before: the counter is trusted, and by now too low.
  const memory: CounterMemory = { countersAccepted: true };
  const line = new MeterLine(each.near);
  rule.security?.protection.learnPeerSystemTitle(clientProtection().ownSystemTitle);
  rule.security?.protection.expectInvocationCounter("global", 900);
  const connection = await connectMeter(line, indianAccess(counters, memory));
  expect(counters.given[0]).toBe(5);
  expect(counters.given[1]).toBeGreaterThan(900);
  expect(memory.countersAccepted).toBe(true);
  await connection.close();
  await line.close();
});

test("meter access: a failure that no counter explains is told as it was, and the counter is read next time", async () => {
  const each = meter({ 16: OPEN_RULE });
  const counters = new TestCounters(5_000);
  const memory: CounterMemory = { countersAccepted: true };
  const line = new MeterLine(each.near);
  await expect(connectMeter(line, indianAccess(counters, memory))).rejects.toThrow(SessionFailedError);
  expect(visitors(each)).toEqual(["client 48", "client 16"]);
  expect(memory.countersAccepted).toBe(false);
  await line.close();
});

test("meter connection: an abort ends what waits at once, and the line hears of a signal once only", async () => {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, new AbortController().signal]);
  const [near, far] = channelPair();
  far.start({ bytes: () => {}, closed: () => {} });
  const line = new MeterLine(near, { signal });
  const connection = await MeterConnection.open(line, { link: wrapper(), client: PUBLIC });
  const failing = failureOf(connection.associate());
  setImmediate(() => controller.abort(new Error("shutdown")));
  expect(causeOf(await failing)).toMatchObject({ cause: "cancelled" });
  expect(causeOf(await failureOf(connection.get(clock)))).toMatchObject({ cause: "cancelled" });
  await connection.close();
  await line.close();
  const late = new MeterLine(channelPair()[0], { signal });
  expect(late.open).toBe(false);
  expect(causeOf(await failureOf(MeterConnection.open(late, { link: wrapper(), client: PUBLIC })))).toMatchObject({
    cause: "cancelled",
  });
});

test("meter connection: a channel that breaks fails what waits and everything after it", async () => {
  const each = meter({ 16: OPEN_RULE });
  const { line, connection } = await open(each);
  await connection.associate();
  const failing = failureOf(connection.get(clock));
  each.near.end(new ChannelError("CHANNEL_RESET", { host: "192.0.2.1", port: 4059 }));
  expect(causeOf(await failing)).toMatchObject({ cause: "connection lost" });
  expect(causeOf(await failureOf(connection.get(clock)))).toMatchObject({ cause: "connection lost" });
  await connection.close();
  await line.close();
});

test("meter connection: what the meter says unasked is heard, and does not disturb the answer", async () => {
  const told: ClientEvent[] = [];
  const each = meter({ 16: OPEN_RULE });
  const { line, connection } = await open(each, { onNotice: (event) => told.push(event) });
  await connection.associate();
  const answer = connection.get(clock);
  each.far.write(fromHex("0001 0001 0010 000b 0f 40000001 00 0600000007".replaceAll(" ", "")));
  expect(await answer).toEqual({ type: "data", data: TIME });
  expect(told.map((event) => event.type)).toContain("notification");
  await line.close();
});

test("meter connection: a notification is confirmed when whoever keeps it says so", async () => {
  const heard: string[] = [];
  const told: ClientEvent[] = [];
  const each = meter({ 16: OPEN_RULE }, "wrapper", (apdu) => {
    heard.push(decodeApdu(apdu).apdu);
    return undefined;
  });
  const { line, connection } = await open(each, { onNotice: (event) => told.push(event) });
  await connection.associate();
  each.far.write(fromHex("0001 0001 0010 000b 0f 40000001 00 0600000007".replaceAll(" ", "")));
  expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
  const event = told.find(({ type }) => type === "notification");
  if (event?.type !== "notification" || event.notification.apdu !== "data-notification") throw new Error("not heard");
  expect(heard).not.toContain("data-notification-confirm");
  connection.confirm(event.notification.body);
  await connection.release();
  expect(heard).toContain("data-notification-confirm");
  await line.close();
  connection.confirm(event.notification.body);
});

function indianAccess(counters: InvocationCounters, memory: CounterMemory): MeterAccess {
  return {
    clientSap: 48,
    link: wrapper,
    clock: systemClock,
    session: () => ({ client: indianSettings(counters) }),
    publicSession: () => ({ client: PUBLIC }),
    counter: { names: () => [COUNTER], counters, memory },
  };
}

function visitors({ log }: { readonly log: readonly string[] }): string[] {
  return log.filter((entry) => entry.startsWith("client"));
}

class TestCounters implements InvocationCounters {
  readonly given: number[] = [];
  #next: number;
  constructor(next: number) {
    this.#next = next;
  }
  next(): number {
    this.given.push(this.#next);
    return this.#next++;
  }
  get upcoming(): number {
    return this.#next;
  }
  async ensure(): Promise<void> {}
  async raise(lowest: number): Promise<void> {
    this.#next = Math.max(this.#next, lowest);
  }
}

function indianRule(over: Partial<AssociationRule> = {}): AssociationRule {
  return {
    ...OPEN_RULE,
    clientSap: 48,
    mechanism: "hls",
    secret: SECRET,
    applicationContexts: ["logical-name-with-ciphering"],
    security: { protection: serverProtection() },
    ...over,
  };
}

function indianSettings(counters: InvocationCounters, over: Partial<ClientSettings> = {}): ClientSettings {
  return {
    ...PUBLIC,
    authentication: { mechanism: "hls", secret: SECRET },
    protection: clientProtection({ nextInvocationCounter: () => counters.next() }),
    ciphering: { request: "authenticated-encrypted" },
    ...over,
  };
}

const WRONG = fromHex("FFEEDDCCBBAA99887766554433221100");

/** What a session against a real server machine ends with when one thing is wrong. */
const MISTAKES: readonly {
  readonly what: string;
  readonly cause: string;
  readonly rule: AssociationRule;
  readonly client: () => ClientSettings;
}[] = [
  {
    what: "an LLS password is wrong",
    cause: "wrong password",
    rule: { ...OPEN_RULE, mechanism: "lls", secret: SECRET },
    client: () => ({
      ...PUBLIC,
      authentication: { mechanism: "lls", password: new SecretKey("hlsSecret", ascii("wrong")) },
    }),
  },
  {
    what: "an HLS secret is wrong",
    cause: "wrong password",
    rule: { ...OPEN_RULE, mechanism: "hls-md5", secret: SECRET },
    client: () => ({
      ...PUBLIC,
      authentication: { mechanism: "hls-md5", secret: new SecretKey("hlsSecret", ascii("wrong")) },
    }),
  },
  {
    what: "the server's authentication key is another one",
    cause: "wrong authentication key",
    rule: indianRule({
      security: {
        protection: serverProtection({ keys: keysWith({ authenticationKey: WRONG }) }),
        response: "authenticated-encrypted",
      },
    }),
    client: () => indianSettings(new TestCounters(1), { ciphering: { request: "encrypted" } }),
  },
  {
    what: "the meter does not know the client",
    cause: "wrong system title",
    rule: indianRule({ clientSystemTitle: SERVER_TITLE }),
    client: () => indianSettings(new TestCounters(1)),
  },
  {
    what: "the meter demands ciphering",
    cause: "association refused",
    rule: indianRule(),
    client: () => PUBLIC,
  },
  {
    what: "the meter can't decipher",
    cause: "wrong key or counter",
    rule: indianRule({ security: { protection: serverProtection({ keys: keysWith({ blockCipherKey: WRONG }) }) } }),
    client: () => indianSettings(new TestCounters(1)),
  },
  {
    what: "the meter is silent",
    cause: "no answer",
    rule: indianRule({
      security: { protection: serverProtection({ keys: keysWith({ blockCipherKey: WRONG }) }) },
      decipherFailure: "silence",
    }),
    client: () => indianSettings(new TestCounters(1)),
  },
];

function keysWith(over: { readonly blockCipherKey?: Uint8Array; readonly authenticationKey?: Uint8Array }) {
  return {
    blockCipherKey: over.blockCipherKey ? new SecretKey("blockCipherKey", over.blockCipherKey) : KEYS.blockCipherKey,
    authenticationKey: over.authenticationKey
      ? new SecretKey("authenticationKey", over.authenticationKey)
      : KEYS.authenticationKey,
  };
}

test.each(MISTAKES)("failure cause: when $what it is called $cause", async ({ cause, rule, client }) => {
  const each = meter({ 16: rule });
  const { line, connection } = await open(each, {
    client: client(),
    diagnose: (ciphered) => diagnose(ciphered, { keys: KEYS, systemTitle: SERVER_TITLE }),
  });
  const error = await failureOf(connection.associate());
  expect(causeOf(error)).toMatchObject({
    cause,
    evidence: expect.stringContaining("near end"),
    nextStep: expect.any(String),
  });
  await connection.close();
  await line.close();
});

test("counter: numbers of any width and four octets are read, others are refused", () => {
  expect(counterOf({ type: "double-long-unsigned", value: 0x8d0dc2d7 })).toBe(0x8d0dc2d7);
  expect(counterOf({ type: "double-long", value: -1920089385 })).toBe(2374877911);
  expect(counterOf({ type: "long64-unsigned", value: 70_000n })).toBe(70_000);
  expect(counterOf({ type: "octet-string", value: fromHex("8D0DC2D7") })).toBe(0x8d0dc2d7);
  expect(() => counterOf({ type: "octet-string", value: fromHex("8D0D") })).toThrow("DATA_TYPE_MISMATCH");
  expect(() => counterOf({ type: "double-long-unsigned", value: 0xffffffff })).toThrow("SECURITY_COUNTER_EXHAUSTED");
});
