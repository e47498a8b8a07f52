/** Events of meters, told to a webhook and to a broker: signed, retained, tried again, and given up with a name. */

import { execFile } from "node:child_process";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { Aedes } from "aedes";
import { expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { MqttSender } from "../../src/events/mqtt-sender.ts";
import { type Destination, Notifier, type Outbox } from "../../src/events/notifier.ts";
import { signatureOf, Webhook } from "../../src/events/webhook.ts";
import { GatewayNotifications } from "../../src/gateway/gateway-notifications.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { loggedEvent } from "../../src/profiles/seen-events.ts";
import { isTransient } from "../../src/store/database/database.ts";
import { keepSeenEvents } from "../../src/store/records/meter-events.ts";
import {
  keepDestinations,
  notificationOutbox,
  outboxLines,
  retryDead,
} from "../../src/store/records/notification-outbox.ts";
import { makeMeters } from "../db/profile-batches.ts";
import { query } from "../db/query.ts";
import { useTestDatabase } from "../db/test-database.ts";
import { gatewayOverStreet } from "./street.ts";

const current = useTestDatabase();
const SECRET = "CANARY-webhook-secret";
const DAY_MS = 86_400_000;
const GATEWAY = "00000000-0000-4000-8000-000000000001";
const OTHERS_LOG = "0.0.99.98.4.255";
/** Influence of a magnet: an alarm that begins with 201 and ends with 202. 151 is a mere change. */
const [BEGINS, ENDS, CHANGE] = [201, 202, 151];

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Told {
  readonly id: string;
  readonly meterNumber: string;
  readonly conditions: string[];
  readonly event: { readonly code: number; readonly kind: string; readonly severity: string };
}

/** Answers with what `status` says. */
async function receiver(status: () => number) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (octets: Buffer) => {
      body += octets.toString();
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status()).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const told = () => received.flatMap(({ body }): Told[] => JSON.parse(body).notifications);
  return { url: `http://127.0.0.1:${port}/events`, received, told, [Symbol.dispose]: () => void server.close() };
}

