import type { ReadOptions } from "../commands/read-command.ts";
import { addDirectOptions } from "./direct-options.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareProbe: DeclareVerb = (program, { output, finish }) => {
  const probe = program
    .command("probe")
    .description("walk the road to a meter step by step; of an unknown one, find out how it is to be read")
    .argument("[meter]", "name or number; with --tcp or --serial nothing")
    .option("--json", "print JSON")
    .option("--socket <path>", "control socket of the daemon", SOCKET);
  addDirectOptions(probe)
    .addHelpText(
      "after",
      `
Examples:
  dlms-gateway probe feeder-7
  dlms-gateway probe --tcp 192.0.2.7:4059 --time-zone Asia/Kolkata > meter.yaml`,
    )
    .action(async (meter: string | undefined, options: ReadOptions) => {
      const { probeCommand } = await import("../commands/probe-command.ts");
      finish(await probeCommand(meter, options, output));
    });
};
