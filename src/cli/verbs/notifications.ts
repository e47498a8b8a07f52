import { type DaemonOptions, type DeclareVerb, SOCKET } from "./verb.ts";

export const declareNotifications: DeclareVerb = (program, { output, finish }) => {
  const notifications = program
    .command("notifications")
    .description("what waits to be told to webhooks and brokers, and what was given up")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: DaemonOptions) => {
      const { listNotifications } = await import("../commands/notifications-command.ts");
      finish(await listNotifications(options, output));
    });
  notifications
    .command("retry")
    .description("try what was given up again")
    .argument("[destination]", "of this destination only")
    .action(async (destination: string | undefined, _: unknown, command: { optsWithGlobals(): DaemonOptions }) => {
      const { retryNotifications } = await import("../commands/notifications-command.ts");
      finish(await retryNotifications(destination, command.optsWithGlobals(), output));
    });
};
