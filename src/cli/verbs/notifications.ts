import { addJsonOption, addListingOptions, addSocketOption, type DaemonOptions, type DeclareVerb } from "./verb.ts";

export const declareNotifications: DeclareVerb = (program, { output, finish }) => {
  const notifications = program
    .command("notifications")
    .description("what is to be told to webhooks and brokers, and was not yet");
  addListingOptions(addSocketOption(notifications.command("list", { isDefault: true })))
    .description("what waits, and what was given up; the same as notifications alone")
    .action(async (options: DaemonOptions) => {
      const { listNotifications } = await import("../commands/notifications-command.ts");
      finish(await listNotifications(options, output));
    });
  addJsonOption(addSocketOption(notifications.command("retry")))
    .description("try what was given up again")
    .argument("[destination]", "of this destination only")
    .action(async (destination: string | undefined, options: DaemonOptions) => {
      const { retryNotifications } = await import("../commands/notifications-command.ts");
      finish(await retryNotifications(destination, options, output));
    });
};
