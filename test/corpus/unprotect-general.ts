import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { parseContent } from "../../protocol/security/aead.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import {
  encodeHeader,
  type GeneralCipheringApdu,
  parseGeneralCiphering,
} from "../../protocol/security/general-apdu.ts";
import { GeneralProtection } from "../../protocol/security/general-protection.ts";
import { unwrapKey } from "../../protocol/security/key-wrap.ts";
import type { ProtectionKeys } from "../../protocol/security/keys-in-force.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { CorpusCase, Facts } from "./case.ts";
import { keyOf } from "./input.ts";
import type { Leniency } from "./reading.ts";

/** Opens general-ciphering under the keys of a case, as the recipient that its header names. */
export function openGeneralCiphering(
  each: CorpusCase,
  octets: Uint8Array,
  keys: ProtectionKeys,
  leniency: Leniency,
): { readonly plaintext: Uint8Array; readonly facts: Facts } {
  const outside = parseGeneralCiphering(octets);
  const { securityControl } = parseContent(outside.content);
  const kek = keyOf(each, "kek");
  const general = new GeneralProtection({
    protection: new ApduProtection({
      suite: securityControl.suite === 1 ? 1 : kek?.length === 32 || keys.blockCipherKey?.length === 32 ? 2 : 0,
      ownSystemTitle: outside.header.recipient ?? systemTitle(new Uint8Array(8)),
      keys,
      nextInvocationCounter: () => 0,
    }),
    keys: { ...keys, ...(kek && { masterKey: new SecretKey("masterKey", kek) }) },
    nextInvocationCounter: () => 0,
    tolerateOtherAad: leniency === "lenient",
  });
  const { apdu, layers } = general.unprotect(octets);
  const [layer] = layers;
  const covered =
    layer?.form === "general-ciphering" && layer.aad === "with-header" ? encodeHeader(outside.header) : "";
  const aad = [Uint8Array.of(securityControl.octet), fromHex(each.keys["gak"] ?? ""), covered];
  const text = aad.map((part) => (typeof part === "string" ? part : toHex(part))).join("");
  return { plaintext: apdu, facts: { aad: text, ...unwrapped(outside, kek) } };
}

function unwrapped({ keyInfo }: GeneralCipheringApdu, kek: Uint8Array | undefined): Facts {
  if (keyInfo?.type !== "wrapped-key" || kek === undefined) return {};
  const key = unwrapKey(new SecretKey("masterKey", kek), "transactionKey", keyInfo.keyCipheredData);
  return { unwrappedKey: toHex(key.reveal()) };
}
