#!/usr/bin/env node
/** The command line: one file per verb; a verb's code is loaded only when it is asked for. */
import { Command, CommanderError } from "commander";
import { EXIT_CODES, type ExitReason } from "./exit-code.ts";
import { processOutput } from "./output.ts";

const output = processOutput();

function finish(reason: ExitReason): void {
  process.exitCode = EXIT_CODES[reason].code;
}

const exitCodeHelp = Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join("\n");

const program = new Command("dlms-gateway")
  .description("Reads DLMS/COSEM smart meters into TimescaleDB, and tells why a meter does not answer.")
  .version("0.1.0")
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText("after", `\nExit codes:\n${exitCodeHelp}`);

program
  .command("run")
  .description("run the daemon")
  .requiredOption("-c, --config <file>", "configuration file", "/etc/dlms-gateway/gateway.yaml")
  .action(async (options: { config: string }) => {
    const { runDaemon } = await import("../main.ts");
    finish(await runDaemon(options.config));
  });

program
  .command("demo")
  .description("read a simulated street of meters into an embedded database, and show what came in")
  .option("--once", "read everything once and stop with a summary")
  .option("--meters <count>", "number of meters", "24")
  .option("--keep <directory>", "keep the database in this directory instead of a temporary one")
  .addHelpText("after", "\nExamples:\n  dlms-gateway demo\n  dlms-gateway demo --once --meters 100")
  .action(async (options: { once?: true; meters: string; keep?: string }) => {
    const { demo } = await import("./demo.ts");
    const order = { once: options.once === true, meters: options.meters, directory: options.keep };
    finish(await demo(order, output));
  });

const config = program.command("config").description("check a configuration, or print a sample");
config
  .command("check")
  .description("say what is wrong with a configuration file, line by line")
  .argument("<file>", "configuration file")
  .action(async (file: string) => {
    const { configCheck } = await import("./config-command.ts");
    finish(await configCheck(file, output));
  });
config
  .command("sample")
  .description("print a configuration file with every field and its meaning")
  .action(async () => {
    const { configSample } = await import("./config-command.ts");
    finish(configSample(output));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage.code;
  } else {
    output.err(`dlms-gateway: ${error instanceof Error ? error.message : String(error)}`);
    finish("failure");
  }
}
