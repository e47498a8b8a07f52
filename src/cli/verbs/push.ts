import type { DaemonOptions, pushReplay } from "../push-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declarePush: DeclareVerb = (program, { output, finish }) => {
  const push = program.command("push").description("what meters send by themselves");
  push
    .command("unknown")
    .description("list senders that are no meters of ours, with what is known of them")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (options: DaemonOptions) => {
      const { pushUnknown } = await import("../push-command.ts");
      finish(await pushUnknown(options, output));
    });
  push
    .command("replay")
    .description("try held pushes again, with the keys, meters and lists that are known now")
    .option("--sender <name>", "only of this sender: system title, name or host")
    .option("--since <time>", "only what came since, as 2026-01-31T00:00:00Z")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (options: Parameters<typeof pushReplay>[0]) => {
      const { pushReplay } = await import("../push-command.ts");
      finish(await pushReplay(options, output));
    });
};
