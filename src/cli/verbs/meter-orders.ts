import type { Command } from "commander";
import type { FirmwareOptions } from "../commands/firmware-command.ts";
import type { ClockOptions, ObjectOrderOptions } from "../commands/order-command.ts";
import { addDirectOptions } from "./direct-options.ts";
import { metersVerb } from "./meters.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

/** `meters disconnect`, `reconnect`, `activate-calendar`, `clock` and `firmware`, under the verb `meters`. */
export const declareMeterOrders: DeclareVerb = (program, { output, finish }) => {
  for (const [type, description, own] of [
    ["disconnect", "open the load switch, and show that the meter has", "switch than the meter's own, 0.0.96.3.10.255"],
    [
      "reconnect",
      "close the load switch, or make it ready to be closed at the meter",
      "switch than the meter's own, 0.0.96.3.10.255",
    ],
    [
      "activate-calendar",
      "put the passive activity calendar in force, and show that the meter has",
      "calendar than 0.0.13.0.0.255",
    ],
  ] as const) {
    ordered(metersVerb(program).command(type))
      .description(description)
      .option("--object <logical name>", `another ${own}`)
      .action(async (meter: string | undefined, options: ObjectOrderOptions) => {
        const { objectOrderCommand } = await import("../commands/order-command.ts");
        finish(await objectOrderCommand(type, meter, options, output));
      });
  }
  ordered(metersVerb(program).command("clock"))
    .description("show the meter's clock beside ours, or set it")
    .option("--set", "set it, in the style in which the meter shows it")
    .action(async (meter: string | undefined, options: ClockOptions) => {
      const { clockCommand } = await import("../commands/order-command.ts");
      finish(await clockCommand(meter, options, output));
    });
  addDirectOptions(metersVerb(program).command("firmware"))
    .description("transfer an image to the meter at an address, verify it, activate it, and see that it runs")
    .argument("<file>", "the image")
    .requiredOption("--identifier <text>", "the image's own, exactly: text, or octets as 0x…")
    .option("--resume", "go on at the first block that the meter lacks of this image")
    .option("--json", "print JSON")
    .action(async (file: string, options: FirmwareOptions) => {
      const { firmwareCommand } = await import("../commands/firmware-command.ts");
      finish(await firmwareCommand(file, options, output));
    });
};

function ordered(command: Command): Command {
  return withOrderOptions(command.argument("[meter]", "name or number; with --tcp or --serial it may be left out"));
}

/** What every order is given with. */
export function withOrderOptions(command: Command): Command {
  return addDirectOptions(
    command
      .option("--why <text>", "the reason, for the log; wanted without --tcp and --serial")
      .option("--socket <path>", "control socket of the daemon", SOCKET)
      .option("--json", "print JSON"),
  );
}
