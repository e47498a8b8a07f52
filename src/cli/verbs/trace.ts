import type { TraceCommandOptions } from "../commands/trace-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareTrace: DeclareVerb = (program, { output, finish }) => {
  program
    .command("trace")
    .description("show what passes between the running daemon and a meter, pushes too, without passwords and keys")
    .argument("[meter]", "name or number")
    .option("--listener", "show what comes of senders that nobody knows instead")
    .option("--read <what>", "read this now, and end with it: clock, block, 1.0.1.8.0.255 …")
    .option("--sessions <number>", "end after so many sessions; by Ctrl-C when left out")
    .option("--octets", "show the octets of each frame too")
    .option("--all", "show all of a long frame")
    .option("--to <file>", "write a recording, which `replay` understands; one file a session")
    .option("--pcapng <file>", "write a file for Wireshark")
    .option("--json", "print JSON, a value a line")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .addHelpText(
      "after",
      `
Without daemon: \`read --trace\` and \`probe --trace\`.

Examples:
  dlms-gateway trace feeder-7 --read clock
  dlms-gateway trace --listener
  dlms-gateway trace feeder-7 --sessions 1 --to feeder-7.jsonl --pcapng feeder-7.pcapng`,
    )
    .action(async (meter: string | undefined, options: TraceCommandOptions) => {
      const { traceCommand } = await import("../commands/trace-command.ts");
      finish(await traceCommand(meter, options, output));
    });
};
