import type { DecodedProfile } from "../../protocol/profile/decode.ts";
import type { SessionFailedError } from "./session-failure.ts";

/** A read that broke off after some whole rows; `cause` says why. */
export class BrokenReadError extends Error {
  override readonly name = "BrokenReadError";
  readonly rows: DecodedProfile;

  constructor(rows: DecodedProfile, cause: SessionFailedError) {
    super(`the read broke off after ${rows.rowCount} rows: ${cause.message}`, { cause });
    this.rows = rows;
  }
}
