import type { ReplayOptions } from "../commands/replay-command.ts";
import type { SimulateOptions } from "../commands/simulate-command.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareSimulate: DeclareVerb = (program, { output, finish }) => {
  program
    .command("simulate")
    .description("be a meter, as a description file says (see docs/simulator.md)")
    .argument("<file>", "description of the meter, YAML or JSON, or what `read --dump` has written")
    .option("--listen <host:port>", "where to listen", "127.0.0.1:4059")
    .option("--call <host:port>", "call a gateway there instead, and again whenever the call has ended")
    .option("--greeting <text>", "with --call: what the modem says first")
    .option("--link <link>", "wrapper or hdlc", "wrapper")
    .option("--physical-address <number>", "HDLC: lower address of the meter")
    .option("--short-names", "reference its objects by short names")
    .option("--seed <number>", "secrets and keys of the associations follow from it", "1")
    .option("--recording", "the file is a recording: be the meter that it was made of, as `replay --listen`")
    .option("--loose", "with --recording: answer whatever is asked, in the order of the recording")
    .action(async (file: string, options: SimulateOptions & Pick<ReplayOptions, "loose"> & { recording?: true }) => {
      if (options.recording === true) {
        const { replayCommand } = await import("../commands/replay-command.ts");
        const { listen, loose } = options;
        finish(await replayCommand(file, { listen, ...(loose && { loose }) }, output));
        return;
      }
      const { simulateCommand } = await import("../commands/simulate-command.ts");
      finish(await simulateCommand(file, options, output));
    });
};
