import type { Command } from "commander";
import type { pushReplay } from "../commands/push-command.ts";
import type { ApplyOptions, pushHistory } from "../commands/push-setup-command.ts";
import type { pushSilence } from "../commands/push-silence-command.ts";
import {
  addJsonOption,
  addListingOptions,
  addSocketOption,
  type DaemonOptions,
  type DeclareVerb,
  type VerbContext,
} from "./verb.ts";

export const declarePush: DeclareVerb = (program, context) => {
  const { output, finish } = context;
  const push = program.command("push").description("what meters send by themselves");
  addListingOptions(addSocketOption(push.command("unknown")))
    .description("list senders that are no meters of ours, with what is known of them")
    .action(async (options: DaemonOptions) => {
      const { pushUnknown } = await import("../commands/push-command.ts");
      finish(await pushUnknown(options, output));
    });
  addListingOptions(addSocketOption(push.command("conflicts")))
    .description("list pushes that point to more than one meter")
    .action(async (options: DaemonOptions) => {
      const { pushConflicts } = await import("../commands/push-command.ts");
      finish(await pushConflicts(options, output));
    });
  addJsonOption(addSocketOption(push.command("replay")))
    .description("try held pushes again, with the keys, meters and lists that are known now")
    .option("--sender <name>", "only of this sender: system title, name or host")
    .option("--since <time>", "only what came since, as 2026-01-31T00:00:00Z")
    .action(async (options: Parameters<typeof pushReplay>[0]) => {
      const { pushReplay } = await import("../commands/push-command.ts");
      finish(await pushReplay(options, output));
    });
  addListingOptions(addSocketOption(push.command("silence")))
    .description("list meters that should have pushed and did not")
    .option("--all", "all pushes that are expected, with when each is due")
    .action(async (options: Parameters<typeof pushSilence>[0]) => {
      const { pushSilence } = await import("../commands/push-silence-command.ts");
      finish(await pushSilence(options, output));
    });
  declareSetups(push, context);
};

/** What meters are to send by themselves. */
function declareSetups(push: Command, { output, finish }: VerbContext): void {
  addListingOptions(addSocketOption(push.command("setups")))
    .description("show the push setups of the configuration, their meters, and how each stands")
    .action(async (options: DaemonOptions) => {
      const { pushSetups } = await import("../commands/push-setup-command.ts");
      finish(await pushSetups(options, output));
    });
  addJsonOption(addSocketOption(push.command("apply")))
    .description("compare meters with a push setup and write what differs; what fails is put back")
    .argument("[setup]", "name in the configuration; all when left out")
    .option("--meter <name>", "this meter only")
    .option("--dry-run", "show what differs, write nothing")
    .option("--why <text>", "the reason, for the history")
    .action(async (setup: string | undefined, options: ApplyOptions) => {
      const { pushApply } = await import("../commands/push-setup-command.ts");
      finish(await pushApply(setup, options, output));
    });
  addJsonOption(addSocketOption(push.command("stop")))
    .description("begin no other meter of the push apply that runs")
    .action(async (options: DaemonOptions) => {
      const { pushStop } = await import("../commands/push-setup-command.ts");
      finish(await pushStop(options, output));
    });
  addListingOptions(addSocketOption(push.command("history")))
    .description("what was done to the push setups of meters: before, after, who, why, when")
    .option("--meter <name>", "of this meter only")
    .option("--setup <name>", "of this setup only")
    .action(async (options: Parameters<typeof pushHistory>[0]) => {
      const { pushHistory } = await import("../commands/push-setup-command.ts");
      finish(await pushHistory(options, output));
    });
}
