/** Meters that people added, as the configuration of this gateway sees them. */
import { checkMeter } from "../config/load.ts";
import type { Config, MeterConfig } from "../config/schema.ts";
import type { AddedMeter } from "../store/records/added-meters.ts";

export interface AddedConfigs {
  readonly configs: readonly MeterConfig[];
  /** Those that can't be worked, and why. */
  readonly refused: readonly { readonly meter: string; readonly reason: string }[];
}

/** Names and numbers that the configuration gives meters. */
export interface ConfiguredMeters {
  readonly names: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
}

export function configuredMeters({ meters }: Pick<Config, "meters">): ConfiguredMeters {
  return { names: new Set(meters.map(({ name }) => name)), numbers: new Set(meters.map(({ number }) => number)) };
}

/** The configuration goes before what was added: a name or number of it is not taken a second time. */
export function addedConfigs(
  config: Pick<Config, "meters" | "models">,
  added: readonly AddedMeter[],
  { names, numbers }: ConfiguredMeters = configuredMeters(config),
): AddedConfigs {
  const configs: MeterConfig[] = [];
  const refused: { meter: string; reason: string }[] = [];
  for (const { name, number, settings } of added) {
    const checked = checkMeter(settings, config.models);
    if (names.has(name) || numbers.has(number)) refused.push({ meter: name, reason: "it is in the configuration too" });
    else if ("meter" in checked) configs.push(checked.meter);
    else
      refused.push({ meter: name, reason: checked.problems.map((each) => `${each.path}: ${each.message}`).join("; ") });
  }
  return { configs, refused };
}
