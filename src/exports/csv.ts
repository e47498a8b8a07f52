const COMMA_CELLS = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
const SEMICOLON_CELLS = /(?:^|;)(?:"((?:[^"]|"")*)"|([^;]*))/g;

/** Cells as a line of CSV (RFC 4180), without its end. */
export function csvCells(cells: readonly string[]): string {
  return cells.map(csvCell).join(",");
}

/** The cells of a line of CSV; a cell in quotes may hold separators, but no end of line. */
export function cellsOfCsv(line: string, separator: "," | ";" = ","): string[] {
  const cells = line.matchAll(separator === "," ? COMMA_CELLS : SEMICOLON_CELLS);
  return Array.from(cells, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

function csvCell(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
