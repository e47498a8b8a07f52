import { duration } from "../../config/fields.ts";
import type { DatabasePlace } from "../commands/database-place.ts";
import type { ListingOptions } from "../terminal/listing.ts";
import { databaseVerb } from "./db-coverage.ts";
import { PROFILE_WORDS } from "./profile-words.ts";
import { addDatabaseOptions, addJsonOption, type DeclareVerb } from "./verb.ts";

interface ImportOptions extends DatabasePlace, ListingOptions {
  readonly profile: string;
  readonly interval?: string;
}

const DAY_S = 86_400;

/** `db import`, under the verb `db`. */
export const declareDbImport: DeclareVerb = (program, { output, finish }) => {
  addJsonOption(addDatabaseOptions(databaseVerb(program).command("import")))
    .description("bring readings of a CSV file into a profile")
    .argument("<file>", "its first line holds the headings")
    .requiredOption("--profile <word>", "instant, block, daily or billing")
    .option("--interval <duration>", "length of a row's interval, as 15m; for block")
    .addHelpText(
      "after",
      `
Headings are meter (number or name), time (as 2026-01-31T00:15:00+05:30; of an interval its end), and any of the profile's
view, as active_import_wh, or objects with their unit, as 1-0:1.8.0 kWh. The same file twice changes nothing; other values for
a slot that is held become revisions; lines that are no rows go to dlms.rejected_rows with the reason.

Example:
  dlms-gateway db import march.csv --profile block --interval 30m`,
    )
    .action(async (file: string, { profile, interval, ...place }: ImportOptions) => {
      const kind = PROFILE_WORDS.get(profile);
      const intervalMs = interval === undefined ? undefined : duration.safeParse(interval).data;
      const isMissing = kind === "block_load" ? intervalMs === undefined : interval !== undefined;
      if (kind === undefined || isMissing) {
        output.err("db import: a profile is instant, block, daily or billing; block, and no other, has an --interval");
        finish("usage");
        return;
      }
      const { importCommand } = await import("../commands/import-command.ts");
      const intervalS = intervalMs === undefined ? (kind === "daily_load" ? DAY_S : undefined) : intervalMs / 1000;
      finish(await importCommand({ file, profile: kind, intervalS }, place, output));
    });
};
