import type { Command } from "commander";
import { CONFIG_FILE, type DeclareVerb, SOCKET } from "./verb.ts";

interface CoverageOptions {
  readonly meter?: string[];
  readonly socket: string;
  readonly config: string;
  readonly json?: true;
}

/** `db coverage check` and `db coverage rebuild`, under the verb `db`, whoever declares it. */
export const declareDbCoverage: DeclareVerb = (program, { output, finish }) => {
  const coverage = databaseVerb(program).command("coverage").description("the ledger of slots");
  for (const [word, description] of [
    ["check", "hold the ledger against the data; fails when they disagree"],
    ["rebuild", "make the ledger anew from the data"],
  ] as const) {
    coverage
      .command(word)
      .description(description)
      .option("--meter <names...>", "only these meters")
      .option("--socket <path>", "control socket of the daemon", SOCKET)
      .option("-c, --config <file>", "configuration file, for its database where no daemon answers", CONFIG_FILE)
      .option("--json", "print JSON, a value a line")
      .action(async ({ meter, ...place }: CoverageOptions) => {
        const { maintenanceCommand } = await import("../commands/maintenance-command.ts");
        const order = { task: `coverage-${word}` as const, ...(meter && { meters: meter }) };
        finish(await maintenanceCommand(order, place, output));
      });
  }
};

/** The verb `db`, made if it is not there yet. */
export function databaseVerb(program: Command): Command {
  const known = program.commands.find((command) => command.name() === "db");
  return known ?? program.command("db").description("the database");
}
