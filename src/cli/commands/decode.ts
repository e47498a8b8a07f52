/** `decode HEX…`: what octets of any layer mean, with the keys to decipher them if they are given. */
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { type KeyRole, SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { treeJson, treeLines } from "../../../protocol/translate/render.ts";
import { type Layer, type Translation, translate } from "../../../protocol/translate/translate.ts";
import { Deciphering, type DecipheringKeys } from "../../trace/deciphering.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";

/** Keys and titles in hexadecimal. */
export interface DecodeKeys {
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  readonly broadcastKey?: string;
  readonly dedicatedKey?: string;
  /** Whoever may have sent the octets; forms that name their sender need none. */
  readonly systemTitles?: readonly string[];
}

export interface DecodeOptions extends DecodeKeys {
  /** Found out from the octets when it is not given. */
  readonly layer?: Layer;
  readonly json?: boolean;
  /** Leaves out passwords and keys that the octets contain. */
  readonly hideSecrets?: boolean;
}

/**
 * Prints one tree per text, each of which is one sequence of octets; titles and dedicated keys in one serve to decipher
 * the next. The reason is `failure` when some of the octets could not be read, `usage` when a text is no hexadecimal.
 */
export function decodeCommand(texts: readonly string[], options: DecodeOptions, output: Output): ExitReason {
  try {
    const deciphering = new Deciphering(decipheringKeys(options));
    const translations = texts.map((text) =>
      translate(fromHex(text), {
        ...(options.layer === undefined ? {} : { layer: options.layer }),
        decipher: (apdu) => deciphering.decipher(apdu),
        seen: (field, octets) => deciphering.see(field, octets),
        secrets: options.hideSecrets ? "hide" : "show",
      }),
    );
    print(translations, options, output);
    return translations.some(({ damaged }) => damaged) ? "failure" : "success";
  } catch (error) {
    if (!(error instanceof DlmsError) || error.fault !== "caller") throw error;
    output.err(error.message);
    return "usage";
  }
}

function print(translations: readonly Translation[], { json = false }: DecodeOptions, output: Output): void {
  if (json) {
    const documents = translations.map((each) => ({ ...each, nodes: each.nodes.map(treeJson) }));
    output.out(JSON.stringify(documents.length === 1 ? documents[0] : documents, undefined, 2));
    return;
  }
  for (const [index, { nodes }] of translations.entries()) {
    if (index > 0) output.out("");
    for (const line of treeLines(nodes)) output.out(line);
  }
}

/** Throws HEX_INVALID, SECURITY_KEY_LENGTH and SECURITY_TITLE_INVALID. */
export function decipheringKeys(keys: DecodeKeys): DecipheringKeys {
  return {
    blockCipherKey: secret("blockCipherKey", keys.blockCipherKey),
    authenticationKey: secret("authenticationKey", keys.authenticationKey),
    broadcastKey: secret("broadcastKey", keys.broadcastKey),
    dedicatedKey: secret("dedicatedKey", keys.dedicatedKey),
    systemTitles: keys.systemTitles?.map((title) => systemTitle(fromHex(title))),
  };
}

function secret<R extends KeyRole>(role: R, hex: string | undefined): SecretKey<R> | undefined {
  return hex === undefined ? undefined : new SecretKey(role, fromHex(hex));
}
