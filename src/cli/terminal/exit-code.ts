/** What the command's exit code says; docs and `--help` show this table. */
export const EXIT_CODES = {
  success: { code: 0, meaning: "everything that was asked for was done" },
  failure: { code: 1, meaning: "something failed; the cause is on the standard error" },
  usage: { code: 2, meaning: "the command line can't be understood" },
  configuration: { code: 3, meaning: "the configuration can't be used" },
  meterFailed: { code: 4, meaning: "a meter could not be read; each is named with its cause" },
  otherVersion: { code: 5, meaning: "the database is one of another version of dlms-gateway" },
} as const;

export type ExitReason = keyof typeof EXIT_CODES;

/** Why the daemon ends where starting it again changes nothing. */
export const LASTING_REASONS = ["configuration", "otherVersion"] as const satisfies ExitReason[];
