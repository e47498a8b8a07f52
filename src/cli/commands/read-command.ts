/** `read`: one meter, one thing; by name through the running daemon, or by address without any. */
import { askForRead } from "../../api/local-client.ts";
import { type ReadAnswer, type ReadRange, type ReadRefusal, ReadRefusedError } from "../../api/read-answer.ts";
import { likelyCauses } from "../../collect/causes/likely-causes.ts";
import { readForAnswer } from "../../collect/read/meter-reader.ts";
import { parseReadOrder } from "../../collect/read/read-order.ts";
import { duration } from "../../config/fields.ts";
import { csvCells } from "../../exports/csv.ts";
import { counted } from "../../observe/counted.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type Output, printTable } from "../terminal/output.ts";
import { coloured } from "../terminal/styles.ts";
import { type DirectOptions, idleOptions, withDirectMeter } from "./direct-meter.ts";

/** Options of the command line, as commander gives them. */
export interface ReadOptions extends DirectOptions {
  readonly json?: true;
  readonly csv?: true;
  readonly socket: string;
  readonly from?: string;
  readonly to?: string;
  readonly wait?: string;
  readonly dump?: true;
}

/** Options that serve a read through the daemon as well. */
const OPTIONS_BY_NAME: ReadonlySet<string> = new Set(["json", "csv", "from", "to", "wait", "socket"]);

export async function readCommand(words: readonly string[], options: ReadOptions, output: Output): Promise<ExitReason> {
  const what = words.at(-1);
  const place = options.tcp ?? options.serial;
  if (what === undefined || words.length > 2 || (place === undefined && words.length < 2)) {
    output.err(
      "read: say METER and WHAT, or --tcp host:port or --serial path and WHAT; see `dlms-gateway read --help`",
    );
    return "usage";
  }
  const idle = idleOptions(options, OPTIONS_BY_NAME);
  if (idle !== undefined) {
    output.err(`read: ${idle}`);
    return "usage";
  }
  parseReadOrder(what);
  try {
    const answer =
      place === undefined
        ? await askForRead(options.socket, words[0] ?? "", what, { range: rangeOf(options), waitMs: waitOf(options) })
        : await readDirectly({ name: words.length === 2 ? (words[0] ?? "") : place, what }, options, output);
    printAnswer(answer, options, output);
    return "success";
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    printRefusal(error, options, output);
    return "meterFailed";
  }
}

async function readDirectly(
  { name, what }: { readonly name: string; readonly what: string },
  options: ReadOptions,
  output: Output,
): Promise<ReadAnswer> {
  const order = parseReadOrder(what);
  const range = rangeOf(options);
  return await withDirectMeter(name, options, output, ({ target, visit }) =>
    visit((source) => readForAnswer(order, { source, target, what, ...(range && { range }) })),
  );
}

function rangeOf({ from, to }: ReadOptions): ReadRange | undefined {
  if (from === undefined && to === undefined) return undefined;
  const range = {
    fromMs: from === undefined ? 0 : Date.parse(from),
    toMs: to === undefined ? Date.now() : Date.parse(to),
  };
  if (Number.isNaN(range.fromMs + range.toMs))
    throw new Error("read: --from and --to are times like 2026-01-31T00:00:00Z");
  return range;
}

function waitOf({ wait }: ReadOptions): number | undefined {
  if (wait === undefined) return undefined;
  const { success, data } = duration.safeParse(wait);
  if (!success) throw new Error("read: --wait is a time like 30s, 10m or 1d");
  return data;
}

function printAnswer(answer: ReadAnswer, options: ReadOptions, output: Output): void {
  if (options.json) {
    output.out(JSON.stringify(answer, undefined, 2));
    return;
  }
  const titles = answer.columns.map(({ name, unit }) => (unit === null ? name : `${name} [${unit}]`));
  if (options.csv) {
    for (const row of [titles, ...answer.rows]) output.out(csvCells(row.map((cell) => cell ?? "")));
    return;
  }
  const rows = answer.rows.map((row) => row.map((cell) => cell ?? "–"));
  // A row that no terminal can hold, as a billing row of a hundred columns, reads better from top to bottom.
  const upright = rows.length > 0 && rows.length <= 2 && titles.length > 3;
  if (upright) printUpright(answer, rows, output);
  else printAcross(answer, rows, output);
  output.err(`${counted(answer.rows.length, "row")} from ${answer.meter} at ${answer.readAt}`);
}

function printUpright(answer: ReadAnswer, rows: readonly (readonly string[])[], output: Output): void {
  const lines = answer.columns.map(({ name, meaning, unit }, index) => [
    name,
    meaning ?? "",
    ...rows.map((row) => row[index] ?? "–"),
    unit ?? "",
  ]);
  const values = rows.map(() => ({ title: "value", align: "right" as const }));
  printTable(output, [{ title: "object" }, { title: "meaning", isProse: true }, ...values, { title: "unit" }], lines);
}

/** Names of objects are long: the head has them short, and what they mean stands below. */
function printAcross(answer: ReadAnswer, rows: readonly (readonly string[])[], output: Output): void {
  const columns = answer.columns.map(({ name, unit, numeric }) => ({
    title: unit === null ? shortName(name) : `${shortName(name)} [${unit}]`,
    align: numeric ? ("right" as const) : ("left" as const),
  }));
  printTable(output, columns, rows);
  const known = answer.columns.filter(({ meaning }) => meaning !== null);
  for (const { name, meaning } of known) output.err(`${shortName(name)}  ${meaning}`);
}

/** `3:1.0.1.8.0.255:2` as `1.0.1.8.0`, with the attribute where it is not the value. */
function shortName(name: string): string {
  const [, , logicalName, attributeId, dataIndex = ""] = /^(\d+):([\d.]+):(-?\d+)(#\d+)?$/.exec(name) ?? [];
  if (logicalName === undefined) return name;
  const reduced = logicalName.replace(/\.255$/, "");
  return attributeId === "2" ? reduced + dataIndex : `${reduced}:${attributeId}${dataIndex}`;
}

/** What was seen, what may be wrong, and what to do about it. */
export function printReasons(failure: Pick<ReadRefusal, "cause" | "evidence" | "nextStep">, output: Output): void {
  const [likeliest, ...others] = likelyCauses(failure.cause);
  output.err(`  seen    ${failure.evidence}`);
  if (likeliest !== undefined && others.length > 0) {
    output.err(`  likely  ${[`${likeliest} (most likely)`, ...others].join(" · ")}`);
  }
  output.err(`  next    ${failure.nextStep}`);
}

export function printRefusal({ refusal }: ReadRefusedError, options: Pick<ReadOptions, "json">, output: Output): void {
  if (options.json) {
    output.out(JSON.stringify({ refusal: { ...refusal, likely: likelyCauses(refusal.cause) } }, undefined, 2));
    return;
  }
  const cause = output.colours?.err === true ? coloured(refusal.cause) : refusal.cause;
  output.err(`${refusal.meter}: ${cause}`);
  printReasons(refusal, output);
}
