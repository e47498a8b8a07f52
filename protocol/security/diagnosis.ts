/**
 * Why a ciphered APDU does not open. Nothing found here is delivered as data: the octets are deciphered without their
 * tag only to see whether an APDU shows, which tells a wrong authentication key from a wrong block cipher key or title.
 */
import { decodeApdu } from "../apdu/apdu.ts";
import { DlmsError, type ErrorCode } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AadForm, type CipheredContent, counterMode, initialisationVector, open, parseContent } from "./aead.ts";
import { type CipheredApdu, parseCipheredApdu } from "./ciphered-apdu.ts";
import type { ProtectionKeys } from "./keys-in-force.ts";
import { SecretKey } from "./secret-key.ts";
import type { SecuritySuite } from "./suites.ts";
import { type SystemTitle, sameTitle } from "./system-title.ts";

/** What can be found, and what to say to a person. */
export const DIAGNOSES = {
  intact: "the APDU opens with these keys and this system title",
  "authentication-key-wrong": "the authentication key is wrong; the block cipher key and the system title fit",
  "block-cipher-key-wrong": "the block cipher key is wrong, or the octets are damaged from the start",
  "system-title-wrong": "the sender's system title is another one; the block cipher key fits",
  "keys-exchanged": "the block cipher key and the authentication key have been exchanged",
  "additional-data-empty": "the sender leaves the authentication key out of the tag",
  "octets-damaged": "the keys fit, but the octets are damaged or cut off",
  undecided: "without encryption nothing shows which of keys and system title is wrong",
  "key-missing": "the key that this APDU needs has not been given",
  "title-missing": "the APDU does not name its sender, and no system title has been given",
  malformed: "the octets are no ciphered APDU that is known here",
} as const;

export type Finding = keyof typeof DIAGNOSES;

export interface Diagnosis {
  readonly finding: Finding;
  /** A tag that fits proves; a plausible APDU under encryption only makes likely. */
  readonly proven: boolean;
  /** The system title that fits, when it is not the one that was believed. */
  readonly systemTitle?: SystemTitle;
  /** Names of the keys from `otherKeys` that fit. */
  readonly fittingKeys?: readonly string[];
  /** For `malformed`: what was wrong with it. */
  readonly code?: ErrorCode;
}

export interface DiagnosisInputs {
  /** The keys that were believed to be right. */
  readonly keys: ProtectionKeys;
  /** The sender's title where the APDU does not name one. */
  readonly systemTitle?: SystemTitle;
  /** Titles to try: other meters', the other side's, another way to build one from the serial number. */
  readonly otherTitles?: readonly SystemTitle[];
  /** Keys to try, by a name that may be shown. */
  readonly otherKeys?: readonly NamedKey[];
}

interface NamedKey {
  readonly name: string;
  readonly key: SecretKey;
}

interface Candidate {
  readonly key: SecretKey;
  /** Undefined for the believed key. */
  readonly name: string | undefined;
}

interface Trial {
  readonly outside: CipheredApdu;
  readonly content: CipheredContent;
  readonly title: SystemTitle;
  readonly titles: readonly SystemTitle[];
  readonly encryption: Candidate;
  readonly encryptions: readonly Candidate[];
  readonly authentications: readonly Candidate[];
}

const EXCHANGED = "exchanged";

/** Finds out why an APDU does not open with these keys, as far as cryptography allows. Never throws for its octets. */
export function diagnose(apdu: Uint8Array, inputs: DiagnosisInputs): Diagnosis {
  let trial: Trial | Finding;
  try {
    trial = trialOf(apdu, inputs);
  } catch (error) {
    if (error instanceof DlmsError) return { finding: "malformed", proven: true, code: error.code };
    throw error;
  }
  if (typeof trial === "string") return { finding: trial, proven: true };
  return proof(trial) ?? likelihood(trial);
}

function trialOf(apdu: Uint8Array, inputs: DiagnosisInputs): Trial | Finding {
  const outside = parseCipheredApdu(apdu);
  const content = parseContent(outside.content);
  const { keys, otherKeys = [], otherTitles = [] } = inputs;
  const named = content.securityControl.broadcast ? keys.broadcastKey : keys.blockCipherKey;
  const encryption = outside.keySet === "dedicated" ? keys.dedicatedKey : named;
  const title = outside.systemTitle ?? inputs.systemTitle;
  if (encryption === undefined) return "key-missing";
  if (title === undefined) return "title-missing";
  const others = otherKeys.map(({ name, key }): Candidate => ({ name, key }));
  const believed: Candidate = { name: undefined, key: encryption };
  const authentication: Candidate[] =
    keys.authenticationKey === undefined ? [] : [{ name: undefined, key: keys.authenticationKey }];
  return {
    outside,
    content,
    title,
    titles: [title, ...(inputs.systemTitle === undefined ? [] : [inputs.systemTitle]), ...otherTitles],
    encryption: believed,
    encryptions: [believed, ...exchanged(keys.authenticationKey), ...others],
    authentications: [...authentication, ...exchanged(encryption), ...others],
  };
}

