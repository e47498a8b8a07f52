/** `db migrate | status | check | compat`: the database for those who run it. */
import { ConfigError } from "../config/config-error.ts";
import { type Capabilities, describeCapabilities } from "../store/capabilities.ts";
import { makeCompatibilityViews, removeCompatibilityViews } from "../store/compatibility-views.ts";
import { type Database, openDatabase } from "../store/database.ts";
import { checkDatabase } from "../store/database-check.ts";
import {
  type DailyLoadStatus,
  dailyLoadStatus,
  type PolicyStatus,
  policyStatus,
  type TableStatus,
  tableStatus,
} from "../store/database-status.ts";
import { type MigrationStatus, migrate, migrationStatus } from "../store/migrations.ts";
import { StoreError } from "../store/store-error.ts";
import { type DatabasePlace, type OpenedDatabase, openPlace } from "./database-place.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";

type Options = DatabasePlace & { readonly json?: true };

/** Runs a verb on the database that the options name; a StoreError becomes words. */
async function onPlace(
  options: Options,
  output: Output,
  work: (place: OpenedDatabase) => Promise<ExitReason>,
): Promise<ExitReason> {
  await using stack = new AsyncDisposableStack();
  try {
    return await work(await openPlace(options, stack));
  } catch (error) {
    if (error instanceof ConfigError) {
      output.err(error.message);
      return "configuration";
    }
    if (!(error instanceof StoreError)) throw error;
    output.err(`dlms-gateway: ${error.message}`);
    output.err(`next step: ${error.nextStep}`);
    return "failure";
  }
}

