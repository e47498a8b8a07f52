import { addJsonOption, addListingOptions, addSocketOption, type DaemonOptions, type DeclareVerb } from "./verb.ts";

export const declareGateways: DeclareVerb = (program, { output, finish }) => {
  const gateways = program.command("gateways").description("the gateways that share the meters of the database");
  addListingOptions(addSocketOption(gateways.command("list", { isDefault: true })))
    .description("how many meters each gateway works, and whether it is alive; the same as gateways alone")
    .action(async (options: DaemonOptions) => {
      const { gatewaysCommand } = await import("../commands/gateways-command.ts");
      finish(await gatewaysCommand(options, output));
    });
  addJsonOption(addSocketOption(gateways.command("release")))
    .description("say that a gateway which has vanished is dead, so that its meters are taken over at once")
    .argument("<name>", "name of the gateway")
    .action(async (name: string, options: DaemonOptions) => {
      const { releaseCommand } = await import("../commands/gateways-command.ts");
      finish(await releaseCommand(name, options, output));
    });
  addListingOptions(addSocketOption(program.command("lanes")))
    .description("how long jobs wait and run in each lane of the running daemon")
    .action(async (options: DaemonOptions) => {
      const { lanesCommand } = await import("../commands/gateways-command.ts");
      finish(await lanesCommand(options, output));
    });
};
