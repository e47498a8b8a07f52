import { wrapped } from "../../trace/frame-text.ts";
import { coloured, showsColours } from "./styles.ts";
import { type TableColumn, tableLines, uprightLines } from "./table.ts";

/** Where a verb writes: results to `out`, everything else to `err`. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal, or undefined when the output is not one. */
  readonly width: number | undefined;
  /** Whether words have colours there; none where it is left out. */
  readonly colours?: { readonly out: boolean; readonly err: boolean };
  /** Shows a line in the place of the one before; undefined where nobody looks on. */
  readonly status?: ((line: string) => void) | undefined;
}

const WIPE_LINE = "\r\u001B[K";

export function processOutput(): Output {
  // A reader that has gone, as `head` does, must not end a command before it has cleared up.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${fitting(text, process.stderr)}\n`),
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
    colours: { out: showsColours(process.stdout, process.env), err: showsColours(process.stderr, process.env) },
    status: process.stderr.isTTY
      ? (line) => void process.stderr.write(WIPE_LINE + line.slice(0, Math.max(0, process.stderr.columns - 1)))
      : undefined,
  };
}

/** Words of long lines are not torn where people look on. */
function fitting(text: string, { isTTY, columns }: NodeJS.WriteStream): string {
  if (!isTTY) return text;
  return text
    .split("\n")
    .flatMap((line) => wrapped(line, columns))
    .join("\n");
}

/** Prints rows as an aligned table, or from top to bottom where the terminal is too narrow for one. */
export function printTable(
  output: Output,
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): void {
  const paint = output.colours?.out === true ? coloured : undefined;
  const lines = tableLines(columns, rows, output.width, paint);
  const isTooWide = output.width !== undefined && (lines[1]?.length ?? 0) > output.width;
  for (const line of isTooWide ? uprightLines(columns, rows, paint) : lines) output.out(line);
}
