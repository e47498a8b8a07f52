/** What docs/backup.md says: what is restored into an empty place has the same rows, and no counter is used again. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { type SealingKey, SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { CounterTable } from "../../src/keys/counter-table.ts";
import { KeyStore } from "../../src/keys/key-store.ts";
import { KeyTable } from "../../src/keys/key-table.ts";
import { ALL_ASSOCIATIONS } from "../../src/keys/sealed-key.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { blockLoad, makeMeters } from "./profile-batches.ts";
import { query } from "./query.ts";
import { scratchDirectory } from "./scratch.ts";
import { useTestDatabase } from "./test-database.ts";
import { clientPrograms } from "./test-server.ts";

const current = useTestDatabase();
const run = promisify(execFile);
const ROWS = 500;
const USED_SINCE = 5000;
const randomOctets = (length: number) => new Uint8Array(randomBytes(length));
const named = (keyId: string) => ({ keyId, systemTitle: systemTitle(new Uint8Array(8)), association: "" });
const SKIPPED = 1_048_576;
const COUNTER = named("00ff");

async function majorVersion(database: Database): Promise<number> {
  const text = "select current_setting('server_version_num')::int / 10000 as major";
  const [row] = await database.query<{ major: number }>(text);
  return row?.major ?? 0;
}

/** Of every table of ours, but for the counters: how many rows it has, and a sum over them. */
async function contents(url: string): Promise<string[]> {
  const tables = await query(
    url,
    `select format('%I.%I', schemaname, tablename) from pg_tables
     where schemaname in ('public', 'dlms') and tablename <> 'invocation_counters' order by 1`,
  );
  const all = tables.map(async ([table]) => {
    const sum = `select count(*)::int, md5(string_agg(t::text, '|' order by t::text)) from ${String(table)} t`;
    return `${String(table)}: ${String(await query(url, sum))}`;
  });
  return Promise.all(all);
}

interface Kept {
  readonly meterId: string;
  readonly sealingKey: SealingKey;
  readonly key: SecretKey;
}

/** Rows of a meter, a key in the store, and counters of which some were used. */
async function fill(database: Database): Promise<Kept> {
  const [meter = 0] = await makeMeters(database, ["RESTORE1"]);
  const slots = Array.from({ length: ROWS }, (_, slot) => slot);
  await new ProfileWriter(database, PROFILE_COLUMNS).write([blockLoad(meter, slots)]);
  const [row] = await database.query<{ id: string }>("select id from public.meters where meter_number = 'RESTORE1'");
  const meterId = row?.id ?? "";
  const sealingKey = new SecretKey("sealingKey", randomOctets(32));
  const key = new SecretKey("blockCipherKey", randomOctets(16));
  await storeOf(database, sealingKey).put({ meterId, clientSap: ALL_ASSOCIATIONS }, key);
  await new CounterTable(database).reserve(COUNTER, 100, 0);
  return { meterId, sealingKey, key };
}

function storeOf(database: Database, sealingKey: SealingKey): KeyStore {
  return new KeyStore({ storage: new KeyTable(database), sealingKeys: [sealingKey], randomOctets });
}

/** The schema is whole, the key opens, and after the skip no counter is given out that was used since the backup. */
async function expectKept(
  database: Database,
  url: string,
  { meterId, sealingKey, key, firstLost }: Kept & { readonly firstLost: number },
): Promise<void> {
  expect((await migrate(url)).applied).toEqual([]);
  const keys = await storeOf(database, sealingKey).keysFor(meterId, 1);
  expect(keys.blockCipherKey?.equals(key)).toBe(true);
  const table = new CounterTable(database);
  expect(await table.read(COUNTER)).toBe(firstLost);
  await table.skip(SKIPPED);
  expect(await table.reserve(COUNTER, 1, 0)).toBeGreaterThanOrEqual(firstLost + USED_SINCE);
}

test("restore: an empty database has the same rows after it, keys open, and skipped counters are new", async (context) => {
  const { database, administratorUrl } = current();
  const programs = await clientPrograms(await majorVersion(database));
  context.skip(programs === undefined, "pg_dump of the server's version is not installed");
  const kept = await fill(database);
  const dump = join(scratchDirectory("restore"), "dlms.dump");
  onTestFinished(() => rm(dump, { force: true }));
  await run(join(programs ?? "", "pg_dump"), ["--format=custom", `--file=${dump}`, administratorUrl]);
  // The gateway goes on for a while before its server is lost.
  const firstLost = await new CounterTable(database).reserve(COUNTER, USED_SINCE, 0);

  const restored = `restored_${process.pid}`;
  await query(administratorUrl, `create database ${restored}`);
  const url = Object.assign(new URL(administratorUrl), { pathname: `/${restored}` }).href;
  const hasTimescale = database.capabilities.edition !== "postgresql";
  if (hasTimescale) await query(url, "create extension if not exists timescaledb");
  if (hasTimescale) await query(url, "select timescaledb_pre_restore()");
  await run(join(programs ?? "", "pg_restore"), ["--no-owner", "--exit-on-error", `--dbname=${url}`, dump]);
  if (hasTimescale) await query(url, "select timescaledb_post_restore()");
  await using opened = await openDatabase({ url, connections: 2 });

  expect(await contents(url)).toEqual(await contents(administratorUrl));
  await expectKept(opened, url, { ...kept, firstLost });
}, 180_000);

test("restore: the embedded database, copied while its server is stopped, is the same in an empty place", async () => {
  const place = scratchDirectory("restore-embedded");
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  await chmod(place, 0o711);
  const directory = join(place, "dlms-gateway/data/postgres");
  const whileRunning = async <Result>(work: (server: EmbeddedPostgres, database: Database) => Promise<Result>) => {
    await using server = await startEmbeddedPostgres({ directory });
    await using database = await openDatabase({ url: server.url, connections: 2 });
    return await work(server, database);
  };
  const kept = await whileRunning(async ({ url }, database) => {
    await migrate(url);
    return { ...(await fill(database)), before: await contents(url) };
  });
  await run("tar", ["-C", place, "-cf", join(place, "backup.tar"), "dlms-gateway"]);
  const firstLost = await whileRunning((_, database) => new CounterTable(database).reserve(COUNTER, USED_SINCE, 0));
  await rm(join(place, "dlms-gateway"), { recursive: true });
  await run("tar", ["-C", place, "-xpf", join(place, "backup.tar")]);
  await whileRunning(async ({ url }, database) => {
    expect(await contents(url)).toEqual(kept.before);
    await expectKept(database, url, { ...kept, firstLost });
  });
}, 180_000);

test("restore: counters that are skipped never go past the last, and a second skip goes on from the first", async () => {
  const table = new CounterTable(current().database);
  await table.raise(named("aa"), 4_294_967_290);
  await table.raise(named("bb"), 10);
  expect(await table.skip(1000)).toBeGreaterThanOrEqual(2);
  expect(await table.read(named("aa"))).toBe(4_294_967_296);
  expect(await table.read(named("bb"))).toBe(1010);
  await table.skip(1000);
  expect(await table.read(named("bb"))).toBe(2010);
});
