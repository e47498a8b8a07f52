import type { OrderOptions } from "../commands/order-command.ts";
import { withOrderOptions } from "./meter-orders.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareWrite: DeclareVerb = (program, { output, finish }) => {
  withOrderOptions(program.command("write"))
    .description("write one attribute of a meter, read it back, and show what it holds")
    .argument("[words...]", "METER ATTRIBUTE VALUE; with --tcp or --serial, METER may be left out")
    .addHelpText(
      "after",
      `
ATTRIBUTE is class:logical name:attribute, as 71:0.0.17.0.0.255:4. VALUE is a number, true or false, text, octets as 0x…, or a
list in brackets; it takes the type that the meter's own value has. {"unsigned": 1}, {"structure": [...]} and so on say it.`,
    )
    .action(async (words: string[], options: OrderOptions) => {
      const { writeCommand } = await import("../commands/order-command.ts");
      finish(await writeCommand(words, options, output));
    });
};
