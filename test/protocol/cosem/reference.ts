/* The reference tables are no part of the repository: what compares with them runs where they are, and says so where not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY = join(import.meta.dirname, "../../../../shared/reference");

/** Whether ../shared/reference lies beside the repository. */
export const HAS_REFERENCE = existsSync(DIRECTORY);

/** The rows of one CSV file of the reference, by the names of its header. */
export function referenceRows(file: string): Record<string, string>[] {
  const [header = [], ...rows] = readFileSync(join(DIRECTORY, file), "utf8").trim().split(/\r?\n/u).map(cells);
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""])));
}

function cells(line: string): string[] {
  const found = line.match(/("([^"]|"")*"|[^,]*)(,|$)/gu) ?? [];
  return found.map((cell) =>
    cell
      .replace(/,$/u, "")
      .replace(/^"(.*)"$/u, "$1")
      .replaceAll('""', '"'),
  );
}
