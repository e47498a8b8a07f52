/** `meters add | import | remove`: meters besides those of the configuration, worked from then on. */
import { z } from "zod";
import { addedMeters } from "../../api/answers/meters.ts";
import { askDaemon } from "../../api/local-client.ts";
import { counted } from "../../observe/counted.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printListing, printOutcome } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import type { DaemonOptions } from "../verbs/verb.ts";
import { meterOfFields } from "./meter-fields.ts";
import { readMeterSheet, type SheetMeter } from "./meter-sheet.ts";

export interface MetersAddOptions extends DaemonOptions {
  readonly dryRun?: true;
}

interface LineProblem {
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

const AT_ONCE = 500;
const PROBLEM_COLUMNS = [{ title: "line", align: "right" as const }, { title: "field" }, { title: "problem" }];

/** `meters add NAME FIELD=VALUE …`. */
export async function metersAdd(
  name: string,
  words: readonly string[],
  options: MetersAddOptions,
  output: Output,
): Promise<ExitReason> {
  const unclear = words.find((word) => !/^[^=]+=/.test(word));
  if (unclear !== undefined) {
    output.err(`meters add: ${unclear}: say FIELD=VALUE, as connection.tcp=10.0.0.9:4059`);
    return "usage";
  }
  const fields = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  const meter = meterOfFields([["name", name], ...fields]);
  const isDry = options.dryRun === true;
  const { problems } = await order(options, [{ line: 1, meter }], isDry);
  const isGood = problems.length === 0;
  const outcome = {
    added: isGood && !isDry ? [name] : [],
    problems: problems.map(({ path, message }) => ({ path, message })),
  };
  const told = `${name} ${isDry ? "can be added" : "is added, and is worked from now on"}`;
  if (isGood || options.json === true) printOutcome(output, options, outcome, told);
  else for (const { path, message } of problems) output.err(`${path}: ${message}`);
  return isGood ? "success" : "failure";
}

/** `meters import FILE`: all meters of a file, or none. */
export async function metersImport(file: string, options: MetersAddOptions, output: Output): Promise<ExitReason> {
  const meters = await readMeterSheet(file);
  const problems = [...twice(meters)];
  const told = new Set(problems.map(({ line, path }) => `${line} ${path}`));
  using progress = new Progress(output, options.dryRun === true ? meters.length : 2 * meters.length, "meters");
  let done = 0;
  const at = (some: readonly SheetMeter[]) => progress.at((done += some.length));
  for (const some of batches(meters)) {
    const found = (await order(options, some, true)).problems;
    at(some);
    problems.push(...found.filter(({ line, path }) => !told.has(`${line} ${path}`)));
  }
  if (problems.length > 0) {
    printProblems(problems, options, output);
    output.err(
      `${file}: no meter is added: ${counted(problems.length, "problem")} in ${counted(meters.length, "meter")}`,
    );
    return "failure";
  }
  for (const some of options.dryRun === true ? [] : batches(meters)) {
    const since = (await order(options, some, false)).problems;
    if (since.length > 0) {
      printProblems(since, options, output);
      output.err(`${file}: what is before line ${some[0]?.line} is added, the rest is not: see what came in between`);
      return "failure";
    }
    at(some);
  }
  printProblems([], options, output);
  const become = options.dryRun === true ? "can be added" : "added, and worked from now on";
  output.err(`${counted(meters.length, "meter")} ${become}`);
  return "success";
}

function printProblems(problems: readonly LineProblem[], options: ListingOptions, output: Output): void {
  const rows = problems.toSorted((a, b) => a.line - b.line).map(({ line, path, message }) => [line, path, message]);
  if (rows.length > 0 || options.json || options.csv) printListing(output, options, PROBLEM_COLUMNS, rows);
}

export async function metersRemove(
  name: string,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/meters/${encodeURIComponent(name)}`;
  const removed = await askDaemon(socket, { path, method: "DELETE", answer: z.object({ meter: z.string() }) });
  printOutcome(output, options, removed, `${removed.meter} is not worked any more; its readings stay`);
  return "success";
}

async function order(
  { socket }: MetersAddOptions,
  meters: readonly SheetMeter[],
  dryRun: boolean,
): Promise<{ problems: LineProblem[] }> {
  const body = { meters: meters.map(({ meter }) => meter), dryRun };
  const { problems } = await askDaemon(socket, { path: "/v1/meters", body, answer: addedMeters });
  return { problems: problems.map(({ index, path, message }) => ({ line: meters[index]?.line ?? 0, path, message })) };
}

/** Names and numbers that stand in the file before, as either. */
function* twice(meters: readonly SheetMeter[]): Generator<LineProblem> {
  const lines = new Map<unknown, number>();
  for (const { line, meter } of meters) {
    for (const path of ["name", "number"]) {
      const before = lines.get(meter[path]) ?? line;
      lines.set(meter[path], before);
      if (before !== line && meter[path] !== undefined)
        yield { line, path, message: `stands in line ${before} already` };
    }
  }
}

function* batches(meters: readonly SheetMeter[]): Generator<SheetMeter[]> {
  for (let at = 0; at < meters.length; at += AT_ONCE) yield meters.slice(at, at + AT_ONCE);
}
