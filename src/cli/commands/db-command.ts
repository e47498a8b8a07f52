/** `db migrate | status | check | compat`: the database for those who run it. */
import { type Capabilities, describeCapabilities } from "../../store/database/capabilities.ts";
import { makeCompatibilityViews, removeCompatibilityViews } from "../../store/database/compatibility-views.ts";
import { type Database, openDatabase } from "../../store/database/database.ts";
import { type MigrationStatus, migrate, migrationStatus } from "../../store/database/migrations.ts";
import { StoreError } from "../../store/database/store-error.ts";
import { checkDatabase } from "../../store/upkeep/database-check.ts";
import {
  type DailyLoadStatus,
  dailyLoadStatus,
  type PolicyStatus,
  policyStatus,
  type TableStatus,
  tableStatus,
} from "../../store/upkeep/database-status.ts";
import { type UpkeepStatus, upkeepStatus } from "../../store/upkeep/upkeep-runs.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printListing, titled } from "../terminal/listing.ts";
import { type Output, printTable } from "../terminal/output.ts";
import { type DatabasePlace, openPlace } from "./database-place.ts";

type Options = DatabasePlace & ListingOptions;

/** One connection, for as long as it takes. Throws StoreError. */
function opened(url: string): Promise<Database> {
  return openDatabase({ url, connections: 1, applicationName: "dlms-gateway db", unlimited: true });
}

/** `db migrate`: brings the schema up to date, or says what that would do. */
export async function dbMigrate(options: Options & { readonly dryRun?: true }, output: Output): Promise<ExitReason> {
  await using stack = new AsyncDisposableStack();
  const { url } = await openPlace(options, stack);
  if (options.dryRun === true) return await dryRun(options, output, url);
  const { applied, capabilities, hypertablesMade } = await migrate(url);
  if (options.json === true) output.out(JSON.stringify({ capabilities, applied, hypertablesMade }));
  else {
    output.out(`${describeCapabilities(capabilities)}: ${applied.length} migrations applied`);
    for (const name of applied) output.out(`  applied ${name}`);
  }
  return "success";
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
  await using stack = new AsyncDisposableStack();
  const { url } = await openPlace(options, stack);
  const migrations = await migrationStatus(url);
  if (!migrations.some((each) => each.state === "applied")) throw new StoreError("SCHEMA_MISSING");
  const behind = migrations.find(({ state }) => state === "pending" || state === "begun");
  if (behind !== undefined) throw new StoreError("SCHEMA_BEHIND", { migration: behind.name });
  const database = stack.use(await opened(url));
  const status = {
    capabilities: database.capabilities,
    migrations,
    tables: await tableStatus(database),
    policies: await policyStatus(database),
    upkeep: await upkeepStatus(database),
    dailyLoad: await dailyLoadStatus(database),
  };
  if (options.json === true) output.out(JSON.stringify(status));
  else if (options.csv === true) printListing(output, options, titled("table", "rows", "octets"), sizesOf(status));
  else printStatus(output, status);
  return "success";
}

function sizesOf({ tables }: WholeStatus) {
  return tables.map(({ table, rows, octets }) => [table, rows, octets]);
}

interface WholeStatus {
  readonly capabilities: Capabilities;
  readonly migrations: readonly MigrationStatus[];
  readonly tables: readonly TableStatus[];
  readonly policies: readonly PolicyStatus[];
  readonly upkeep: readonly UpkeepStatus[];
  readonly dailyLoad: DailyLoadStatus;
}

