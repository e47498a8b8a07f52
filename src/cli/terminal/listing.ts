import { csvCells } from "../../exports/csv.ts";
import { type Output, printTable } from "./output.ts";
import type { TableColumn } from "./table.ts";

export interface ListingOptions {
  readonly json?: true;
  readonly csv?: true;
}

/** What a database gave: text, numbers as it wrote them, times, nothing. */
export type Cell = string | number | bigint | boolean | Date | null | readonly string[];

export interface Listing {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
  /** What JSON has, where that is more than the table. */
  readonly objects?: unknown;
  /** What people are told in the place of a table without rows. */
  readonly empty?: string;
}

/** Prints a list as a table for people, as JSON, or as CSV with a header line. */
export function printList(output: Output, options: ListingOptions, { columns, rows, objects, empty }: Listing): void {
  if (options.json === true && objects !== undefined) output.out(JSON.stringify(objects, undefined, 2));
  else if (rows.length === 0 && empty !== undefined && options.json !== true && options.csv !== true) output.err(empty);
  else printListing(output, options, columns, rows);
}

/** Says what was done: to programs as JSON, to people in words. */
export function printOutcome(
  output: Pick<Output, "out">,
  { json }: { readonly json?: true | undefined },
  outcome: unknown,
  words: string,
): void {
  output.out(json === true ? JSON.stringify(outcome, undefined, 2) : words);
}

/** Columns of names and times. */
export function titled(...titles: readonly string[]): TableColumn[] {
  return titles.map((title) => ({ title }));
}

/** Columns of words, of which the beginning is enough. */
export function prose(...titles: readonly string[]): TableColumn[] {
  return titles.map((title) => ({ title, isProse: true }));
}

/** Prints rows as a table for people, as JSON, or as CSV with a header line. */
export function printListing(
  output: Output,
  options: ListingOptions,
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
): void {
  if (options.json === true) {
    const objects = rows.map((row) =>
      Object.fromEntries(columns.map(({ title }, index) => [title, jsonValue(row[index] ?? null)])),
    );
    output.out(JSON.stringify(objects, undefined, 2));
  } else if (options.csv === true) {
    for (const row of [columns.map(({ title }) => title), ...rows]) output.out(csvCells(row.map(cellText)));
  } else {
    const shown = <Item>(items: readonly Item[]) => items.filter((_, index) => columns[index]?.isDetail !== true);
    printTable(
      output,
      shown(columns),
      rows.map((row) => shown(row).map(cellText)),
    );
  }
}

function jsonValue(cell: Cell): unknown {
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === "bigint" ? cell.toString() : cell;
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === "object" ? cell.join(", ") : String(cell);
}

/** A moment to the second, in UTC; nothing for nothing. */
export function timeText(iso: string): string {
  return iso === "" ? "" : `${iso.slice(0, "2026-01-31T00:00:00".length).replace("T", " ")}Z`;
}
