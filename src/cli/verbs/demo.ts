import type { DeclareVerb } from "./verb.ts";

export const declareDemo: DeclareVerb = (program, { output, finish }) => {
  program
    .command("demo")
    .description("read a simulated street of meters into an embedded database, and show what came in")
    .option("--once", "read everything once and stop with a summary")
    .option("--meters <count>", "number of meters", "24")
    .option("--faults", "let some meters fail, to see how that is told")
    .option("--keep <directory>", "keep the database in this directory instead of a temporary one")
    .addHelpText("after", "\nExamples:\n  dlms-gateway demo\n  dlms-gateway demo --once --meters 100")
    .action(async (options: { once?: true; meters: string; faults?: true; keep?: string }) => {
      const { demo } = await import("../demo/demo.ts");
      const { once = false, meters, faults = false, keep: directory } = options;
      const order = { once, meters, faults, directory };
      finish(await demo(order, output));
    });
};
