import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCases } from "./case.ts";
import { whyNotCompared } from "./not-compared.ts";
import { READERS } from "./readers.ts";
import { type CaseResult, judge } from "./reading.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const VECTORS = join(ROOT, "test", "vectors");
/** Captures of real meters, which may be read in place but not be part of this repository. */
const FIELD = join(ROOT, "..", "shared", "corpus", "field");
const CIPHER = join(ROOT, "..", "shared", "corpus", "crypto-vectors.json");

/** What was reached when this was last raised: no fewer may pass, no more may fail. */
const FLOOR = { vectors: { passed: 212, failed: 0 }, field: { passed: 511, failed: 0 } };

function run(...paths: string[]): readonly CaseResult[] {
  const { cases, problems } = loadCases(paths);
  expect(problems).toEqual([]);
  return cases.map((each) => judge(READERS, each));
}

interface Floor {
  readonly passed: number;
  readonly failed: number;
}

/** What is worse than the floor, a line each; empty when it holds. */
function shortfall(results: readonly CaseResult[], floor: Floor): string[] {
  const failures = results.filter((each) => each.verdict === "failed");
  const passed = results.filter((each) => each.verdict === "passed").length;
  return [
    ...(failures.length > floor.failed ? failures.map((each) => `${each.case.id}: ${each.reasons.join("; ")}`) : []),
    ...(passed < floor.passed ? [`${passed} passed, ${floor.passed} did before`] : []),
  ];
}

/** The facts that no reader gives and nobody has said why. */
function unexplained(results: readonly CaseResult[]): string[] {
  return results.flatMap(({ case: { id }, uncompared }) =>
    uncompared.filter((fact) => whyNotCompared(fact) === undefined).map((fact) => `${id} ${fact}`),
  );
}

test("corpus: every fact of our own cases is compared, or it is said why not", () => {
  expect(unexplained(run(VECTORS))).toEqual([]);
});

test.skipIf(!existsSync(FIELD))("corpus: the same of the field cases (needs ../shared/corpus/field)", () => {
  expect(unexplained(run(FIELD))).toEqual([]);
});

test("corpus: no fewer of our own cases pass than before", () => {
  expect(shortfall(run(VECTORS), FLOOR.vectors)).toEqual([]);
});

test.skipIf(!existsSync(FIELD))("corpus: no fewer field cases pass than before (needs ../shared/corpus/field)", () => {
  expect(shortfall(run(FIELD, CIPHER), FLOOR.field)).toEqual([]);
});

test("corpus: the judge fails what differs, is refused, is accepted against expectation, or crashes", () => {
  const base = {
    id: "planted",
    group: "planted",
    layer: "axdr",
    file: "none",
    keys: {},
    outcome: "accept",
    reason: undefined,
    tags: [],
    stated: {},
    derived: {},
  } as const;
  const accepted = judge(READERS, { ...base, input: { hex: "1105" }, derived: { data: { t: "unsigned", v: 5 } } });
  expect(accepted).toMatchObject({ verdict: "passed", factCount: 1, comparedCount: 1 });
  const differs = judge(READERS, { ...base, input: { hex: "1106" }, derived: { data: { t: "unsigned", v: 5 } } });
  expect(differs).toMatchObject({ verdict: "failed", reasons: ["data.v: expected 5, got 6"] });
  expect(judge(READERS, { ...base, input: { hex: "11" } }).verdict).toBe("failed");
  expect(judge(READERS, { ...base, input: { hex: "1105" }, outcome: "reject" }).verdict).toBe("failed");
  expect(judge(READERS, { ...base, input: { hex: "1105" }, layer: "novel" }).verdict).toBe("unsupported");
  const crashing = {
    axdr: () => {
      throw new TypeError("planted");
    },
  };
  expect(judge(crashing, { ...base, input: { hex: "1105" }, outcome: "reject" }).verdict).toBe("failed");
});
