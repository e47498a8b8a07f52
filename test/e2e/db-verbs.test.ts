/** The verbs `db …` as people use them: on the embedded database while its server runs and when it does not. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { migrate } from "../../src/store/migrations.ts";
import { query } from "../db/query.ts";
import { scratchDirectory } from "../db/scratch.ts";
import { withDatabase } from "../db/test-database.ts";

const COMMAND = join(import.meta.dirname, "../../bin/dlms-gateway");

function run(args: readonly string[], environment: Record<string, string> = {}) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(COMMAND, args, { env: { ...process.env, ...environment } }, (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

let state = "";
let server: EmbeddedPostgres;
const external = { name: `verbs_${process.pid}`, url: "" };

beforeAll(async () => {
  state = scratchDirectory("verbs");
  await chmod(state, 0o711);
  server = await startEmbeddedPostgres({ directory: join(state, "data/postgres") });
  await migrate(server.url);
  const { url } = inject("databaseServer");
  await query(url, `create database ${external.name}`);
  external.url = withDatabase(url, external.name);
});

afterAll(async () => {
  await server.stop();
  await rm(state, { recursive: true, force: true });
  await query(inject("databaseServer").url, `drop database if exists ${external.name} with (force)`);
});

test("db migrate: a dry run tells what would be done, and then it is done once", async () => {
  const place = ["--url", "env:TEST_DB"];
  const environment = { TEST_DB: external.url };
  const none = await run(["db", "status", ...place], environment);
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.err).toContain("SCHEMA_MISSING");
  expect(none.err).toContain("next step: run dlms-gateway db migrate");
  const dry = await run(["db", "migrate", "--dry-run", ...place], environment);
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/pending +0001_time_tables\.sql/);
  expect(await query(external.url, "select nspname from pg_namespace where nspname = 'dlms'")).toEqual([]);
  const done = await run(["db", "migrate", "--json", ...place], environment);
  expect(done).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(done.out)).toMatchObject({ capabilities: { edition: "postgresql" } });
  const again = await run(["db", "migrate", "--json", ...place], environment);
  expect(JSON.parse(again.out)).toMatchObject({ applied: [] });
  await query(
    external.url,
    "insert into dlms.migrations (number, name, checksum) values (9999, '9999_later.sql', 'x')",
  );
  const newer = await run(["db", "migrate", "--dry-run", ...place], environment);
  expect(newer.code).toBe(1);
  expect(newer.err).toContain("SCHEMA_NEWER");
  expect(newer.err).toContain("migration=9999_later.sql");
  await query(
    external.url,
    "delete from dlms.migrations where number >= (select max(number) from dlms.migrations where number < 9999)",
  );
  const behind = await run(["db", "status", ...place], environment);
  expect(behind).toMatchObject({ code: 1, out: "" });
  expect(behind.err).toMatch(/SCHEMA_BEHIND.*migration=\d{4}_/);
}, 120_000);

test("db status, check, compat: on the embedded database, its server running or not", async () => {
  const place = ["--directory", state];
  const running = await run(["db", "status", "--json", ...place]);
  expect(running).toMatchObject({ code: 0, err: "" });
  const status: unknown = JSON.parse(running.out);
  expect(status).toMatchObject({ dailyLoad: { keptBy: "table", dueDays: 0 }, policies: [] });
  await server.stop();
  const table = await run(["db", "status", ...place]);
  expect(table).toMatchObject({ code: 0, err: "" });
  expect(table.out).toMatch(/^dlms\.block_load_profile_data +0 +[\d.]+ KiB/m);
  expect(table.out).toMatch(/^dlms\.qualities +6 /m);
  expect(table.out).toMatch(/^sums by day +never +no daemon has done it yet$/m);
  expect(table.out).not.toMatch(/waiting|superseded|chunks| \? /);
  const checked = await run(["db", "check", ...place]);
  expect(checked).toMatchObject({ code: 0, err: "" });
  expect(checked.out).toContain("good  kept sums by day are those of the rows");
  const made = await run(["db", "compat", "--json", ...place]);
  expect(JSON.parse(made.out)).toHaveProperty("made.length", 15);
  const removed = await run(["db", "compat", "--remove", ...place]);
  expect(removed.out).toContain("removed _timescaledb_cache.obis_codes");
  server = await startEmbeddedPostgres({ directory: join(state, "data/postgres") });
}, 120_000);

test("db: a directory without a database and a reference that leads nowhere are named", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-empty-"));
  try {
    const empty = await run(["db", "status", "--directory", directory]);
    expect(empty.code).toBe(1);
    expect(empty.err).toContain("SERVER_DIRECTORY_EMPTY");
    const config = join(directory, "gateway.yaml");
    await writeFile(config, `database: { url: "env:NOT_SET_ANYWHERE" }\n`);
    const nowhere = await run(["db", "status", "--config", config]);
    expect(nowhere.code).toBe(3);
    expect(nowhere.err).toContain("env:NOT_SET_ANYWHERE");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);
