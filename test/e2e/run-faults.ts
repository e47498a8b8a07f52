/** `npm run faults -- [--rounds N] [FAULT …]`: the long run of fault-loop.test.ts; one line of JSON for each fault. */
import { parseArgs } from "node:util";
import { FAULTS, runFaultLoop } from "./fault-loop.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "200" } },
});
const faults = FAULTS.filter((fault) => positionals.length === 0 || positionals.includes(fault));
if (faults.length === 0) {
  console.error(`usage: npm run faults -- [--rounds N] [FAULT …]; faults are: ${FAULTS.join(", ")}`);
  process.exitCode = 2;
}
for (const fault of faults) {
  const report = await runFaultLoop(fault, Number(values.rounds));
  console.log(JSON.stringify(report));
  if (report.once !== report.confirmed || report.doubled > 0 || report.revisions > 0) process.exitCode = 1;
}
