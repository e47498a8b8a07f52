/**
 * Databases for tests: one server for each vitest project (see test-server.ts), one migrated template on it, a clone of
 * that for each test file. Where the project's server can't be had, every test that wants it is skipped with the reason.
 */
import { afterAll, beforeAll, beforeEach, expect, inject } from "vitest";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { query } from "./query.ts";

export interface TestDatabase {
  /** Of the clone, as the gateway's role. */
  readonly url: string;
  /** Of the clone, as a role that may end sessions. */
  readonly administratorUrl: string;
  /** A pool of four on the clone. */
  readonly database: Database;
}

export interface ProvidedServer {
  readonly url: string;
  readonly administratorUrl: string;
  readonly template: string;
  /** Why there is no server. */
  readonly missing?: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    readonly databaseServer: ProvidedServer;
  }
}

/**
 * Gives the file that calls it a database of its own, which `prepare` may fill before the tests; at the end no
 * connection may still be lent out.
 */
export function useTestDatabase(prepare?: (database: Database) => Promise<void>): () => TestDatabase {
  let current: TestDatabase | undefined;
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  const server = inject("databaseServer");
  beforeEach((context) => context.skip(server.missing !== undefined, server.missing));
  beforeAll(async () => {
    if (server.missing !== undefined) return;
    await query(server.url, `create database ${name} template ${server.template}`);
    const url = withDatabase(server.url, name);
    const database = await openDatabase({ url, connections: 4, applicationName: "test" });
    current = { url, administratorUrl: withDatabase(server.administratorUrl, name), database };
    await prepare?.(database);
  });
  afterAll(async () => {
    if (current === undefined) return;
    const leaked = current.database.busyConnections;
    await current.database.close();
    // As the administrator: autovacuum may be at work in it, and nobody else may end that.
    await query(server.administratorUrl, `drop database if exists ${name} with (force)`);
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
