/** Meters that people added, as the configuration of this gateway sees them. */
import { checkMeter } from "../config/load.ts";
import type { Config, MeterConfig } from "../config/schema.ts";
import type { AddedMeter } from "../store/added-meters.ts";

export interface AddedConfigs {
  readonly configs: readonly MeterConfig[];
  /** Those that can't be worked, and why. */
  readonly refused: readonly { readonly meter: string; readonly reason: string }[];
}

/** The configuration goes before what was added: a name or number of it is not taken a second time. */
export function addedConfigs(config: Pick<Config, "meters" | "models">, added: readonly AddedMeter[]): AddedConfigs {
  const names = new Set(config.meters.map(({ name }) => name));
  const numbers = new Set(config.meters.map(({ number }) => number));
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
