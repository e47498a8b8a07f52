import { expect, test } from "vitest";
import { FAULTS, runFaultLoop } from "./fault-loop.ts";

/** `npm run faults` runs hundreds. */
const ROUNDS = 3;

test.each(FAULTS)(
  "faults: %s, again and again: every push that was confirmed is held once, with its row",
  { timeout: 180_000 },
  async (fault) => {
    const report = await runFaultLoop(fault, ROUNDS);
    expect(report.confirmed).toBeGreaterThan(0);
    expect(report).toMatchObject({ once: report.confirmed, lost: 0, doubled: 0, revisions: 0 });
  },
);
