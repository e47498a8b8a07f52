import { CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareRun: DeclareVerb = (program, { finish }) => {
  program
    .command("run")
    .description("run the daemon")
    .requiredOption("-c, --config <file>", "configuration file", CONFIG_FILE)
    .action(async (options: { config: string }) => {
      const { runDaemon } = await import("../../main.ts");
      finish(await runDaemon(options.config));
    });
};
