/** The simulation of planner, sessions, store and spool: a hundred seeds, and faults of our own that it has to find. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DEFECTS } from "./world/defects.ts";

const RUN = join(import.meta.dirname, "run.ts");
const MOST_MS = 600_000;
/** Seeds of the hundred that a clean clone runs; 0 is a day of a thousand meters. */
const SEEDS = { first: 0, count: 100 };

interface Outcome {
  readonly code: number;
  readonly lines: readonly string[];
  readonly summary: { readonly seeds: number; readonly failed: readonly number[]; readonly digests: string };
}

/** In a process of its own: while a simulation runs, the globals of time are those of the simulation. */
function simulate(...args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [RUN, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      const lines = stdout.trim().split("\n");
      const code = typeof error?.code === "number" ? error.code : 0;
      try {
        resolve({ code, lines, summary: JSON.parse(lines.at(-1) ?? "") });
      } catch (cause) {
        reject(error ?? cause);
      }
    });
  });
}

test("simulation: no acknowledged reading is lost, none doubled, no counter used twice, the ledger is the data, no meter starves", {
  timeout: MOST_MS,
}, async () => {
  const { code, lines, summary } = await simulate("--seeds", String(SEEDS.count), "--from", String(SEEDS.first));
  expect(lines.slice(0, -1)).toEqual([]);
  expect(summary).toMatchObject({ seeds: SEEDS.count, failed: [] });
  expect(code).toBe(0);
});

test("simulation: a seed is the same run each time", { timeout: MOST_MS }, async () => {
  const [first, second] = await Promise.all([
    simulate("--seeds", "6", "--from", "11"),
    simulate("--seeds", "6", "--from", "11"),
  ]);
  expect(first.summary.digests).toMatch(/^\d+-[0-9a-f]+ /);
  expect(second.summary.digests).toBe(first.summary.digests);
});

const FOUND_AS: Readonly<Record<keyof typeof DEFECTS, RegExp>> = {
  "acknowledged-too-early": /acknowledged and lost/,
  "counter-used-twice": /counter reused/,
  "slot-dropped": /acknowledged and lost/,
  "value-changed": /held and never captured/,
  "places-added": /jobs in \d+ places/,
  "ledger-forgotten": /held and not in the ledger/,
  "meter-neglected": /never read: .*-1,/,
};

test.each(Object.entries(FOUND_AS))(
  "simulation: a fault that is built in is found, and its seed told: %s",
  { timeout: MOST_MS },
  async (defect, sentence) => {
    const { code, lines, summary } = await simulate("--seeds", "6", "--from", "21", "--defect", defect);
    expect(lines.filter((line) => sentence.test(line)).length).toBeGreaterThan(0);
    const [seed] = summary.failed;
    expect(lines).toContain(`again: npm run simulate-seeds -- --seeds 1 --from ${seed} --defect ${defect}`);
    expect(code).toBe(1);
  },
);
