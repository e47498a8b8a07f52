import type { SlaOptions } from "../commands/report-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareReport: DeclareVerb = (program, { output, finish }) => {
  const report = program.command("report").description("how well meters are read");
  report
    .command("sla")
    .description("how much block load and how many pushes came in time, and how long people waited, by group and day")
    .option("--from <day>", "first day in UTC, as 2026-01-31; the last one when left out")
    .option("--to <day>", "last day; yesterday when left out")
    .option("--group <name>", "one collection of the configuration, or all")
    .option("--json", "print JSON")
    .option("--csv", "print CSV, with all columns")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .addHelpText(
      "after",
      `
What is below a threshold of \`serviceLevels\` in the configuration is named, and the exit code is 1. Columns p95: so long
95 of 100 reads on demand, disconnections and reconnections took at most, in seconds.

Examples:
  dlms-gateway report sla --from 2026-01-01 --to 2026-01-31 --csv
  dlms-gateway report sla --group large-customers`,
    )
    .action(async (options: SlaOptions) => {
      const { slaCommand } = await import("../commands/report-command.ts");
      finish(await slaCommand(options, output));
    });
};
