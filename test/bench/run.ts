/** `npm run bench -- NAME [--quick] [--json]`: runs NAME.bench.ts of this folder; without a name, says which there are. */
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { Bench, BenchReport } from "./bench.ts";

const SUFFIX = ".bench.ts";
const FULL_MS = 2_000;
const QUICK_MS = 50;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .sort();
const machine = `node ${process.version}, ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores`;

function print(name: string, bench: Bench, report: BenchReport): void {
  console.log(`bench ${name}: ${bench.compares}`);
  console.log(`unfair: ${bench.unfair}`);
  console.log(`machine: ${machine}${values.quick ? "; a quick run, the numbers mean nothing" : ""}`);
  for (const fact of report.facts ?? []) console.log(`  ${fact}`);
  const width = Math.max(...report.rows.map((row) => row.task.length));
  for (const row of report.rows) {
    const margin = row.marginPercent === undefined ? "" : ` ±${row.marginPercent.toFixed(1)} %`;
    const number = Math.round(row.perSecond).toLocaleString("en-GB").padStart(14);
    console.log(`  ${row.task.padEnd(width)} ${number} ${row.unit}/s${margin}`);
  }
  for (const [ratio, value] of Object.entries(report.ratios)) console.log(`ratio ${ratio} ${value.toFixed(3)}`);
}

const unknown = positionals.filter((name) => !names.includes(name));
if (positionals.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such bench: ${unknown.join(", ")}`);
  console.error(`usage: npm run bench -- NAME [--quick] [--json]; there are: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  for (const name of positionals) {
    const { bench } = (await import(`./${name}${SUFFIX}`)) as { bench: Bench };
    const report = await bench.run({ timeMs: values.quick ? QUICK_MS : FULL_MS });
    if (values.json) console.log(JSON.stringify({ name, machine, quick: values.quick, ...report }));
    else print(name, bench, report);
  }
}