async function broker() {
  const aedes = await Aedes.createBroker();
  const server = createTcpServer((socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const close = async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    server.close();
  };
  return { aedes, url: `mqtt://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

function webhook(url: string, changes: Partial<Destination> = {}): Destination {
  const sender = new Webhook({ url, secret: SECRET, timeoutMs: 5000, nowMs: Date.now });
  return { name: "hook", sender, tries: 12, bound: 1000, ...changes };
}

function notifier(destinations: readonly Destination[], outbox: Outbox = notificationOutbox(current().database)) {
  const events: GatewayEvent[] = [];
  const running = new Notifier({
    outbox,
    destinations,
    events: (event) => events.push(event),
    isPassing: isTransient,
    idleMs: 20,
  });
  return { events, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

async function destinations(...names: readonly string[]): Promise<void> {
  await query(current().url, "delete from dlms.notification_outbox");
  await keepDestinations(
    current().database,
    GATEWAY,
    names.map((name) => ({ name, least: "warning", newestMs: DAY_MS })),
  );
}

/** What a log tells, ms ago. */
async function happens(number: string, ...told: readonly (readonly [code: number, agoMs: number])[]): Promise<void> {
  const [[known] = []] = await query(current().url, "select id from public.meters where meter_number = $1", [number]);
  if (known === undefined) await makeMeters(current().database, [number]);
  const [[id] = []] = await query(current().url, "select id from public.meters where meter_number = $1", [number]);
  const events = told.map(([code, agoMs]) =>
    loggedEvent("is15959", { log: OTHERS_LOG, code, at: new Date(Date.now() - agoMs) }),
  );
  await current().database.transaction((client) =>
    keepSeenEvents(client, [{ meterId: String(id), source: "poll", words: [], events }]),
  );
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds).toBe(true);
}

const waiting = async () =>
  (await outboxLines(current().database)).map(({ state, notifications }) => [state, notifications]);

test("webhook: an alarm and its end arrive, signed; what is less, or older, is not told", async () => {
  await destinations("hook");
  using server = await receiver(() => 204);
  await happens("NOT1", [BEGINS, 60_000], [CHANGE, 50_000], [BEGINS, 3 * DAY_MS]);
  await happens("NOT1", [ENDS, 30_000]);
  {
    await using _ = notifier([webhook(server.url)]);
    await until(async () => (await waiting()).length === 0);
  }
  expect(server.told().map(({ meterNumber, event }) => [meterNumber, event.code, event.kind])).toEqual([
    ["NOT1", BEGINS, "occurrence"],
    ["NOT1", ENDS, "restoration"],
  ]);
  for (const { headers, body } of server.received) {
    const signature = String(headers["x-dlms-signature"]);
    const seconds = Number(/^t=(\d+),/.exec(signature)?.[1]);
    expect(signature).toBe(signatureOf(body, SECRET, seconds));
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(600);
  }
});

test("webhook: what does not arrive stays in the outbox over a restart, and is told once it is taken", async () => {
  await destinations("hook");
  let status = 503;
  using server = await receiver(() => status);
  await happens("NOT2", [BEGINS, 60_000]);
  {
    await using run = notifier([webhook(server.url)]);
    await until(() => run.events.some(({ event }) => event === "notificationsFail"));
  }
  const [line] = await outboxLines(current().database);
  expect(line).toMatchObject({ destination: "hook", state: "waiting", notifications: 1, evidence: "HTTP status 503" });
  status = 200;
  await query(current().url, "update dlms.notification_outbox set next_try_at = now()");
  {
    await using _ = notifier([webhook(server.url)]);
    await until(async () => (await waiting()).length === 0);
  }
  const ids = server.told().map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
});

test("webhook: after its tries, or an answer that will not change, a notification is dead until people want it again", async () => {
  await destinations("hook");
  let status = 410;
  using server = await receiver(() => status);
  await happens("NOT3", [BEGINS, 60_000]);
  {
    await using run = notifier([webhook(server.url)]);
    await until(async () => (await waiting())[0]?.[0] === "dead");
    expect(run.events).toMatchObject([
      { event: "notificationsFail", destination: "hook", evidence: "HTTP status 410" },
      { event: "notificationsGivenUp", destination: "hook", count: 1, evidence: "HTTP status 410" },
    ]);
    status = 200;
    expect(await retryDead(current().database, "hook")).toBe(1);
    await until(async () => (await waiting()).length === 0);
    expect(run.events.at(-1)).toEqual({ event: "notificationsArrive", destination: "hook" });
  }
  status = 500;
  await happens("NOT4", [BEGINS, 60_000]);
  await using _ = notifier([webhook(server.url, { tries: 1 })]);
  await until(async () => (await waiting())[0]?.[0] === "dead");
});

test("outbox: it is bounded, what is new goes before what is old, and those who are gone are not waited for", async () => {
  await destinations("hook");
  for (const ago of [50_000, 40_000, 30_000]) await happens("NOT5", [BEGINS, ago]);
  const outbox = notificationOutbox(current().database);
  expect(await outbox.trim("hook", 1)).toBe(2);
  expect(await waiting()).toEqual([
    ["waiting", 1],
    ["dead", 2],
  ]);
  await keepDestinations(current().database, GATEWAY, []);
  expect(await waiting()).toEqual([["dead", 3]]);
  await happens("NOT5", [BEGINS, 1000]);
  expect(await waiting()).toEqual([["dead", 3]]);
});

test("mqtt: each event on the meter's topic, and its state retained for whoever comes later", async () => {
  await destinations("broker");
  await using station = await broker();
  const events: [string, Told["event"]][] = [];
  station.aedes.subscribe(
    "dlms/+/event",
    (packet, done) => {
      events.push([packet.topic, JSON.parse(packet.payload.toString()).event]);
      done();
    },
    () => undefined,
  );
  await happens("NOT6", [BEGINS, 60_000]);
  const options = { url: station.url, username: undefined, password: undefined, clientId: "test", prefix: "dlms" };
  const sender = new MqttSender({ ...options, timeoutMs: 5000 });
  {
    await using _ = notifier([{ name: "broker", sender, tries: 12, bound: 1000 }]);
    await until(async () => (await waiting()).length === 0);
  }
  expect(events).toMatchObject([["dlms/NOT6/event", { code: BEGINS, severity: "alarm" }]]);
  const { connectAsync } = await import("mqtt");
  const client = await connectAsync(station.url);
  const state = new Promise<Record<string, unknown>>((resolve) => {
    client.on("message", (_, payload, { retain }) => resolve({ retain, ...JSON.parse(payload.toString()) }));
  });
  await client.subscribeAsync("dlms/NOT6/state");
  expect(await state).toMatchObject({
    retain: true,
    meterNumber: "NOT6",
    conditions: [expect.stringContaining("magnet")],
    last: { code: BEGINS, kind: "occurrence" },
  });
  await client.endAsync();
});

function notification(id: string, madeAt: string) {
  return { id, meter: "e1", meterNumber: "E1", madeAt, event: { code: id }, conditions: [] };
}

test("mqtt: an event that is tried again after a newer one does not become the meter's state", async () => {
  await using station = await broker();
  const events: string[] = [];
  const told = (packet: { readonly topic: string; readonly payload: Buffer | string }, done: () => void) => {
    events.push(`${packet.topic} ${String(packet.payload)}`);
    done();
  };
  station.aedes.subscribe("dlms/E1/#", told, () => undefined);
  const options = { url: station.url, username: undefined, password: undefined, clientId: "test", prefix: "dlms" };
  await using sender = new MqttSender({ ...options, timeoutMs: 5000 });
  await sender.send([notification("2", "2026-01-01T00:00:02Z")]);
  await sender.send([notification("1", "2026-01-01T00:00:01Z")]);
  await sender.send([notification("3", "2026-01-01T00:00:03Z")]);
  await until(async () => events.length === 5);
  const states = events.filter((each) => each.startsWith("dlms/E1/state"));
  expect(states.map((each) => /"last":\{"code":"(\d)"\}/.exec(each)?.[1])).toEqual(["2", "3"]);
});

test("mqtt: without a broker notifications wait, and the reason names no address", async () => {
  await destinations("broker");
  await happens("NOT7", [BEGINS, 60_000]);
  const options = { username: "u", password: SECRET, clientId: "test", prefix: "dlms", timeoutMs: 500 };
  const sender = new MqttSender({ url: "mqtt://127.0.0.1:9", ...options });
  await using run = notifier([{ name: "broker", sender, tries: 12, bound: 1000 }]);
  await until(() => run.events.length > 0);
  expect(JSON.stringify([run.events, await outboxLines(current().database)])).not.toMatch(/127\.0\.0\.1|CANARY/);
});

/** The notifications of a gateway that the database knows; its webhooks are named. */
async function gatewayTelling(id: string, webhooks: Readonly<Record<string, string>>): Promise<GatewayNotifications> {
  await query(
    current().url,
    "insert into dlms.gateways (gateway_id, name, networks, silence_ms, away_ms, version) values ($1::uuid, 'told', '{}', 1, 1, '')",
    [id],
  );
  process.env["DLMS_GATEWAY_WEBHOOK_TEST"] = SECRET;
  const secret = "env:DLMS_GATEWAY_WEBHOOK_TEST";
  const { notifications } = configSchema.parse({
    stateDirectory: "/nowhere",
    socket: "/nowhere/control.sock",
    notifications: { webhooks: Object.entries(webhooks).map(([name, url]) => ({ name, url, secret })) },
  });
  const told: GatewayEvent[] = [];
  return GatewayNotifications.start({
    config: { notifications },
    database: current().database,
    events: (event) => told.push(event),
    gatewayId: id,
  });
}

test("notifications: gateways of unlike configurations tell each its own, and what both name is told once", async () => {
  await destinations();
  using both = await receiver(() => 204);
  using alone = await receiver(() => 204);
  await using stack = new AsyncDisposableStack();
  stack.use(await gatewayTelling("00000000-0000-4000-8000-000000000011", { both: both.url, alone: alone.url }));
  stack.use(await gatewayTelling("00000000-0000-4000-8000-000000000012", { both: both.url }));
  const last = stack.use(await gatewayTelling("00000000-0000-4000-8000-000000000013", {}));
  await happens("NOT8", [BEGINS, 60_000]);
  await until(async () => (await waiting()).length === 0);
  expect([both.told().length, alone.told().length]).toEqual([1, 1]);
  const named = "select distinct name from dlms.notification_destinations order by name";
  expect(await query(current().url, named)).toEqual([["alone"], ["both"]]);
  // Those of gateways that are forgotten go with them.
  await query(current().url, "delete from dlms.gateways");
  await last.configure();
  expect(await query(current().url, named)).toEqual([]);
});

const COMMAND = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

test("notifications: a gateway tells what its meters say, with secrets by reference that are in no log or row", async () => {
  using server = await receiver(() => 200);
  process.env["DLMS_GATEWAY_WEBHOOK_TEST"] = SECRET;
  await using over = await gatewayOverStreet(
    { count: 1 },
    {
      configure: (config) => {
        config.plans = [{ profile: "events", every: "1h", history: "400d" }];
        const secret = "env:DLMS_GATEWAY_WEBHOOK_TEST";
        config.notifications = { webhooks: [{ name: "ops", url: server.url, secret, newest: "400d" }] };
      },
    },
  );
  await over.gateway.pollOnce();
  await until(() => server.told().length > 0);
  const counts = await over.gateway.database.query<{ count: bigint }>(
    "select count(*) from public.meter_events where severity <> 'info'",
  );
  await until(() => server.told().filter(({ event }) => event.severity !== "info").length === Number(counts[0]?.count));
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, [COMMAND, "notifications", "--socket", over.config.socket, "--json"], (_, text) =>
      resolve(text),
    );
  });
  await until(async () => (await outboxLines(over.gateway.database)).length === 0);
  expect(Array.isArray(JSON.parse(out))).toBe(true);
  const rows = await query(over.gateway.databaseUrl, "select d::text from dlms.notification_destinations d");
  const logs = await query(over.gateway.databaseUrl, "select l::text from dlms.event_logs l");
  expect(JSON.stringify([rows, logs, over.events, out])).not.toContain(SECRET);
});

/** What a notifier tells whose outbox fails with a code. */
async function toldOf(code: string): Promise<readonly GatewayEvent[]> {
  const { promise: tried, resolve } = Promise.withResolvers<void>();
  const outbox: Outbox = {
    ...notificationOutbox(current().database),
    trim: async () => 0,
    take: async () => {
      resolve();
      throw Object.assign(new Error(`refused with ${code}`), { code });
    },
  };
  const running = notifier([webhook("http://127.0.0.1:9")], outbox);
  await tried;
  await running[Symbol.asyncDispose]();
  return running.events;
}

test("notifications: an outbox that refuses is told, one that is away is not", async () => {
  const evidence = "refused with 42P01";
  expect(await toldOf("42P01")).toEqual([{ event: "notificationsFail", destination: "hook", evidence }]);
  expect(await toldOf("57P03")).toEqual([]);
});
