import type { ReplayOptions } from "../commands/replay-command.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareReplay: DeclareVerb = (program, { output, finish }) => {
  program
    .command("replay")
    .description("show a recording frame by frame, or be the meter that it was made of")
    .argument("<file>", "recording, as `trace --to` and `read --record` write it")
    .option("--listen <host:port>", "play the meter here; port 0 for a free one")
    .option("--loose", "with --listen: answer whatever is asked, in the order of the recording")
    .option("--block-cipher-key <reference>", "deciphers: env:NAME or file:PATH, hexadecimal")
    .option("--authentication-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--octets", "show the octets of each frame too")
    .option("--all", "show all of a long frame")
    .option("--pcapng <file>", "write a file for Wireshark")
    .option("--json", "print JSON, a value a line")
    .addHelpText(
      "after",
      `
Played, the recording waits for the octets that were sent then, secrets aside, and says where others come. What is new
each time, as the challenge of HLS, can't be played to \`read\`.

Examples:
  dlms-gateway replay feeder-7.jsonl --octets
  dlms-gateway replay feeder-7.jsonl --listen 127.0.0.1:4059`,
    )
    .action(async (file: string, options: ReplayOptions) => {
      const { replayCommand } = await import("../commands/replay-command.ts");
      finish(await replayCommand(file, options, output));
    });
};
