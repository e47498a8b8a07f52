import type { DatabasePlace } from "../commands/database-place.ts";
import type { ListingOptions } from "../terminal/listing.ts";
import { addDatabaseOptions, addJsonOption, addListingOptions, type DeclareVerb } from "./verb.ts";

type Options = DatabasePlace & ListingOptions;

export const declareDb: DeclareVerb = (program, { output, finish }) => {
  const db = program.command("db").description("migrate the database, look after it, and say how it stands");
  addJsonOption(addDatabaseOptions(db.command("migrate")))
    .description("bring the schema up to date")
    .option("--dry-run", "say what would be done, and do nothing")
    .action(async (options: Options & { dryRun?: true }) => {
      const { dbMigrate } = await import("../commands/db-command.ts");
      finish(await dbMigrate(options, output));
    });
  addJsonOption(addDatabaseOptions(db.command("status")))
    .description("sizes, chunks, compression, policies, and how far upkeep has come")
    .option("--csv", "print the sizes of the tables as CSV")
    .action(async (options: Options) => {
      const { dbStatus } = await import("../commands/db-command.ts");
      finish(await dbStatus(options, output));
    });
  addListingOptions(addDatabaseOptions(db.command("check")))
    .description("look whether everything is as it has to be; reads whole tables")
    .action(async (options: Options) => {
      const { dbCheck } = await import("../commands/db-command.ts");
      finish(await dbCheck(options, output));
    });
  addJsonOption(addDatabaseOptions(db.command("compat")))
    .description("make read-only views in _timescaledb_cache, for reports that look there")
    .option("--remove", "take them away again")
    .action(async (options: Options & { remove?: true }) => {
      const { dbCompat } = await import("../commands/db-command.ts");
      finish(await dbCompat(options, output));
    });
};
