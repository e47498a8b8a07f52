/**
 * `npm run simulate-seeds -- [--seeds N] [--from K] [--defect NAME] [--trace]`: so many runs of the simulation, from one
 * seed on. A seed that fails is told with the command that runs it again; the last line sums up, as JSON.
 */
import { parseArgs } from "node:util";
import { DEFECTS, type DefectName } from "./world/defects.ts";
import { drawScenario } from "./world/scenario.ts";
import { type SimulationReport, simulate } from "./world/simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "0" },
    level: { type: "string" },
    defect: { type: "string" },
    trace: { type: "boolean", default: false },
    each: { type: "boolean", default: false },
  },
});

function isDefect(name: string | undefined): name is DefectName {
  return name !== undefined && name in DEFECTS;
}

const defect = isDefect(values.defect) ? values.defect : undefined;
/** Of longer runs they are left out. */
const MOST_DIGESTS = 20;
const unhandled: string[] = [];
process.on("unhandledRejection", (error) => {
  unhandled.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
});

const first = Number(values.from);
const digests: string[] = [];
const summary = {
  seeds: 0,
  failed: [] as number[],
  polls: 0,
  rows: 0,
  counters: 0,
  processes: 0,
  events: 0,
  meterHours: 0,
};
const causes = new Map<string, number>();
const startedMs = performance.now();
const realNow = performance.now.bind(performance);

for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const scenario = drawScenario(seed);
  if (values.level !== undefined && scenario.level !== values.level) continue;
  const beganMs = realNow();
  const trace = (event: object) => {
    if (values.trace) console.log(new Date(Date.now()).toISOString(), JSON.stringify(event));
  };
  const report = await attempt(seed, () => simulate(scenario, { defect, trace }));
  tell(seed, report, realNow() - beganMs);
}
console.log(
  JSON.stringify({
    ...summary,
    causes: Object.fromEntries(causes),
    digests: digests.length > MOST_DIGESTS ? "" : digests.join(" "),
    seconds: Math.round((realNow() - startedMs) / 1000),
  }),
);
if (summary.failed.length > 0) process.exitCode = 1;

async function attempt(seed: number, run: () => Promise<SimulationReport>): Promise<Partial<SimulationReport>> {
  unhandled.length = 0;
  try {
    const report = await run();
    return {
      ...report,
      violations: [...report.violations, ...unhandled.map((text) => `unhandled rejection: ${text}`)],
    };
  } catch (error) {
    return { seed, violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
}

function tell(seed: number, report: Partial<SimulationReport>, tookMs: number): void {
  const {
    violations = [],
    polls = 0,
    rows = 0,
    counters = 0,
    processes = 0,
    events = 0,
    meters = 0,
    hours = 0,
  } = report;
  summary.seeds += 1;
  summary.polls += polls;
  summary.rows += rows;
  summary.counters += counters;
  summary.processes += processes;
  summary.events += events;
  summary.meterHours += meters * hours;
  for (const [cause, count] of Object.entries(report.causes ?? {})) causes.set(cause, (causes.get(cause) ?? 0) + count);
  if (report.digest !== undefined) digests.push(report.digest);
  if (values.each) console.log(JSON.stringify({ ...report, ms: Math.round(tookMs) }));
  if (violations.length === 0) return;
  summary.failed.push(seed);
  for (const violation of violations) console.log(`seed ${seed}: ${violation}`);
  const again = defect === undefined ? "" : ` --defect ${defect}`;
  console.log(`again: npm run simulate-seeds -- --seeds 1 --from ${seed}${again}`);
}
