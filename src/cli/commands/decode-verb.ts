import { LAYERS, type Layer } from "../../../protocol/translate/translate.ts";
import { resolveSecretText } from "../../config/secret.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { decipheringKeys, decodeCommand } from "./decode.ts";

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
  readonly pcap?: string;
  readonly config?: string;
  readonly meter?: string;
  readonly octets?: true;
  readonly all?: true;
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
  const keys = {
    ...(blockCipherKey && { blockCipherKey }),
    ...(authenticationKey && { authenticationKey }),
    ...(dedicatedKey && { dedicatedKey }),
    ...(options.systemTitle && { systemTitles: options.systemTitle }),
  };
  if (options.pcap !== undefined) {
    const { decodeCapture } = await import("./decode-capture.ts");
    return decodeCapture(options.pcap, { ...options, keys: decipheringKeys(keys) }, output);
  }
  if (texts.length === 0) {
    output.err("decode: say the octets, or --pcap FILE");
    return "usage";
  }
  return decodeCommand(
    options.units ? texts : [texts.join("")],
    {
      ...keys,
      hideSecrets: options.showSecrets !== true,
      json: options.json === true,
      ...(layer && { layer }),
    },
    output,
  );
}

function isLayer(text: string): text is Layer {
  return LAYERS.some((layer) => layer === text);
}
