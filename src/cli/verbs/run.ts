import { InvalidArgumentError, Option } from "commander";
import { CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareRun: DeclareVerb = (program, { finish }) => {
  program
    .command("run")
    .description("run the daemon")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--workers <n>", "processes among which the meters are shared, for the cores of this machine", wholeNumber)
    .addOption(new Option("--worker <n>", "which of the workers this is").argParser(wholeNumber).hideHelp())
    .action(async ({ config, ...workers }: { config: string; workers?: number; worker?: number }) => {
      const { runDaemon } = await import("../../main.ts");
      finish(await runDaemon(config, workers));
    });
};

const MOST_WORKERS = 256;

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MOST_WORKERS) return number;
  throw new InvalidArgumentError(`a whole number from 1 to ${MOST_WORKERS}`);
}
