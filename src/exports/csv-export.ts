/** Readings as CSV: a line for each row, exact decimals as they are. */
import type { ProfileColumn } from "../profiles/columns.ts";
import { csvCells } from "./csv.ts";
import { READING_VIEWS, type ReadingViewName, type RowPage, textOf } from "./reading-rows.ts";

export async function* csvExport(
  pages: AsyncIterable<RowPage>,
  { kind, columns }: { readonly kind: ReadingViewName; readonly columns: readonly ProfileColumn[] },
): AsyncGenerator<string> {
  const names = [READING_VIEWS[kind].at, ...columns.map(({ shownAs }) => shownAs)];
  yield `${csvCells(["meter", ...names, "others"])}\r\n`;
  for await (const { meter, rows } of pages) {
    yield rows
      .map((row) => {
        const others = row["others"] ?? undefined;
        const cells = names.map((name) => (row[name] === null ? "" : textOf(row[name])));
        return `${csvCells([meter.name, ...cells, others === undefined ? "" : JSON.stringify(others)])}\r\n`;
      })
      .join("");
  }
}
