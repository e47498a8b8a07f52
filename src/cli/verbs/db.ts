import type { Command } from "commander";
import type { DatabasePlace } from "../commands/database-place.ts";
import { CONFIG_FILE, type DeclareVerb } from "./verb.ts";

export const declareDb: DeclareVerb = (program, { output, finish }) => {
  const db = program.command("db").description("migrate the database, look after it, and say how it stands");
  withPlace(db.command("migrate").description("bring the schema up to date"))
    .option("--dry-run", "say what would be done, and do nothing")
    .action(async (options: DatabasePlace & { dryRun?: true; json?: true }) => {
      const { dbMigrate } = await import("../commands/db-command.ts");
      finish(await dbMigrate(options, output));
    });
  withPlace(db.command("status").description("sizes, chunks, compression, policies, and how far upkeep has come"))
    .option("--csv", "print the sizes of the tables as CSV")
    .action(async (options: DatabasePlace & { json?: true; csv?: true }) => {
      const { dbStatus } = await import("../commands/db-command.ts");
      finish(await dbStatus(options, output));
    });
  withPlace(db.command("check").description("look whether everything is as it has to be; reads whole tables"))
    .option("--csv", "print CSV")
    .action(async (options: DatabasePlace & { json?: true; csv?: true }) => {
      const { dbCheck } = await import("../commands/db-command.ts");
      finish(await dbCheck(options, output));
    });
  withPlace(db.command("compat").description("make read-only views in _timescaledb_cache, for reports that look there"))
    .option("--remove", "take them away again")
    .action(async (options: DatabasePlace & { remove?: true; json?: true }) => {
      const { dbCompat } = await import("../commands/db-command.ts");
      finish(await dbCompat(options, output));
    });
};

export function withPlace(command: Command): Command {
  return command
    .option("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--url <reference>", "connection string of the database: env:NAME or file:PATH")
    .option("--directory <path>", "directory of an embedded database, also of a demo that was kept")
    .option("--json", "print JSON");
}
