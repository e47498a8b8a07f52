import type { Config } from "./schema.ts";

/** What a running gateway takes over when the configuration is read again, part by part; all else waits for a new start. */
export const LIVE_PARTS = {
  log: ["log"],
  keys: ["keys"],
  polling: ["polling", "limits"],
  notifications: ["notifications"],
  meters: ["models", "meters"],
  // Collections list meters, and plans are for collections.
  plans: ["collections", "groups", "plans"],
  calls: ["calls"],
  push: ["push"],
} as const satisfies Record<string, readonly (keyof Config)[]>;

export type LivePart = keyof typeof LIVE_PARTS;
