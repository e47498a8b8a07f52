/**
 * Numbers of the advisory locks, the database's own signs for "one at a time": whoever shares a number waits for the
 * other. Functions of the database use the same numbers; a test holds them against this table.
 */
export const ADVISORY_LOCKS = {
  /** Bringing the schema up to date. */
  migrations: 6_142_023_918_440_517n,
  /** Shared by whoever writes rows of meters; alone whoever deletes meters, or needs all writers to have ended. */
  meters: 6_142_023_918_440_518n,
  /** Which gateway has which meters. */
  gateways: 6_142_023_918_440_519n,
  /** Sums by day; held for as long as they are at work. */
  dailyLoad: 6_142_023_918_440_520n,
  /** Writers of pushes that their senders repeat: two must not both find that one is new. */
  repeatedPushes: 6_142_023_918_440_521n,
  /** Folding the journal of the ledger into its pages. */
  coverage: 6_142_023_918_440_522n,
} as const satisfies Record<string, bigint>;
