/** What can fail around keys and counters besides the database: what happened, and what to do. Codes are never reused. */
const KEY_ERRORS = {
  COUNTER_FILE_UNUSABLE: [
    "the file of invocation counters can't be read or written",
    "see the cause; give the file's directory to the user that runs this, with room on the disk",
  ],
  KEY_NOT_STORED: [
    "the configuration says that this key is stored, and the key store has none for this meter and client",
    "import it with `dlms-gateway keys import`, or name another place in the configuration",
  ],
  KEY_STORE_CLOSED: [
    "the configuration says that a key is stored, and names no sealing key to open it",
    "set keys.sealingKey in the configuration",
  ],
  KEY_ROLE_UNKNOWN: [
    "the database holds a key in a role that this version does not know",
    "start the version of dlms-gateway that stored it",
  ],
} as const satisfies Record<string, readonly [sentence: string, nextStep: string]>;

export type KeyErrorCode = keyof typeof KEY_ERRORS;

/** A failure of keeping keys or counters. `at` never holds secrets. */
export class KeyError extends Error {
  override readonly name = "KeyError";
  readonly code: KeyErrorCode;
  readonly at: Readonly<Record<string, number | string>>;
  /** What the operator can do. */
  readonly nextStep: string;

  constructor(code: KeyErrorCode, at: KeyError["at"] = {}, options?: ErrorOptions) {
    const [sentence, nextStep] = KEY_ERRORS[code];
    const location = Object.entries(at).map(([key, value]) => `${key}=${value}`);
    super([`${code}: ${sentence}`, ...location].join(" "), options);
    this.code = code;
    this.at = at;
    this.nextStep = nextStep;
  }
}