function exchanged(key: SecretKey | undefined): Candidate[] {
  return key === undefined ? [] : [{ name: EXCHANGED, key }];
}

/** The first combination whose tag fits. */
function proof(trial: Trial): Diagnosis | undefined {
  if (trial.content.tag === undefined) return undefined;
  let attempts = 0;
  for (const combination of combinations(trial)) {
    if (++attempts > LIMITS.diagnosisAttempts) return undefined;
    if (fits(trial.content, combination)) return proven(trial, combination);
  }
  return undefined;
}

interface Combination {
  readonly title: SystemTitle;
  readonly encryption: Candidate;
  readonly authentication: Candidate | undefined;
  readonly aadForm: AadForm;
}

/** The believed ones first, so that the least deviation is what is found. */
function* combinations(trial: Trial): Generator<Combination> {
  const forms = [
    ...trial.authentications.map((authentication) => ({ authentication, aadForm: "standard" as const })),
    { authentication: undefined, aadForm: "empty" as const },
  ];
  for (const title of trial.titles)
    for (const encryption of trial.encryptions) for (const form of forms) yield { title, encryption, ...form };
}

function fits(content: CipheredContent, { title, encryption, authentication, aadForm }: Combination): boolean {
  const key = authentication && new SecretKey("authenticationKey", authentication.key.reveal());
  const keys = { suite: suiteOf(encryption.key), encryption: encryption.key, authentication: key, aadForm };
  try {
    open(keys, { sender: title }, content);
    return true;
  } catch (error) {
    if (error instanceof DlmsError && error.code === "SECURITY_TAG_MISMATCH") return false;
    throw error;
  }
}

function proven(trial: Trial, { title, encryption, authentication, aadForm }: Combination): Diagnosis {
  const fittingKeys = [encryption.name, authentication?.name].filter((name) => name !== undefined);
  const shown = fittingKeys.filter((name) => name !== EXCHANGED);
  const details = {
    proven: true,
    ...(sameTitle(title, trial.title) ? {} : { systemTitle: title }),
    ...(shown.length === 0 ? {} : { fittingKeys: shown }),
  };
  if (encryption.name === EXCHANGED && authentication?.name === EXCHANGED)
    return { finding: "keys-exchanged", ...details };
  if (encryption.name !== undefined) return { finding: "block-cipher-key-wrong", ...details };
  if (authentication?.name !== undefined) return { finding: "authentication-key-wrong", ...details };
  if (details.systemTitle !== undefined) return { finding: "system-title-wrong", ...details };
  return { finding: aadForm === "empty" ? "additional-data-empty" : "intact", ...details };
}

/** No tag fits or there is none: what shows when the octets are deciphered regardless. */
function likelihood(trial: Trial): Diagnosis {
  const { content, encryption, title } = trial;
  if (!content.securityControl.encrypted) return { finding: "undecided", proven: false };
  const believed = appearance(trial, title, encryption.key);
  if (believed === "apdu") {
    const finding = content.tag === undefined ? "intact" : "authentication-key-wrong";
    return { finding, proven: false };
  }
  for (const other of trial.titles.slice(0, LIMITS.diagnosisAttempts))
    if (appearance(trial, other, encryption.key) === "apdu")
      return { finding: "system-title-wrong", proven: false, systemTitle: other };
  for (const { name, key } of trial.encryptions)
    if (name !== undefined && appearance(trial, title, key) === "apdu")
      return name === EXCHANGED
        ? { finding: "keys-exchanged", proven: false }
        : { finding: "block-cipher-key-wrong", proven: false, fittingKeys: [name] };
  return { finding: believed === "start" ? "octets-damaged" : "block-cipher-key-wrong", proven: false };
}

/** Octets at the start that must be those of an APDU before damage further on is supposed. */
const START_LENGTH = 2;
const INVOKED = new Set([0xc0, 0xc1, 0xc3, 0xc4, 0xc5, 0xc7]);
const TELEGRAM_START = 0x2f;

/** `apdu` when the octets decode, `start` when they begin like the expected APDU and go wrong later. */
function appearance(trial: Trial, title: SystemTitle, key: SecretKey): "apdu" | "start" | "noise" {
  const iv = initialisationVector(title, trial.content.invocationCounter);
  const plain = counterMode({ suite: suiteOf(key), encryption: key }, iv, trial.content.payload);
  const expected = trial.outside.plainTag;
  const [tag, choice = 0] = plain;
  if (tag === undefined || (expected !== undefined && tag !== expected)) return "noise";
  // A P1 telegram may be ciphered in place of an APDU.
  if (expected === undefined && tag === TELEGRAM_START) return "apdu";
  try {
    decodeApdu(plain);
    return "apdu";
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
    const choiceFits = INVOKED.has(tag) && choice >= 1 && choice <= 3;
    return expected !== undefined && plain.length >= START_LENGTH && choiceFits ? "start" : "noise";
  }
}

function suiteOf(key: SecretKey): SecuritySuite {
  return key.length === 32 ? 2 : 0;
}
