import type { DeclareVerb } from "./verb.ts";

export const declareConfig: DeclareVerb = (program, { output, finish }) => {
  const config = program.command("config").description("check a configuration, or print a sample");
  config
    .command("check")
    .description("say what is wrong with a configuration file, line by line")
    .argument("<file>", "configuration file")
    .action(async (file: string) => {
      const { configCheck } = await import("../config-command.ts");
      finish(await configCheck(file, output));
    });
  config
    .command("sample")
    .description("print a configuration file with every field and its meaning")
    .action(async () => {
      const { configSample } = await import("../config-command.ts");
      finish(configSample(output));
    });
};
