import type { CountersOptions, RaiseOptions, SkipOptions } from "../commands/counters-command.ts";
import { CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareCounters: DeclareVerb = (program, { output, finish }) => {
  const counters = program
    .command("counters")
    .description("how much of each key's invocation counters is used up, and going on above what a meter says");
  counters
    .command("list")
    .description("the next counter of each ciphered meter")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: CountersOptions) => {
      const { countersList } = await import("../commands/counters-command.ts");
      finish(await countersList(options, output));
    });
  counters
    .command("raise")
    .description("use no counter below a number any more; never goes down, and all below is lost for good")
    .argument("<meter>", "name of the meter whose key it is")
    .requiredOption("--to <number>", "the next counter to be used")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .action(async (meter: string, options: RaiseOptions) => {
      const { countersRaise } = await import("../commands/counters-command.ts");
      finish(await countersRaise(meter, options, output));
    });
  counters
    .command("skip")
    .description("leave out the next counters of all keys, after the database was restored from a backup")
    .option("--by <number>", "more than may have been used since the backup", "1048576")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: SkipOptions) => {
      const { countersSkip } = await import("../commands/counters-command.ts");
      finish(await countersSkip(options, output));
    });
};