async function withDatabase<Result>(url: string, work: (database: Database) => Promise<Result>): Promise<Result> {
  const database = await openDatabase({ url, connections: 1, applicationName: "dlms-gateway db", unlimited: true });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** `db migrate`: brings the schema up to date, or says what that would do. */
export async function dbMigrate(options: Options & { readonly dryRun?: true }, output: Output): Promise<ExitReason> {
  return onPlace(options, output, async ({ url }) => {
    if (options.dryRun === true) return dryRun(options, output, url);
    const { applied, waiting, capabilities, hypertablesMade } = await migrate(url);
    if (options.json === true) output.out(JSON.stringify({ capabilities, applied, waiting, hypertablesMade }));
    else {
      output.out(`${describeCapabilities(capabilities)}: ${applied.length} migrations applied`);
      for (const name of applied) output.out(`  applied ${name}`);
      for (const name of waiting) output.out(`  waiting ${name} (the database lacks what it needs)`);
    }
    return "success";
  });
}

async function dryRun(options: Options, output: Output, url: string): Promise<ExitReason> {
  const status = await migrationStatus(url);
  const refused = refusal(status);
  if (options.json === true) output.out(JSON.stringify({ migrations: status, refused: refused !== undefined }));
  else {
    const open = status.filter((each) => each.state !== "applied");
    output.out(open.length === 0 ? "the schema is up to date" : `${open.length} of ${status.length} migrations:`);
    for (const { name, state } of open) output.out(`  ${state.padEnd(8)} ${name}`);
  }
  if (refused !== undefined) throw refused;
  return "success";
}

/** Why `migrate` and the daemon would refuse this schema. */
function refusal(status: readonly MigrationStatus[]): StoreError | undefined {
  const unknown = status.find((each) => each.state === "unknown");
  if (unknown !== undefined) return new StoreError("SCHEMA_NEWER", { migration: unknown.name });
  const altered = status.find((each) => each.state === "altered");
  return altered === undefined ? undefined : new StoreError("SCHEMA_ALTERED", { migration: altered.name });
}

/** `db status`: what there is, how large, and how far upkeep has come. */
export async function dbStatus(options: Options, output: Output): Promise<ExitReason> {
  return onPlace(options, output, async ({ url }) => {
    const migrations = await migrationStatus(url);
    if (!migrations.some((each) => each.state === "applied")) throw new StoreError("SCHEMA_MISSING");
    const status = await withDatabase(url, async (database) => ({
      capabilities: database.capabilities,
      migrations,
      tables: await tableStatus(database),
      policies: await policyStatus(database),
      dailyLoad: await dailyLoadStatus(database),
    }));
    if (options.json === true) output.out(JSON.stringify(status));
    else printStatus(output, status);
    return "success";
  });
}

function printStatus(
  output: Output,
  status: {
    readonly capabilities: Capabilities;
    readonly migrations: readonly MigrationStatus[];
    readonly tables: readonly TableStatus[];
    readonly policies: readonly PolicyStatus[];
    readonly dailyLoad: DailyLoadStatus;
  },
): void {
  const { migrations, policies, dailyLoad } = status;
  const open = migrations.filter((each) => each.state !== "applied");
  output.out(describeCapabilities(status.capabilities));
  output.out(`schema: ${migrations.length - open.length} migrations applied`);
  for (const { name, state } of open) output.out(`  ${state} ${name}`);
  output.out("");
  printTables(output, status.tables);
  output.out("");
  if (policies.length > 0) printPolicies(output, policies);
  else output.out("policies: none in this edition; the daemon deletes what is older than it is kept for");
  output.out("");
  const { keptBy, notes, oldestNote, dueDays, overdueDays } = dailyLoad;
  const since = oldestNote === undefined ? "" : ` since ${oldestNote.toISOString()}`;
  output.out(`daily load: kept by a ${keptBy}; ${notes} notes of writers${since}; ${dueDays} days due, of which`);
  output.out(`  ${overdueDays} are over and will be kept (views sum what is due themselves)`);
}

function printPolicies(output: Output, policies: readonly PolicyStatus[]): void {
  printTable(
    output,
    [
      { title: "table" },
      { title: "policy" },
      { title: "last run" },
      { title: "last success" },
      { title: "failures", align: "right" },
      { title: "chunks behind", align: "right" },
    ],
    policies.map((each) => [
      each.table,
      each.policy,
      each.lastStatus ?? "never",
      each.lastSuccess?.toISOString() ?? "never",
      String(each.failures),
      String(each.chunksBehind),
    ]),
  );
}

function printTables(output: Output, tables: readonly TableStatus[]): void {
  printTable(
    output,
    [
      { title: "table" },
      { title: "rows", align: "right" },
      { title: "size", align: "right" },
      { title: "indexes", align: "right" },
      { title: "chunks", align: "right" },
      { title: "compressed", align: "right" },
      { title: "ratio", align: "right" },
      { title: "compress after" },
      { title: "keep for" },
    ],
    tables.map(({ table, rows, octets, indexOctets, chunks, compressAfter, keepFor }) => [
      table,
      rows < 0 ? "?" : String(rows),
      sizeText(octets),
      sizeText(indexOctets),
      chunks === undefined ? "" : String(chunks.count),
      chunks === undefined ? "" : String(chunks.compressed),
      chunks === undefined || chunks.octetsAfter === 0 ? "" : (chunks.octetsBefore / chunks.octetsAfter).toFixed(1),
      compressAfter ?? "",
      keepFor ?? "",
    ]),
  );
}

const KIBI = 1024;
const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

function sizeText(octets: number): string {
  let [value, unit] = [octets, 0];
  while (value >= KIBI && unit < SIZE_UNITS.length - 1) [value, unit] = [value / KIBI, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${SIZE_UNITS[unit]}`;
}

/** `db check`: everything that is not as it has to be; fails when there is something. */
export async function dbCheck(options: Options, output: Output): Promise<ExitReason> {
  return onPlace(options, output, async ({ url }) => {
    const refused = refusal(await migrationStatus(url));
    if (refused !== undefined) throw refused;
    const { checks, findings } = await withDatabase(url, checkDatabase);
    if (options.json === true) output.out(JSON.stringify({ checks, findings }));
    else {
      for (const check of checks) {
        const own = findings.filter((each) => each.check === check);
        output.out(`${own.length === 0 ? "good" : "BAD "}  ${check}`);
        for (const { finding, nextStep } of own) output.out(`      ${finding}\n      next step: ${nextStep}`);
      }
    }
    return findings.length === 0 ? "success" : "failure";
  });
}

/** `db compat`: views under the names that some reports expect. */
export async function dbCompat(options: Options & { readonly remove?: true }, output: Output): Promise<ExitReason> {
  return onPlace(options, output, async ({ administratorUrl }) => {
    const change = options.remove === true ? removeCompatibilityViews : makeCompatibilityViews;
    const views = await withDatabase(administratorUrl, (database) => database.transaction((client) => change(client)));
    if (options.json === true) output.out(JSON.stringify({ [options.remove === true ? "removed" : "made"]: views }));
    else for (const view of views) output.out(`${options.remove === true ? "removed" : "made"} ${view}`);
    return "success";
  });
}
