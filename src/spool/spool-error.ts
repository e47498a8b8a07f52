/** Every way in which the spool can fail us. Codes are never reused. */
const SPOOL_ERRORS = {
  SPOOL_UNUSABLE: [
    "the spool's directory can't be used",
    "give the gateway's user a directory that it may write to (spool.directory)",
  ],
  SPOOL_NEWER: [
    "the spool holds files of a newer version of dlms-gateway",
    "start the version that wrote them until it has brought them into the database",
  ],
  SPOOL_WRITE_FAILED: ["a record could not be written to the spool's disk", "see the cause; make room on the disk"],
  SPOOL_READ_FAILED: ["the spool's disk could not be read", "see the cause"],
  SPOOL_FULL: ["the spool has reached its quota", "see why the database does not answer; or raise spool.quota"],
  SPOOL_RECORD_UNKNOWN: [
    "a record is of a kind or version that this version of dlms-gateway does not know",
    "it is set aside in the spool's directory; read it with the version that wrote it",
  ],
  SPOOL_RECORD_INVALID: [
    "a record contradicts itself",
    "it is set aside in the spool's directory; report it with the version that wrote it",
  ],
  SPOOL_CLOSED: ["the spool takes no more records", "nothing: the gateway is stopping"],
} as const satisfies Record<string, readonly [sentence: string, nextStep: string]>;

export type SpoolErrorCode = keyof typeof SPOOL_ERRORS;

export class SpoolError extends Error {
  override readonly name = "SpoolError";
  readonly code: SpoolErrorCode;
  readonly at: Readonly<Record<string, number | string>>;
  /** What the operator can do. */
  readonly nextStep: string;

  constructor(code: SpoolErrorCode, at: SpoolError["at"] = {}, options?: ErrorOptions) {
    const [sentence, nextStep] = SPOOL_ERRORS[code];
    super([`${code}: ${sentence}`, ...Object.entries(at).map(([key, value]) => `${key}=${value}`)].join(" "), options);
    this.code = code;
    this.at = at;
    this.nextStep = nextStep;
  }
}
