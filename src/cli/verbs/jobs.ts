import type { JobsOptions } from "../commands/jobs-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareJobs: DeclareVerb = (program, { output, finish }) => {
  program
    .command("jobs")
    .description("what the gateways work at now, what waits and for what, and what comes next")
    .argument("[meter]", "name or number; all when left out")
    .option("--lane <lane>", "control, on_demand, scheduled or backfill")
    .option("--state <state>", "running, waiting or next")
    .option("--limit <jobs>", "most jobs that are shown, up to 1000", "50")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--socket <path>", "control socket of the daemon", SOCKET)
    .addHelpText(
      "after",
      `
Of several gateways all tell what runs and waits; of what comes next this one tells its own, and of METER whoever works it.

Examples:
  dlms-gateway jobs
  dlms-gateway jobs --state waiting --lane on_demand
  dlms-gateway jobs feeder-7 --json`,
    )
    .action(async (meter: string | undefined, options: JobsOptions) => {
      const { jobsCommand } = await import("../commands/jobs-command.ts");
      finish(await jobsCommand(meter, options, output));
    });
};
