/**
 * Brings the schema up to date with the numbered files of migrations/, forward only. One process at a time, under an
 * advisory lock; each file in one transaction with its row in dlms.migrations, the row first. A file may open with
 * `-- no-transaction` (statements that refuse one; each must be repeatable) and with `-- compatible` (programs that do not
 * know the file work as before; any other file that is unknown keeps a program from starting). What depends on the edition
 * is done by functions of the schema, which are called each time.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { messageOf } from "../../observe/message-of.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import { type Capabilities, probeCapabilities } from "./capabilities.ts";
import { dropViews, lacksCompatibilityViews, makeCompatibilityViews } from "./compatibility-views.ts";
import { storeFailure } from "./database.ts";
import { failureCode } from "./failure.ts";
import { StoreError } from "./store-error.ts";

const DIRECTORY = join(import.meta.dirname, "../../../migrations");
const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** We may not install the extension, or another process just did. */
const EXTENSION_LEFT_TO_OTHERS = new Set(["42501", "23505", "42710"]);

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
  readonly inTransaction: boolean;
  /** Older programs work on the schema that it leaves. */
  readonly compatible: boolean;
}

export interface MigrationReport {
  readonly capabilities: Capabilities;
  /** File names that ran now. */
  readonly applied: readonly string[];
  /** Tables that became hypertables now. */
  readonly hypertablesMade: number;
}

/** Migrates the database at `url`. Throws StoreError; a file that failed left nothing behind. */
export async function migrate(url: string, directory = DIRECTORY): Promise<MigrationReport> {
  const migrations = await readMigrations(directory);
  await ensureTimescale(url);
  return withClient(url, async (client) => {
    await client.query("select pg_advisory_lock($1::bigint)", [ADVISORY_LOCKS.migrations.toString()]);
    await client.query("set client_min_messages = warning");
    const capabilities = await probeCapabilities(client);
    await client.query(
      `create schema if not exists dlms;
       create table if not exists dlms.migrations (
         number integer not null primary key,
         name text not null,
         checksum text not null,
         started_at timestamptz not null default now(),
         finished_at timestamptz,
         compatible boolean not null default false
       )`,
    );
    const pending = await pendingMigrations(client, migrations);
    if (pending.length > 0) await dropViews(client);
    for (const each of pending) await apply(client, each);
    const made = await client.query<{ made: number }>("select dlms.make_hypertables() as made");
    await client.query("select dlms.make_daily_load_aggregate()");
    await client.query("select dlms.apply_storage_policies()");
    await client.query("select dlms.apply_access()");
    if (await lacksCompatibilityViews(client)) await restoreCompatibilityViews(client);
    return {
      capabilities,
      applied: pending.map((each) => each.name),
      hypertablesMade: made.rows[0]?.made ?? 0,
    };
  });
}

/**
 * `altered` since it ran; `unknown` to this version, which refuses to start
 * unless the migration is compatible.
 */
export type MigrationState = "applied" | "begun" | "pending" | "altered" | "unknown" | "unknown-compatible";

export interface MigrationStatus {
  readonly name: string;
  readonly state: MigrationState;
}

/** What `migrate` would find, without changing anything. */
export async function migrationStatus(url: string, directory = DIRECTORY): Promise<MigrationStatus[]> {
  const migrations = await readMigrations(directory);
  return withClient(url, async (client) => {
    const there = await client.query("select to_regclass('dlms.migrations') as found");
    const rows = Reflect.get(Object(there.rows[0]), "found") === null ? [] : await appliedRows(client);
    const applied = new Map(rows.map((row) => [row.number, row]));
    const known = migrations.map((each) => ({ name: each.name, state: stateOf(each, applied.get(each.number)) }));
    const unknown = rows.filter((row) => row.number > migrations.length);
    const later = unknown.map(({ name, compatible }): MigrationStatus => {
      return { name, state: compatible ? "unknown-compatible" : "unknown" };
    });
    return [...known, ...later];
  });
}

