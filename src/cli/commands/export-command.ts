/** `export`: readings of many meters as a file, straight from the database. */
import { open } from "node:fs/promises";
import { EXPORT_FORMAT_NAMES, EXPORT_FORMATS } from "../../exports/export-formats.ts";
import { exportedMeters } from "../../exports/exported-meters.ts";
import {
  columnsSent,
  READING_VIEW_NAMES,
  type ReadingsOrder,
  type RowPage,
  rowPages,
} from "../../exports/reading-rows.ts";
import { READING_COLUMNS } from "../../gateway/stored-readings.ts";
import { collectionMeters } from "../../series/collections.ts";
import type { Database } from "../../store/database/database.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printOutcome } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import type { DatabasePlace } from "./database-place.ts";
import { withDatabase } from "./gateway-database.ts";

/** Options of the command line, as commander gives them. */
export interface ExportOptions extends DatabasePlace, ListingOptions {
  readonly format: string;
  readonly to?: string;
  readonly from?: string;
  readonly collection?: string;
  readonly out: string;
}

interface ExportOrder {
  readonly kind: (typeof READING_VIEW_NAMES)[number];
  readonly format: (typeof EXPORT_FORMAT_NAMES)[number];
  readonly from: Date;
  readonly to: Date;
}

const DAY_MS = 86_400_000;

export async function exportCommand(
  [profile = "", ...names]: readonly string[],
  options: ExportOptions,
  output: Output,
): Promise<ExitReason> {
  const order = orderOf(profile, options);
  if (typeof order === "string") {
    output.err(`export: ${order}`);
    return "usage";
  }
  return await withDatabase(options, async (database): Promise<ExitReason> => {
    const meters = await metersOf(database, names, options.collection);
    const { rows, octets } = await write(database, { ...order, meters }, { ...options, output });
    const outcome = { file: options.out, rows, meters: meters.length, octets };
    printOutcome(output, options, outcome, `${options.out}: ${rows} rows of ${meters.length} meters, ${octets} octets`);
    return "success";
  });
}

/** What is wrong, in words, where an option can't be understood. */
function orderOf(profile: string, options: ExportOptions): ExportOrder | string {
  const kind = READING_VIEW_NAMES.find((each) => each === profile);
  const format = EXPORT_FORMAT_NAMES.find((each) => each === options.format);
  if (kind === undefined) return `there is no profile ${profile}; there are: ${READING_VIEW_NAMES.join(", ")}`;
  if (format === undefined) return `there is no format ${options.format}; there are: ${EXPORT_FORMAT_NAMES.join(", ")}`;
  const to = options.to === undefined ? new Date() : new Date(options.to);
  const from = options.from === undefined ? new Date(to.getTime() - DAY_MS) : new Date(options.from);
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return "a time is as 2026-01-31T00:00:00Z";
  return { kind, format, from, to };
}

async function metersOf(database: Database, names: readonly string[], collection: string | undefined) {
  const keys = collection === undefined ? undefined : await collectionMeters(database, collection);
  if (collection !== undefined && keys === undefined) throw new Error(`there is no collection ${collection}`);
  return await exportedMeters(database, { names: names.length === 0 ? undefined : names, keys });
}

async function write(
  database: Database,
  order: ExportOrder & ReadingsOrder,
  { out, output }: { readonly out: string; readonly output: Output },
): Promise<{ rows: number; octets: number }> {
  const { kind, format, meters } = order;
  const columns = await columnsSent(database, order, READING_COLUMNS[kind]);
  using progress = new Progress(output, meters.length, "meters");
  const counts = { rows: 0, octets: 0 };
  const pages = counted(rowPages(database, order), (rows, done) => {
    counts.rows += rows;
    progress.at(done);
  });
  await using file = await open(out, "w");
  for await (const part of EXPORT_FORMATS[format].write(pages, { kind, columns })) {
    const octets = typeof part === "string" ? Buffer.from(part) : part;
    counts.octets += octets.length;
    await file.writeFile(octets);
  }
  return counts;
}

/** Says of each page how many rows it has, and how many meters have been looked at. */
async function* counted(
  pages: AsyncIterable<RowPage>,
  tell: (rows: number, metersDone: number) => void,
): AsyncGenerator<RowPage> {
  let last: RowPage["meter"] | undefined;
  let done = 0;
  for await (const page of pages) {
    if (page.meter !== last) done++;
    last = page.meter;
    tell(page.rows.length, done);
    yield page;
  }
}
