import { QUIRK_MODELS } from "../../protocol/quirk-models.ts";
import type { MeterQuirk } from "../../protocol/quirks.ts";
import { ConfigError } from "./config-error.ts";
import type { Config, MeterConfig } from "./schema.ts";

/** The quirks of a model: those of the configuration, else of the models known to the gateway; undefined for no model. */
function quirksOfModel(name: string, models: Config["models"] = []): readonly MeterQuirk[] | undefined {
  return [...models, ...QUIRK_MODELS].find((model) => model.name === name)?.quirks;
}

/** Gives each meter the quirks of its model besides its own. Throws ConfigError for models that nobody knows. */
export function withModelQuirks(config: Config, source: string): Config {
  const problems = config.meters.flatMap(({ model }, index) =>
    model === undefined || quirksOfModel(model, config.models) !== undefined
      ? []
      : [{ path: `meters[${index}].model`, message: `no model ${model}; there are: ${modelNames(config).join(", ")}` }],
  );
  if (problems.length > 0) throw new ConfigError(source, problems);
  return { ...config, meters: config.meters.map((meter) => withQuirks(meter, config.models)) };
}

/** The same for a meter that is in no configuration; without models, those known to the gateway are there. */
export function withKnownModel(meter: MeterConfig, models: Config["models"] = []): MeterConfig {
  if (meter.model !== undefined && quirksOfModel(meter.model, models) === undefined) {
    throw new Error(`no model ${meter.model}; there are: ${modelNames({ models }).join(", ")}`);
  }
  return withQuirks(meter, models);
}

function withQuirks(meter: MeterConfig, models: Config["models"]): MeterConfig {
  const ofModel = meter.model === undefined ? undefined : quirksOfModel(meter.model, models);
  return ofModel === undefined ? meter : { ...meter, quirks: [...new Set([...ofModel, ...meter.quirks])] };
}

function modelNames({ models }: Pick<Config, "models">): string[] {
  return [...models, ...QUIRK_MODELS].map(({ name }) => name);
}
