import type { AskOptions, RunMakeOptions } from "../commands/series-command.ts";
import { addDatabaseOptions, addJsonOption, addListingOptions, type DeclareVerb } from "./verb.ts";

export const declareRuns: DeclareVerb = (program, { output, finish }) => {
  const runs = program.command("runs").description("billing and settlement runs: what was known at a cutoff, for good");
  addListingOptions(addDatabaseOptions(runs.command("list")))
    .description("runs that you may see")
    .argument("[dataset]", "of one dataset only")
    .action(async (dataset: string | undefined, options: AskOptions) => {
      const { runsList } = await import("../commands/series-command.ts");
      finish(await runsList(dataset, options, output));
    });
  addJsonOption(addDatabaseOptions(runs.command("make")))
    .description("draft a run")
    .argument("<dataset/label>", "as billing/2026-07")
    .requiredOption("--from <time>", "first time of the period")
    .requiredOption("--to <time>", "end of the period")
    .requiredOption("--cutoff <time>", "what became known later is not in it")
    .option("--release <time>", "when it may be seen, once it is released")
    .option("--pattern <regex>", "series whose keys match")
    .option("--collection <name>", "series of one of your collections")
    .option("--quality <name>", "at least this quality", "raw")
    .option("--keep-values", "copy its values; else they are replayed")
    .action(async (name: string, options: RunMakeOptions) => {
      const { runsMake } = await import("../commands/series-command.ts");
      finish(await runsMake(name, options, output));
    });
  addJsonOption(addDatabaseOptions(runs.command("freeze")))
    .description("close a draft once its cutoff is over; prints the digest")
    .argument("<dataset/label>", "which run")
    .action(async (name: string, options: AskOptions) => {
      const { runsFreeze } = await import("../commands/series-command.ts");
      finish(await runsFreeze(name, options, output));
    });
  addJsonOption(addDatabaseOptions(runs.command("release")))
    .description("let others see a frozen run; prints from when on")
    .argument("<dataset/label>", "which run")
    .action(async (name: string, options: AskOptions) => {
      const { runsRelease } = await import("../commands/series-command.ts");
      finish(await runsRelease(name, options, output));
    });
  addListingOptions(addDatabaseOptions(runs.command("verify")))
    .description("replay a run and compare every digest")
    .argument("<dataset/label>", "which run")
    .action(async (name: string, options: AskOptions) => {
      const { runsVerify } = await import("../commands/series-command.ts");
      finish(await runsVerify(name, options, output));
    });
};
