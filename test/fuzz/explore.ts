/**
 * The part of a long run that is guided by coverage, as a worker: V8's counters slow everything to a half, so inputs that
 * reach something new are found here and handed to the faster loop.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import type { Engine, Finding } from "./engine.ts";
import { UnderWay } from "./stall.ts";

export interface ExploreOrder {
  readonly seed: number;
  readonly secondsEach: number;
  /** Indexes into the catalogue. */
  readonly targets: readonly number[];
  readonly memory: SharedArrayBuffer;
}

export type ExploreNews =
  | {
      readonly type: "explored";
      readonly target: number;
      readonly executions: number;
      /** Inputs that reached what none before had reached. */
      readonly pool: readonly Uint8Array[];
      readonly finding: { readonly octets: Uint8Array; readonly message: string } | undefined;
    }
  /** Functions that have run, as `file:name`, and the ranges in them that have not. */
  | { readonly type: "covered"; readonly functions: ReadonlySet<string>; readonly gaps: number };

const BATCH = 256;

class Exploration {
  readonly #engine: Engine;
  readonly #coverage: Coverage;
  finding: Finding | undefined;

  constructor(engine: Engine, coverage: Coverage) {
    this.#engine = engine;
    this.#coverage = coverage;
  }

  /** Mutates for so long; the engine's pool grows by what reaches something new. */
  run(durationMs: number): void {
    const { pool } = this.#engine;
    const seeds = pool.length;
    for (const octets of pool) this.finding ??= this.#engine.execute(octets);
    this.#coverage.add(this.#coverage.take());
    for (const endMs = performance.now() + durationMs; performance.now() < endMs && this.finding === undefined; ) {
      const batch = Array.from({ length: BATCH }, () => this.#engine.next());
      if (this.#execute(batch)) this.#keepNew(batch);
    }
    pool.splice(0, seeds);
  }

  /** Executes all, and says whether they reached something new. */
  #execute(batch: readonly Uint8Array[]): boolean {
    for (const octets of batch) this.finding ??= this.#engine.execute(octets);
    return this.#coverage.isNew(this.#coverage.take());
  }

  /** Of a batch that reached something new, keeps the inputs that did: halves are executed again, down to one. */
  #keepNew(batch: readonly Uint8Array[]): void {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      this.#engine.execute(only);
      this.#coverage.add(this.#coverage.take());
      this.#engine.pool.push(only);
      return;
    }
    const half = batch.length >> 1;
    for (const part of [batch.slice(0, half), batch.slice(half)]) if (this.#execute(part)) this.#keepNew(part);
  }
}

function tell(news: ExploreNews): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A port between threads has no origin.
  parentPort?.postMessage(news);
}

async function explore({ seed, secondsEach, targets, memory }: ExploreOrder): Promise<void> {
  const coverage = new Coverage();
  // Code that is compiled before the counters start has none.
  const { TARGETS } = await import("./catalogue.ts");
  const { Engine } = await import("./engine.ts");
  const underWay = new UnderWay(memory);
  for (const index of targets) {
    const target = TARGETS[index];
    if (target === undefined) continue;
    const engine = new Engine(target, seed + index, (octets) => underWay.enter(index, octets));
    const exploration = new Exploration(engine, coverage);
    exploration.run(secondsEach * 1000);
    const { executions, pool } = engine;
    const finding = exploration.finding && {
      octets: exploration.finding.octets,
      message: exploration.finding.error.stack ?? "",
    };
    tell({ type: "explored", target: index, executions, pool, finding });
  }
  tell({ type: "covered", functions: coverage.entered, gaps: coverage.gapCount });
}

await explore(workerData as ExploreOrder);
