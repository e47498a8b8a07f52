import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { migrate, migrationStatus, readMigrations } from "../../src/store/database/migrations.ts";
import { dataTable, PROFILE_KINDS, storedType } from "../../src/store/profiles/profile-tables.ts";
import { profileView, shownComment } from "./profile-sql.ts";
import { query } from "./query.ts";
import { dumpSchema } from "./schema-dump.ts";
import { useTestDatabase, withDatabase } from "./test-database.ts";

const current = useTestDatabase();
const server = inject("databaseServer");
const SCHEMA_FILE = join(import.meta.dirname, "schema.txt");
const MIGRATIONS = join(import.meta.dirname, "../../migrations");

let directory = "";
const databases: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-migrations-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  for (const name of databases) await query(server.administratorUrl, `drop database if exists ${name} with (force)`);
});

async function emptyDatabase(): Promise<string> {
  const name = `empty_${process.pid}_${databases.length}`;
  databases.push(name);
  await query(server.url, `create database ${name}`);
  return withDatabase(server.url, name);
}

async function copyOfMigrations(name: string): Promise<string> {
  const copy = join(directory, name);
  await cp(MIGRATIONS, copy, { recursive: true });
  return copy;
}

async function migrationNames(): Promise<string[]> {
  return (await readMigrations()).map((each) => each.name);
}

test("migrations: running them again changes nothing", async () => {
  const { url, database } = current();
  const before = await dumpSchema(database);
  const report = await migrate(url);
  expect(report).toMatchObject({ applied: [], hypertablesMade: 0 });
  expect(await dumpSchema(database)).toBe(before);
  const status = await migrationStatus(url);
  expect(status.length).toBeGreaterThanOrEqual(2);
  expect(status.filter((each) => each.state !== "applied")).toEqual([]);
});

// UPDATE_SCHEMA=1 npx vitest run test/db/migrations.test.ts writes it anew.
test("migrations: the dumped schema in the tree is current", async (context) => {
  const { database } = current();
  context.skip(database.capabilities.hypertables, "the dump in the tree is of a database without TimescaleDB");
  const dumped = await dumpSchema(database);
  if (process.env["UPDATE_SCHEMA"] !== undefined) await writeFile(SCHEMA_FILE, dumped);
  expect(dumped).toBe(await readFile(SCHEMA_FILE, "utf8"));
});

test("migrations: two gateways that start at once both end with the whole schema", async () => {
  const url = await emptyDatabase();
  const module = join(import.meta.dirname, "../../src/store/database/migrations.ts");
  const script = `const { migrate } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify((await migrate(process.env.TEST_URL)).applied));`;
  const runs = [1, 2, 3].map(async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TEST_URL: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (octets: Buffer) => {
      output += octets.toString();
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(0);
    return JSON.parse(output) as string[];
  });
  const applied = (await Promise.all(runs)).toSorted((a, b) => b.length - a.length);
  expect(applied).toEqual([await migrationNames(), [], []]);
});

test("migrations: a database that is newer than this version is refused by name", async () => {
  const url = await emptyDatabase();
  const newer = await copyOfMigrations("newer");
  const count = (await readMigrations()).length;
  const name = `${String(count + 1).padStart(4, "0")}_from_the_future.sql`;
  await writeFile(join(newer, name), "create table dlms.future ();\n");
  expect((await migrate(url, newer)).applied).toContain(name);
  await expect(migrate(url)).rejects.toMatchObject({ code: "SCHEMA_NEWER", at: { migration: name } });
});

test("migrations: a newer database whose changes are compatible is worked with, and status tells of it", async () => {
  const url = await emptyDatabase();
  const newer = await copyOfMigrations("compatible");
  const count = (await readMigrations()).length;
  const name = `${String(count + 1).padStart(4, "0")}_beside.sql`;
  await writeFile(join(newer, name), "-- compatible\ncreate table dlms.beside ();\n");
  await migrate(url, newer);
  expect((await migrate(url)).applied).toEqual([]);
  expect((await migrationStatus(url)).at(-1)).toEqual({ name, state: "unknown-compatible" });
});

test("migrations: what would be done to an empty database is told without doing it", async () => {
  const url = await emptyDatabase();
  const pending = (await migrationNames()).map((name) => ({ name, state: "pending" }));
  expect(await migrationStatus(url)).toEqual(pending);
  expect(await query(url, "select nspname from pg_namespace where nspname = 'dlms'")).toEqual([]);
});

