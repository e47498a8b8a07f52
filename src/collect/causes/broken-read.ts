import type { DecodedProfile } from "../../../protocol/profile/decode.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { MappedProfile } from "../../profiles/map-profile.ts";

/** A read that broke off after some whole rows; `cause` says why. */
export class BrokenReadError extends Error {
  override readonly name = "BrokenReadError";
  readonly rows: DecodedProfile;
  /** What was read whole before. */
  readonly before: readonly MappedProfile[];

  constructor(rows: DecodedProfile, cause: unknown, before: readonly MappedProfile[] = []) {
    const reason = messageOf(cause);
    super(`the read broke off after ${rows.rowCount} rows: ${reason}`, { cause });
    this.rows = rows;
    this.before = before;
  }
}
