import { LAYERS, type Layer } from "../../protocol/translate/translate.ts";
import { resolveSecretText } from "../config/secret.ts";
import { decodeCommand } from "./decode.ts";
import type { ExitReason } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** Options of the command line, as commander gives them. */
export interface DecodeVerbOptions {
  readonly units?: true;
  readonly layer?: string;
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  readonly dedicatedKey?: string;
  readonly systemTitle?: readonly string[];
  readonly showSecrets?: true;
  readonly json?: true;
}

/** `decode HEX…` with keys fetched from where their references say; a key on the command line would be seen by others. */
export async function decodeVerb(
  texts: readonly string[],
  options: DecodeVerbOptions,
  output: Output,
): Promise<ExitReason> {
  const { layer } = options;
  if (layer !== undefined && !isLayer(layer)) {
    output.err(`decode: --layer is one of ${LAYERS.join(", ")}`);
    return "usage";
  }
  const blockCipherKey = options.blockCipherKey && (await resolveSecretText(options.blockCipherKey));
  const authenticationKey = options.authenticationKey && (await resolveSecretText(options.authenticationKey));
  const dedicatedKey = options.dedicatedKey && (await resolveSecretText(options.dedicatedKey));
  return decodeCommand(
    options.units ? texts : [texts.join("")],
    {
      hideSecrets: options.showSecrets !== true,
      json: options.json === true,
      ...(layer && { layer }),
      ...(blockCipherKey && { blockCipherKey }),
      ...(authenticationKey && { authenticationKey }),
      ...(dedicatedKey && { dedicatedKey }),
      ...(options.systemTitle && { systemTitles: options.systemTitle }),
    },
    output,
  );
}

function isLayer(text: string): text is Layer {
  return LAYERS.some((layer) => layer === text);
}
