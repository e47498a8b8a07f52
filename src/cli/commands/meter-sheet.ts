/** A list of meters as a file: CSV, or the first sheet of an XLSX workbook. */
import { readFile } from "node:fs/promises";
import { readSheet } from "read-excel-file/node";
import { csvTable } from "../../exports/csv.ts";
import { meterOfFields } from "./meter-fields.ts";

export interface SheetMeter {
  readonly line: number;
  readonly meter: Readonly<Record<string, unknown>>;
}

/** The first line has the names of the fields. Throws an Error for a file that is no such list. */
export async function readMeterSheet(file: string): Promise<SheetMeter[]> {
  const lines = /\.xlsx$/i.test(file) ? await xlsxLines(file) : csvLines(await readFile(file, "utf8"));
  const [titles = [], ...rows] = lines;
  if (!titles.includes("name")) {
    throw new Error(
      `${file}: the first line has to name the fields, as name,number,connection.tcp: those of a meter in the configuration`,
    );
  }
  return rows.flatMap((cells, index) => {
    if (cells.every((cell) => cell === "")) return [];
    const fields = titles.flatMap((title, column) => (title === "" ? [] : [[title, cells[column] ?? ""] as const]));
    return [{ line: index + 2, meter: meterOfFields(fields) }];
  });
}

function csvLines(text: string): (readonly string[])[] {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const { titles, cellsOf } = csvTable(first);
  return [titles, ...lines.map(cellsOf)];
}

/** Numbers as they are written: a meter number may have more digits than a number of ours. */
async function xlsxLines(file: string): Promise<string[][]> {
  const rows = await readSheet<string>(await readFile(file), { parseNumber: (text) => text });
  return rows.map((row) => row.map((cell) => (cell instanceof Date ? cell.toISOString() : String(cell ?? "").trim())));
}
