import type { ExportOptions } from "../commands/export-command.ts";
import { addDatabaseOptions, addJsonOption, type DeclareVerb } from "./verb.ts";

export const declareExport: DeclareVerb = (program, { output, finish }) => {
  addJsonOption(addDatabaseOptions(program.command("export")))
    .description("readings of many meters as a file: CSV, Parquet, or MeterReadings of IEC 61968-9")
    .argument("<profile>", "instant, block-load, daily-load, daily-captures or billing")
    .argument("[meters...]", "names or numbers; all meters when left out")
    .requiredOption("--out <file>", "the file to write")
    .option("--format <format>", "csv, parquet, cim-xml or cim-json", "csv")
    .option("--from <time>", "rows after this time; a day before --to when left out")
    .option("--to <time>", "rows up to this time; now when left out")
    .option("--collection <name>", "of the meters in this collection only")
    .addHelpText(
      "after",
      "\nExamples:\n  dlms-gateway export block-load --format parquet --out load.parquet --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z\n  dlms-gateway export billing feeder-7 --format cim-xml --out billing.xml",
    )
    .action(async (profile: string, meters: string[], options: ExportOptions) => {
      const { exportCommand } = await import("../commands/export-command.ts");
      finish(await exportCommand([profile, ...meters], options, output));
    });
};