function printStatus(output: Output, status: WholeStatus): void {
  const { migrations, tables, policies, dailyLoad } = status;
  const open = migrations.filter((each) => each.state !== "applied");
  const octets = tables.reduce((sum, each) => sum + each.octets, 0);
  output.out(`${describeCapabilities(status.capabilities)}: ${sizeText(octets)} in ${tables.length} tables`);
  output.out(`schema: ${migrations.length - open.length} migrations applied`);
  for (const { name, state } of open) output.out(`  ${state} ${name}`);
  output.out("");
  printTimeTables(output, status);
  output.out("");
  printOtherTables(
    output,
    tables.filter((each) => !each.byTime),
  );
  output.out("");
  if (policies.length > 0) printPolicies(output, policies);
  printUpkeep(output, status.upkeep);
  output.out("");
  const { keptBy, notes, oldestNote, dueDays, overdueDays, notAggregated, oldestNotAggregated } = dailyLoad;
  output.out(`daily load: kept by a ${keptBy}`);
  output.out(`  ${notes} notes of writers${oldestNote === undefined ? "" : ` since ${timeText(oldestNote)}`}`);
  output.out(`  ${dueDays} days due, ${overdueDays} of them over and to be summed; views sum what is due themselves`);
  if (notAggregated > 0)
    output.out(`  ${notAggregated} days summed and not yet in the aggregate, the oldest ${oldestNotAggregated}`);
}

/** Columns without a single entry are left out: what an edition does not have is not asked about. */
function printFilled(
  output: Output,
  columns: readonly { readonly title: string; readonly align?: "right" }[],
  rows: readonly (readonly string[])[],
): void {
  const filled = columns.map((_, index) => rows.some((row) => row[index] !== ""));
  const kept = <Item>(list: readonly Item[]) => list.filter((_, index) => filled[index]);
  printTable(output, kept(columns), rows.map(kept));
}

function printTimeTables(output: Output, { tables, policies }: WholeStatus): void {
  const columns = [
    { title: "what grows with time" },
    { title: "rows", align: "right" },
    { title: "size", align: "right" },
    { title: "indexes", align: "right" },
    { title: "chunks", align: "right" },
    { title: "compressed", align: "right" },
    { title: "ratio", align: "right" },
    { title: "compress after" },
    { title: "keep for" },
    { title: "policies" },
  ] as const;
  const rows = tables
    .filter((each) => each.byTime)
    .map(({ table, rows: count, isCounted, octets, indexOctets, chunks, compressAfter, keepFor }) => [
      table,
      rowsText(count, isCounted),
      sizeText(octets),
      sizeText(indexOctets),
      chunks === undefined ? "" : String(chunks.count),
      chunks === undefined || compressAfter === undefined ? "" : String(chunks.compressed),
      chunks === undefined || chunks.octetsAfter === 0 ? "" : (chunks.octetsBefore / chunks.octetsAfter).toFixed(1),
      compressAfter ?? "",
      keepFor ?? "",
      policyText(policies.filter((each) => each.table === table)),
    ]);
  printFilled(output, columns, rows);
}

function policyText(policies: readonly PolicyStatus[]): string {
  if (policies.length === 0) return "";
  const behind = policies.filter((each) => each.chunksBehind > 0);
  if (behind.length === 0) return "in time";
  return behind.map(({ policy, chunksBehind }) => `${policy} ${chunksBehind} chunks behind`).join(", ");
}

/** Of tables that do not grow with time the large ones count; the rest is one line. */
const SHOWN_OTHERS = 12;

function printOtherTables(output: Output, tables: readonly TableStatus[]): void {
  const shown = tables.slice(0, SHOWN_OTHERS);
  const rest = tables.slice(SHOWN_OTHERS);
  const columns = [
    { title: "other tables" },
    { title: "rows", align: "right" },
    { title: "size", align: "right" },
    { title: "indexes", align: "right" },
  ] as const;
  const rows = shown.map(({ table, rows: count, isCounted, octets, indexOctets }) => [
    table,
    rowsText(count, isCounted),
    sizeText(octets),
    sizeText(indexOctets),
  ]);
  const octets = rest.reduce((sum, each) => sum + each.octets, 0);
  if (rest.length > 0) rows.push([`${rest.length} smaller ones`, "", sizeText(octets), ""]);
  printTable(output, columns, rows);
}

