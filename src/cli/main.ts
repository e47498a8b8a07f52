#!/usr/bin/env node
/** The command line: `verbs/` says what there is; a verb's code is loaded only when it is asked for. */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { EXIT_CODES, type ExitReason } from "./exit-code.ts";
import { processOutput } from "./output.ts";
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
import { declareGaps } from "./verbs/gaps.ts";
import { declareGateways } from "./verbs/gateways.ts";
import { declareKeys } from "./verbs/keys.ts";
import { declareManual } from "./verbs/manual.ts";
import { declareMeters } from "./verbs/meters.ts";
import { declareNotifications } from "./verbs/notifications.ts";
import { declarePlans } from "./verbs/plans.ts";
import { declarePush } from "./verbs/push.ts";
import { declareRead } from "./verbs/read.ts";
import { declareReadout } from "./verbs/readout.ts";
import { declareReplay } from "./verbs/replay.ts";
import { declareRun } from "./verbs/run.ts";
import { declareRuns } from "./verbs/runs.ts";
import { declareSeries } from "./verbs/series.ts";
import { declareSimulate } from "./verbs/simulate.ts";
import { declareTokens } from "./verbs/tokens.ts";
import { declareTrace } from "./verbs/trace.ts";
import type { DeclareVerb } from "./verbs/verb.ts";
import { VERSION } from "./version.ts";

/** In the order in which the help shows them. */
const VERBS: readonly DeclareVerb[] = [
  declareRun,
  declareDemo,
  declareRead,
  declareReadout,
  declareTrace,
  declareReplay,
  declareDecode,
  declareDb,
  declareDbCoverage,
  declareDbImport,
  declareDbReplay,
  declareConfig,
  declareKeys,
  declareCounters,
  declareGaps,
  declareGateways,
  declarePlans,
  declareSeries,
  declareCollections,
  declareRuns,
  declareNotifications,
  declarePush,
  declareMeters,
  declareTokens,
  declareSimulate,
  declareCompletion,
  declareManual,
];

const output = processOutput();

function finish(reason: ExitReason): void {
  process.exitCode = EXIT_CODES[reason].code;
}

const exitCodeHelp = Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join("\n");

const program = new Command("dlms-gateway")
  .description("Reads DLMS/COSEM smart meters into TimescaleDB, and tells why a meter does not answer.")
  .version(VERSION)
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText("after", `\nExit codes:\n${exitCodeHelp}`);

for (const declareVerb of VERBS) declareVerb(program, { output, finish });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage.code;
  } else {
    output.err(`dlms-gateway: ${error instanceof Error ? error.message : String(error)}`);
    finish(error instanceof ConfigError ? "configuration" : "failure");
  }
}
