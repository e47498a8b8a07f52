/** Cells as a line of CSV (RFC 4180), without its end. */
export function csvCells(cells: readonly string[]): string {
  return cells.map(csvCell).join(",");
}

function csvCell(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
