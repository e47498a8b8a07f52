/** `series`, `collections` and `runs`: what dlms_api offers, for people at a terminal; with the rights of their login. */
import type { Database } from "../../store/database/database.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type Cell, type ListingOptions, printListing, printOutcome, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { TableColumn } from "../terminal/table.ts";
import type { DatabasePlace } from "./database-place.ts";
import { withDatabase } from "./gateway-database.ts";

export interface AskOptions extends DatabasePlace, ListingOptions {}

/** A statement over dlms_api, and how its columns are shown. */
interface Question {
  readonly columns: readonly TableColumn[];
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Asks and prints. Throws StoreError with the database's words. */
async function ask(question: Question, options: AskOptions, output: Output): Promise<ExitReason> {
  const rows = await withDatabase(options, (database) => rowsOf(database, question));
  printListing(output, options, question.columns, rows);
  return "success";
}

async function rowsOf(database: Database, { columns, text, values = [] }: Question): Promise<Cell[][]> {
  const rows = await database.query<Record<string, Cell>>(text, values);
  return rows.map((row) => columns.map(({ title }) => row[title] ?? null));
}

/** A statement that changes something, and what is told of it: `said` is what the database answered. */
interface Order extends Omit<Question, "columns"> {
  readonly told: (said: string) => { readonly outcome: unknown; readonly words: string };
}

async function order({ text, values, told }: Order, options: AskOptions, output: Output): Promise<ExitReason> {
  const [row] = await withDatabase(options, (database) => database.query<{ said: string | null }>(text, values));
  const { outcome, words } = told(row?.said ?? "");
  printOutcome(output, options, outcome, words);
  return "success";
}

const AMOUNT: TableColumn = { title: "value", align: "right" };

export interface SeriesListOptions extends AskOptions {
  readonly dataset?: string;
  readonly limit: string;
}

/** `series list [PATTERN]` */
export function seriesList(pattern: string, options: SeriesListOptions, output: Output): Promise<ExitReason> {
  const text = `select key, dataset, meter_number as meter, quantity, unit
    from dlms_api.find_series($1::text, $2::text, $3::int) order by key`;
  const values = [pattern, options.dataset ?? null, Number(options.limit)];
  return ask({ columns: titled("key", "dataset", "meter", "quantity", "unit"), text, values }, options, output);
}

export interface SeriesShowOptions extends AskOptions {
  readonly locale: readonly string[];
}

/** `series show KEY…`: texts about series. */
export function seriesShow(keys: readonly string[], options: SeriesShowOptions, output: Output): Promise<ExitReason> {
  const text = `select key, name, value, locale, level from dlms_api.metadata($1::text[], $2::text[])`;
  return ask(
    {
      columns: [...titled("key", "name"), ...prose("value"), ...titled("locale", "level")],
      text,
      values: [keys, options.locale],
    },
    options,
    output,
  );
}

export interface SeriesReadOptions extends AskOptions {
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  readonly quality: string;
  readonly raw?: true;
  readonly history?: true;
  readonly run?: string;
}

const VALUE_COLUMNS = [...titled("key", "at"), AMOUNT, ...titled("unit", "quality", "known_from")];

/** `series read KEY…`: values as of a moment, their history, or those of a run (`DATASET/LABEL`). */
export function seriesRead(keys: readonly string[], options: SeriesReadOptions, output: Output): Promise<ExitReason> {
  const { from, to, asOf, quality, raw, run } = options;
  const shown = "key, at, coalesce(value::text, value_text) as value, unit, quality, known_from";
  if (run !== undefined) {
    const [dataset, label] = runName(run);
    const text = `select ${shown} from dlms_api.read_run($1::text, $2::text, $3::text[])
      where at >= $4::timestamptz and at < $5::timestamptz`;
    return ask({ columns: VALUE_COLUMNS, text, values: [dataset, label, keys, from, to] }, options, output);
  }
  if (options.history === true) {
    const text = `select ${shown}, known_to from dlms_api.read_history($1::text[], $2::timestamptz, $3::timestamptz)`;
    return ask({ columns: [...VALUE_COLUMNS, ...titled("known_to")], text, values: [keys, from, to] }, options, output);
  }
  const text = `select ${shown}
    from dlms_api.read_series($1::text[], $2::timestamptz, $3::timestamptz, $4::timestamptz, $5::text, $6::text)`;
  const values = [keys, from, to, asOf, quality, raw === true ? "raw" : "final"];
  return ask({ columns: VALUE_COLUMNS, text, values }, options, output);
}

/** `DATASET/LABEL` */
function runName(name: string): [dataset: string, label: string] {
  const at = name.indexOf("/");
  if (at < 1) throw new Error(`a run is DATASET/LABEL, not ${name}`);
  return [name.slice(0, at), name.slice(at + 1)];
}

/** `collections list` */
export function collectionsList(options: AskOptions, output: Output): Promise<ExitReason> {
  const text = `select name, owner::text, holds, visibility, coalesce(pattern, '') as pattern, coalesce(attributes::text, '') as attributes
    from dlms_api.collections()`;
  return ask(
    { columns: [...titled("name", "owner", "holds", "visibility"), ...prose("pattern", "attributes")], text },
    options,
    output,
  );
}

export interface CollectionShowOptions extends AskOptions {
  readonly owner?: string;
}

/** `collections show NAME`: its members as it is now. */
export function collectionsShow(name: string, options: CollectionShowOptions, output: Output): Promise<ExitReason> {
  const text = "select member from dlms_api.collection_members($1::text, $2::name)";
  return ask({ columns: titled("member"), text, values: [name, options.owner ?? null] }, options, output);
}

export interface CollectionMakeOptions extends AskOptions {
  readonly meters?: true;
  readonly pattern?: string;
  readonly attribute?: readonly string[];
  readonly public?: true;
  readonly team?: string;
}

/** `collections make NAME` */
export function collectionsMake(name: string, options: CollectionMakeOptions, output: Output): Promise<ExitReason> {
  const { meters, pattern, attribute = [], team } = options;
  const attributes = Object.fromEntries(
    attribute.map((each) => {
      const at = each.indexOf("=");
      if (at < 1) throw new Error(`an attribute is NAME=VALUE, not ${each}`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
  const visibility = team === undefined ? (options.public === true ? "public" : "private") : "team";
  const text = `select dlms_api.make_collection($1::text, $2::text, $3::text, $4::name, $5::text, $6::jsonb)::text as said`;
  const rule = attribute.length === 0 ? null : JSON.stringify(attributes);
  const holds = meters === true || attribute.length > 0 ? "meters" : "series";
  const values = [name, holds, visibility, team ?? null, pattern ?? null, rule];
  const told = () => ({ outcome: { collection: name, holds, visibility }, words: `${name} is made, for ${holds}` });
  return order({ text, values, told }, options, output);
}

/** `collections add|remove NAME MEMBER…` */
export function collectionsMembers(
  verb: "add" | "remove",
  [name = "", ...members]: readonly string[],
  options: AskOptions,
  output: Output,
): Promise<ExitReason> {
  const text = `select dlms_api.${verb}_members($1::text, $2::text[])::text as said`;
  const told = (count: string) => ({
    outcome: { collection: name, [verb === "add" ? "added" : "removed"]: Number(count) },
    words: verb === "add" ? `${count} added to ${name}` : `${count} removed from ${name}`,
  });
  return order({ text, values: [name, members], told }, options, output);
}

/** `collections drop NAME` */
export function collectionsDrop(name: string, options: AskOptions, output: Output): Promise<ExitReason> {
  const text = "select dlms_api.drop_collection($1::text)::text as said";
  const told = () => ({ outcome: { collection: name, dropped: true }, words: `${name} is dropped` });
  return order({ text, values: [name], told }, options, output);
}

/** `runs list [DATASET]` */
export function runsList(dataset: string | undefined, options: AskOptions, output: Output): Promise<ExitReason> {
  const columns = [
    ...titled("dataset", "label", "state", "covers_from", "covers_to", "cutoff", "release_at"),
    { title: "series_count", align: "right" as const },
    { title: "value_count", align: "right" as const },
    ...titled("digest"),
  ];
  return ask({ columns, text: "select * from dlms_api.runs($1::text)", values: [dataset ?? null] }, options, output);
}

export interface RunMakeOptions extends AskOptions {
  readonly from: string;
  readonly to: string;
  readonly cutoff: string;
  readonly release?: string;
  readonly pattern?: string;
  readonly collection?: string;
  readonly quality: string;
  readonly keepValues?: true;
}

/** `runs make DATASET/LABEL` */
export function runsMake(name: string, options: RunMakeOptions, output: Output): Promise<ExitReason> {
  const { from, to, cutoff, release, pattern, collection, quality, keepValues = false } = options;
  const text = `select dlms_api.make_run($1::text, $2::text, $3::timestamptz, $4::timestamptz, $5::timestamptz,
    $6::timestamptz, $7::text, $8::text, $9::text, $10::boolean)::text as said`;
  const values = [
    ...runName(name),
    from,
    to,
    cutoff,
    release ?? null,
    pattern ?? null,
    collection ?? null,
    quality,
    keepValues,
  ];
  return order(
    { text, values, told: () => ({ outcome: { run: name, state: "draft" }, words: `${name} is a draft` }) },
    options,
    output,
  );
}

/** `runs freeze DATASET/LABEL`: prints the digest. */
export function runsFreeze(name: string, options: AskOptions, output: Output): Promise<ExitReason> {
  const text = "select dlms_api.freeze_run($1::text, $2::text) as said";
  const told = (digest: string) => ({ outcome: { run: name, digest }, words: digest });
  return order({ text, values: runName(name), told }, options, output);
}

/** `runs release DATASET/LABEL`: prints when others will see it. */
export function runsRelease(name: string, options: AskOptions, output: Output): Promise<ExitReason> {
  const text = "select dlms_api.release_run($1::text, $2::text)::text as said";
  const told = (from: string) => ({
    outcome: { run: name, visibleFrom: from },
    words: `${name} is visible from ${from}`,
  });
  return order({ text, values: runName(name), told }, options, output);
}

/** `runs verify DATASET/LABEL`: replays it; series that differ are a failure. */
export async function runsVerify(name: string, options: AskOptions, output: Output): Promise<ExitReason> {
  const question = {
    columns: titled("key", "expected", "found"),
    text: "select key, expected, found from dlms_api.verify_run($1::text, $2::text)",
    values: runName(name),
  };
  const rows = await withDatabase(options, (database) => rowsOf(database, question));
  if (rows.length > 0 || options.json || options.csv) printListing(output, options, question.columns, rows);
  if (rows.length === 0) {
    output.err(`${name}: replayed, every digest is as it was`);
    return "success";
  }
  output.err(`${name}: ${rows.length} digests differ`);
  return "failure";
}
