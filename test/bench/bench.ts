/** What a file of test/bench exports as `bench`, and how it measures. */
import { Bench as Tinybench } from "tinybench";

export interface Bench {
  /** One sentence: what runs against what. */
  readonly compares: string;
  /** What makes the comparison unfair, to whose advantage; never empty, for there is always something. */
  readonly unfair: string;
  run(options: BenchOptions): Promise<BenchReport>;
}

export interface BenchOptions {
  /** How long each task is to run. A smoke run gives little and its numbers mean nothing. */
  readonly timeMs: number;
}

export interface BenchReport {
  /** Figures that are no rates, a sentence each. */
  readonly facts?: readonly string[];
  readonly rows: readonly BenchRow[];
  /** Bigger is better for us; ends as the lines `ratio NAME VALUE`. */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface BenchRow {
  readonly task: string;
  readonly perSecond: number;
  /** What is counted: `buffers`, `frames`, `meters`. */
  readonly unit: string;
  /** Relative margin of error in per cent, where it was measured. */
  readonly marginPercent?: number;
}

/** Runs each task on its own for `timeMs` after a warm-up; `count` units are done by one call of the task. */
export async function measure<Name extends string>(
  tasks: Readonly<Record<Name, () => unknown>>,
  unit: string,
  { timeMs }: BenchOptions,
  count = 1,
): Promise<{ readonly rows: BenchRow[]; readonly perSecond: Readonly<Record<Name, number>> }> {
  const tinybench = new Tinybench({ time: timeMs, warmupTime: Math.min(250, timeMs) });
  for (const [name, task] of Object.entries<() => unknown>(tasks)) tinybench.add(name, () => void task());
  await tinybench.run();
  const rows = tinybench.tasks.map((each): BenchRow => {
    if (each.result.state !== "completed") throw new Error(`the task ${each.name} did not run to its end`);
    const { mean, rme } = each.result.throughput;
    return { task: each.name, perSecond: mean * count, unit, marginPercent: rme };
  });
  return {
    rows,
    perSecond: Object.fromEntries(rows.map((row) => [row.task, row.perSecond])) as Record<Name, number>,
  };
}
