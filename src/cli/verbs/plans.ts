import type { AdditionOptions } from "../commands/plans-command.ts";
import { addListingOptions, addSocketOption, type DaemonOptions, type DeclareVerb } from "./verb.ts";

export const declarePlans: DeclareVerb = (program, { output, finish }) => {
  const plans = program.command("plans").description("what is read how often, of which meters");
  addListingOptions(addSocketOption(plans.command("list")))
    .description("all plans, in the order in which they count: the first of a meter and profile is its own")
    .action(async (options: DaemonOptions) => {
      const { listPlans } = await import("../commands/plans-command.ts");
      finish(await listPlans(options, output));
    });
  addListingOptions(addSocketOption(plans.command("show")))
    .description("the plans of one meter")
    .argument("<meter>", "name of the meter")
    .action(async (meter: string, options: DaemonOptions) => {
      const { showPlans } = await import("../commands/plans-command.ts");
      finish(await showPlans(meter, options, output));
    });
  addListingOptions(addSocketOption(plans.command("add")))
    .description("add a plan, before those of the configuration, or change one that was added; for all gateways")
    .argument("<profile>", "instant, block_load, daily_load, billing or events")
    .requiredOption("--every <duration>", "how often, as 15m")
    .option("--group <name>", "group of the configuration or collection; all meters when left out")
    .option("--deadline <duration>", "how long after its slot a reading may come")
    .option("--history <duration>", "how far back to go for a meter without a reading")
    .option("--order <words>", "oldest-first or newest-first")
    .action(async (profile: string, options: AdditionOptions) => {
      const { addPlan } = await import("../commands/plans-command.ts");
      finish(await addPlan(profile, options, output));
    });
  addListingOptions(addSocketOption(plans.command("remove")))
    .description("remove a plan that was added")
    .argument("<profile>", "its profile")
    .option("--group <name>", "its group")
    .action(async (profile: string, options: DaemonOptions & { readonly group?: string }) => {
      const { dropPlan } = await import("../commands/plans-command.ts");
      finish(await dropPlan(profile, options, output));
    });
};
