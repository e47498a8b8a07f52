import type { SupportOptions } from "../commands/support-command.ts";
import { addJsonOption, addSocketOption, type DeclareVerb } from "./verb.ts";

export const declareSupport: DeclareVerb = (program, { output, finish }) => {
  addJsonOption(addSocketOption(program.command("support")))
    .description("read a meter, and keep the session as a file to give away: without keys, with pseudonyms")
    .argument("<meter>", "name or number")
    .requiredOption("--out <file>", "the file to write; `replay` shows and plays it")
    .option("--read <what>", "what to read, as with read", "clock")
    .addHelpText("after", "\nExample:\n  dlms-gateway support feeder-7 --out feeder-7.jsonl")
    .action(async (meter: string, options: SupportOptions) => {
      const { supportCommand } = await import("../commands/support-command.ts");
      finish(await supportCommand(meter, options, output));
    });
};
