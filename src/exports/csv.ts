type Separator = "," | ";";

const CELLS: Readonly<Record<Separator, RegExp>> = {
  ",": /\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(,|$)/gy,
  ";": /\s*(?:"((?:[^"]|"")*)"\s*|([^;]*))(;|$)/gy,
};
/** What makes a spreadsheet work a cell out; senders choose what they call themselves. */
const FORMULA = /^'*[=+\-@\t\r]/;
const NUMBER = /^[+-](?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|infinity)$/i;
const BYTE_ORDER_MARK = "\uFEFF";

export interface CsvTable {
  /** Cells of the first line. */
  readonly titles: readonly string[];
  readonly cellsOf: (line: string) => string[];
}

/** Cells as a line of CSV (RFC 4180), without its end. What would be a formula has an apostrophe before it. */
export function csvCells(cells: readonly string[]): string {
  return cells.map(csvCell).join(",");
}

/**
 * A table as people and spreadsheets write it: separated by commas, or by semicolons where its first line is; blanks
 * around cells do not count. A cell in quotes may hold separators, but no end of line.
 */
export function csvTable(firstLine: string): CsvTable {
  const titles = firstLine.startsWith(BYTE_ORDER_MARK) ? firstLine.slice(1) : firstLine;
  const separator = /^[^,]*;/.test(titles) ? ";" : ",";
  const cellsOf = (line: string) => cellsOfLine(line, separator);
  return { titles: cellsOf(titles), cellsOf };
}

function cellsOfLine(line: string, separator: Separator): string[] {
  const cells: string[] = [];
  for (const [, quoted, plain = "", end] of line.matchAll(CELLS[separator])) {
    const cell = (quoted?.replaceAll('""', '"') ?? plain).trim();
    cells.push(cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell);
    if (end === "") break;
  }
  return cells;
}

function csvCell(cell: string): string {
  const text = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
