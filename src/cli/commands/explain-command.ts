/** `config explain`: what a field means, and where its value comes from. */
import { ConfigError } from "../../config/config-error.ts";
import { nearestName } from "../../config/nearest-name.ts";
import { type ConfigField, configFields } from "../../config/schema-walk.ts";
import { ConfigSources } from "../../config/sources.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";

/** `key` is as polling.concurrency, meters.connection.tcp or meters[3].name. */
export async function configExplain(key: string, file: string, output: Output): Promise<ExitReason> {
  const wanted = key.replaceAll(/\[\d*\]/g, "");
  const fields = configFields();
  const field = fields.find((each) => plain(each) === wanted);
  if (field === undefined) {
    const near = nearestName(wanted, fields.map(plain));
    output.err(`no field ${key}${near === undefined ? "" : `; did you mean ${near}?`}`);
    return "usage";
  }
  output.out(`${field.path}: ${field.description}`);
  if (field.isSection) {
    const within = fields.filter((each) => plain(each).startsWith(`${wanted}.`) && each.depth <= field.depth + 2);
    output.out(`  holds    ${within.map(({ name }) => name).join(", ")}`);
  } else {
    output.out(`  type     ${field.type}`);
    output.out(`  default  ${field.required ? "none, it is required" : textOf(field.fallback)}`);
  }
  await tellValue(key, file, output);
  return "success";
}

async function tellValue(key: string, file: string, output: Output): Promise<void> {
  const path = key.split(/[.[\]]+/).flatMap((step) => (step === "" ? [] : [/^\d+$/.test(step) ? Number(step) : step]));
  try {
    const sources = await ConfigSources.read(file);
    const value = path.reduce<unknown>((within, step) => Object(within)[step], sources.value);
    const place = value === undefined ? undefined : sources.placeOf(path);
    const from = place === undefined ? `not in ${file} or its drop-ins` : `${place.file}:${place.line}`;
    output.out(`  here     ${value === undefined ? from : `${textOf(value)}, ${from}`}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    output.out(`  here     ${error.message}`);
  }
}

function plain({ path }: ConfigField): string {
  return path.replaceAll("[]", "");
}

function textOf(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
