/** `config explain`: what a field means, and where its value comes from. */
import { ConfigError } from "../../config/config-error.ts";
import { nearestName } from "../../config/nearest-name.ts";
import { type ConfigField, configFields } from "../../config/schema-walk.ts";
import { ConfigSources } from "../../config/sources.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printOutcome } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";

export interface ExplainOptions extends ListingOptions {
  readonly config: string;
}

/** `key` is as polling.concurrency, meters.connection.tcp or meters[3].name. */
export async function configExplain(key: string, options: ExplainOptions, output: Output): Promise<ExitReason> {
  const wanted = key.replaceAll(/\[\d*\]/g, "");
  const fields = configFields();
  const field = fields.find((each) => plain(each) === wanted);
  if (field === undefined) {
    const near = nearestName(wanted, fields.map(plain));
    output.err(`no field ${key}${near === undefined ? "" : `; did you mean ${near}?`}`);
    return "usage";
  }
  const { path, description, type, required, fallback, isSection } = field;
  const within = fields.filter((each) => plain(each).startsWith(`${wanted}.`) && each.depth <= field.depth + 2);
  const holds = within.map(({ name }) => name);
  const here = await valueHere(key, options.config);
  const about = isSection
    ? { words: [`  holds    ${holds.join(", ")}`], facts: { holds } }
    : {
        words: [`  type     ${type}`, `  default  ${required ? "none, it is required" : textOf(fallback)}`],
        facts: { type, required, default: fallback },
      };
  const words = [`${path}: ${description}`, ...about.words, `  here     ${here.words}`];
  printOutcome(output, options, { field: path, description, ...about.facts, here: here.facts }, words.join("\n"));
  return "success";
}

/** What the file says of the field, and where. */
async function valueHere(key: string, file: string): Promise<{ readonly words: string; readonly facts: unknown }> {
  const path = key.split(/[.[\]]+/).flatMap((step) => (step === "" ? [] : [/^\d+$/.test(step) ? Number(step) : step]));
  try {
    const sources = await ConfigSources.read(file);
    const value = path.reduce<unknown>((within, step) => Object(within)[step], sources.value);
    if (value === undefined) return { words: `not in ${file} or its drop-ins`, facts: null };
    const place = sources.placeOf(path);
    const from = place === undefined ? file : `${place.file}:${place.line}`;
    return {
      words: `${textOf(value)}, ${from}`,
      facts: { value, file: place?.file ?? file, line: place?.line ?? null },
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { words: error.message, facts: { problem: error.message } };
  }
}

function plain({ path }: ConfigField): string {
  return path.replaceAll("[]", "");
}

function textOf(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