/** Those that fail; when there are none, when the last one ran. Whether chunks are behind stands with the tables. */
function printPolicies(output: Output, policies: readonly PolicyStatus[]): void {
  const times = policies.flatMap(({ lastSuccess }) => (lastSuccess === undefined ? [] : [lastSuccess.getTime()]));
  const latest = times.length === 0 ? "never" : timeText(new Date(Math.max(...times)));
  const wrong = policies.filter((each) => each.failures > 0 || each.lastSuccess === undefined || each.chunksBehind > 0);
  output.out(`policies: ${policies.length - wrong.length} of ${policies.length} in order, the last success ${latest}`);
  if (wrong.length === 0) return;
  printTable(
    output,
    [
      { title: "  not in order" },
      { title: "policy" },
      { title: "last run" },
      { title: "last success" },
      { title: "failures", align: "right" },
      { title: "chunks behind", align: "right" },
    ],
    wrong.map((each) => [
      `  ${each.table}`,
      each.policy,
      each.lastStatus ?? "never",
      each.lastSuccess === undefined ? "never" : timeText(each.lastSuccess),
      String(each.failures),
      String(each.chunksBehind),
    ]),
  );
}

function printUpkeep(output: Output, upkeep: readonly UpkeepStatus[]): void {
  printTable(
    output,
    [
      { title: "done by the daemon" },
      { title: "last" },
      { title: "took", align: "right" },
      { title: "did" },
      { title: "" },
    ],
    upkeep.map(({ task, lastDone, tookMs, amount, unit, isLate }) => [
      task,
      lastDone === undefined ? "never" : timeText(lastDone),
      tookMs === undefined ? "" : `${tookMs} ms`,
      amount === undefined ? "" : `${amount} ${unit}`,
      upkeepText(lastDone !== undefined, isLate),
    ]),
  );
}

function upkeepText(wasDone: boolean, isLate: boolean): string {
  if (!wasDone) return "no daemon has done it yet";
  return isLate ? "late: does a daemon run?" : "in time";
}

/** Whole seconds: 2026-01-31T12:00:00Z. */
function timeText(time: Date): string {
  return `${time.toISOString().slice(0, -5)}Z`;
}

function rowsText(rows: number, isCounted: boolean): string {
  return isCounted ? String(rows) : `~${rows}`;
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
  await using stack = new AsyncDisposableStack();
  const { url } = await openPlace(options, stack);
  const refused = refusal(await migrationStatus(url));
  if (refused !== undefined) throw refused;
  const { checks, findings } = await checkDatabase(stack.use(await opened(url)));
  if (options.json === true) output.out(JSON.stringify({ checks, findings }));
  else if (options.csv === true) {
    const rows = checks.flatMap((check) => {
      const own = findings.filter((each) => each.check === check);
      return own.length === 0
        ? [[check, "good", null, null]]
        : own.map((each) => [check, "bad", each.finding, each.nextStep]);
    });
    printListing(output, options, titled("check", "is", "found", "next step"), rows);
  } else {
    for (const check of checks) {
      const own = findings.filter((each) => each.check === check);
      output.out(`${own.length === 0 ? "good" : "BAD "}  ${check}`);
      for (const { finding, nextStep } of own) output.out(`      ${finding}\n      next step: ${nextStep}`);
    }
  }
  return findings.length === 0 ? "success" : "failure";
}

/** `db compat`: views under the names that some reports expect. */
export async function dbCompat(options: Options & { readonly remove?: true }, output: Output): Promise<ExitReason> {
  await using stack = new AsyncDisposableStack();
  const { administratorUrl } = await openPlace(options, stack);
  const change = options.remove === true ? removeCompatibilityViews : makeCompatibilityViews;
  const views = await stack.use(await opened(administratorUrl)).transaction((client) => change(client));
  if (options.json === true) output.out(JSON.stringify({ [options.remove === true ? "removed" : "made"]: views }));
  else for (const view of views) output.out(`${options.remove === true ? "removed" : "made"} ${view}`);
  return "success";
}
