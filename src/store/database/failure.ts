/** What an error of the driver means for whoever sent the statement. */
import { StoreError } from "./store-error.ts";

/**
 * `transient`: the same again may work (connection lost, server starting, deadlock, out of space), if only after
 * somebody has set right what the role may do.
 * `conflict`: a row with that key is there already. `data`: a value that the table can't hold. `permanent`: the rest.
 */
export type FailureKind = "transient" | "conflict" | "data" | "permanent";

const TRANSIENT_CLASSES = new Set(["08", "25", "28", "40", "53", "57", "58"]);
const TRANSIENT_CODES = new Set([
  "3D000",
  "42501",
  "55P03",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOENT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ENOTFOUND",
]);
const UNIQUE_VIOLATION = "23505";
/** The driver says these without a code. */
const TRANSIENT_MESSAGES = /terminat|not queryable|timeout|Connection ended|socket/i;

/** The driver's error behind one of ours; any other as it is. */
export function driverError(error: unknown): unknown {
  return error instanceof StoreError ? error.cause : error;
}

/** The SQLSTATE or the system's error code, or undefined. */
export function failureCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function failureKind(error: unknown): FailureKind {
  const code = failureCode(error);
  if (code === undefined) {
    return error instanceof Error && TRANSIENT_MESSAGES.test(error.message) ? "transient" : "permanent";
  }
  if (code === UNIQUE_VIOLATION) return "conflict";
  if (TRANSIENT_CODES.has(code) || (code.length === 5 && TRANSIENT_CLASSES.has(code.slice(0, 2)))) return "transient";
  return code.startsWith("22") || code.startsWith("23") ? "data" : "permanent";
}

const DEADLOCK = "40P01";

/** Whether two transactions waited for each other, and the server ended this one. */
export function isDeadlock(error: unknown): boolean {
  return failureCode(error) === DEADLOCK;
}

const QUERY_CANCELED = "57014";
/** What the driver says, without a code, when the server does not answer in time. */
const DRIVER_TIMEOUT = "Query read timeout";

/** Whether a statement took longer than statements may. */
export function isTimeout(error: unknown): boolean {
  return failureCode(error) === QUERY_CANCELED || (error instanceof Error && error.message === DRIVER_TIMEOUT);
}
