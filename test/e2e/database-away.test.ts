/** A gateway that starts while its database is away: what it knows it works, all that comes is kept and comes in later. */
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { query } from "../db/query.ts";
import { scratchDirectory } from "../db/scratch.ts";
import { FaultSenders } from "./faults/fault-senders.ts";

type ConfigInput = z.input<typeof configSchema>;

const COUNT = 3;
const PUSHER = "1AWY0000000001";
const STOP_MS = { sessions: 5000, everything: 10_000 };

let street: Street;
let directory = "";
let serverDirectory = "";
let server: EmbeddedPostgres;
let url = "";
let input: ConfigInput;

beforeAll(async () => {
  street = await startStreet({ count: COUNT });
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-away-"));
  await chmod(directory, 0o711);
  serverDirectory = scratchDirectory("away-server");
  server = await startEmbeddedPostgres({ directory: serverDirectory });
  url = server.url;
  process.env["DLMS_GATEWAY_AWAY_TEST"] = url;
  const pusher = { name: "pusher", number: PUSHER, companion: "idis" as const, connection: { tcp: "127.0.0.1:1" } };
  input = {
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: "env:DLMS_GATEWAY_AWAY_TEST" },
    spool: { patience: "300ms" },
    push: { listen: [{ address: "127.0.0.1:0" }] },
    plans: [{ profile: "block_load", every: "15m" }],
    meters: [...(await streetConfiguration(street.meters, join(directory, "keys"))), pusher],
  };
}, 120_000);
afterAll(async () => {
  await server.stop();
  await street[Symbol.asyncDispose]();
  for (const each of [directory, serverDirectory]) await rm(each, { recursive: true, force: true });
});

const stopServer = () => server.stop();
async function startServer(): Promise<void> {
  server = await startEmbeddedPostgres({ directory: serverDirectory, port: Number(new URL(url).port) });
}

function start(change: Partial<ConfigInput> = {}, stopping = new AbortController()) {
  const events: GatewayEvent[] = [];
  const starting = Gateway.start({
    config: configSchema.parse({ ...input, ...change }),
    version: "test",
    stopMs: STOP_MS,
    stopping: stopping.signal,
    events: (event) => events.push(event),
  });
  const told = (name: GatewayEvent["event"]) => events.filter(({ event }) => event === name);
  const heard = async (name: GatewayEvent["event"]) => {
    while (told(name).length === 0) await sleep(10);
  };
  return { starting, events, told, heard };
}

test("away: without a record of an earlier run the start says so and waits, until a stop is ordered or it is back", async () => {
  await stopServer();
  const stopping = new AbortController();
  const given = start({}, stopping);
  const outcome = given.starting.then(
    () => "started",
    (error: unknown) => (error instanceof Error ? error.name : "unknown"),
  );
  await given.heard("databaseAway");
  expect(given.told("databaseAway")[0]).toMatchObject({
    goesOn: false,
    nextStep: expect.stringContaining("server runs"),
  });
  stopping.abort();
  expect(await outcome).toBe("AbortError");
  const waiting = start();
  await waiting.heard("databaseAway");
  await startServer();
  const gateway = await waiting.starting;
  expect(gateway.database.capabilities.edition).toBe("postgresql");
  await gateway.pollOnce();
  expect(waiting.told("meterPolled")).toHaveLength(COUNT);
  await gateway.stop("test");
});

test("away: meters on record are polled, pushes confirmed, and all of it comes in when the database is back", async () => {
  await query(url, "delete from dlms.block_load_profile_data");
  await stopServer();
  const given = start();
  const gateway = await given.starting;
  expect(given.told("databaseAway")[0]).toMatchObject({ goesOn: true });
  await gateway.pollOnce();
  const failed = given.told("meterFailed").filter((event) => "meter" in event && event.meter !== "pusher");
  expect(failed).toEqual([]);
  expect(given.told("meterPolled")).toHaveLength(COUNT);
  const listening = given.events.find((event) => event.event === "pushListening");
  const senders = new FaultSenders(Number(listening?.address.split(":").at(-1)), [PUSHER]);
  while (senders.confirmed.size < 20) await sleep(5);
  await senders.stop();
  expect((await readdir(join(directory, "spool"))).length).toBeGreaterThan(0);
  // Once more from what is on the disk alone.
  await gateway.stop("test");
  const later = start();
  const second = await later.starting;
  await second.pollOnce();
  expect(later.told("meterPolled")).toHaveLength(COUNT);
  await startServer();
  await later.heard("spoolDrained");
  const rows = await query(
    url,
    "select count(*)::int, count(distinct (meter_key, captured_at))::int from dlms.block_load_profile_data",
  );
  expect(Number(rows[0]?.[0])).toBeGreaterThan(COUNT * 40);
  expect(rows[0]?.[0]).toBe(rows[0]?.[1]);
  const pushed = await query(url, "select value::int from dlms.push_values where capture_object like '3:1.0.1.8.0%'");
  const numbers = pushed.map(([value]) => Number(value));
  expect([...senders.confirmed].filter((number) => !numbers.includes(number))).toEqual([]);
  expect(new Set(numbers).size).toBe(numbers.length);
  const attempts = await query(url, "select sum(reads)::int from dlms.read_successes");
  expect(Number(attempts[0]?.[0])).toBeGreaterThanOrEqual(3 * COUNT);
  const memories = await query(url, "select count(*)::int from dlms.meter_profiles where profile = 'block_load'");
  expect(memories[0]?.[0]).toBe(COUNT);
  await second.stop("test");
});

test("away: a meter that is new waits for the database, and then the gateway asks to be started anew", async () => {
  await stopServer();
  const added = { name: "new", number: "1AWY0000000002", connection: { tcp: "127.0.0.1:1" } };
  const given = start({ meters: [...(input.meters ?? []), added] });
  const gateway = await given.starting;
  expect(given.told("meterUnknown")).toMatchObject([{ meter: "new" }]);
  await startServer();
  expect(await gateway.restartWanted).toContain("database is back");
  await gateway.stop("restart");
  const again = start({ meters: [...(input.meters ?? []), added] });
  await (await again.starting).stop("test");
  expect(again.told("meterUnknown")).toEqual([]);
});

test("away: another database in the place of the one on record gets nothing, and nothing is lost", async () => {
  await stopServer();
  const given = start();
  const gateway = await given.starting;
  await gateway.pollOnce();
  const other = await startEmbeddedPostgres({
    directory: scratchDirectory("away-other"),
    port: Number(new URL(url).port),
  });
  // Its passwords are others: the way in is made the same.
  await query(other.administratorUrl, `alter role dlms password '${new URL(url).password}'`);
  await given.heard("databaseForeign");
  const rows = await query(other.administratorUrl, "select count(*)::int from public.meters");
  expect(rows[0]?.[0]).toBe(0);
  await other.stop();
  await startServer();
  await given.heard("spoolDrained");
  await gateway.stop("test");
});
