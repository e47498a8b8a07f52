import type { AskOptions, CollectionMakeOptions, CollectionShowOptions } from "../commands/series-command.ts";
import { addDatabaseOptions, addJsonOption, addListingOptions, type DeclareVerb } from "./verb.ts";

export const declareCollections: DeclareVerb = (program, { output, finish }) => {
  const collections = program.command("collections").description("lists of series or meters that you keep");
  addListingOptions(addDatabaseOptions(collections.command("list")))
    .description("your own, and those that are open to you")
    .action(async (options: AskOptions) => {
      const { collectionsList } = await import("../commands/series-command.ts");
      finish(await collectionsList(options, output));
    });
  addListingOptions(addDatabaseOptions(collections.command("show")))
    .description("the members of a collection now")
    .argument("<name>", "name of the collection")
    .option("--owner <role>", "whose it is, where it is not yours")
    .action(async (name: string, options: CollectionShowOptions) => {
      const { collectionsShow } = await import("../commands/series-command.ts");
      finish(await collectionsShow(name, options, output));
    });
  addJsonOption(addDatabaseOptions(collections.command("make")))
    .description("make a collection: by hand, or by a rule")
    .argument("<name>", "name of the collection")
    .option("--meters", "of meters instead of series")
    .option("--pattern <regex>", "rule on keys of series, or on numbers and names of meters")
    .option("--attribute <name=value...>", "rule on attributes of meters, as feeder=7")
    .option("--public", "all readers see it")
    .option("--team <role>", "members of a role see it")
    .action(async (name: string, options: CollectionMakeOptions) => {
      const { collectionsMake } = await import("../commands/series-command.ts");
      finish(await collectionsMake(name, options, output));
    });
  for (const [verb, description] of [
    ["add", "put series or meters into it; how many were new"],
    ["remove", "take series or meters out; it stays when it is empty"],
  ] as const) {
    addJsonOption(addDatabaseOptions(collections.command(verb)))
      .description(description)
      .argument("<name>", "name of the collection")
      .argument("<members...>", "keys of series, or numbers of meters")
      .action(async (name: string, members: string[], options: AskOptions) => {
        const { collectionsMembers } = await import("../commands/series-command.ts");
        finish(await collectionsMembers(verb, [name, ...members], options, output));
      });
  }
  addJsonOption(addDatabaseOptions(collections.command("drop")))
    .description("delete a collection; what it lists stays")
    .argument("<name>", "name of the collection")
    .action(async (name: string, options: AskOptions) => {
      const { collectionsDrop } = await import("../commands/series-command.ts");
      finish(await collectionsDrop(name, options, output));
    });
};
