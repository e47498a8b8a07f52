import type { ListingOptions } from "../terminal/listing.ts";
import { addJsonOption, addListingOptions, CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareConfig: DeclareVerb = (program, { output, finish }) => {
  const config = program.command("config").description("check a configuration, explain its fields, or print a sample");
  addListingOptions(config.command("check"))
    .description("say what is wrong with a configuration file, line by line")
    .argument("<file>", "configuration file")
    .action(async (file: string, options: ListingOptions) => {
      const { configCheck } = await import("../commands/config-command.ts");
      finish(await configCheck(file, options, output));
    });
  addJsonOption(config.command("explain"))
    .description("say what a field means, what it is when left out, and where its value comes from")
    .argument("<field>", "as polling.concurrency or meters.connection.tcp")
    .option("-c, --config <file>", "configuration file", CONFIG_FILE)
    .action(async (field: string, options: ListingOptions & { readonly config: string }) => {
      const { configExplain } = await import("../commands/explain-command.ts");
      finish(await configExplain(field, options, output));
    });
  config
    .command("sample")
    .description("print a configuration file with every field and its meaning")
    .action(async () => {
      const { configSample } = await import("../commands/config-command.ts");
      finish(configSample(output));
    });
};
