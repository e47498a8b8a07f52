import type { AdoptOptions } from "../push-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareMeters: DeclareVerb = (program, { output, finish }) => {
  const meters = program.command("meters").description("the meters that the gateway knows");
  meters
    .command("adopt")
    .description("say which meter an unknown sender is; what it sent is replayed")
    .argument("<sender>", "as push unknown shows it")
    .requiredOption("--name <name>", "of a meter that is known, or of a new one")
    .option("--number <number>", "number of a new meter; what it calls itself when left out")
    .option("--companion <name>", "companion specification of a new meter")
    .option("--time-zone <name>", "zone of a new meter's clock, as Europe/Vienna")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .option("--json", "print JSON")
    .action(async (sender: string, options: AdoptOptions) => {
      const { metersAdopt } = await import("../push-command.ts");
      finish(await metersAdopt(sender, options, output));
    });
};
