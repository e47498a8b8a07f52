import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { sampleConfig } from "../../config/sample.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";

/** `config sample`: a file to start from. */
export function configSample(output: Output): ExitReason {
  output.out(sampleConfig().trimEnd());
  return "success";
}

/** `config check FILE`: every problem with line, path and hint. */
export async function configCheck(file: string, output: Output): Promise<ExitReason> {
  try {
    const config = await loadConfig(file);
    output.out(`${file}: good; ${config.meters.length} meters, ${config.plans.length} reading plans`);
    return "success";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    output.err(error.message);
    return "configuration";
  }
}
