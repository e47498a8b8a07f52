/** One column of a table for people. */
export interface TableColumn {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Words, of which the beginning is enough where the terminal is narrow. */
  readonly isProse?: true;
  /** For programs: a table for people does without it. */
  readonly isDetail?: true;
}

/** Gives what is shown of a word its colour. */
type Paint = (word: string, shown: string) => string;

const GAP = "  ";
const ELLIPSIS = "…";
/** Fewer characters say nothing. */
const LEAST_PROSE = 6;

/**
 * Lines of an aligned table: a header, a rule, the rows. Where it is wider than `width`, the widest columns of
 * prose are cut with an ellipsis until it fits; names, numbers and times never are. `paint` gives a cell its colour, by its
 * whole text.
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
      (best, each, index) => (columns[index]?.isProse === true && each > (widths[best] ?? 0) ? index : best),
      -1,
    );
    const minimum = Math.max(textWidth(columns[widest]?.title ?? ""), LEAST_PROSE);
    if (widest < 0 || (widths[widest] ?? 0) <= minimum) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
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
