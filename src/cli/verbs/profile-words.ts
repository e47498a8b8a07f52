import type { ProfileKind } from "../../profiles/batch.ts";

/** What people call the profiles. */
export const PROFILE_WORDS: ReadonlyMap<string, ProfileKind> = new Map([
  ["instant", "instant"],
  ["block", "block_load"],
  ["daily", "daily_load"],
  ["billing", "billing"],
]);
