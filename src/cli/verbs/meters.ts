import type { Command } from "commander";
import type { MetersAddOptions } from "../commands/meters-add-command.ts";
import type { MetersListOptions } from "../commands/meters-command.ts";
import type { AdoptOptions } from "../commands/push-command.ts";
import {
  addJsonOption,
  addListingOptions,
  addSocketOption,
  type DaemonOptions,
  type DeclareVerb,
  type VerbContext,
} from "./verb.ts";

export const declareMeters: DeclareVerb = (program, context) => {
  const meters = metersVerb(program);
  declareShowing(meters, context);
  declareChanging(meters, context);
  declareFailing(meters, context);
};

function declareShowing(meters: Command, { output, finish }: VerbContext): void {
  addListingOptions(addSocketOption(meters.command("list")))
    .description("meters by name, each with its last try")
    .option("--search <text>", "part of the name or number")
    .option("--failing", "only those whose last try failed")
    .addHelpText(
      "after",
      "\nExamples:\n  dlms-gateway meters list --search feeder\n  dlms-gateway meters list --failing --csv",
    )
    .action(async (options: MetersListOptions) => {
      const { metersList } = await import("../commands/meters-command.ts");
      finish(await metersList(options, output));
    });
  addListingOptions(addSocketOption(meters.command("show")))
    .description("one meter: what it is, its plans, its last tries")
    .argument("<meter>", "name or number")
    .addHelpText("after", "\nExample:\n  dlms-gateway meters show feeder-7")
    .action(async (meter: string, options: DaemonOptions) => {
      const { metersShow } = await import("../commands/meters-command.ts");
      finish(await metersShow(meter, options, output));
    });
}

function declareChanging(meters: Command, { output, finish }: VerbContext): void {
  addJsonOption(addSocketOption(meters.command("add")))
    .description("add a meter to those of the configuration; it is worked at once, without a restart")
    .argument("<name>", "what people call the meter")
    .argument("<field=value...>", "as in `meters` of the configuration; keys never: association.secret=stored")
    .option("--dry-run", "say what is wrong, add nothing")
    .action(async (name: string, fields: string[], options: MetersAddOptions) => {
      const { metersAdd } = await import("../commands/meters-add-command.ts");
      finish(await metersAdd(name, fields, options, output));
    });
  addJsonOption(addSocketOption(meters.command("import")))
    .description("add the meters of a CSV or XLSX file, all or none; every problem is told with its line")
    .argument("<file>", "the first line names the fields, as name,number,connection.tcp")
    .option("--dry-run", "say what is wrong, add nothing")
    .option("--csv", "print problems as CSV")
    .action(async (file: string, options: MetersAddOptions) => {
      const { metersImport } = await import("../commands/meters-add-command.ts");
      finish(await metersImport(file, options, output));
    });
  addJsonOption(addSocketOption(meters.command("remove")))
    .description("work a meter that was added no more; its readings stay")
    .argument("<name>", "of a meter that was added")
    .action(async (name: string, options: MetersAddOptions) => {
      const { metersRemove } = await import("../commands/meters-add-command.ts");
      finish(await metersRemove(name, options, output));
    });
  addJsonOption(addSocketOption(meters.command("adopt")))
    .description("say which meter an unknown sender is; what it sent is replayed")
    .argument("<sender>", "as push unknown shows it")
    .requiredOption("--name <name>", "of a meter that is known, or of a new one")
    .option("--number <number>", "number of a new meter; what it calls itself when left out")
    .option("--companion <name>", "companion specification of a new meter")
    .option("--time-zone <name>", "zone of a new meter's clock, as Europe/Vienna")
    .action(async (sender: string, options: AdoptOptions) => {
      const { metersAdopt } = await import("../commands/push-command.ts");
      finish(await metersAdopt(sender, options, output));
    });
}

/** Of meters that keep failing. */
function declareFailing(meters: Command, { output, finish }: VerbContext): void {
  addListingOptions(addSocketOption(meters.command("quarantine")))
    .description("meters that keep failing and are tried seldom: since when, why, and when next")
    .argument("[meter]", "this one only")
    .action(async (meter: string | undefined, options: DaemonOptions) => {
      const { metersQuarantine } = await import("../commands/meters-command.ts");
      finish(await metersQuarantine(meter, options, output));
    });
  addJsonOption(addSocketOption(meters.command("release")))
    .description("forget that a meter has failed: it is tried now, and as often as others")
    .argument("<meter>", "name or number")
    .addHelpText("after", "\nExample:\n  dlms-gateway meters release feeder-7")
    .action(async (meter: string, options: DaemonOptions) => {
      const { metersRelease } = await import("../commands/meters-command.ts");
      finish(await metersRelease(meter, options, output));
    });
}

/** The verb that other files add to. */
export function metersVerb(program: Command): Command {
  const known = program.commands.find((command) => command.name() === "meters");
  return known ?? program.command("meters").description("the meters that the gateway knows");
}
