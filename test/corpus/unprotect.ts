import { type Apdu, decodeApdu } from "../../protocol/apdu/apdu.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { ALL_QUIRKS, FIELD_QUIRKS, NO_QUIRKS, type Quirk } from "../../protocol/quirks.ts";
import { parseContent } from "../../protocol/security/aead.ts";
import {
  ApduProtection,
  SECURITY_TOLERANCES,
  type SecurityTolerance,
} from "../../protocol/security/apdu-protection.ts";
import { isCipheredTag, parseCipheredApdu } from "../../protocol/security/ciphered-apdu.ts";
import type { ProtectionKeys } from "../../protocol/security/keys-in-force.ts";
import { type KeyRole, SecretKey } from "../../protocol/security/secret-key.ts";
import type { SecuritySuite } from "../../protocol/security/suites.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { CorpusCase, Facts } from "./case.ts";
import { keyOf } from "./input.ts";
import { normaliseApdu } from "./normalise-apdu.ts";
import { type Leniency, NotSupported } from "./reading.ts";
import { openGeneralCiphering } from "./unprotect-general.ts";

/** The title of the side that only receives; no case uses it. */
const NOBODY = systemTitle(Uint8Array.of(0x5a, 0x5a, 0x5a, 0, 0, 0, 0, 0));
/** Services that a server sends, by their plain, glo- and ded- tags. */
const FROM_SERVER: ReadonlySet<number> = new Set([
  0x08, 0x28, 0x48, 0xc4, 0xcc, 0xd4, 0xc5, 0xcd, 0xd5, 0xc7, 0xcf, 0xd7, 0xc2, 0xca, 0xd2,
]);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const TOLERANCES = Object.keys(SECURITY_TOLERANCES) as SecurityTolerance[];

const GENERAL_CIPHERING = 0xdd;
/** A P1 telegram may be ciphered instead of an APDU; it begins with a slash. */
const TELEGRAM_START = 0x2f;

export function quirksOf(leniency: Leniency): ReadonlySet<Quirk> {
  return { standard: NO_QUIRKS, field: FIELD_QUIRKS, lenient: ALL_QUIRKS }[leniency];
}

export interface Opened {
  /** The outermost APDU, ciphered or not. */
  readonly outer: Facts;
  /** What had been protected; undefined when nothing was, or the case holds no key to open it. */
  readonly plaintext: Uint8Array | undefined;
  readonly plain: Facts | undefined;
  /** The innermost APDU that could be decoded. */
  readonly innermost: Apdu;
  /** What else the way there shows: additional data, an unwrapped key. */
  readonly facts?: Facts;
}

/** Decodes an APDU and, when it is ciphered and the case has keys, what is inside. */
export function openApdu(each: CorpusCase, apdu: Uint8Array, leniency: Leniency): Opened {
  const quirks = quirksOf(leniency);
  const decoded = decodeApdu(apdu, quirks);
  const outer = normaliseApdu(decoded);
  const tag = apdu[0] ?? 0;
  if (tag === GENERAL_CIPHERING && Object.keys(each.keys).length > 0) {
    const { plaintext, facts } = openGeneralCiphering(each, apdu, protectionKeys(each), leniency);
    const innermost = decodeApdu(plaintext, quirks);
    return { outer, plaintext, plain: normaliseApdu(innermost), innermost, facts };
  }
  if (!isCipheredTag(tag) || keyOf(each, "guek", "gbek", "dedicatedKey") === undefined) {
    return { outer, plaintext: undefined, plain: undefined, innermost: decoded };
  }
  const { apdu: plaintext, verified } = protectionFor(each, apdu, leniency).unprotect(apdu);
  const facts = { tagVerified: verified };
  if (plaintext[0] === TELEGRAM_START) return { outer, plaintext, plain: undefined, innermost: decoded, facts };
  const innermost = decodeApdu(plaintext, quirks);
  return { outer, plaintext, plain: normaliseApdu(innermost), innermost, facts };
}

/** `plaintext` in hex and `plainApdu`, where there are some. */
export function plainFacts(opened: Opened): Facts {
  if (opened.plaintext === undefined) return {};
  return { plaintext: toHex(opened.plaintext), plainApdu: opened.plain, ...opened.facts };
}

/** The receiver's side of a case's protection, with all the keys that the case gives. */
export function protectionFor(each: CorpusCase, apdu: Uint8Array, leniency: Leniency): ApduProtection {
  const content = parseCipheredApdu(apdu);
  const { suite } = parseContent(content.content).securityControl;
  if (suite !== 0 && suite !== 1 && suite !== 2) throw new NotSupported(`security suite ${suite}`);
  const title = senderTitle(each, apdu[0] ?? 0);
  return new ApduProtection({
    suite: suite satisfies SecuritySuite,
    ownSystemTitle: NOBODY,
    keys: protectionKeys(each),
    nextInvocationCounter: () => 0,
    tolerate: leniency === "standard" ? [] : TOLERANCES,
    ...(title === undefined ? {} : { peerSystemTitle: title }),
  });
}

export function protectionKeys(each: CorpusCase): ProtectionKeys {
  const key = <R extends KeyRole>(role: R, ...names: string[]) => {
    const octets = keyOf(each, ...names);
    return octets === undefined ? undefined : new SecretKey(role, octets);
  };
  const keys = {
    blockCipherKey: key("blockCipherKey", "guek"),
    authenticationKey: key("authenticationKey", "gak"),
    broadcastKey: key("broadcastKey", "gbek"),
    dedicatedKey: key("dedicatedKey", "dedicatedKey"),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Absent keys are left out, as the options want it.
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined)) as ProtectionKeys;
}

/** Who sent it, for forms that do not say: the server's title for what servers send, else the client's. */
function senderTitle(each: CorpusCase, tag: number): SystemTitle | undefined {
  const side = FROM_SERVER.has(tag) ? "serverSystemTitle" : "clientSystemTitle";
  const octets = keyOf(each, side, "systemTitle");
  return octets === undefined ? undefined : systemTitle(octets);
}
