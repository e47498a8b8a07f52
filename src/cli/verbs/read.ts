import type { ReadOptions } from "../commands/read-command.ts";
import { addDirectOptions } from "./direct-options.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareRead: DeclareVerb = (program, { output, finish }) => {
  const read = program
    .command("read")
    .description("read a meter now and show what it says, or why it does not answer")
    .argument("[words...]", "METER WHAT; with --tcp, WHAT alone will do; nothing with --dump")
    .option("--dump", "print all that the client may read, as a description for `simulate`")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--from <time>", "first time of block and daily load, as 2026-01-31T00:00:00Z")
    .option("--to <time>", "last time; now when left out")
    .option("--wait <time>", "for a meter that calls in: how long to wait for its next call, as 10m")
    .option("--socket <path>", "control socket of the daemon", SOCKET);
  addDirectOptions(read)
    .addHelpText(
      "after",
      `
WHAT is instant, block, daily, billing, clock, objects, or an attribute: 1.0.1.8.0.255, 1-0:1.8.0*255:2, 3:1.0.1.8.0.255:2

Examples:
  dlms-gateway read feeder-7 clock
  dlms-gateway read feeder-7 block --from 2026-01-31T00:00:00Z --csv
  METER_PASSWORD=… dlms-gateway read --tcp 192.0.2.7:4059 --client-sap 32 --auth lls --secret env:METER_PASSWORD clock`,
    )
    .action(async (words: string[], options: ReadOptions) => {
      if (options.dump) {
        const { dumpCommand } = await import("../commands/dump-command.ts");
        finish(await dumpCommand(words, options, output));
        return;
      }
      const { readCommand } = await import("../commands/read-command.ts");
      finish(await readCommand(words, options, output));
    });
};
