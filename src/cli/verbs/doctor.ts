import type { DoctorOptions } from "../commands/doctor-command.ts";
import { addListingOptions, CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareDoctor: DeclareVerb = (program, { output, finish }) => {
  addListingOptions(program.command("doctor"))
    .description("look at all that the daemon needs: what is missing, and what to do")
    .option("-c, --config <file>", "configuration file", CONFIG_FILE)
    .addHelpText(
      "after",
      "\nExample:\n  sudo -u dlms-gateway dlms-gateway doctor --config /etc/dlms-gateway/gateway.yaml",
    )
    .action(async (options: DoctorOptions) => {
      const { doctorCommand } = await import("../commands/doctor-command.ts");
      finish(await doctorCommand(options, output));
    });
};
