/** The command line: `verbs/` says what there is; a verb's code is loaded only when it is asked for. */
import { Command } from "commander";
import { EXAMPLES } from "./examples.ts";
import { EXIT_CODES } from "./terminal/exit-code.ts";
import { declareCertificates } from "./verbs/certificates.ts";
import { declareCollections } from "./verbs/collections.ts";
import { declareCompletion } from "./verbs/completion.ts";
import { declareConfig } from "./verbs/config.ts";
import { declareCounters } from "./verbs/counters.ts";
import { declareDb } from "./verbs/db.ts";
import { declareDbCoverage } from "./verbs/db-coverage.ts";
import { declareDbImport } from "./verbs/db-import.ts";
import { declareDbReplay } from "./verbs/db-replay.ts";
import { declareDecode } from "./verbs/decode.ts";
import { declareDemo } from "./verbs/demo.ts";
import { declareDoctor } from "./verbs/doctor.ts";
import { declareExport } from "./verbs/export.ts";
import { declareGaps } from "./verbs/gaps.ts";
import { declareGateways } from "./verbs/gateways.ts";
import { declareJobs } from "./verbs/jobs.ts";
import { declareKeys } from "./verbs/keys.ts";
import { declareManual } from "./verbs/manual.ts";
import { declareMeterOrders } from "./verbs/meter-orders.ts";
import { declareMeters } from "./verbs/meters.ts";
import { declareNotifications } from "./verbs/notifications.ts";
import { declarePlans } from "./verbs/plans.ts";
import { declareProbe } from "./verbs/probe.ts";
import { declarePush } from "./verbs/push.ts";
import { declareRead } from "./verbs/read.ts";
import { declareReadout } from "./verbs/readout.ts";
import { declareReplay } from "./verbs/replay.ts";
import { declareReport } from "./verbs/report.ts";
import { declareRun } from "./verbs/run.ts";
import { declareRuns } from "./verbs/runs.ts";
import { declareSeries } from "./verbs/series.ts";
import { declareSimulate } from "./verbs/simulate.ts";
import { declareSupport } from "./verbs/support.ts";
import { declareTokens } from "./verbs/tokens.ts";
import { declareTrace } from "./verbs/trace.ts";
import type { DeclareVerb, VerbContext } from "./verbs/verb.ts";
import { declareWrite } from "./verbs/write.ts";
import { VERSION } from "./version.ts";

/** In the order in which the help shows them. */
const VERBS: readonly DeclareVerb[] = [
  declareRun,
  declareDemo,
  declareRead,
  declareProbe,
  declareReadout,
  declareTrace,
  declareSupport,
  declareReplay,
  declareDecode,
  declareDb,
  declareDbCoverage,
  declareDbImport,
  declareDbReplay,
  declareConfig,
  declareDoctor,
  declareKeys,
  declareCertificates,
  declareCounters,
  declareGaps,
  declareExport,
  declareJobs,
  declareGateways,
  declareReport,
  declarePlans,
  declareSeries,
  declareCollections,
  declareRuns,
  declareNotifications,
  declarePush,
  declareMeters,
  declareMeterOrders,
  declareWrite,
  declareTokens,
  declareSimulate,
  declareCompletion,
  declareManual,
];

const exitCodeHelp = Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join("\n");

/** All verbs, their help with examples; what they end with goes to the context. */
export function cliProgram(context: VerbContext): Command {
  const program = new Command("dlms-gateway")
    .description("Reads DLMS/COSEM smart meters into TimescaleDB, and tells why a meter does not answer.")
    .version(VERSION)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText("after", `\nExit codes:\n${exitCodeHelp}`);
  for (const declareVerb of VERBS) declareVerb(program, context);
  for (const [path, examples] of Object.entries(EXAMPLES)) addExamples(program, path.split(" "), examples);
  return program;
}

function addExamples(program: Command, path: readonly string[], examples: readonly string[]): void {
  let command: Command | undefined = program;
  for (const word of path) command = command?.commands.find((each) => each.name() === word);
  const lines = examples.map((example) => `  dlms-gateway ${example}`);
  command?.addHelpText("after", `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.join("\n")}`);
}
