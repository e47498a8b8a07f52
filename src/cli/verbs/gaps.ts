import type { GapsOptions } from "../commands/gaps-command.ts";
import { CONFIG_FILE, type DeclareVerb, SOCKET } from "./verb.ts";

export const declareGaps: DeclareVerb = (program, { output, finish }) => {
  program
    .command("gaps")
    .description("which readings are not there, why, and whether they will still come")
    .argument("[meters...]", "names of meters; all when left out")
    .option("--profile <words...>", "block, daily or billing")
    .option("--state <words...>", "due, late, missing, off, gone, set-aside or unread")
    .option("--from <time>", "first time, as 2026-01-31T00:00:00Z; a week before the last when left out")
    .option("--to <time>", "last time; now when left out")
    .option("--json", "print JSON, one gap a line")
    .option("--csv", "print CSV")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("-c, --config <file>", "configuration file, for its database where no daemon answers", CONFIG_FILE)
    .addHelpText(
      "after",
      `
States:
  due        not read yet, its deadline is not over: it will come
  late       not read by its deadline: it will come when the meter answers
  missing    the meter was asked and has no such row
  off        the meter was off
  gone       the meter has overwritten it by now
  set-aside  its row fits no table; see dlms.rejected_rows
  unread     the meter has never given this profile

Examples:
  dlms-gateway gaps --state late unread
  dlms-gateway gaps feeder-7 --profile block --from 2026-01-31T00:00:00Z --csv`,
    )
    .action(async (meters: string[], options: GapsOptions) => {
      const { gapsCommand } = await import("../commands/gaps-command.ts");
      finish(await gapsCommand(meters, options, output));
    });
};
