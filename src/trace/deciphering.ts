/** Deciphers single APDUs for a look at them: keys are given, titles and dedicated keys are picked up on the way. */
import { apduNameOf } from "../../protocol/apdu/registry.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { open, parseContent } from "../../protocol/security/aead.ts";
import { parseCipheredApdu } from "../../protocol/security/ciphered-apdu.ts";
import { GENERAL_CIPHERING, parseGeneralCiphering } from "../../protocol/security/general-apdu.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { SECURITY_SUITES, type SecuritySuite } from "../../protocol/security/suites.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";

export interface DecipheringKeys {
  readonly blockCipherKey?: SecretKey<"blockCipherKey"> | undefined;
  readonly authenticationKey?: SecretKey<"authenticationKey"> | undefined;
  readonly broadcastKey?: SecretKey<"broadcastKey"> | undefined;
  readonly dedicatedKey?: SecretKey<"dedicatedKey"> | undefined;
  /** Whoever may have sent the octets; forms that name their sender need none. */
  readonly systemTitles?: readonly SystemTitle[] | undefined;
}

interface Ciphered {
  readonly keySet: "global" | "dedicated";
  /** Undefined when the octets don't say who sent them. */
  readonly sender: SystemTitle | undefined;
  readonly content: Uint8Array;
  /** Octets that the tag covers besides the content. */
  readonly header?: Uint8Array;
}

const TITLE_FIELDS: ReadonlySet<string> = new Set([
  "callingApTitle",
  "respondingApTitle",
  "systemTitle",
  "originatorSystemTitle",
]);
const TITLE_LENGTH = 8;
/** Each is tried for octets that do not say who sent them. */
const MOST_TITLES = 16;

export class Deciphering {
  readonly #blockCipherKey: SecretKey<"blockCipherKey"> | undefined;
  readonly #authenticationKey: SecretKey<"authenticationKey"> | undefined;
  readonly #broadcastKey: SecretKey<"broadcastKey"> | undefined;
  readonly #titles: SystemTitle[];
  #dedicatedKey: SecretKey<"dedicatedKey"> | undefined;

  constructor(keys: DecipheringKeys) {
    this.#blockCipherKey = keys.blockCipherKey;
    this.#authenticationKey = keys.authenticationKey;
    this.#broadcastKey = keys.broadcastKey;
    this.#dedicatedKey = keys.dedicatedKey;
    this.#titles = [...(keys.systemTitles ?? [])];
  }

  /** Takes note of what was read: the title of a sender, the key of an association. */
  see(field: string, octets: Uint8Array): void {
    if (TITLE_FIELDS.has(field) && octets.length === TITLE_LENGTH) this.#meet(systemTitle(octets));
    if (field === "dedicatedKey") this.#dedicatedKey = new SecretKey("dedicatedKey", octets);
  }

  /** The latest first; a session has two, a capture of many sessions has more. */
  #meet(title: SystemTitle): void {
    const others = this.#titles.filter((each) => !each.every((octet, at) => octet === title[at]));
    this.#titles.splice(0, this.#titles.length, title, ...others.slice(0, MOST_TITLES - 1));
  }

  /** The plain APDU of a ciphered one. Throws what is missing or wrong as a DlmsError. */
  decipher(apdu: Uint8Array): Uint8Array {
    const { keySet, sender, content, header } = outside(apdu);
    const parsed = parseContent(content);
    const { broadcast, suite } = parsed.securityControl;
    const [keyName, encryption] =
      keySet === "dedicated"
        ? (["dedicatedKey", this.#dedicatedKey] as const)
        : broadcast
          ? (["broadcastKey", this.#broadcastKey ?? this.#blockCipherKey] as const)
          : (["blockCipherKey", this.#blockCipherKey] as const);
    if (encryption === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: keyName });
    const keys = { suite: suiteFor(suite, encryption), encryption, authentication: this.#authenticationKey };
    let failure = new DlmsError("SECURITY_TITLE_UNKNOWN", "caller", {});
    for (const title of sender === undefined ? this.#titles : [sender]) {
      try {
        const plain = open(keys, { sender: title, ...(header && { header }) }, parsed);
        if (parsed.tag !== undefined || apduNameOf(plain[0] ?? 0) !== undefined) return plain;
      } catch (error) {
        if (!(error instanceof DlmsError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

function outside(apdu: Uint8Array): Ciphered {
  if (apdu[0] !== GENERAL_CIPHERING) {
    const { keySet, systemTitle: sender, content } = parseCipheredApdu(apdu);
    return { keySet, sender, content };
  }
  const { header, headerOctets, content } = parseGeneralCiphering(apdu);
  return { keySet: "global", sender: header.originator, content, header: headerOctets };
}

/** The suite that the octets name, unless the key is too long or too short for it: some meters name the wrong one. */
function suiteFor(named: number, key: SecretKey): SecuritySuite {
  const suites = [0, 1, 2] as const;
  const fitting = suites.filter((suite) => SECURITY_SUITES[suite].keyLength === key.length);
  return fitting.find((suite) => suite === named) ?? fitting[0] ?? 0;
}