function stateOf(migration: Migration, row: AppliedRow | undefined): MigrationState {
  if (row === undefined) return "pending";
  if (row.checksum !== migration.checksum) return "altered";
  return row.finished ? "applied" : "begun";
}

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, application_name: "dlms-gateway migrations" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (cause) {
    throw storeFailure(cause);
  } finally {
    // Gives the lock back too.
    await client.end().catch(() => undefined);
  }
}

/** Installs the extension where the server has it loaded and lets us; without it everything works on plain tables. */
async function ensureTimescale(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ wanted: boolean }>(
      `select current_setting('timescaledb.disable_load', true) is not null
         and exists (select from pg_available_extensions where name = 'timescaledb')
         and not exists (select from pg_extension where extname = 'timescaledb') as wanted`,
    );
    if (rows[0]?.wanted !== true) return;
    await client.query("set client_min_messages = error");
    await client.query("create extension if not exists timescaledb").catch((error: unknown) => {
      if (!EXTENSION_LEFT_TO_OTHERS.has(failureCode(error) ?? "")) throw error;
    });
  });
}

/** Where the role may no longer create them, `db compat` says so; it must not keep the gateway from starting. */
async function restoreCompatibilityViews(client: Client): Promise<void> {
  try {
    await client.query("begin");
    await makeCompatibilityViews(client);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    if (failureCode(error) !== "42501") throw error;
  }
}

interface AppliedRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
  readonly compatible: boolean;
}

async function appliedRows(client: Client): Promise<AppliedRow[]> {
  // By way of JSON, because databases that were never migrated by this version lack the column.
  const text = `select number, name, checksum, finished_at is not null as finished,
      coalesce((to_jsonb(m) ->> 'compatible')::boolean, false) as compatible
    from dlms.migrations m order by number`;
  return (await client.query<AppliedRow>(text)).rows;
}

async function pendingMigrations(client: Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const done = new Set<number>();
  const known = new Map(migrations.map((each) => [each.number, each]));
  for (const row of await appliedRows(client)) {
    const file = known.get(row.number);
    if (file === undefined && row.compatible) continue;
    if (file === undefined) throw new StoreError("SCHEMA_NEWER", { migration: row.name });
    if (file.checksum !== row.checksum) throw new StoreError("SCHEMA_ALTERED", { migration: row.name });
    if (row.finished) done.add(row.number);
  }
  return migrations.filter((each) => !done.has(each.number));
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const { number, name, checksum, text, compatible } = migration;
  const insert = `insert into dlms.migrations (number, name, checksum, compatible)
    values ($1::int, $2::text, $3::text, $4::boolean) on conflict (number) do nothing`;
  const finish = "update dlms.migrations set finished_at = clock_timestamp() where number = $1::int";
  try {
    if (migration.inTransaction) await client.query("begin");
    await client.query(insert, [number, name, checksum, compatible]);
    for (const statement of migration.inTransaction ? [text] : statementsOf(text)) await client.query(statement);
    await client.query(finish, [number]);
    if (migration.inTransaction) await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => undefined);
    const code = failureCode(cause) ?? "none";
    const message = messageOf(cause);
    throw new StoreError("SCHEMA_MIGRATION_FAILED", { migration: name, code, message }, { cause });
  }
}

/** Statements of a file without a transaction; each ends with a semicolon at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, "").trim() !== "");
}

/** The migrations of a directory in order. Throws StoreError when their numbers have gaps or repeat. */
export async function readMigrations(directory = DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const migrations: Migration[] = [];
  for (const [index, name] of names.entries()) {
    const number = Number(FILE_NAME.exec(name)?.[1] ?? Number.NaN);
    if (number !== index + 1) throw new StoreError("SCHEMA_MIGRATION_INVALID", { file: name, expected: index + 1 });
    const text = (await readFile(join(directory, name), "utf8")).replaceAll("\r\n", "\n");
    migrations.push(parseMigration(name, number, text));
  }
  return migrations;
}

function parseMigration(name: string, number: number, text: string): Migration {
  return {
    number,
    name,
    text,
    checksum: createHash("sha256").update(text).digest("hex"),
    inTransaction: !/^-- no-transaction\s*$/m.test(text),
    compatible: /^-- compatible\s*$/m.test(text),
  };
}
