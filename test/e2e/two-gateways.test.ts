/** Two daemons that start at once on one empty database. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { readMigrations } from "../../src/store/database/migrations.ts";
import { query } from "../db/query.ts";
import { withDatabase } from "../db/test-database.ts";

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
  await vi.waitFor(async () => expect(await query(url, sessions, [name])).toEqual([[0]]), { timeout: 10_000 });
});
