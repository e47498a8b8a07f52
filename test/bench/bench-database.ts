/** Databases for benches, each its own: on the embedded server, or on the best edition that can be had. */
import { describeCapabilities } from "../../src/store/database/capabilities.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { query } from "../db/query.ts";
import { withDatabase } from "../db/test-database.ts";
import { startTestServer, type TestServer } from "../db/test-server.ts";

export interface BenchDatabase {
  readonly database: Database;
  /** For people. */
  readonly edition: string;
}

/** On an embedded server that ends with `stack`, migrated. */
export async function embeddedDatabase(stack: AsyncDisposableStack, connections: number) {
  const { url } = stack.adopt(await startEmbedded(), (each) => each.stop());
  await migrate(url);
  return { url, database: stack.use(await openDatabase({ url, connections })) };
}

/**
 * On the edition that is named, else Apache-2, else embedded: made, migrated, and dropped with `stack`. Its statements may
 * take as long as they need.
 */
export async function benchDatabase(stack: AsyncDisposableStack, connections: number): Promise<BenchDatabase> {
  const server = stack.adopt(await startServer(), (each) => each.stop());
  const name = `bench_${process.pid}`;
  await query(server.url, `create database ${name}`);
  stack.defer(async () => void (await query(server.administratorUrl, `drop database if exists ${name} with (force)`)));
  const url = withDatabase(server.url, name);
  await migrate(url);
  const database = stack.use(await openDatabase({ url, connections, unlimited: true }));
  return { database, edition: describeCapabilities(database.capabilities) };
}

/** Keys of meters that are made. */
export async function newMeters(database: Database, count: number): Promise<number[]> {
  const rows = await database.query<{ meter_key: number }>(
    `insert into public.meters (meter_number, name)
     select number, number from (select gen_random_uuid()::text as number from generate_series(1, $1::int)) as n
     returning meter_key`,
    [count],
  );
  return rows.map((row) => row.meter_key);
}

async function startServer(): Promise<TestServer> {
  const edition = "DLMS_GATEWAY_TEST_TIMESCALE_URL" in process.env ? "timescale-given" : "timescale-apache";
  const server = await startTestServer(edition, { durable: true });
  if (typeof server !== "string") return server;
  console.error(`${server}; the embedded PostgreSQL is measured instead`);
  return await startEmbedded();
}

async function startEmbedded(): Promise<TestServer> {
  const server = await startTestServer("embedded", { durable: true });
  if (typeof server === "string") throw new Error(server);
  return server;
}