test("migrations: a file that was altered after it ran is refused by name", async () => {
  const altered = await copyOfMigrations("altered");
  const file = join(altered, "0001_time_tables.sql");
  await writeFile(file, `${await readFile(file, "utf8")}-- one more line\n`);
  await expect(migrate(current().url, altered)).rejects.toMatchObject({
    code: "SCHEMA_ALTERED",
    at: { migration: "0001_time_tables.sql" },
  });
});

test("migrations: one that fails leaves nothing behind and says why", async () => {
  const { url, database } = current();
  const broken = await copyOfMigrations("broken");
  const name = `${String((await readMigrations()).length + 1).padStart(4, "0")}_broken.sql`;
  await writeFile(join(broken, name), "create table dlms.half ();\nselect 1 / 0;\n");
  const before = await dumpSchema(database);
  await expect(migrate(url, broken)).rejects.toMatchObject({
    code: "SCHEMA_MIGRATION_FAILED",
    at: { migration: name, code: "22012" },
  });
  expect(await dumpSchema(database)).toBe(before);
  expect((await migrate(url)).applied).toEqual([]);
});

test("migrations: one without a transaction is resumed where it stopped", async () => {
  const url = await emptyDatabase();
  const resumed = await copyOfMigrations("resumed");
  const name = `${String((await readMigrations()).length + 1).padStart(4, "0")}_in_steps.sql`;
  const text = `-- no-transaction\ncreate table if not exists dlms.step (a int);\nselect 1 / (select count(*) from dlms.step);\n`;
  await writeFile(join(resumed, name), text);
  await expect(migrate(url, resumed)).rejects.toMatchObject({ code: "SCHEMA_MIGRATION_FAILED" });
  expect((await migrationStatus(url, resumed)).at(-1)).toEqual({ name, state: "begun" });
  await query(url, "insert into dlms.step values (1)");
  expect((await migrate(url, resumed)).applied).toEqual([name]);
});

test("migrations: gaps and twice the same number are refused", async () => {
  const gap = await copyOfMigrations("gap");
  await writeFile(join(gap, "0099_gap.sql"), "select 1;\n");
  await expect(readMigrations(gap)).rejects.toMatchObject({ code: "SCHEMA_MIGRATION_INVALID" });
});

test("profile tables: columns, types, units and comments are those of the list", async () => {
  const { database } = current();
  for (const profile of PROFILE_KINDS) {
    const columns = PROFILE_COLUMNS[profile];
    const text = `select a.attname as name, format_type(a.atttypid, -1) as type, col_description(a.attrelid, a.attnum) as comment
      from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;
    const stored = await database.query<{ name: string; type: string }>(text, [`dlms.${dataTable(profile)}`]);
    const types = new Map(stored.map((each) => [each.name, each.type]));
    const typeNames = { integer: "integer", bigint: "bigint", timestamptz: "timestamp with time zone" };
    for (const column of columns) {
      expect(`${column.name} ${types.get(column.name)}`).toBe(`${column.name} ${typeNames[storedType(column)]}`);
    }
    const fixed = [
      "captured_at",
      "read_at",
      "meter_key",
      "layout_key",
      "interval_s",
      "source",
      "time_rule",
      "known_from",
    ];
    expect(stored.map((each) => each.name).toSorted()).toEqual(
      [...fixed, "meter_time", "others", ...columns.map((column) => column.name)].toSorted(),
    );
    const shown = await database.query<{ name: string; comment: string }>(text, [`dlms.${profileView(profile)}`]);
    const comments = new Map(shown.map((each) => [each.name, each.comment]));
    for (const column of columns) expect(comments.get(column.shownAs)).toBe(shownComment(column));
    expect(shown.length).toBe(columns.length + 3 + 8);
  }
});

test("profile tables: the time tables are hypertables where TimescaleDB is there", async () => {
  const { database } = current();
  const [row] = await database.query<{ wanted: number; made: number }>(
    database.capabilities.hypertables
      ? `select (select count(chunk_interval)::int from dlms.time_tables) as wanted, count(*)::int as made
         from timescaledb_information.hypertables where hypertable_schema in ('public', 'dlms')`
      : "select 0 as wanted, 0 as made",
  );
  expect(row?.made).toBe(row?.wanted);
  const names = await database.query<{ name: string }>("select table_name as name from dlms.time_tables");
  expect(names.map((each) => each.name)).toContain("meter_readings");
});
