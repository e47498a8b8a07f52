import { expect, test } from "vitest";
import { ChannelError } from "../../../../drivers/channel-error.ts";
import { decodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { ClientEvent } from "../../../../protocol/association/client/client-events.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { causeOf } from "../../../../src/collect/causes/failure-cause.ts";
import { SessionFailedError } from "../../../../src/collect/causes/session-failure.ts";
import { type CounterMemory, connectMeter, counterOf } from "../../../../src/collect/session/meter-access.ts";
import { MeterConnection } from "../../../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../../../src/collect/session/meter-line.ts";
import { channelPair } from "../../../drivers/channel-pair.ts";
import { clientProtection, OPEN_RULE } from "../../../protocol/association/server-fixture.ts";
import {
  clock,
  failureOf,
  indianAccess,
  indianRule,
  meter,
  open,
  PUBLIC,
  TestCounters,
  TIME,
  wrapper,
} from "./connected-meter.ts";

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

function visitors({ log }: { readonly log: readonly string[] }): string[] {
  return log.filter((entry) => entry.startsWith("client"));
}

test("counter: numbers of any width and four octets are read, others are refused", () => {
  expect(counterOf({ type: "double-long-unsigned", value: 0x8d0dc2d7 })).toBe(0x8d0dc2d7);
  expect(counterOf({ type: "double-long", value: -1920089385 })).toBe(2374877911);
  expect(counterOf({ type: "long64-unsigned", value: 70_000n })).toBe(70_000);
  expect(counterOf({ type: "octet-string", value: fromHex("8D0DC2D7") })).toBe(0x8d0dc2d7);
  expect(() => counterOf({ type: "octet-string", value: fromHex("8D0D") })).toThrow("DATA_TYPE_MISMATCH");
  expect(() => counterOf({ type: "double-long-unsigned", value: 0xffffffff })).toThrow("SECURITY_COUNTER_EXHAUSTED");
});
