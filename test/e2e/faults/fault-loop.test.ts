import { expect, test } from "vitest";
import { runFaultLoop } from "./fault-loop.ts";
import { FAULTS } from "./fault-rounds.ts";

/** `npm run faults` runs hundreds. */
const ROUNDS = 3;

test.each(FAULTS)(
  "faults: %s, again and again: what was confirmed is held once, what meters hold is read, no counter comes twice",
  { timeout: 180_000 },
  async (fault) => {
    const report = await runFaultLoop({ fault, rounds: ROUNDS });
    expect(report.confirmed).toBeGreaterThan(0);
    expect(report.polledRows).toBeGreaterThan(1000);
    expect(report.countersSeen).toBeGreaterThan(20);
    expect(report).toMatchObject({ once: report.confirmed, lost: 0, doubled: 0, revisions: 0 });
    expect(report).toMatchObject({ missingSlots: 0, ledgerFaults: 0, rowsWithoutOctets: 0, countersReused: 0 });
    expect(report.snapshotsLost).toBe(0);
  },
);
