import type { SlaOptions } from "../report-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareReport: DeclareVerb = (program, { output, finish }) => {
  const report = program.command("report").description("how well meters are read");
  report
    .command("sla")
    .description("share of block load that came within 1, 8 and 24 hours, by group and day")
    .option("--from <day>", "first day in UTC, as 2026-01-31; the last one when left out")
    .option("--to <day>", "last day; yesterday when left out")
    .option("--group <name>", "one collection of the configuration, or all")
    .option("--least <thresholds...>", "hours=percent, as 8=95 24=99.5: what is below is named, and the exit code is 1")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .addHelpText(
      "after",
      `
Examples:
  dlms-gateway report sla --from 2026-01-01 --to 2026-01-31 --csv
  dlms-gateway report sla --group large-customers --least 8=95 24=99.5`,
    )
    .action(async (options: SlaOptions) => {
      const { slaCommand } = await import("../report-command.ts");
      finish(await slaCommand(options, output));
    });
};
