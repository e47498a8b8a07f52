/** One column of a table for people. */
export interface TableColumn {
  readonly title: string;
  readonly align?: "left" | "right";
  /** What is shown of it in part says nothing, as of a time. */
  readonly isWhole?: true;
}

/** Gives what is shown of a word its colour. */
type Paint = (word: string, shown: string) => string;

const GAP = "  ";
const ELLIPSIS = "…";

/**
 * Lines of an aligned table: a header, a rule, the rows. Where it is wider than `width`, the widest text columns are
 * cut with an ellipsis until it fits; numbers, times and what names the row are never cut. `paint` gives a cell its colour, by its whole text.
 */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
  paint: Paint = plain,
): string[] {
  const natural = columns.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), textWidth(column.title)),
  );
  const widths = fitted(columns, natural, width);
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        // The first column names the row.
        const painted = index === 0 ? plain : paint;
        return cell(cells[index] ?? "", widths[index] ?? 0, { ...column, paint: painted });
      })
      .join(GAP)
      .trimEnd();
  return [
    line(columns.map((column) => column.title)),
    widths.map((each) => "─".repeat(each)).join(GAP),
    ...rows.map((row) => line(row)),
  ];
}

function plain(_: string, shown: string): string {
  return shown;
}

function fitted(columns: readonly TableColumn[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    const widest = widths.reduce(
      (best, each, index) => (isCut(columns[index], index) && each > (widths[best] ?? 0) ? index : best),
      columns.findIndex(isCut),
    );
    const minimum = textWidth(columns[widest]?.title ?? "");
    if (widest < 0 || (widths[widest] ?? 0) <= Math.max(minimum, 4)) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function isCut(column: TableColumn | undefined, index: number): boolean {
  return index > 0 && column?.align !== "right" && column?.isWhole !== true;
}

/** Lines of a table whose rows are read from top to bottom; nothing is cut. */
export function uprightLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  paint: Paint = plain,
): string[] {
  const width = Math.max(...columns.map(({ title }) => textWidth(title)));
  return rows.flatMap((row, place) => [
    ...(place === 0 ? [] : [""]),
    ...columns.flatMap(({ title }, index) => {
      const text = row[index] ?? "";
      return text === "" ? [] : [`${title.padEnd(width)}${GAP}${index === 0 ? text : paint(text, text)}`];
    }),
  ]);
}

function cell(text: string, width: number, { align, paint }: Pick<TableColumn, "align"> & { paint: Paint }): string {
  const characters = Array.from(text);
  const shown = characters.length > width ? `${characters.slice(0, width - 1).join("")}${ELLIPSIS}` : text;
  const padding = " ".repeat(Math.max(0, width - textWidth(shown)));
  const painted = paint(text, shown);
  return align === "right" ? padding + painted : painted + padding;
}

function textWidth(text: string): number {
  return Array.from(text).length;
}
