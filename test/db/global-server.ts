/** Vitest's global set-up of the project "system": the database server that all its files share. */
import { rm } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { describeCapabilities } from "../../src/store/capabilities.ts";
import { startEmbeddedPostgres } from "../../src/store/embedded-postgres.ts";
import { migrate } from "../../src/store/migrations.ts";
import { query } from "./query.ts";
import { scratchDirectory } from "./scratch.ts";
import { withDatabase } from "./test-database.ts";

interface Server {
  readonly url: string;
  readonly administratorUrl: string;
  stop(): Promise<void>;
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const template = `template_${process.pid}`;
  await query(server.url, `create database ${template}`);
  const report = await migrate(withDatabase(server.url, template));
  console.log(`database tests run against ${describeCapabilities(report.capabilities)}`);
  project.provide("databaseServer", { url: server.url, administratorUrl: server.administratorUrl, template });
  return async () => {
    await query(server.url, `drop database if exists ${template} with (force)`);
    await server.stop();
  };
}

async function startServer(): Promise<Server> {
  const given = process.env["DLMS_GATEWAY_TEST_TIMESCALE_URL"];
  if (given !== undefined) return { url: given, administratorUrl: given, stop: async () => undefined };
  const directory = scratchDirectory("tests");
  const server = await startEmbeddedPostgres({ directory, settings: { fsync: "off" } });
  return {
    url: server.url,
    administratorUrl: server.administratorUrl,
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
