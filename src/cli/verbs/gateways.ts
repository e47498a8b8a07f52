import { type DaemonOptions, type DeclareVerb, SOCKET } from "./verb.ts";

export const declareGateways: DeclareVerb = (program, { output, finish }) => {
  const gateways = program
    .command("gateways")
    .description("the gateways that share the meters of the database, and how many meters each works")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .action(async (options: DaemonOptions) => {
      const { gatewaysCommand } = await import("../commands/gateways-command.ts");
      finish(await gatewaysCommand(options, output));
    });
  gateways
    .command("release")
    .description("say that a gateway which has vanished is dead, so that its meters are taken over at once")
    .argument("<name>", "name of the gateway")
    .action(async (name: string, _: unknown, command: { optsWithGlobals(): DaemonOptions }) => {
      const { releaseCommand } = await import("../commands/gateways-command.ts");
      finish(await releaseCommand(name, command.optsWithGlobals(), output));
    });
  program
    .command("lanes")
    .description("how long jobs wait and run in each lane of the running daemon")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .action(async (options: DaemonOptions) => {
      const { lanesCommand } = await import("../commands/gateways-command.ts");
      finish(await lanesCommand(options, output));
    });
};
