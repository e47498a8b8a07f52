/** Vitest's global set-up of the projects with a database: the server that all their files share. */
import type { TestProject } from "vitest/node";
import { describeCapabilities } from "../../src/store/database/capabilities.ts";
import { migrate } from "../../src/store/database/migrations.ts";
import { query } from "./query.ts";
import { type ProvidedServer, withDatabase } from "./test-database.ts";
import { startTestServer, type TestEdition } from "./test-server.ts";

const EDITIONS: Readonly<Record<string, TestEdition>> = {
  system: "embedded",
  "timescale-apache": "timescale-apache",
  "timescale-given": "timescale-given",
};

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer(EDITIONS[project.name] ?? "embedded");
  if (typeof server === "string") {
    console.log(`${project.name}: skipped: ${server}`);
    project.provide("databaseServer", { url: "", administratorUrl: "", template: "", missing: server });
    return async () => undefined;
  }
  const template = `template_${process.pid}`;
  await query(server.url, `create database ${template}`);
  const report = await migrate(withDatabase(server.url, template));
  console.log(`${project.name}: database tests run against ${describeCapabilities(report.capabilities)}`);
  // Nobody may be connected to a template while it is cloned, TimescaleDB's own workers neither.
  await query(server.url, `alter database ${template} allow_connections false`);
  await query(server.administratorUrl, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [
    template,
  ]);
  const provided: ProvidedServer = { url: server.url, administratorUrl: server.administratorUrl, template };
  project.provide("databaseServer", provided);
  return async () => {
    await query(server.url, `drop database if exists ${template} with (force)`);
    await server.stop();
  };
}
