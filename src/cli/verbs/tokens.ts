import type { DatabasePlace } from "../commands/database-place.ts";
import type { TokenCreateOptions } from "../commands/tokens-command.ts";
import type { ListingOptions } from "../terminal/listing.ts";
import { addDatabaseOptions, addJsonOption, addListingOptions, type DeclareVerb } from "./verb.ts";

export const declareTokens: DeclareVerb = (program, { output, finish }) => {
  const tokens = program.command("tokens").description("who may ask the HTTP API and see its pages");
  addJsonOption(addDatabaseOptions(tokens.command("create")))
    .description("make a token; it is shown once and can't be looked up")
    .requiredOption("--name <name>", "who or what it is for")
    .option("--role <role>", "reader, operator, engineer or admin; each may do what those before it may", "reader")
    .option("--collection <names...>", "only for the meters of these collections")
    .option("--days <days>", "how long it is valid", "365")
    .addHelpText(
      "after",
      `
Roles:
  reader    sees meters, readings, gaps and events
  operator  also asks for reads, and sees the gateway's log
  engineer  also changes meters and their push setups
  admin     also makes and revokes tokens

Example:
  dlms-gateway tokens create --name grafana --days 90`,
    )
    .action(async (options: TokenCreateOptions) => {
      const { tokensCreate } = await import("../commands/tokens-command.ts");
      finish(await tokensCreate(options, output));
    });
  addListingOptions(addDatabaseOptions(tokens.command("list")))
    .description("which tokens there are, newest first")
    .action(async (options: DatabasePlace & ListingOptions) => {
      const { tokensList } = await import("../commands/tokens-command.ts");
      finish(await tokensList(options, output));
    });
  addJsonOption(addDatabaseOptions(tokens.command("revoke")))
    .description("revoke a token: it is valid no longer")
    .argument("<id>", "as tokens list shows it")
    .action(async (id: string, options: DatabasePlace & ListingOptions) => {
      const { tokensRevoke } = await import("../commands/tokens-command.ts");
      finish(await tokensRevoke(id, options, output));
    });
};
