import type { SeriesListOptions, SeriesReadOptions, SeriesShowOptions } from "../commands/series-command.ts";
import { addDatabaseOptions, addListingOptions, type DeclareVerb } from "./verb.ts";

export const declareSeries: DeclareVerb = (program, { output, finish }) => {
  const series = program.command("series").description("find series, and read them as they were known at a moment");
  addListingOptions(addDatabaseOptions(series.command("list")))
    .description("series whose key matches a regular expression")
    .argument("[pattern]", "as ^m\\.SMT10007\\. or active_import.*daily", "")
    .option("--dataset <name>", "of one dataset only")
    .option("--limit <count>", "most rows", "1000")
    .action(async (pattern: string, options: SeriesListOptions) => {
      const { seriesList } = await import("../commands/series-command.ts");
      finish(await seriesList(pattern, options, output));
    });
  addListingOptions(addDatabaseOptions(series.command("show")))
    .description("what is known about series, in your language where there is a text")
    .argument("<keys...>", "keys of series")
    .option("--locale <names...>", "languages in order, as de-CH", ["en"])
    .action(async (keys: string[], options: SeriesShowOptions) => {
      const { seriesShow } = await import("../commands/series-command.ts");
      finish(await seriesShow(keys, options, output));
    });
  addListingOptions(addDatabaseOptions(series.command("read")))
    .description("values of series")
    .argument("<keys...>", "keys, as m.SMT10007.active_import.block_load or m.SMT10007.1-0:1.8.0.daily_load")
    .option("--from <time>", "first time", "-infinity")
    .option("--to <time>", "time before which to stop", "infinity")
    .option("--as-of <time>", "as known then; now when left out", "infinity")
    .option("--quality <name>", "at least raw, suspect, validated, estimated, edited or final", "raw")
    .option("--raw", "what meters sent, whatever was made of it")
    .option("--history", "every version, with the time from which and until which it was the latest")
    .option("--run <dataset/label>", "values of a run")
    .addHelpText(
      "after",
      `
Examples:
  dlms-gateway series list 'SMT10007.*active'
  dlms-gateway series read m.SMT10007.active_import.block_load --from 2026-07-01 --to 2026-08-01 --as-of 2026-08-05 --csv`,
    )
    .action(async (keys: string[], options: SeriesReadOptions) => {
      const { seriesRead } = await import("../commands/series-command.ts");
      finish(await seriesRead(keys, options, output));
    });
};
