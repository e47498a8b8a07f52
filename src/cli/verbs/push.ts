import type { Command } from "commander";
import type { pushReplay } from "../commands/push-command.ts";
import type { ApplyOptions, pushHistory } from "../commands/push-setup-command.ts";
import type { pushSilence } from "../commands/push-silence-command.ts";
import { type DaemonOptions, type DeclareVerb, SOCKET, type VerbContext } from "./verb.ts";

export const declarePush: DeclareVerb = (program, context) => {
  const { output, finish } = context;
  const push = program.command("push").description("what meters send by themselves");
  push
    .command("unknown")
    .description("list senders that are no meters of ours, with what is known of them")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: DaemonOptions) => {
      const { pushUnknown } = await import("../commands/push-command.ts");
      finish(await pushUnknown(options, output));
    });
  push
    .command("conflicts")
    .description("list pushes that point to more than one meter")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: DaemonOptions) => {
      const { pushConflicts } = await import("../commands/push-command.ts");
      finish(await pushConflicts(options, output));
    });
  push
    .command("replay")
    .description("try held pushes again, with the keys, meters and lists that are known now")
    .option("--sender <name>", "only of this sender: system title, name or host")
    .option("--since <time>", "only what came since, as 2026-01-31T00:00:00Z")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (options: Parameters<typeof pushReplay>[0]) => {
      const { pushReplay } = await import("../commands/push-command.ts");
      finish(await pushReplay(options, output));
    });
  push
    .command("silence")
    .description("list meters that should have pushed and did not")
    .option("--all", "all pushes that are expected, with when each is due")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: Parameters<typeof pushSilence>[0]) => {
      const { pushSilence } = await import("../commands/push-silence-command.ts");
      finish(await pushSilence(options, output));
    });
  declareSetups(push, context);
};

/** What meters are to send by themselves. */
function declareSetups(push: Command, { output, finish }: VerbContext): void {
  push
    .command("setups")
    .description("show the push setups of the configuration, their meters, and how each stands")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: DaemonOptions) => {
      const { pushSetups } = await import("../commands/push-setup-command.ts");
      finish(await pushSetups(options, output));
    });
  push
    .command("apply")
    .description("compare meters with a push setup and write what differs; what fails is put back")
    .argument("[setup]", "name in the configuration; all when left out")
    .option("--meter <name>", "this meter only")
    .option("--dry-run", "show what differs, write nothing")
    .option("--why <text>", "the reason, for the history")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (setup: string | undefined, options: ApplyOptions) => {
      const { pushApply } = await import("../commands/push-setup-command.ts");
      finish(await pushApply(setup, options, output));
    });
  push
    .command("stop")
    .description("begin no other meter of the push apply that runs")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (options: DaemonOptions) => {
      const { pushStop } = await import("../commands/push-setup-command.ts");
      finish(await pushStop(options, output));
    });
  push
    .command("history")
    .description("what was done to the push setups of meters: before, after, who, why, when")
    .option("--meter <name>", "of this meter only")
    .option("--setup <name>", "of this setup only")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .action(async (options: Parameters<typeof pushHistory>[0]) => {
      const { pushHistory } = await import("../commands/push-setup-command.ts");
      finish(await pushHistory(options, output));
    });
}
