/**
 * `npm run corpus -- DIR…`: runs every case of the named files and directories through the public API of its layer,
 * prints a line per failure and a table per group, and exits with 1 when a case failed or a file could not be read.
 *
 *   --layer NAME   only cases of this layer          --verbose      also say why cases are not supported
 *   --facts        which facts nobody compared       --id TEXT      only cases whose id contains TEXT
 */
import { parseArgs } from "node:util";
import { type CorpusCase, loadCases } from "./case.ts";
import { whyNotCompared } from "./not-compared.ts";
import { READERS } from "./readers.ts";
import { type CaseResult, judge, type Verdict } from "./reading.ts";

const DEFAULT_PATHS = ["test/vectors"];
const REASONS_SHOWN = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layer: { type: "string" },
    id: { type: "string" },
    verbose: { type: "boolean", default: false },
    facts: { type: "boolean", default: false },
  },
});

function wanted(each: CorpusCase): boolean {
  return (
    (values.layer === undefined || each.layer === values.layer) &&
    (values.id === undefined || each.id.includes(values.id))
  );
}

interface Row {
  readonly name: string;
  readonly results: readonly CaseResult[];
}

function rowsBy(results: readonly CaseResult[], key: (each: CaseResult) => string): Row[] {
  const names = [...new Set(results.map(key))].sort();
  return names.map((name) => ({ name, results: results.filter((each) => key(each) === name) }));
}

function count(results: readonly CaseResult[], verdict: Verdict): number {
  return results.filter((each) => each.verdict === verdict).length;
}

function sum(results: readonly CaseResult[], of: (each: CaseResult) => number): number {
  return results.reduce((total, each) => total + of(each), 0);
}

function printTable(title: string, rows: readonly Row[], total: Row): void {
  const width = Math.max(title.length, ...rows.map((row) => row.name.length));
  console.log(`\n${title.padEnd(width)}  passed  failed  not yet supported  facts compared`);
  for (const { name, results } of [...rows, total]) {
    const facts = `${sum(results, (each) => each.comparedCount)}/${sum(results, (each) => each.factCount)}`;
    const cells = [
      String(count(results, "passed")).padStart(6),
      String(count(results, "failed")).padStart(6),
      String(count(results, "unsupported")).padStart(17),
      facts.padStart(14),
    ];
    console.log(`${name.padEnd(width)}  ${cells.join("  ")}`);
  }
}

function printReasons(results: readonly CaseResult[], verdict: Verdict): void {
  for (const each of results.filter((result) => result.verdict === verdict)) {
    const more = each.reasons.length > REASONS_SHOWN ? `; and ${each.reasons.length - REASONS_SHOWN} more` : "";
    console.log(
      `${verdict} ${each.case.layer} ${each.case.id}: ${each.reasons.slice(0, REASONS_SHOWN).join("; ")}${more}`,
    );
  }
}

function printReasonsOfUncompared(results: readonly CaseResult[]): void {
  const reasons = results.flatMap(({ uncompared }) =>
    uncompared.map((fact) => whyNotCompared(fact) ?? "not looked at"),
  );
  const counts = Map.groupBy(reasons, (reason) => reason);
  console.log(`\n${reasons.length} facts were not compared:`);
  for (const [reason, all] of counts) console.log(`${String(all.length).padStart(6)}  ${reason}`);
}

function printUncompared(results: readonly CaseResult[]): void {
  const names = results.flatMap((each) => each.uncompared.map((fact) => `${each.case.layer} ${fact}`));
  const counts = [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length] as const);
  console.log("\nfacts that no reader gives:");
  for (const [name, times] of counts.sort((a, b) => b[1] - a[1])) console.log(`${String(times).padStart(6)}  ${name}`);
}

const loaded = loadCases(positionals.length === 0 ? DEFAULT_PATHS : positionals);
const results = loaded.cases.filter(wanted).map((each) => judge(READERS, each));
const total: Row = { name: "all", results };
for (const problem of loaded.problems) console.log(`unreadable ${problem}`);
printReasons(results, "failed");
if (values.verbose) printReasons(results, "unsupported");
printTable(
  "layer",
  rowsBy(results, (each) => each.case.layer),
  total,
);
printTable(
  "group",
  rowsBy(results, (each) => each.case.group),
  total,
);
printReasonsOfUncompared(results);
if (values.facts) printUncompared(results);
if (results.length === 0) console.log("no case was run");
process.exitCode = count(results, "failed") > 0 || loaded.problems.length > 0 || results.length === 0 ? 1 : 0;
