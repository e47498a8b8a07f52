import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { sampleConfig } from "../../config/sample.ts";
import { counted } from "../../observe/counted.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printList, printOutcome, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";

/** `config sample`: a file to start from. */
export function configSample(output: Output): ExitReason {
  output.out(sampleConfig().trimEnd());
  return "success";
}

/** `config check FILE`: every problem with line, path and hint. */
export async function configCheck(file: string, options: ListingOptions, output: Output): Promise<ExitReason> {
  try {
    const { meters, plans } = await loadConfig(file);
    const outcome = { file, meters: meters.length, plans: plans.length, problems: [] };
    const words = `${file}: good; ${counted(meters.length, "meter")}, ${counted(plans.length, "reading plan")}`;
    if (options.csv === true) printProblems(new ConfigError(file, []), options, output);
    else printOutcome(output, options, outcome, words);
    return "success";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (options.json === true || options.csv === true) printProblems(error, options, output);
    else output.err(error.message);
    return "configuration";
  }
}

function printProblems({ source: file, problems }: ConfigError, options: ListingOptions, output: Output): void {
  printList(output, options, {
    columns: titled("file", "line", "field", "problem"),
    rows: problems.map((each) => [each.file ?? file, each.line ?? null, each.path, each.message]),
    objects: { file, problems },
  });
}
