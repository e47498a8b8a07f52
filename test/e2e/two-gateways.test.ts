/** Two daemons that start at once on one empty database. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { gateway as gatewayAnswer, jobList } from "../../src/api/answers/work.ts";
import { askDaemon } from "../../src/api/local-client.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { startStreet } from "../../src/simulator/street.ts";
import { readMigrations } from "../../src/store/database/migrations.ts";
import { query } from "../db/query.ts";
import { withDatabase } from "../db/test-database.ts";

const METERS = 12;
const gatewayList = z.object({ items: z.array(gatewayAnswer) });
const name = `two_${process.pid}`;
let directory = "";
let url = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-two-"));
  const server = inject("databaseServer");
  await query(server.url, `create database ${name}`);
  url = withDatabase(server.url, name);
  process.env["TEST_TWO_GATEWAYS"] = url;
});

afterAll(async () => {
  delete process.env["TEST_TWO_GATEWAYS"];
  await query(inject("databaseServer").administratorUrl, `drop database if exists ${name} with (force)`);
  await rm(directory, { recursive: true, force: true });
});

test("two gateways: started at once on an empty database, one makes the schema and both run", async () => {
  const events: GatewayEvent[] = [];
  const gateways = await Promise.all(
    ["a", "b"].map((each) =>
      Gateway.start({
        config: configSchema.parse({
          stateDirectory: join(directory, each),
          socket: join(directory, `${each}.sock`),
          database: { url: "env:TEST_TWO_GATEWAYS", connections: 2, keep: [{ table: "read_failures", for: "90d" }] },
        }),
        events: (event) => events.push(event),
        version: "test",
      }),
    ),
  );
  const ready = events.filter((each) => each.event === "databaseReady").map((each) => each.migrated);
  expect(ready.toSorted((a, b) => a - b)).toEqual([0, (await readMigrations()).length]);
  expect(await query(url, "select keep_for::text from dlms.time_tables where table_name = 'read_failures'")).toEqual([
    ["90 days"],
  ]);
  await Promise.all(gateways.map((each) => each.stop("test")));
  const failures = events.filter((each) => each.event === "upkeepFailed" || each.event === "storeFailed");
  expect(failures).toEqual([]);
  const sessions = "select count(*)::int from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()";
  await vi.waitFor(async () => expect(await query(url, sessions, [name])).toEqual([[0]]), { timeout: 60_000 });
});

test("two gateways: each tells what both work at", async () => {
  await using stack = new AsyncDisposableStack();
  const faults = Object.fromEntries(Array.from({ length: METERS }, (_, house) => [house, "answers-nothing" as const]));
  const street = stack.use(await startStreet({ count: METERS, faults }));
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
  for (const meter of meters) meter.connection.responseTimeout = "20s";
  const start = async (gatewayName: string) => {
    const gateway = await Gateway.start({
      config: configSchema.parse({
        stateDirectory: join(directory, gatewayName),
        socket: join(directory, `${gatewayName}.sock`),
        database: { url: "env:TEST_TWO_GATEWAYS", connections: 2 },
        sharing: { name: gatewayName, silence: "3s" },
        plans: [{ profile: "block_load", every: "1s", deadline: "1s" }],
        meters,
      }),
      events: () => undefined,
      version: "test",
    });
    return stack.use(gateway);
  };
  const socket = join(directory, "north.sock");
  const ask = (query: Record<string, string>) => askDaemon(socket, { path: "/v1/jobs", query, answer: jobList });
  const gateways = await Promise.all(["north", "south"].map(start));
  // Nothing runs before each has its share: a gateway leaves a meter when its job has ended.
  const leastShare = async () => {
    const { items } = await askDaemon(socket, { path: "/v1/gateways", answer: gatewayList });
    return items.length < gateways.length ? 0 : Math.min(...items.map(({ meters: held }) => held ?? 0));
  };
  await expect.poll(leastShare, { timeout: 60_000 }).toBeGreaterThan(0);
  for (const gateway of gateways) gateway.run();
  const running = async () => (await ask({ state: "running" })).items;
  await expect.poll(async () => (await running()).length, { timeout: 60_000 }).toBe(METERS);
  const jobs = await running();
  expect(new Set(jobs.map(({ gateway }) => gateway))).toEqual(new Set(["north", "south"]));
  expect(new Set(jobs.map(({ meter }) => meter))).toEqual(new Set(meters.map((each) => each.name)));
  expect(await ask({})).toMatchObject({ counts: { running: METERS, meters: METERS }, unanswered: [] });
  const abroad = jobs.find(({ gateway }) => gateway === "south")?.meter ?? "";
  expect((await ask({ meter: abroad })).items[0]).toMatchObject({ meter: abroad, gateway: "south", state: "running" });
  expect(await query(url, "select count(*)::int from dlms.jobs where kind = 'jobs'")).toEqual([[0]]);
}, 120_000);
