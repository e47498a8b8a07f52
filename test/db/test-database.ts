/**
 * Databases for tests: one server for the whole run, started by the first file that needs one and stopped by vitest's
 * global teardown; one migrated template; a clone of it for each test file. DLMS_GATEWAY_TEST_TIMESCALE_URL names a
 * server to use instead (its role must be allowed to create databases).
 */
import { afterAll, beforeAll, expect, inject } from "vitest";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { query } from "./query.ts";

export interface TestDatabase {
  /** Of the clone, as the gateway's role. */
  readonly url: string;
  /** Of the clone, as a role that may end sessions. */
  readonly administratorUrl: string;
  /** A pool of four on the clone. */
  readonly database: Database;
}

declare module "vitest" {
  export interface ProvidedContext {
    readonly databaseServer: { readonly url: string; readonly administratorUrl: string; readonly template: string };
  }
}

/** Gives the file that calls it a database of its own; at the end no connection may still be lent out. */
export function useTestDatabase(): () => TestDatabase {
  let current: TestDatabase | undefined;
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  const server = inject("databaseServer");
  beforeAll(async () => {
    await query(server.url, `create database ${name} template ${server.template}`);
    const url = withDatabase(server.url, name);
    const database = await openDatabase({ url, connections: 4, applicationName: "test" });
    current = { url, administratorUrl: withDatabase(server.administratorUrl, name), database };
  });
  afterAll(async () => {
    const leaked = current?.database.busyConnections;
    await current?.database.close();
    await query(server.url, `drop database if exists ${name} with (force)`);
    expect({ connectionsNeverGivenBack: leaked }).toEqual({ connectionsNeverGivenBack: 0 });
  });
  return () => {
    if (current === undefined) throw new Error("the database is there only inside tests");
    return current;
  };
}

/** The same connection string for another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
