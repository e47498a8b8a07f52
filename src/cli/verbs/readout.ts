import type { ReadoutVerbOptions } from "../commands/readout-command.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareReadout: DeclareVerb = (program, { output, finish }) => {
  program
    .command("readout")
    .description("have a meter without DLMS read itself out over a serial port (IEC 62056-21, modes A to D)")
    .requiredOption("--serial <path>", "serial port, best one in /dev/serial/by-id")
    .option("--device-address <text>", "address in the sign-on, where several meters are on the line")
    .option(
      "--speed <baud>",
      "the highest to choose, 9600 when left out; with --listen the meter's, 2400 when left out",
    )
    .option("--listen", "wait for a meter that talks unasked (mode D)")
    .option("--echo", "the adapter or optical head returns what we send")
    .option("--json", "print JSON")
    .option("--csv", "print the values as CSV")
    .addHelpText("after", "\nExample:\n  dlms-gateway readout --serial /dev/ttyUSB0 --json")
    .action(async (options: ReadoutVerbOptions) => {
      const { readoutCommand } = await import("../commands/readout-command.ts");
      finish(await readoutCommand(options, output));
    });
};
